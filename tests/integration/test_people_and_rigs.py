"""People restart and cycle rigs: every service as wired in production, from the request to the machine and back."""

import pytest

from shared.bus import Bus
from shared.messages import Event, OverrideKind, Request, RequestKind
from shared.topics import MINER_EVENT, MINER_REQUEST
from tests.whole_rigs import ASIC, COOLDOWN_SECONDS, RIG, Whole


class Asked(Whole):
    """The same farm, with somebody who asks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.person_bus = Bus(self.broker.link(), self.clock, instance="person")
        self.answers: list[Event] = []
        self.person_bus.subscribe(MINER_EVENT, lambda got: self._answered(got.message))
        self.person_bus.start()
        self.run(60)

    def ask(self, name: str, kind: RequestKind) -> str:
        """The code of the answer."""
        request = Request(at=self.clock.now(), kind=kind, by="Ana")
        self.person_bus.publish(MINER_REQUEST, name, request)
        before = len(self.answers)
        self.run(10)
        fresh = self.answers[before:]
        assert [event.numbers["request"] for event in fresh] == [request.at.isoformat()]
        return fresh[0].code

    def _answered(self, event: Event | None) -> None:
        if event is not None and "request" in event.numbers:
            self.answers.append(event)


@pytest.mark.parametrize("name", [RIG, ASIC])
def test_a_rig_is_cycled_once_and_works_again(name: str) -> None:
    world = Asked()
    assert world.ask(name, RequestKind.CYCLE) == "request_accepted"
    assert world.ask(name, RequestKind.CYCLE) == "request_refused"
    world.run(600)
    assert len(world.cycles(name)) == 1
    assert (world.is_on(name), world.machines[name].hashing, world.failures()) == (True, True, 0)
    other = ASIC if name == RIG else RIG
    assert world.cuts[other] == []


def test_a_miner_is_restarted_once_and_a_rig_without_an_interface_is_not() -> None:
    world = Asked()
    assert world.ask(ASIC, RequestKind.RESTART) == "request_accepted"
    assert world.ask(RIG, RequestKind.RESTART) == "request_refused"
    world.run(600)
    assert world.asic.controls().count("/mining/restart") == 1
    assert (world.asic.hashing, world.cuts) == (True, {RIG: [], ASIC: []})


def test_a_paused_miner_is_not_restarted_and_comes_back_paused_from_a_cycle() -> None:
    world = Asked()
    world.soc_percent = 40.0
    world.run(120)
    assert not world.asic.hashing
    assert world.ask(ASIC, RequestKind.RESTART) == "request_refused"
    assert world.ask(RIG, RequestKind.CYCLE) == "request_refused", "its outlet is off: that is its pause"
    assert world.ask(ASIC, RequestKind.CYCLE) == "request_accepted"
    world.run(400)
    assert len(world.cycles(ASIC)) == 1
    assert (world.is_on(ASIC), world.asic.hashing, world.is_on(RIG)) == (True, False, False)


@pytest.mark.parametrize("kind", [RequestKind.RESTART, RequestKind.CYCLE])
def test_nothing_is_touched_under_an_emergency_stop_or_in_maintenance(kind: RequestKind) -> None:
    world = Asked()
    world.person(ASIC, OverrideKind.MAINTENANCE)
    world.run(10)
    assert world.ask(ASIC, kind) == "request_refused"
    world.person(ASIC, OverrideKind.AUTOMATIC)
    world.emergency(active=True)
    world.run(20)
    assert world.ask(ASIC, kind) == "request_refused"
    world.run(200)
    assert "/mining/restart" not in world.asic.controls()
    assert world.cycles(ASIC) == []


def test_one_that_was_given_up_on_is_tried_anew_when_a_person_says_so() -> None:
    world = Asked(tries=1)
    world.rig.frailty.become_unstable(0)
    world.run(1200)
    assert len(world.cycles(RIG)) == 1
    assert world.ask(RIG, RequestKind.CLEAR_UNSTABLE) == "request_accepted"
    world.run(10 * COOLDOWN_SECONDS)
    assert len(world.cycles(RIG)) == 2
    assert world.ask(RIG, RequestKind.CLEAR_UNSTABLE) == "request_accepted"
    world.rig.mend()
    world.run(10 * COOLDOWN_SECONDS)
    assert world.rig.hashing
    assert world.ask(RIG, RequestKind.CLEAR_UNSTABLE) == "request_refused"
