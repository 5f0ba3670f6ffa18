"""What people ask and choose, over a real broker: answered, remembered, and known again after each kind of loss."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.policy_engine.engine import Engine
from services.policy_engine.rules import GroupRules, MinerRules, Rules, WatchRules
from shared.bus import Bus, Received
from shared.clock import SystemClock
from shared.loops import Loop, SteppedRunner, ThreadRunner
from shared.messages import (
    Choice,
    Event,
    Following,
    MinerCommand,
    MinerState,
    Number,
    Override,
    OverrideKind,
    Request,
    RequestKind,
)
from shared.service import Service
from shared.topics import (
    GROUP_CHOICE,
    GROUP_EVENT,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_REQUEST,
    MINER_TELEMETRY,
    SITE_TELEMETRY,
)
from tests.brokers import Real, start
from tests.engine_core import DIMMABLE, reading, site
from tests.sockets import ServiceLoop
from tests.waiting import eventually

RULES = Rules(
    miners={name: MinerRules(73, 75, watch=WatchRules(can_restart=True)) for name in ("s19", "s21")},
    groups={"shed": GroupRules(("s19", "s21"), 6400)},
)
PATIENCE_SECONDS = 15.0


class House(Loop):
    """A battery, two miners that follow, and a person: in a thread of its own, on the same broker."""

    def __init__(self, broker: Real, clock: SystemClock) -> None:
        self._clock = clock
        self.bus = Bus(broker.link("house"), clock, instance="house")
        self.answers: list[tuple[str, Event]] = []
        self.choices: dict[str, Choice | None] = {}
        self.commands: dict[str, MinerCommand] = {}
        self.bus.subscribe(MINER_COMMAND, self._commanded)
        for event in (MINER_EVENT, GROUP_EVENT):
            self.bus.subscribe(event, self._told)
        for choice in (MINER_CHOICE, GROUP_CHOICE):
            self.bus.subscribe(choice, self._chosen)
        self.bus.start()

    def step(self) -> float:
        self.bus.tend()
        now = self._clock.now()
        self.bus.publish(SITE_TELEMETRY, "home", site(now, 80, confirmed_at=now))
        for name in RULES.miners:
            point = self.commands[name].point.name if name in self.commands else "normal"
            state = MinerState.PAUSED if point == "pause" else MinerState.HASHING
            told = reading(now, state, DIMMABLE, following=Following.COMMAND, desired=point, point=point)
            self.bus.publish(MINER_TELEMETRY, name, told)
        return 0.2

    def close(self) -> None:
        self.bus.stop()

    def ask(self, who: str, kind: RequestKind = RequestKind.CHOOSE, **choose: Number | None) -> Event:
        """The answer to what is asked now."""
        request = Request(at=self._clock.now(), kind=kind, by="Ana", choose=choose)
        return self.again(who, request)

    def again(self, who: str, request: Request) -> Event:
        self.bus.publish(GROUP_REQUEST if who in RULES.groups else MINER_REQUEST, who, request)
        assert eventually(lambda: self._answers_to(who, request), PATIENCE_SECONDS)
        return self._answers_to(who, request)[0]

    def _answers_to(self, who: str, request: Request) -> list[Event]:
        asked = request.at.isoformat()
        return [event for name, event in list(self.answers) if name == who and event.numbers.get("request") == asked]

    def point(self, name: str) -> str | None:
        return self.commands[name].point.name if name in self.commands else None

    def _commanded(self, received: Received[MinerCommand]) -> None:
        if received.message is not None:
            self.commands[received.identifier] = received.message

    def _told(self, received: Received[Event]) -> None:
        if received.message is not None:
            self.answers.append((received.identifier, received.message))

    def _chosen(self, received: Received[Choice]) -> None:
        self.choices[received.identifier] = received.message


class Site:
    """The broker, the house and one engine after another."""

    def __init__(self, directory: Path) -> None:
        broker = start("mosquitto", directory)
        assert isinstance(broker, Real)
        self.broker, self.directory = broker, directory
        self.clock = SystemClock()
        self.house = House(broker, self.clock)
        self._threads = ThreadRunner()
        self._threads.spawn("house", self.house)
        self._engine = ThreadRunner()
        self.launch("engine-1")

    def launch(self, name: str) -> None:
        bus = Bus(self.broker.link(name), self.clock, instance=name)
        service = Service("policy_engine", bus, self.clock, runner=SteppedRunner())
        Engine(service, RULES, "home", rival_silence=timedelta())
        self._engine = ThreadRunner()
        self._engine.spawn(name, ServiceLoop(service))
        assert eventually(lambda: self.led_by(name), PATIENCE_SECONDS)

    def led_by(self, name: str) -> bool:
        return all(
            self.house.commands[each].engine == name for each in RULES.miners if each in self.house.commands
        ) and bool(self.house.commands)

    def end_engine(self) -> None:
        self._engine.stop()

    def lose_memory(self) -> None:
        """The broker dies of a power cut, and its disk with it."""
        self.broker.kill()
        for file in self.directory.glob("*.db*"):
            file.unlink()
        self.house.choices.clear()
        self.broker.restart()

    def close(self) -> None:
        self._engine.stop()
        self._threads.stop()
        self.broker.stop()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_a_choice_outlives_the_engine_and_the_brokers_memory(farm: Site) -> None:
    house = farm.house
    assert house.ask("s19", max_w=2600).code == "request_accepted"
    assert house.ask("shed", max_w=6000).code == "request_accepted"
    assert eventually(lambda: house.point("s19") == "2500", PATIENCE_SECONDS)
    assert eventually(lambda: {"s19", "shed"} <= house.choices.keys(), PATIENCE_SECONDS)
    farm.end_engine()
    farm.launch("engine-2")
    assert eventually(lambda: house.commands["s19"].engine == "engine-2", PATIENCE_SECONDS)
    assert house.point("s19") == "2500"
    farm.lose_memory()
    assert eventually(lambda: {"s19", "shed"} <= house.choices.keys(), PATIENCE_SECONDS)
    chosen = house.choices["s19"]
    assert chosen is not None
    assert (chosen.max_w, chosen.by) == (2600, "Ana")
    assert house.ask("s19", max_w=None).code == "request_accepted"
    assert eventually(lambda: house.point("s19") == "normal", PATIENCE_SECONDS)
    assert eventually(lambda: house.choices["s19"] is None, PATIENCE_SECONDS)


def test_requests_and_limits_are_answered_and_done_once(farm: Site) -> None:
    house = farm.house
    assert eventually(lambda: house.point("s19") == "normal", PATIENCE_SECONDS)
    first = Request(at=farm.clock.now(), kind=RequestKind.RESTART, by="Ana")
    assert house.again("s19", first).code == "request_accepted"
    assert eventually(lambda: house.commands["s19"].restart_at is not None, PATIENCE_SECONDS)
    ordered = house.commands["s19"].restart_at
    house.again("s19", first)
    assert "its time to come back" in house.ask("s19", RequestKind.RESTART).sentence
    assert len([event for _, event in house.answers if event.code == "request_accepted"]) == 1
    assert house.commands["s19"].restart_at == ordered
    now = farm.clock.now()
    limit = Override(at=now, kind=OverrideKind.LIMIT, max_w=2000, by="Ana", until=now + timedelta(hours=1))
    house.bus.publish(MINER_OVERRIDE, "s21", limit)
    assert eventually(lambda: house.point("s21") == "1800", PATIENCE_SECONDS)
    assert house.commands["s21"].code == "limited_by_person"
