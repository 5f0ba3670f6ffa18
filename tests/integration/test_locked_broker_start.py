"""How the bundled broker starts: passwords, the owner's own users, certificates that it cannot read, later versions."""

import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.bus import LinkListener, MqttLink
from shared.topics import Identity
from tests.locked_broker import LockedBroker, password_of, variable_of
from tests.waiting import eventually


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path)
    yield running
    running.stop()


class Silent(LinkListener):
    def link_up(self) -> None:
        pass

    def link_down(self) -> None:
        pass

    def link_arrival(self, arrival: object) -> None:
        pass


def complaint(link: MqttLink, caplog: pytest.LogCaptureFixture) -> str:
    link.start(Silent(), None)
    try:
        assert eventually(lambda: [r for r in caplog.records if r.levelno >= logging.ERROR], 20)
    finally:
        link.stop(None)
    return caplog.records[-1].getMessage()


def test_a_wrong_password_is_told_to_whoever_has_it_with_the_fix(
    broker: LockedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.start()
    link = MqttLink(broker.address(Identity.PEOPLE, password="wrong"), "tester")
    assert complaint(link, caplog) == (
        f"mqtt://127.0.0.1:{broker.port} refuses the connection: Not authorized. "
        "Fix: MQTT_PASSWORD and broker.username (said once; trying on)"
    )
    assert eventually(lambda: "disconnected, not authorised" in broker.said(), 10), broker.said()


def test_whose_password_is_empty_cannot_log_in_and_the_broker_says_so(
    broker: LockedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.start(**{variable_of(Identity.FLEET): ""})
    assert "SUNHERD_BROKER_PASSWORD_FLEET is empty: fleet cannot log in. Fix: make env" in broker.said()
    for password in ("", password_of(Identity.FLEET)):
        link = MqttLink(broker.address(Identity.FLEET, password=password or " "), "tester")
        assert "Not authorized" in complaint(link, caplog)
    with closing(broker.client(Identity.PEOPLE)):
        pass


def test_nobody_is_let_in_without_a_name(broker: LockedBroker, caplog: pytest.LogCaptureFixture) -> None:
    from shared.bus import BrokerAddress

    broker.start()
    assert "Not authorized" in complaint(MqttLink(BrokerAddress("127.0.0.1", broker.port), "tester"), caplog)


def test_without_any_password_it_does_not_start_and_says_what_to_do(broker: LockedBroker) -> None:
    for file in (broker.config / "own").iterdir():
        file.unlink()
    done = start(broker)
    assert done.returncode == 2
    assert "there is no password, so nobody could log in. Fix: make env" in done.stderr


def test_no_password_is_left_in_the_open(broker: LockedBroker) -> None:
    broker.start()
    assert broker.process is not None
    environment = Path(f"/proc/{broker.process.pid}/environ").read_text()
    assert os.environ["PATH"] in environment
    passwords = (broker.work / "passwords").read_text(encoding="utf-8")
    for identity in Identity:
        assert password_of(identity) not in passwords + broker.said()
        assert f"\n{identity.value}:$7$" in "\n" + passwords
    assert (broker.work / "passwords").stat().st_mode & 0o077 == 0
    assert (broker.work / "access.list").stat().st_mode & 0o077 == 0
    # The kernel shows what a process was started with: the shell's. Mosquitto's own has been emptied of them.
    assert "mosquitto" in Path(f"/proc/{broker.process.pid}/cmdline").read_text()
    assert password_of(Identity.FLEET) not in Path(f"/proc/{broker.process.pid}/cmdline").read_text()
    assert password_of(Identity.FLEET) not in environment


def test_the_owners_own_users_may_what_their_lines_say(broker: LockedBroker) -> None:
    broker.add_user("zigbee", "topic readwrite zigbee2mqtt/#")
    broker.add_user("my-inverter", "topic write my/inverter/soc")
    with (broker.config / "own" / "access.list").open("a", encoding="utf-8") as rules:
        rules.write("user soc-bridge\ntopic read my/inverter/#\n")
    broker.start()
    with closing(broker.client("my-inverter")) as inverter, closing(broker.client(Identity.SOC_BRIDGE)) as bridge:
        bridge.subscribe("my/inverter/soc", "sunherd/service/+/presence")
        inverter.publish("my/inverter/soc", b"55")
        assert eventually(lambda: bridge.has_heard("my/inverter/soc", b"55"), 20)


def test_certificates_that_it_may_not_read_leave_tls_out_and_are_told() -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: only root can start the broker as somebody who may not read a file")
    # Not below pytest's directory, into which nobody else may look.
    with tempfile.TemporaryDirectory() as place:
        broker = LockedBroker(Path(place))
        certificates = broker.config / "certificates"
        certificates.mkdir()
        for name, mode in (("server.crt", 0o644), ("server.key", 0o600)):
            (certificates / name).write_text("x")
            (certificates / name).chmod(mode)
        script = broker.config / "start.sh"
        # The script alone as user 65534; what follows it is not of interest here.
        text = script.read_text(encoding="utf-8").replace("exec mosquitto ", "exec true ")
        script.write_text(text, encoding="utf-8")
        for directory in (Path(place), broker.config, broker.config / "own", certificates):
            directory.chmod(0o755)
        for file in (broker.config / "own").iterdir():
            file.chmod(0o644)
        broker.work.parent.chmod(0o777)

        done = start(broker, user=65534)

        assert "server.key cannot be read by user 65534. Fix: SUNHERD_GID in .env" in done.stdout, done
        assert done.returncode == 0
        assert not (broker.work / "included" / "tls.conf").exists()
        broker.stop()


@pytest.mark.parametrize(
    ("version", "variables", "by"),
    [
        ("2.0.21", {}, "password_file"),
        ("2.1.2", {}, "password_file"),
        ("2.1.2", {"SUNHERD_BROKER_PLUGINS": "yes"}, "global_plugin"),
        ("3.0.0", {}, "global_plugin"),
    ],
)
def test_what_later_versions_have_in_place_of_the_options_is_taken_by_itself(
    broker: LockedBroker, tmp_path: Path, version: str, variables: dict[str, str], by: str
) -> None:
    """A mosquitto that only tells its version stands in for those that cannot be had here."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "mosquitto"
    program.write_text(f'#!/bin/sh\n[ "$1" != -h ] || echo "mosquitto version {version}"\n', encoding="utf-8")
    program.chmod(0o755)

    assert start(broker, None, PATH=f"{programs}:{os.environ['PATH']}", **variables).returncode == 0

    included = (broker.work / "included" / "access.conf").read_text(encoding="utf-8")
    assert included.count(by) == (1 if by == "password_file" else 2)
    for file in ("passwords", "access.list"):
        assert f"{broker.work}/{file}" in included


def start(broker: LockedBroker, user: int | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs start.sh to its end."""
    environment = {"PATH": os.environ["PATH"] + ":/usr/sbin"} | variables
    if variables or user is not None:
        environment[variable_of(Identity.PEOPLE)] = "secret"
    began = time.monotonic()
    done = subprocess.run(
        ["sh", str(broker.config / "start.sh")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        user=user,
    )
    assert time.monotonic() - began < 30
    return done
