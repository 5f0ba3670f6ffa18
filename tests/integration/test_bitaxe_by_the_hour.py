"""Engine, agent and a Bitaxe's stand-in together: the evening's switch, and heat in the midst of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.bitaxe_agent.wiring import manners_of
from services.policy_engine.engine import Engine
from services.policy_engine.settings import rules_of
from services.simulator.axeos import AxeOsStandIn
from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.messages import MinerCommand
from shared.settings import FarmSettings
from shared.topics import MINER_COMMAND
from tests.bitaxe_farm import BitaxeRig, runs_at
from tests.engine_whole import engine_service

FARM = FarmSettings.model_validate(
    {
        "miners": {"axe": {"driver": "bitaxe", "host": "bitaxe.test", "schedule": "home"}},
        "schedules": {
            "home": [
                {"from": "07:30", "to": "20:00", "voltage_mv": 1150, "frequency_mhz": 450},
                {"from": "20:00", "to": "07:30", "voltage_mv": 1250, "frequency_mhz": 550},
            ]
        },
    }
)
BEFORE_EVENING = datetime(2026, 6, 21, 19, 57, tzinfo=UTC)
DAY: tuple[float, float] = (1150, 450)
NIGHT: tuple[float, float] = (1250, 550)


class Evening:
    """A farm of one Bitaxe from three minutes before the switch on."""

    def __init__(self, generation: str) -> None:
        self.clock, self.broker = VirtualClock(BEFORE_EVENING), MemoryBroker()
        self.axe = AxeOsStandIn(generation, clock=self.clock)
        self.engine = engine_service(self.broker, self.clock, "policy_engine-1")
        Engine(self.engine, rules_of(FARM), "home")
        self.engine.start()
        manners = manners_of(FARM.miners["axe"], FARM.timetables()["axe"])
        self.rig = BitaxeRig({"axe": self.axe}, self.clock, broker=self.broker, manners=manners)
        self.command: MinerCommand | None = None
        self.watcher = Bus(self.broker.link(), self.clock, instance="watcher-2")
        self.watcher.subscribe(MINER_COMMAND, self._commanded)
        self.watcher.start()

    def _commanded(self, received: Received[MinerCommand]) -> None:
        self.command = received.message

    def run(self, **time: float) -> None:
        end = self.clock.seconds() + timedelta(**time).total_seconds()
        while self.clock.seconds() < end:
            self.rig.run(1)
            self.engine.step()

    @property
    def code(self) -> str:
        return "" if self.command is None else self.command.code


@pytest.fixture(params=["2.4", "2.10", "2.12", "2.15"])
def evening(request: pytest.FixtureRequest) -> Iterator[Evening]:
    farm = Evening(request.param)
    yield farm
    farm.rig.close()
    farm.engine.stop()
    farm.watcher.stop()


def test_it_goes_from_the_days_point_to_the_nights_and_down_and_up_with_heat(evening: Evening) -> None:
    evening.run(minutes=2.9)
    assert runs_at(evening.axe) == DAY
    evening.run(minutes=2.1)
    assert runs_at(evening.axe) == NIGHT
    assert evening.code == "schedule"

    evening.axe.heat_to(73)
    evening.run(minutes=3)
    assert runs_at(evening.axe)[1] < NIGHT[1]
    assert evening.code in {"too_hot", "cooling"}
    assert evening.rig.codes("axe").count("too_hot") == 1

    evening.axe.set_ambient()
    evening.run(minutes=40)
    assert runs_at(evening.axe) == NIGHT
    assert evening.engine.counts["invariant_broken"] == 0
    assert evening.rig.last("axe").settled is True
