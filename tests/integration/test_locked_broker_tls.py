"""TLS with the farm's own authority against a real mosquitto: who is trusted, who is not, and what a person reads."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.locks.certificates import main as make_certificates
from shared.bus import Arrival, BrokerAddress, LinkListener, MqttLink, Packet, TrustError
from shared.clock import Clock, SystemClock, VirtualClock
from shared.topics import Identity
from tests.locked_broker import LockedBroker, free_port
from tests.waiting import eventually


class Listener(LinkListener):
    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []

    def link_up(self) -> None:
        pass

    def link_down(self) -> None:
        pass

    def link_arrival(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)


def made(directory: Path, host: str, *more: str, clock: Clock | None = None) -> Path:
    """Certificates in this directory; returns the authority's."""
    arguments = [
        "--authority",
        str(directory / "authority"),
        "--broker",
        str(directory / "broker"),
        "--host",
        host,
        *more,
    ]
    assert make_certificates(arguments, clock or SystemClock()) == 0
    return directory / "authority" / "authority.crt"


def give(broker: LockedBroker, directory: Path) -> None:
    """Puts the certificates where the broker finds them, and restarts it."""
    target = broker.config / "certificates"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(directory / "broker", target)
    broker.stop()
    broker.start()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def broker(home: Path) -> Iterator[LockedBroker]:
    running = LockedBroker(home / "locked")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ours(broker: LockedBroker, home: Path) -> Path:
    """The authority of the broker, which runs with a good certificate for 127.0.0.1."""
    authority = made(home / "ours", "127.0.0.1")
    give(broker, home / "ours")
    return authority


def address(broker: LockedBroker, ca_file: Path | None, host: str = "127.0.0.1") -> BrokerAddress:
    user = broker.address(Identity.PEOPLE)
    return replace(user, host=host, port=broker.tls_port, tls=True, ca_file=None if ca_file is None else str(ca_file))


def complaint(to: BrokerAddress, caplog: pytest.LogCaptureFixture) -> str:
    """What the link says, once, although it tries on."""
    caplog.clear()
    link = MqttLink(to, "tester")
    tries: list[object] = []
    told = link._on_connect_fail

    def counted(*what: Any) -> None:
        told(*what)
        tries.append(what)

    link._on_connect_fail = counted  # type: ignore[assignment, method-assign]
    link.start(Listener(), None)
    assert link._client is not None
    link._client.reconnect_delay_set(1, 1)
    try:
        assert eventually(lambda: len(tries) >= 2, 30), "it does not try on"
        assert not link.is_up()
    finally:
        link.stop(None)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1, said
    return said[0]


def test_with_the_right_authority_it_talks_over_tls(broker: LockedBroker, ours: Path) -> None:
    link, listener = MqttLink(address(broker, ours), "tester"), Listener()
    link.start(listener, None)
    try:
        assert eventually(link.is_up, 20)
        link.subscribe([("sunherd/miner/+/override", 1)])
        for number in range(200):
            assert link.send(Packet("sunherd/miner/s19-20/override", b"%d" % number))
        assert eventually(lambda: len(listener.arrivals) == 200, 20)
        assert [arrival.payload for arrival in listener.arrivals] == [b"%d" % number for number in range(200)]
        assert "TLS on port 8883" in broker.said().replace(str(broker.tls_port), "8883")
    finally:
        link.stop(None)


