"""The emergency stop as a file: what sets it, what lifts it, and what does not."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.simulator.vnish import VnishStandIn
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.latch import LATCH_VARIABLE, UNDATED, LatchFile
from shared.messages import EmergencyStop, Following
from shared.orders import SiteOrders
from shared.service import Service
from shared.topics import EMERGENCY_STOP
from tests.farm import NORMAL, AgentRig


class Desk:
    """An agent's orders on a broker in memory, and a person's place there."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock()
        self.file = LatchFile(path)
        self.broker = MemoryBroker()
        self.person = Bus(self.broker.link(), self.clock, instance="person")
        self.person.start()
        self.told: list[bool] = []
        self.restart()

    def restart(self) -> "Desk":
        self.service = Service("agent", Bus(self.broker.link(), self.clock, instance="agent"), self.clock)
        self.orders = SiteOrders(self.service, "home", self.file)
        self.orders.follow(lambda: self.told.append(self.orders.stopped()), lambda _epoch, _at: None)
        self.service.start()
        return self.settle()

    def settle(self) -> "Desk":
        self.clock.advance(1.0)
        for _ in range(3):
            self.service.step()
        return self

    def stop(self, by: str = "ana") -> EmergencyStop:
        """In the file alone."""
        self.clock.advance(1.0)
        stop = EmergencyStop(at=self.clock.now(), active=True, by=by)
        self.file.write(stop)
        self.settle()
        return stop

    def say(self, *, active: bool, lifts: EmergencyStop | None = None, ago_seconds: float = 0.0) -> EmergencyStop:
        at = self.clock.now() - timedelta(seconds=ago_seconds)
        word = EmergencyStop(at=at, active=active, by="eva", lifts=None if lifts is None else lifts.at)
        self.person.publish(EMERGENCY_STOP, "home", word)
        self.settle()
        return word


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "state" / "emergency_stop")


def test_a_file_stops_within_a_second_and_its_removal_ends_that(desk: Desk) -> None:
    assert not desk.orders.stopped()
    stop = desk.stop()
    assert desk.orders.stopped()
    assert desk.file.read() == stop
    desk.file.remove()
    assert not desk.settle().orders.stopped()
    assert desk.told == [True, False], "each device is looked at when it begins, and when it ends"


def test_it_stands_through_a_restart_from_the_first_moment(desk: Desk) -> None:
    desk.stop()
    service = Service("agent", Bus(desk.broker.link(), desk.clock, instance="later"), desk.clock)
    assert SiteOrders(service, "home", desk.file).stopped(), "before anything is heard or read"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"stop", b"\xff\xfe", b'{"at": "2026-06-21T04:00:00Z", "active": false}']
)
def test_what_cannot_be_understood_is_a_stop(desk: Desk, content: bytes) -> None:
    desk.file.path.parent.mkdir()
    desk.file.path.write_bytes(content)
    assert desk.settle().orders.stopped()
    found = desk.file.read()
    assert found is not None
    assert found.at == UNDATED
    desk.say(active=False, lifts=found)
    assert desk.orders.stopped(), "nobody can have meant it"


def test_what_cannot_be_read_is_a_stop(desk: Desk) -> None:
    desk.file.path.mkdir(parents=True)  # no user may read this as a file, not even root
    assert desk.settle().orders.stopped()
    desk.say(active=False)
    assert desk.orders.stopped(), "nobody can have meant it"
    desk.file.path.rmdir()
    assert not desk.settle().orders.stopped()


def test_a_broker_that_comes_back_without_a_stop_lifts_nothing(desk: Desk) -> None:
    # Dated later by a clock that goes ahead: it is what the broker remembers, and names no stop.
    desk.say(active=False, ago_seconds=-3600)
    desk.stop()
    assert desk.orders.stopped()
    assert desk.restart().orders.stopped(), "heard from the broker's memory"


def test_a_resume_that_names_an_older_stop_lifts_nothing(desk: Desk) -> None:
    first = desk.stop()
    desk.stop()
    desk.say(active=False, lifts=first)
    assert desk.orders.stopped()


def test_a_resume_that_names_it_lifts_it_and_removes_the_file(desk: Desk) -> None:
    stop = desk.stop()
    desk.say(active=False, lifts=stop)
    assert not desk.orders.stopped()
    assert desk.file.read() is None
    desk.stop("another")
    assert desk.orders.stopped(), "the next one is a stop of its own"


def test_a_resume_that_names_it_holds_through_a_restart_where_the_file_cannot_be_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: LatchFile) -> None:
        raise PermissionError(13, "Permission denied")

    stop = desk.stop()
    monkeypatch.setattr(LatchFile, "remove", refuse)
    desk.say(active=False, lifts=stop)
    assert desk.file.read() == stop
    assert not desk.settle().orders.stopped()
    assert not desk.restart().orders.stopped(), "the broker remembers which stop was lifted"


def test_a_resume_that_is_being_said_lifts_it_without_naming_it(desk: Desk) -> None:
    desk.stop()
    desk.say(active=False, ago_seconds=600)
    assert desk.orders.stopped(), "it was under way for long"
    desk.say(active=False)
    assert not desk.orders.stopped()


def test_a_device_that_is_looked_at_in_the_same_moment_is_known_to_be_stopped(desk: Desk) -> None:
    """Whoever has set the file stops the devices next: that must not look like a pause by somebody else."""
    for _ in range(2):
        stop = EmergencyStop(at=desk.clock.now(), active=True, by="ana")
        desk.file.write(stop)
        assert desk.orders.stopped(), "also before the next look"
        desk.settle()
        assert desk.orders.stopped()
        desk.say(active=False, lifts=stop)
        assert not desk.orders.stopped()
        desk.settle()
    assert desk.told == [True, False] * 2


def test_topic_and_file_stop_each_by_itself(desk: Desk) -> None:
    said = desk.say(active=True)
    desk.stop()
    desk.file.remove()
    assert desk.settle().orders.stopped(), "the topic stands"
    desk.say(active=False, lifts=said)
    assert not desk.orders.stopped()
    assert desk.told == [True, False]


def hashes(miner: VnishStandIn) -> bool:
    return miner.hashing


def test_an_agent_stops_its_miner_by_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, file = VirtualClock(), LatchFile(tmp_path / "emergency_stop")
    monkeypatch.setenv(LATCH_VARIABLE, str(file.path))
    miner = VnishStandIn("1.2.6", clock=clock)
    rig = AgentRig({"s19": miner}, clock)
    rig.order("s19", NORMAL)
    rig.run(10)
    assert hashes(miner)
    rig.link.cut()
    file.write(EmergencyStop(at=clock.now(), active=True, by="ana"))
    rig.run(20)
    assert not hashes(miner)
    rig.close()
    again = AgentRig({"s19": miner}, clock, broker=rig.broker)
    again.order("s19", NORMAL)
    again.run(30)
    assert not hashes(miner), "a restart changes nothing, whatever is commanded"
    assert again.last("s19").following is Following.EMERGENCY_STOP
    file.remove()
    again.order("s19", NORMAL)
    again.run(60)
    assert hashes(miner)
    again.close()
