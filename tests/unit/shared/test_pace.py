"""Many devices are not read all at once; what a person or the engine wants waits for nobody."""

import pytest

from shared.agent import Agent
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import PAUSE, MinerCommand, MinerTelemetry
from shared.miner_role import MinerRole
from shared.orders import SiteOrders
from shared.pace import READINGS_AT_ONCE, READINGS_PER_SECOND, Pace, Place
from shared.service import Service
from shared.tender import Manner
from shared.topics import MINER_COMMAND, MINER_EVENT
from tests.unit.shared.commands import command
from tests.unit.shared.yard import ScriptedMiner

MANY = READINGS_AT_ONCE + 50
GAP_SECONDS = 1 / READINGS_PER_SECOND


def test_some_turns_come_at_once_and_the_others_evenly() -> None:
    pace = Pace(per_second=10, at_once=3)
    assert [pace.turn(100.0) for _ in range(6)] == pytest.approx([100.0, 100.0, 100.0, 100.1, 100.2, 100.3])
    assert pace.turn(100.25) == pytest.approx(100.4)


def test_after_a_while_some_come_at_once_again_and_no_more_than_that() -> None:
    pace = Pace(per_second=10, at_once=3)
    for _ in range(6):
        pace.turn(100.0)
    assert [pace.turn(900.0) for _ in range(4)] == pytest.approx([900.0, 900.0, 900.0, 900.1])


@pytest.mark.parametrize(
    ("devices", "last_seconds"),
    [(2, 0.0), (200, 1.8), (400, 3.8), (1000, 3.92), (2000, 7.92)],
)
def test_a_thousand_are_read_within_a_poll_of_five_seconds_and_more_are_slowed_down(
    devices: int, last_seconds: float
) -> None:
    pace = Pace()
    places = [Place(pace) for _ in range(devices)]
    assert max(place.wait_seconds(100.0) for place in places) == pytest.approx(last_seconds)


def test_readings_of_one_device_are_kept_apart_even_in_haste() -> None:
    place = Place(Pace(), apart_seconds=1.0)
    assert place.wait_seconds(100.0) == 0
    assert place.wait_seconds(100.25, in_haste=True) == pytest.approx(0.75)
    assert place.called(), "still in haste when its time has come"
    assert place.wait_seconds(101.0, in_haste=True) == 0


class Crowd:
    """An agent with more miners than are read at once."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        broker = MemoryBroker()
        self.engine = Bus(broker.link(), clock, instance="engine")
        self.engine.start()
        self.miners = {f"m{number}": ScriptedMiner(clock) for number in range(MANY)}
        self.runner = SteppedRunner()
        self.service = Service("agent", Bus(broker.link(), clock, instance="agent-1"), clock, runner=self.runner)
        agent: Agent[MinerTelemetry, MinerCommand] = Agent(
            self.service,
            self.miners,
            {name: MinerRole("fake") for name in self.miners},
            event=MINER_EVENT,
            manner=Manner(poll_seconds=10.0),
            orders=SiteOrders(self.service, "home"),
        )
        self.service.start()
        agent.start()
        self.turn()

    def turn(self) -> None:
        self.service.step()
        for turns in self.runner.loops.values():
            if turns.due_in_seconds <= 0:
                turns.step()

    def pass_seconds(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for turns in self.runner.loops.values():
            turns.due_in_seconds -= seconds
        self.turn()

    def read(self) -> int:
        return sum("read" in miner.asked for miner in self.miners.values())


@pytest.fixture
def crowd(clock: VirtualClock) -> Crowd:
    return Crowd(clock)


def test_not_all_are_read_at_once_and_all_in_a_bounded_time(crowd: Crowd) -> None:
    assert crowd.read() == READINGS_AT_ONCE
    crowd.pass_seconds(10.5 * GAP_SECONDS)
    assert crowd.read() == READINGS_AT_ONCE + 10
    crowd.pass_seconds((MANY - READINGS_AT_ONCE) * GAP_SECONDS)
    assert crowd.read() == MANY
    assert all(miner.asked == ["read"] for miner in crowd.miners.values()), "each once"


def test_a_command_does_not_wait_for_a_turn(crowd: Crowd) -> None:
    last = f"m{MANY - 1}"
    crowd.engine.publish(MINER_COMMAND, last, command(PAUSE, at=crowd.clock.now()))
    crowd.turn()
    assert crowd.miners[last].asked == ["read", "pause"]


def test_a_stop_does_not_wait_for_the_turn_of_a_poll(crowd: Crowd) -> None:
    crowd.pass_seconds(1)
    crowd.pass_seconds(9.5)  # all polls are due within a second: most wait for their turns
    last = f"m{MANY - 1}"
    assert crowd.miners[last].asked == ["read"]
    crowd.engine.publish(MINER_COMMAND, last, command(PAUSE, at=crowd.clock.now()))
    crowd.turn()
    assert crowd.miners[last].asked == ["read", "pause"]


def test_after_all_have_been_stopped_they_are_not_read_back_all_at_once(crowd: Crowd) -> None:
    crowd.pass_seconds(1)
    for name, miner in crowd.miners.items():
        crowd.engine.publish(MINER_COMMAND, name, command(PAUSE, at=crowd.clock.now()))
        miner.asked.clear()
    crowd.turn()
    assert all(miner.asked == ["pause"] for miner in crowd.miners.values())
    crowd.pass_seconds(1)
    assert crowd.read() == READINGS_AT_ONCE
    crowd.pass_seconds(1)
    assert all(miner.asked[:2] == ["pause", "read"] for miner in crowd.miners.values())
