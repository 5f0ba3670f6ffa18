"""`make certificates`: the authority is made once, the broker's certificate as often as one likes."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.locks.certificates import main
from shared.clock import VirtualClock


def make(directory: Path, clock: VirtualClock, *arguments: str) -> int:
    where = ["--authority", str(directory / "certificates"), "--broker", str(directory / "broker")]
    return main([*where, *arguments], clock)


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def names(file: Path) -> list[str]:
    found = certificate(file).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def test_it_makes_an_authority_and_a_certificate_that_it_has_signed(
    tmp_path: Path, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(tmp_path, clock, "--host", "broker.lan", "--host", "192.168.1.10", "--host", "fe80::1") == 0

    authority = certificate(tmp_path / "certificates" / "authority.crt")
    server = certificate(tmp_path / "broker" / "server.crt")
    server.verify_directly_issued_by(authority)
    assert names(tmp_path / "broker" / "server.crt") == [
        *("broker.lan", "192.168.1.10", "fe80::1", "localhost", "127.0.0.1", "mosquitto")
    ]
    assert timedelta() < server.not_valid_after_utc - clock.now() <= timedelta(days=825)
    assert server.not_valid_before_utc <= clock.now() - timedelta(minutes=30), "clocks may differ a little"
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    said = capsys.readouterr().out
    assert f"It expires on {server.not_valid_after_utc:%Y-%m-%d}: run this again by 2027-06-23" in said
    assert f"mqtts://broker.lan:8883, ca_file: {tmp_path}/certificates/authority.crt" in said


def test_only_its_owner_reads_the_authoritys_key_and_only_the_broker_its_own(
    tmp_path: Path, clock: VirtualClock
) -> None:
    make(tmp_path, clock, "--host", "broker.lan")
    assert stat.S_IMODE((tmp_path / "certificates" / "authority.key").stat().st_mode) == 0o600
    key = (tmp_path / "broker" / "server.key").stat()
    if os.geteuid() == 0:
        assert (stat.S_IMODE(key.st_mode), key.st_uid) == (0o600, 1883)
    else:
        assert stat.S_IMODE(key.st_mode) == 0o640
    assert not (tmp_path / "broker" / "authority.key").exists()
    for folder in ("certificates", "broker"):
        assert (tmp_path / folder / ".gitignore").read_text() == "*\n"


def test_the_same_command_renews_for_the_same_names_by_the_same_authority(tmp_path: Path, clock: VirtualClock) -> None:
    make(tmp_path, clock, "--host", "192.168.1.10", "--host", "broker.lan")
    before, wanted = (
        (tmp_path / "certificates" / "authority.crt").read_bytes(),
        names(tmp_path / "broker" / "server.crt"),
    )
    first = certificate(tmp_path / "broker" / "server.crt")
    clock.advance(390 * 86_400)

    assert make(tmp_path, clock) == 0

    second = certificate(tmp_path / "broker" / "server.crt")
    assert (tmp_path / "certificates" / "authority.crt").read_bytes() == before
    assert names(tmp_path / "broker" / "server.crt") == wanted
    assert second.not_valid_after_utc - first.not_valid_after_utc == timedelta(days=390)
    assert isinstance(second.public_key(), ec.EllipticCurvePublicKey)
    assert second.public_key() != first.public_key()


def test_a_certificate_never_outlives_its_authority(tmp_path: Path, clock: VirtualClock) -> None:
    make(tmp_path, clock, "--host", "broker.lan")
    clock.advance(3600 * 86_400)
    make(tmp_path, clock)
    authority = certificate(tmp_path / "certificates" / "authority.crt")
    assert certificate(tmp_path / "broker" / "server.crt").not_valid_after_utc == authority.not_valid_after_utc


@pytest.mark.parametrize(
    ("arguments", "spoilt", "words"),
    [
        ([], None, "under which name do clients reach the broker? Fix: make certificates ARGS='--host broker.lan'"),
        (["--host", "http://broker.lan"], None, "'http://broker.lan' is no host name. Fix: "),
        (["--host", "broker.lan"], "authority.key", "is not whole"),
        (["--host", "broker.lan"], "authority.crt", "is not whole"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_fix(
    tmp_path: Path,
    clock: VirtualClock,
    capsys: pytest.CaptureFixture[str],
    *,
    arguments: list[str],
    spoilt: str | None,
    words: str,
) -> None:
    if spoilt is not None:
        make(tmp_path, clock, "--host", "broker.lan")
        (tmp_path / "certificates" / spoilt).unlink()
    capsys.readouterr()
    assert make(tmp_path, clock, *arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Fix: " in said.err
    assert "Traceback" not in said.err


def test_the_key_of_another_authority_is_noticed(
    tmp_path: Path, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        make(tmp_path / name, clock, "--host", "broker.lan")
    other = (tmp_path / "b" / "certificates" / "authority.key").read_bytes()
    (tmp_path / "a" / "certificates" / "authority.key").write_bytes(other)
    assert make(tmp_path / "a", clock) == 2
    assert "do not belong together" in capsys.readouterr().err


def test_an_authority_that_ends_soon_is_told(
    tmp_path: Path, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, clock, "--host", "broker.lan")
    clock.advance(3630 * 86_400)
    assert make(tmp_path, clock) == 2
    assert "the farm's authority ends on" in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "826", "-1"])
def test_a_life_that_clients_refuse_is_refused(tmp_path: Path, clock: VirtualClock, days: str) -> None:
    with pytest.raises(SystemExit):
        make(tmp_path, clock, "--host", "broker.lan", "--days", days)