def test_another_authority_is_refused(
    broker: LockedBroker, ours: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    to = address(broker, made(tmp_path, "127.0.0.1"))
    assert complaint(to, caplog) == (
        f"mqtts://127.0.0.1:{broker.tls_port} cannot be reached: nobody known here vouches for its certificate: "
        f"{tmp_path}/authority/authority.crt is another authority's. Fix: broker.ca_file: the broker's authority.crt "
        "(said once; trying on)"
    )


def test_without_ca_file_only_the_systems_authorities_count(
    broker: LockedBroker, ours: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "broker.ca_file is missing. Fix: broker.ca_file:" in complaint(address(broker, None), caplog)


def test_another_name_is_refused(
    broker: LockedBroker, ours: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = made(home / "elsewhere", "broker.lan")
    # Its certificate is always good for this machine: only one made by hand is not.
    certificates = home / "elsewhere"
    _for_another_host_alone(certificates)
    give(broker, certificates)
    try:
        assert complaint(address(broker, elsewhere), caplog) == (
            f"mqtts://127.0.0.1:{broker.tls_port} cannot be reached: its certificate is not for 127.0.0.1. "
            "Fix: make certificates ARGS='--host 127.0.0.1', restart the broker (said once; trying on)"
        )
    finally:
        give(broker, home / "ours")


def test_an_expired_certificate_is_refused_and_a_renewed_one_accepted_without_a_restart_of_ours(
    broker: LockedBroker, ours: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    old = home / "old"
    authority = made(old, "127.0.0.1", clock=VirtualClock(datetime.now(UTC) - timedelta(days=400)))
    give(broker, old)
    link = MqttLink(address(broker, authority), "tester")
    link.start(Listener(), None)
    try:
        said = (
            f"mqtts://127.0.0.1:{broker.tls_port} cannot be reached: its certificate has expired. "
            "Fix: `make certificates` again, restart the broker; if not, this machine's clock is off "
            "(said once; trying on)"
        )
        assert eventually(lambda: said in caplog.messages, 20), caplog.messages

        made(old, "127.0.0.1", "--days", "20")
        give(broker, old)

        assert eventually(link.is_up, 40)
        assert caplog.messages.count(said) == 1
        assert f"mqtts://127.0.0.1:{broker.tls_port}: connected" in caplog.messages
        soon = [text for text in caplog.messages if "the broker's certificate expires on" in text]
        assert len(soon) == 1
    finally:
        link.stop(None)
        give(broker, home / "ours")


def test_a_port_without_tls_is_named(broker: LockedBroker, ours: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = complaint(replace(address(broker, ours), port=broker.port), caplog)
    assert "no TLS is spoken on this port. Fix: the broker's TLS port is 8883, or write mqtt://" in text


def test_a_tls_port_that_is_spoken_to_without_tls_is_named(
    broker: LockedBroker, ours: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = MqttLink(replace(broker.address(Identity.PEOPLE), port=broker.tls_port), "tester")
    link.start(Listener(), None)
    said = (
        f"mqtt://127.0.0.1:{broker.tls_port} hangs up without a word. Fix: if this is its TLS port, write mqtts:// in "
        "broker.url (said once; trying on)"
    )
    try:
        assert eventually(lambda: said in caplog.messages, 40), caplog.messages
    finally:
        link.stop(None)


def test_a_broker_that_is_down_is_said_once_and_found_when_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    later = LockedBroker(tmp_path)
    text = complaint(later.address(Identity.PEOPLE), caplog)
    assert text == (
        f"mqtt://127.0.0.1:{later.port} cannot be reached: [Errno 111] Connection refused. "
        "Fix: start the broker, or correct broker.url (said once; trying on)"
    )
    link = MqttLink(later.address(Identity.PEOPLE), "tester")
    link.start(Listener(), None)
    try:
        later.start()
        assert eventually(link.is_up, 40)
        later.stop()
        assert eventually(lambda: not link.is_up(), 20)
        assert [text for text in caplog.messages if "the connection has ended" in text]
    finally:
        link.stop(None)
        later.stop()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no {path}. Fix: copy authority.crt here"),
        ("no certificate", "{path} cannot be used: it holds no certificate. Fix: give the authority.crt"),
    ],
)
def test_an_authority_that_cannot_be_used_is_said_before_anything_starts(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "authority.crt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TrustError) as caught:
        MqttLink(BrokerAddress("127.0.0.1", free_port(), tls=True, ca_file=str(path)), "tester")
    assert words.format(path=path) in str(caught.value)


def _for_another_host_alone(certificates: Path) -> None:
    """Makes the broker's certificate anew, by its authority, for a name that is not this machine's."""
    from deploy.locks.certificates import Places, _known_authority
    from deploy.locks.signing import new_server, pem, private_pem

    now = datetime.now(UTC)
    places = Places(certificates / "authority", certificates / "broker")
    authority = _known_authority(places, now)
    key, certificate = new_server(authority, ["broker.lan"], now, now + timedelta(days=10))
    places.server_key.write_bytes(private_pem(key))
    places.server_certificate.write_bytes(pem(certificate))
