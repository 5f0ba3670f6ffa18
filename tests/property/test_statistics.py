"""However readings are spaced, no second is lost or counted twice, and a restart anywhere changes no figure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages import MinerState, MinerStatistics, MinerTelemetry
from shared.schedule import ByClock, Schedule, Timetable, Window, window_at
from shared.statistics import BETWEEN, LONGEST_GAP, Tally

ZONE = ZoneInfo("Europe/Lisbon")
WINDOWS = (
    Window(ByClock(30), ByClock(75), profile="a"),
    Window(ByClock(75), ByClock(100), pause=True),
    Window(ByClock(110), ByClock(30), profile="b"),
)
TIMETABLE = Timetable(Schedule("home", WINDOWS), ZONE)
START = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
"""Three hours before the clocks are put back."""

_gaps = st.lists(st.integers(1, 150), min_size=1, max_size=120)


def telemetry(at: datetime) -> MinerTelemetry:
    return MinerTelemetry(
        at=at, driver="test", reachable=True, state=MinerState.HASHING, power_w=10.0, hashrate_ths=1.0
    )


def label_at(now: datetime) -> str:
    window = window_at(TIMETABLE.schedule, now, ZONE, None)
    return BETWEEN if window is None else window.label


@settings(max_examples=60, deadline=None)
@given(_gaps, st.integers(0, 4 * 3600), st.sets(st.integers(0, 119)))
def test_every_second_is_counted_once_in_its_own_window(gaps: list[int], offset: int, restarts: set[int]) -> None:
    at = START + timedelta(seconds=offset)
    whole, expected = Tally(TIMETABLE).heard(telemetry(at)), dict[str, int]()
    restarted = whole
    for index, gap in enumerate(gaps):
        if timedelta(seconds=gap) <= LONGEST_GAP:
            for second in range(gap):
                label = label_at(at + timedelta(seconds=second))
                expected[label] = expected.get(label, 0) + 1
        at += timedelta(seconds=gap)
        whole = whole.heard(telemetry(at))
        if index in restarts:
            # The service ends in good order and knows its last reading no more.
            text = restarted.message(at).model_dump_json(exclude_none=True)
            restarted = Tally(TIMETABLE, last=restarted.last).recalled(MinerStatistics.model_validate_json(text))
        restarted = restarted.heard(telemetry(at))
    found = {each.window: each.total.observed_seconds for each in whole.windows if each.total.observed_seconds}
    assert found == pytest.approx(expected)
    assert sum(each.total.samples for each in whole.windows) == len(gaps) + 1
    assert restarted.windows == whole.windows
