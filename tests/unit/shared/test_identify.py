"""A person asks a device to show itself: once, by its own thread, after whatever is more urgent."""

from datetime import timedelta

import pytest

from shared.clock import VirtualClock
from shared.device import RefusedError, UnreachableError
from shared.messages import PAUSE, Event, Request, RequestKind, Severity
from shared.topics import MINER_REQUEST
from tests.unit.shared.commands import FULL
from tests.unit.shared.yard import NAME, POLL_SECONDS, ScriptedMiner, Yard


class Showing(ScriptedMiner):
    """One that can show itself, and remembers among all else when it was asked to."""

    denies: Exception | None = None

    def identify(self) -> None:
        self.asked.append("identify")
        if self.denies is not None:
            raise self.denies


class Meadow(Yard):
    miner: Showing

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock, Showing(clock))
        self.start()
        self.wants(FULL)
        self.pass_seconds(2)
        self.miner.asked.clear()

    def ask(self, late_seconds: float = 0, kind: RequestKind = RequestKind.IDENTIFY) -> Request:
        at = self.clock.now() - timedelta(seconds=late_seconds)
        request = Request(at=at, kind=kind, by="Ana")
        self.publish(MINER_REQUEST, NAME, request)
        return request

    def answers(self) -> list[Event]:
        return [event for event in self.events if "request" in event.numbers]


@pytest.fixture
def meadow(clock: VirtualClock) -> Meadow:
    return Meadow(clock)


def test_it_is_asked_at_once_and_the_answer_names_the_request(meadow: Meadow) -> None:
    request = meadow.ask()
    meadow.turn()
    assert meadow.miner.asked == ["read", "identify"], "no poll was waited for"
    answer = meadow.answers()[0]
    assert (answer.code, answer.severity) == ("request_accepted", Severity.INFO)
    assert answer.numbers == {"request": request.at.isoformat(), "kind": "identify", "by": "Ana"}


def test_the_same_request_twice_is_done_once(meadow: Meadow) -> None:
    request = meadow.ask()
    meadow.turn()
    meadow.publish(MINER_REQUEST, NAME, request)
    meadow.pass_seconds(POLL_SECONDS)
    assert meadow.miner.asked.count("identify") == 1
    assert len(meadow.answers()) == 1


def test_a_stop_that_has_just_been_ordered_goes_first(meadow: Meadow) -> None:
    meadow.ask()
    meadow.wants(PAUSE)
    meadow.turn()
    meadow.pass_seconds(2)
    asked = meadow.miner.asked
    assert asked.index("pause") < asked.index("identify")


@pytest.mark.parametrize(
    ("late_seconds", "code"), [(60, "request_accepted"), (61, "request_refused"), (-31, "request_refused")]
)
def test_only_what_was_asked_just_now_is_done(meadow: Meadow, late_seconds: float, code: str) -> None:
    meadow.ask(late_seconds)
    meadow.turn()
    assert [answer.code for answer in meadow.answers()] == [code]
    assert ("identify" in meadow.miner.asked) is (code == "request_accepted")


def test_one_that_does_not_answer_is_not_asked(meadow: Meadow) -> None:
    meadow.miner.fails = UnreachableError("no answer")
    meadow.ask()
    meadow.turn()
    assert "identify" not in meadow.miner.asked
    assert "it does not answer" in meadow.answers()[0].sentence


@pytest.mark.parametrize(
    ("error", "said"), [(RefusedError("answered 500"), "answered 500"), (KeyError("x"), "KeyError")]
)
def test_whatever_goes_wrong_is_told_and_the_loop_goes_on(meadow: Meadow, error: Exception, said: str) -> None:
    meadow.miner.denies = error
    meadow.ask()
    meadow.turn()
    answer = meadow.answers()[0]
    assert answer.code == "request_refused"
    assert said in answer.sentence
    assert "Fix: " in answer.sentence
    meadow.pass_seconds(2 * POLL_SECONDS)
    assert meadow.miner.asked.count("read") == 3


def test_a_device_that_cannot_show_itself_says_so(clock: VirtualClock) -> None:
    yard = Yard(clock).start()
    request = Request(at=clock.now(), kind=RequestKind.IDENTIFY, by="Ana")
    yard.publish(MINER_REQUEST, NAME, request)
    yard.turn()
    assert ["no way to show itself" in event.sentence for event in yard.events if "request" in event.numbers] == [True]


def test_other_requests_are_the_engines(meadow: Meadow) -> None:
    for kind in set(RequestKind) - {RequestKind.IDENTIFY}:
        meadow.ask(kind=kind)
    meadow.pass_seconds(1)
    assert (meadow.answers(), meadow.miner.asked) == ([], [])


def test_who_asks_without_end_is_told_to_wait(meadow: Meadow) -> None:
    for number in range(6):
        meadow.ask(late_seconds=number)
    meadow.turn()
    codes = [answer.code for answer in meadow.answers()]
    assert (codes.count("request_refused"), codes.count("request_accepted")) == (2, 4)
