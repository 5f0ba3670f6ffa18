"""Who keeps the statistics of miners: counts only what its own service reads, and goes on after a restart."""

from datetime import timedelta
from typing import Any

from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import MinerState, MinerStatistics, MinerTelemetry
from shared.schedule import ByClock, Schedule, Timetable, Window
from shared.service import Service
from shared.statistician import Statistician
from shared.topics import MINER_STATISTICS, MINER_TELEMETRY

TIMETABLE = Timetable(Schedule("home", (Window(ByClock(450), ByClock(1200), pause=True),)))


class Rig:
    """An agent's service that publishes readings, and somebody who listens."""

    def __init__(self, broker: MemoryBroker | None = None, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.broker = broker or MemoryBroker()
        self.told: list[MinerStatistics] = []
        self.listener = Bus(self.broker.link(), self.clock, instance="listener")
        self.listener.subscribe(MINER_STATISTICS, self._heard)
        self.listener.start()
        self.told.clear()
        bus = Bus(self.broker.link(), self.clock, instance="agent")
        self.service = Service("bitaxe_agent", bus, self.clock, runner=SteppedRunner())
        Statistician(self.service, {"axe": TIMETABLE}, timedelta(minutes=2))
        self.service.start()
        self.step()

    def step(self) -> None:
        for _ in range(3):
            self.service.step()

    def reads(self, seconds: float = 10, *, by: Bus | None = None, name: str = "axe", **rest: Any) -> None:
        self.clock.advance(seconds)
        given = {"reachable": True, "state": MinerState.HASHING, "power_w": 15.0, "hashrate_ths": 1.0, **rest}
        message = MinerTelemetry(at=self.clock.now(), driver="test", **given)
        if by is None:
            self.service.publish(MINER_TELEMETRY, name, message)
        else:
            by.publish(MINER_TELEMETRY, name, message)
        self.step()

    def _heard(self, received: Received[MinerStatistics]) -> None:
        if received.message is not None:
            self.told.append(received.message)

    @property
    def seconds(self) -> float:
        return self.told[-1].windows[0].total.observed_seconds


def test_it_publishes_at_once_and_then_each_minute() -> None:
    rig = Rig()
    for _ in range(13):
        rig.reads()
    assert [message.windows[0].total.samples for message in rig.told] == [1, 7, 13]
    assert rig.seconds == 120


def test_at_the_edge_of_a_window_it_does_not_wait_for_the_minute() -> None:
    rig = Rig()
    rig.clock.advance(3.5 * 3600 - 45)  # from four in the morning to just before half past seven
    for _ in range(6):
        rig.reads()
    assert [message.now for message in rig.told] == ["between", "07:30-20:00"]
    assert {each.window: each.total.samples for each in rig.told[-1].windows} == {"between": 4, "07:30-20:00": 1}


def test_what_others_publish_is_not_counted() -> None:
    rig = Rig()
    rig.reads(by=rig.listener)
    rig.reads(name="other")
    assert rig.told == []


def test_a_service_that_ends_says_what_it_knows_and_the_next_goes_on() -> None:
    rig = Rig()
    rig.reads()
    rig.reads()
    rig.service.stop()
    assert rig.seconds == 10
    rig = Rig(rig.broker, rig.clock)
    rig.reads()
    rig.reads(61)
    assert rig.seconds == 10 + 61
    assert rig.told[-1].windows[0].total.samples == 4


def test_while_the_broker_is_away_it_goes_on_counting() -> None:
    rig = Rig()
    rig.reads()
    rig.broker.kill()
    for _ in range(7):
        rig.reads()
    assert rig.told[-1].windows[0].total.samples == 1
    rig.broker.revive()
    rig.listener.tend()
    rig.reads()
    rig.service.bus.tend()
    rig.service.stop()
    assert rig.told[-1].windows[0].total.samples == 9
    assert rig.service.counts["handler_failed"] == 0


def test_what_is_read_before_the_brokers_memory_is_there_does_not_write_over_it() -> None:
    rig = Rig()
    rig.reads()
    rig.reads()
    rig.service.stop()
    rig.broker.kill()
    later = Rig(rig.broker, rig.clock)
    later.reads(300)
    rig.broker.revive()
    later.listener.tend()
    later.service.bus.tend()
    later.step()
    later.reads(300)
    assert later.told[-1].windows[0].total.samples == 3


def test_without_schedules_it_does_nothing() -> None:
    rig = Rig()
    bus = Bus(rig.broker.link(), rig.clock, instance="plain")
    service = Service("vnish_agent", bus, rig.clock, runner=SteppedRunner())
    Statistician(service, {})
    service.start()
    service.publish(
        MINER_TELEMETRY,
        "axe",
        MinerTelemetry(at=rig.clock.now(), driver="test", reachable=True, state=MinerState.HASHING),
    )
    service.step()
    assert rig.told == []
