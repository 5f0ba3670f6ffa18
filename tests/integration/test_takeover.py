"""Two engines, one in charge: the other takes over when it dies, stands still or is cut off, and forgets nothing."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.policy_engine.__main__ import build
from shared.bus import Bus, Received
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.messages import EngineEpoch, MinerCommand, MinerState, MinerTelemetry, SiteTelemetry
from shared.service import Service
from shared.settings import FarmSettings
from shared.settings.secrets import Secrets
from shared.topics import ENGINE_EPOCH, MINER_COMMAND, MINER_TELEMETRY, SITE_TELEMETRY
from tests.replica_farm import ForgetfulBroker
from tests.unit.shared.commands import LADDER

MINERS = ("m1", "m2")
FARM = FarmSettings.model_validate(
    {
        "battery": {"home_assistant": {"url": "http://ha.test", "state_of_charge": "sensor.soc"}},
        "miners": {
            name: {"driver": "vnish", "host": f"{name}.test", "stop_soc": 50, "resume_soc": 60} for name in MINERS
        },
    }
)
SETTLE = 2.0
THREE_BEATS = 15.0
TAKEOVER = 5.0
TICK_SECONDS = 0.25


class EngineProcess:
    def __init__(self, name: str, site: "Site") -> None:
        self.site = site
        self.link = site.broker.link()
        self.standing_still = self.dead = False
        bus = Bus(self.link, site.clock, instance=name)
        self.service = Service("policy_engine", bus, site.clock, runner=SteppedRunner())
        assert build(Context(self.service, FARM, Secrets({}, {}, Path("none")), SETTLE))
        self.service.start()

    def kill(self) -> None:
        self.dead = True
        self.link.cut()

    def freeze(self) -> None:
        self.standing_still = True
        self.site.broker.standing_still.add(self.link)

    def thaw(self) -> None:
        """It decides before it has read what came meanwhile."""
        self.standing_still = False
        self.service.step()
        self.site.broker.catch_up(self.link)


class Site:
    """Miners and a battery that report every 5 s, and all that the engines say."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.broker = ForgetfulBroker()
        self.said: list[tuple[float, str, MinerCommand]] = []
        self.engines: dict[str, EngineProcess] = {}
        self.soc = 80.0
        self._world = Bus(self.broker.link(), self.clock, instance="world")
        self._world.subscribe(MINER_COMMAND, self._heard)
        self.epochs: list[str] = []
        self._world.subscribe(ENGINE_EPOCH, self._heard_epoch)
        self._world.start()
        self._next_report = 0.0

    def add(self, name: str) -> EngineProcess:
        self.engines[name] = EngineProcess(name, self)
        return self.engines[name]

    def pass_seconds(self, seconds: float) -> None:
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until:
            if self.clock.seconds() >= self._next_report:
                self._report()
            for engine in self.engines.values():
                if not (engine.standing_still or engine.dead):
                    engine.service.step()
            self.clock.advance(TICK_SECONDS)

    def speakers(self, since: float) -> set[str]:
        return {command.engine for at, _, command in self.said if at >= since}

    def last(self, name: str = "m1") -> MinerCommand:
        return next(command for _, miner, command in reversed(self.said) if miner == name)

    def _heard(self, received: Received[MinerCommand]) -> None:
        if received.message is not None and not received.retained:
            self.said.append((self.clock.seconds(), received.identifier, received.message))

    def _heard_epoch(self, received: Received[EngineEpoch]) -> None:
        if received.message is not None and not received.retained:
            self.epochs.append(received.message.engine)

    def _report(self) -> None:
        self._next_report = self.clock.seconds() + 5
        self._world.tend()
        now = self.clock.now()
        site = SiteTelemetry(
            at=now, source="test", state_of_charge_percent=self.soc, confirmed_at=now, changed_at=now, unknown=None
        )
        self._world.publish(SITE_TELEMETRY, "home", site)
        for name in MINERS:
            paused = bool(self.said) and self.last(name).point.is_pause
            told = MinerTelemetry(
                at=now,
                driver="vnish",
                reachable=True,
                state=MinerState.PAUSED if paused else MinerState.HASHING,
                point="pause" if paused else "full",
                ladder=LADDER,
            )
            self._world.publish(MINER_TELEMETRY, name, told)


