"""On every course of temperatures: heat is answered within one reading, unknown is never cool, and nothing jumps up."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.policy_engine.policy import remembered_date
from shared.messages import Limit, MinerCommand, MinerState, OperatingPoint
from tests.bitaxe_ladder import LADDER, LOWEST, NIGHT_WINDOW, NORMAL, paused, reads, rules
from tests.engine_core import CoreRun, limit_of
from tests.engine_history import PROPERTY

RULES = rules(NIGHT_WINDOW)
HASHING_POINTS = [point for point in LADDER.points if not point.is_pause]

_celsius = st.one_of(st.none(), st.floats(40, 95), st.sampled_from([64.9, 65.0, 65.1, 70.0, 70.1, 75.0]))
_looks = st.tuples(
    st.sampled_from([1, 5, 10, 10, 10, 29, 30, 60, 150]),
    _celsius,
    st.sampled_from(["told", "told", "told", "lags", "off", "unread"]),
)
COURSES = st.lists(_looks, min_size=3, max_size=40)


class Course:
    """One Bitaxe and its temperatures, looked at after every reading."""

    def __init__(self) -> None:
        self.run = CoreRun(RULES)
        reads(self.run, 60, NORMAL)
        self.run.decide()
        self.doing: OperatingPoint = NORMAL

    def look(self, seconds: int, celsius: float | None, how: str) -> None:
        before, last = self.run.farm.miners["axe"].command, limit_of(self.run, "overheat", "axe")
        assert before is not None
        self.run.wait(seconds)
        if how == "unread":
            self.run.miner("axe", None)
        else:
            self.doing = self.doing if how == "lags" else before.point
            is_off = how == "off" or self.doing.is_pause
            _ = paused(self.run) if is_off else reads(self.run, celsius, self.doing)
        command = self.run.decide()["axe"]
        self._judge(command, last, celsius, how)

    def _judge(self, command: MinerCommand, last: Limit, celsius: float | None, how: str) -> None:
        limit = limit_of(self.run, "overheat", "axe")
        telemetry = self.run.farm.miners["axe"].telemetry
        assert telemetry is not None
        is_hashing = telemetry.state is MinerState.HASHING
        if is_hashing and celsius is None:
            assert command.point.power_w <= LOWEST.power_w
        if is_hashing and celsius is not None and celsius > 70:
            assert command.point.power_w < self.doing.power_w or self._has_just_stepped(limit)
            assert limit.ceiling_w is not None
            assert last.ceiling_w is None or limit.ceiling_w <= last.ceiling_w
        if last.numbers.get("held") and last.ceiling_w is not None:
            self._never_jumps_up(last.ceiling_w, limit, how)

    def _has_just_stepped(self, limit: Limit) -> bool:
        stepped_at = remembered_date(limit, "stepped_at", self.run.now)
        return stepped_at is not None and self.run.now - stepped_at < RULES.heat_step

    @staticmethod
    def _never_jumps_up(before_w: float, limit: Limit, how: str) -> None:
        after_w = NORMAL.power_w if limit.ceiling_w is None else limit.ceiling_w
        rungs = [point for point in HASHING_POINTS if before_w < point.power_w <= after_w]
        assert len(rungs) <= 1
        assert not rungs or how != "unread"


@PROPERTY
@given(COURSES)
def test_heat_is_answered_within_one_reading(course: list[tuple[int, float | None, str]]) -> None:
    watched = Course()
    for seconds, celsius, how in course:
        watched.look(seconds, celsius, how)


@PROPERTY
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(70.01, 110)), min_size=1, max_size=30))
def test_what_never_cools_only_goes_down_and_ends_in_a_pause(course: list[tuple[int, float]]) -> None:
    run = reads(CoreRun(RULES), 60, NORMAL)
    watts = [run.decide()["axe"].point.power_w]
    for seconds, celsius in course:
        watts.append(reads(run.wait(seconds), celsius).decide()["axe"].point.power_w)
    assert watts == sorted(watts, reverse=True)
    assert watts[1] < watts[0]
    for _ in range(len(HASHING_POINTS)):
        reads(run.wait(RULES.heat_step.total_seconds()), 80).decide()
    assert run.commands["axe"].point.is_pause


@PROPERTY
@given(st.integers(1, 299), st.floats(40, 65))
def test_nothing_is_restored_before_its_time(seconds: int, celsius: float) -> None:
    run = reads(CoreRun(RULES), 75, NORMAL)
    lowered = run.decide()["axe"].point
    reads(run.wait(10), celsius).decide()
    for _ in range(seconds // 10):
        reads(run.wait(10), celsius).decide()
    reads(run.wait(seconds % 10), celsius)
    assert run.decide()["axe"].point == lowered
    reads(run.wait((timedelta(seconds=300 - seconds)).total_seconds() / 2), celsius).decide()
    reads(run.wait((timedelta(seconds=300 - seconds)).total_seconds() / 2), celsius)
    assert run.decide()["axe"].point.power_w > lowered.power_w
