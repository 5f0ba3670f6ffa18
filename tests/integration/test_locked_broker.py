"""Who may write and read what on the bundled broker: every identity, every topic, both ways, on a real mosquitto."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.topics import SERVICE_BARRIER, SERVICE_PRESENCE, TOPICS, Identity
from tests.locked_broker import AUDITOR, Client, LockedBroker
from tests.waiting import eventually

PREFIX = "sunherd"
END = b"the end"
FOREIGN = {
    "homeassistant/device/x/config": (
        {Identity.HOME_ASSISTANT, Identity.HA_DISCOVERY},
        {Identity.HOME_ASSISTANT, Identity.HA_DISCOVERY},
    ),
    "homeassistant/status": ({Identity.HOME_ASSISTANT}, {Identity.HOME_ASSISTANT, Identity.HA_DISCOVERY}),
    "homeassistant/sensor/soc/state": ({Identity.HOME_ASSISTANT}, {Identity.HOME_ASSISTANT, Identity.SOC_BRIDGE}),
    "N/portal/system/0/Dc/Battery/Soc": (set[Identity](), {Identity.SOC_BRIDGE}),
    "R/portal/keepalive": ({Identity.SOC_BRIDGE}, set[Identity]()),
    "W/portal/settings/0/Settings/CGwacs/AcPowerSetPoint": (set[Identity](), set[Identity]()),
    "evcc/site/battery/soc": (set[Identity](), {Identity.SOC_BRIDGE}),
    "evcc/site/bufferSoc/set": (set[Identity](), {Identity.SOC_BRIDGE}),
    "solar_assistant/total/battery_state_of_charge/state": (set[Identity](), {Identity.SOC_BRIDGE}),
    "another/program": (set[Identity](), set[Identity]()),
}
"""Topics of other programs: who may write them, who may read them."""

Pair = tuple[Identity, str]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path_factory.mktemp("locked"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def clients(broker: LockedBroker) -> Iterator[dict[str, Client]]:
    with ExitStack() as stack:
        opened = {user: broker.client(user) for user in (*Identity, AUDITOR)}
        for client in opened.values():
            stack.callback(client.close)
        yield opened


def paths() -> list[str]:
    """One of each topic, under an id that is no client's."""
    return [topic.path(PREFIX, "somebody") for topic in TOPICS] + list(FOREIGN)


def own(client: Client, channel: str) -> str:
    return f"{PREFIX}/service/{client.client_id}/{channel}"


def allowed(*, write: bool) -> set[Pair]:
    pairs = {
        (identity, topic.path(PREFIX, "somebody"))
        for topic in TOPICS
        for identity in Identity
        if (topic.may_write(identity) if write else topic.may_read(identity))
    }
    return pairs | {
        (who, path) for path, (writers, readers) in FOREIGN.items() for who in (writers if write else readers)
    }


def test_every_identity_writes_what_the_table_says_and_nothing_else(clients: dict[str, Client]) -> None:
    auditor = clients[AUDITOR]
    auditor.subscribe("#")
    for identity in Identity:
        for path in paths():
            clients[identity].publish(path, identity.encode())
        clients[identity].publish(own(clients[identity], "barrier"), END)

    for identity in Identity:
        assert eventually(lambda: auditor.has_heard(own(clients[identity], "barrier"), END), 30), identity  # noqa: B023
    arrived = {(Identity(payload.decode()), path) for path, payload in auditor.heard if payload != END}

    assert arrived == allowed(write=True)


@pytest.mark.parametrize("retained", [False, True])
def test_every_identity_reads_what_the_table_says_and_nothing_else(
    clients: dict[str, Client], *, retained: bool
) -> None:
    auditor = clients[AUDITOR]
    auditor.subscribe(f"{PREFIX}/#")
    if retained:
        for path in paths():
            auditor.publish(path, retain=True)
        auditor.publish(f"{PREFIX}/service/auditor-1/barrier", END)
        assert eventually(lambda: auditor.has_heard(f"{PREFIX}/service/auditor-1/barrier", END), 30)
    for identity in Identity:
        clients[identity].subscribe("#", "$SYS/broker/version")
    if not retained:
        for path in paths():
            auditor.publish(path)
    for identity in Identity:
        auditor.publish(own(clients[identity], "barrier"), END)

    for identity in Identity:
        client = clients[identity]
        assert eventually(lambda: client.has_heard(own(client, "barrier"), END), 30), identity  # noqa: B023
    heard = {
        (identity, path)
        for identity in Identity
        for path, _ in (clients[identity].retained if retained else clients[identity].heard)
        if "/barrier" not in path or "/somebody/" in path
    }
    for path in paths():
        auditor.publish(path, b"", retain=True)

    # A barrier is never kept by whom it belongs to; the broker's own version is, for the fleet's tools.
    version = {(Identity.FLEET, "$SYS/broker/version")} if retained else set()
    assert {pair for pair in heard if not pair[1].startswith("$SYS")} == allowed(write=False)
    assert {pair for pair in heard if pair[1].startswith("$SYS")} == version


def test_a_client_speaks_for_itself_alone(broker: LockedBroker, clients: dict[str, Client]) -> None:
    auditor = clients[AUDITOR]
    auditor.subscribe(f"{PREFIX}/service/#")
    mine, other = broker.client(Identity.VNISH_AGENT, "vnish_agent-a"), clients[Identity.BITAXE_AGENT]
    try:
        for channel in ("presence", "event", "barrier"):
            mine.publish(own(other, channel), b"forged")
            mine.publish(own(mine, channel), b"mine")
        mine.publish(own(mine, "event"), END)

        assert eventually(lambda: auditor.has_heard(own(mine, "event"), END), 20)
        assert {path for path, payload in auditor.heard if payload == b"mine"} == {
            own(mine, channel) for channel in ("presence", "event", "barrier")
        }
        assert not [path for path, payload in auditor.heard if payload == b"forged"]
    finally:
        mine.close()


@pytest.mark.parametrize("client_id", ["+", "#", "a/b"])
def test_a_client_id_that_is_a_wildcard_opens_nothing(
    broker: LockedBroker, clients: dict[str, Client], client_id: str
) -> None:
    auditor = clients[AUDITOR]
    auditor.subscribe("#")
    sly = broker.client(Identity.PEOPLE, client_id)
    try:
        for path in (SERVICE_PRESENCE.path(PREFIX, "somebody"), SERVICE_BARRIER.path(PREFIX, "somebody")):
            sly.publish(path, b"forged")
        sly.publish(f"{PREFIX}/miner/s19-20/override", END)
        clients[Identity.PEOPLE].publish(f"{PREFIX}/miner/s19-21/override", END)

        assert eventually(lambda: auditor.has_heard(f"{PREFIX}/miner/s19-21/override", END), 20)
        assert not [path for path, payload in auditor.heard if payload == b"forged"]
    finally:
        sly.close()
