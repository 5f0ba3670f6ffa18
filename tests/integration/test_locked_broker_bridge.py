"""A site's broker bridged to one for the fleet: two real mosquittos, by the very lines of docs/broker.md."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.topics import Identity
from tests.locked_broker import AUDITOR, LockedBroker, password_of
from tests.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "broker.md"
SITE = "site-lisbon"


def page_block(title: str) -> str:
    """The code block that follows this line of the page."""
    found = re.search(rf"{re.escape(title)}\n\n```[a-z]*\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, title
    return found[1]


def bridge_of_the_page(fleet: LockedBroker, *, obeys: bool) -> str:
    text = page_block("`mosquitto/own/bridge.conf` at the site:")
    text = text.replace("fleet.example.org:8883", f"127.0.0.1:{fleet.port}").replace("the-password", password_of(SITE))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("bridge_cafile")) + "\n"
    return text + (page_block("And, only if the fleet may give orders:") if obeys else "")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path / "fleet")
    running.add_user(SITE, *page_block("`mosquitto/own/access.list` at the fleet's broker:").splitlines()[1:])
    running.start()
    yield running
    running.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path / "site")
    yield running
    running.stop()


def given(site: LockedBroker, text: str) -> None:
    (site.config / "own" / "bridge.conf").write_text(text, encoding="utf-8")
    site.start()


@pytest.mark.parametrize("obeys", [False, True])
def test_the_fleet_sees_the_site_and_commands_it_only_if_it_may(
    fleet: LockedBroker, site: LockedBroker, *, obeys: bool
) -> None:
    given(site, bridge_of_the_page(fleet, obeys=obeys))
    with (
        closing(site.client(AUDITOR)) as here,
        closing(site.client(Identity.VNISH_AGENT)) as agent,
        closing(fleet.client(AUDITOR)) as there,
    ):
        here.subscribe("sunherd/#")
        there.subscribe("lisbon/#")
        # Before the bridge is up, too: what is retained follows.
        agent.publish("sunherd/miner/s19-20/telemetry", b"kept", retain=True)
        told = ("lisbon/miner/s19-20/telemetry", b"kept")
        assert eventually(lambda: told in there.heard + there.retained, 60), (site.said(), fleet.said())

        for channel in ("command", "override", "telemetry"):
            there.publish(f"lisbon/miner/s19-20/{channel}", b"from the fleet")
        there.publish("lisbon/site/home/emergency_stop", b"from the fleet")
        there.publish("lisbon/miner/s19-21/override", b"last")
        assert eventually(lambda: there.has_heard("lisbon/miner/s19-21/override", b"last"), 60)
        # They came before this one on the bridge's connection, if they came at all.
        agent.publish("sunherd/miner/s19-20/telemetry", b"later", retain=True)
        assert eventually(lambda: there.has_heard("lisbon/miner/s19-20/telemetry", b"later"), 60)
        if obeys:
            assert eventually(lambda: here.has_heard("sunherd/miner/s19-21/override", b"last"), 60)

        came = {topic for topic, payload in here.heard if payload == b"from the fleet"}
        assert came == ({"sunherd/miner/s19-20/override", "sunherd/site/home/emergency_stop"} if obeys else set())


def test_what_happened_while_the_fleets_broker_was_away_is_there_afterwards(
    fleet: LockedBroker, site: LockedBroker
) -> None:
    given(site, bridge_of_the_page(fleet, obeys=False))
    with closing(site.client(Identity.VNISH_AGENT)) as agent:
        with closing(fleet.client(AUDITOR)) as there:
            there.subscribe("lisbon/#")
            agent.publish("sunherd/miner/s19-20/telemetry", b"1", retain=True)
            assert eventually(lambda: there.has_heard("lisbon/miner/s19-20/telemetry", b"1"), 60)
        fleet.stop()
        agent.publish("sunherd/miner/s19-20/telemetry", b"2", retain=True)
        fleet.start()
        with closing(fleet.client(AUDITOR)) as there:
            there.subscribe("lisbon/#")
            told = ("lisbon/miner/s19-20/telemetry", b"2")
            assert eventually(lambda: told in there.heard + there.retained, 60), site.said()
