"""What `deploy.fleet` says of a broker whose certificate will not do, and how it comes to trust one of one's own."""

import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.broker import find_mosquitto
from shared.clock import SystemClock
from tests.fleet_farm import FleetCommand
from tests.waiting import eventually

NOW = SystemClock().now()


class Authority:
    """Vouches for certificates."""

    def __init__(self, name: str, directory: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._signed(self._name, self._key, NOW - timedelta(days=999), NOW + timedelta(days=9), None)
        self.file = directory / f"{name}.crt"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime, host: str | None
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def vouch(self, file: Path, host: str, begins_days: float, ends_days: float) -> None:
        """Writes certificate and key for a host, valid from and to so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        begins, ends = NOW + timedelta(days=begins_days), NOW + timedelta(days=ends_days)
        certificate = self._signed(name, key, begins, ends, host)
        file.with_suffix(".crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        file.with_suffix(".key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class TlsBroker:
    """One mosquitto with a listener for each certificate."""

    def __init__(self, directory: Path) -> None:
        self.command = FleetCommand(directory)
        self.authority = Authority("ours", directory)
        Authority("other", directory)
        self.ports: dict[str, int] = {}
        program = find_mosquitto()
        if program is None:
            pytest.skip("MOSQUITTO IS NOT INSTALLED: TLS is not tested")
        lines = ["allow_anonymous true", "user root"]
        for name, host, begins, ends in (
            ("good", "localhost", -1, 5),
            ("old", "localhost", -9, -1),
            ("early", "localhost", 1, 5),
            ("elsewhere", "broker.lan", -1, 5),
        ):
            self.authority.vouch(directory / name, host, begins, ends)
            self.ports[name] = free_port()
            lines += [f"listener {self.ports[name]} 127.0.0.1", f"certfile {directory / name}.crt"]
            lines += [f"keyfile {directory / name}.key"]
        (directory / "mosquitto.conf").write_text("\n".join([*lines, ""]), encoding="utf-8")
        self.process = subprocess.Popen(
            [str(program), "-c", str(directory / "mosquitto.conf")], stderr=subprocess.DEVNULL
        )
        assert eventually(lambda: all(listens(port) for port in self.ports.values()), 20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBroker]:
    broker = TlsBroker(tmp_path_factory.mktemp("tls"))
    yield broker
    broker.process.terminate()
    broker.process.wait(20)


def said(broker: TlsBroker, name: str, *words: str, scheme: str = "mqtts") -> str:
    url = f"{scheme}://localhost:{broker.ports[name]}"
    return " ".join(broker.command.run("status", "--broker", url, *words)[1].split())


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(broker: TlsBroker) -> None:
    assert "0 devices, 0 without a live owner" in said(broker, "good", "--ca-file", str(broker.authority.file))


@pytest.mark.parametrize(
    ("name", "authority", "text"),
    [
        ("good", None, "Nobody known here vouches for the broker's certificate. Fix: --ca-file"),
        ("good", "other.crt", "Nobody known here vouches for the broker's certificate. Fix: --ca-file"),
        ("old", "ours.crt", "The broker's certificate has expired."),
        ("early", "ours.crt", "The broker's certificate is not valid yet."),
        ("elsewhere", "ours.crt", "The broker's certificate is not for localhost. Fix: make certificates ARGS='--host"),
    ],
)
def test_a_certificate_that_will_not_do_is_told_with_its_fix(
    broker: TlsBroker, name: str, authority: str | None, text: str
) -> None:
    words = [] if authority is None else ["--ca-file", str(broker.authority.file.with_name(authority))]
    assert text in said(broker, name, *words)


def test_without_tls_on_the_port_of_tls_nobody_answers(broker: TlsBroker) -> None:
    assert "Without MQTT:" in said(broker, "good", scheme="mqtt")
    code, _, complaints = broker.command.run("status", "--ca-file", "no-such.crt")
    assert (code, "there is no no-such.crt" in complaints) == (2, True)