@pytest.fixture
def site() -> Site:
    site = Site()
    site.add("e1")
    site.pass_seconds(4)
    site.add("e2")
    site.pass_seconds(40)
    assert site.speakers(0) == {"e1"}, "whoever is in charge stays so when another joins"
    return site


def test_the_other_takes_over_with_a_higher_epoch_and_goes_on_where_the_first_ended(site: Site) -> None:
    site.soc = 40.0
    site.pass_seconds(10)
    before, died_at = site.last(), site.clock.seconds()
    site.engines["e1"].kill()
    site.soc = 55.0  # inside the band: only who remembers the latch keeps it paused
    site.pass_seconds(TAKEOVER)
    after = site.last()
    assert site.speakers(died_at + TICK_SECONDS) == {"e2"}
    assert after.epoch > before.epoch
    assert (after.point.is_pause, after.since) == (True, before.since)


def test_one_that_vanished_without_a_will_is_followed_after_three_beats(site: Site) -> None:
    site.engines["e1"].dead = True
    site.broker.forget_will(site.engines["e1"].link)
    silent_since = site.clock.seconds()
    site.pass_seconds(THREE_BEATS + TAKEOVER)
    assert site.speakers(silent_since + TICK_SECONDS) == {"e2"}


def test_one_that_stood_still_says_nothing_more_once_it_goes_on(site: Site) -> None:
    site.engines["e1"].freeze()
    site.pass_seconds(THREE_BEATS + TAKEOVER + 10)
    before = site.last()
    assert before.engine == "e2"
    thawed_at = site.clock.seconds()
    site.soc = 40.0  # it would have something to say
    site.engines["e1"].thaw()
    site.pass_seconds(40)
    assert site.speakers(thawed_at) == {"e2"}
    assert site.last().point.is_pause


@pytest.mark.parametrize("names", [("e1", "e2"), ("e2", "e1")])
def test_a_dead_broker_makes_no_second_engine(names: tuple[str, str]) -> None:
    site = Site()
    for name in names:
        site.add(name)
        site.pass_seconds(10)
    assert site.speakers(0) == {names[0]}
    site.broker.kill()
    site.pass_seconds(60)
    cut_off_until = site.clock.seconds()
    site.epochs.clear()
    site.broker.revive()
    site.pass_seconds(40)
    assert len(site.speakers(cut_off_until)) == 1
    assert set(site.epochs) == site.speakers(cut_off_until), "the other does not even claim it"


def test_leases_never_run_out_through_a_takeover(site: Site) -> None:
    expires: datetime = site.last().expires_at
    site.engines["e1"].kill()
    for _ in range(60):
        site.pass_seconds(1)
        expires = site.last().expires_at
        assert expires - site.clock.now() > timedelta(seconds=10)


@pytest.mark.parametrize("names", [("e1", "e2"), ("e2", "e1")])
def test_one_that_was_cut_off_for_seconds_leaves_it_to_who_has_taken_over(names: tuple[str, str]) -> None:
    """Before it knew of numbers, the first was preferred again, heard the higher epoch, and waited for its silence."""
    site = Site()
    for name in names:
        site.add(name)
        site.pass_seconds(10)
    first = site.engines[names[0]]
    first.link.cut()
    first.standing_still = True  # it cannot connect
    site.pass_seconds(7)
    first.standing_still = False
    back_at = site.clock.seconds()
    for _ in range(60):
        site.pass_seconds(1)
        assert site.last().expires_at - site.clock.now() > timedelta(seconds=10), "somebody decides"
    assert site.speakers(back_at) == {names[1]}
