"""The times in the head of an answer."""

from datetime import UTC, datetime, timedelta

import pytest

from services.pool_poller.times import WAIT_SECONDS_MAX, sent_at, wait_seconds

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": "Sun, 21 Jun 2026 12:00:00 GMT"}, 0),
        ({"Date": "Sun, 21 Jun 2026 14:00:00 +0200"}, 0),
        ({"Date": "Sun, 21 Jun 2026 12:00:00 -0000"}, 0),
        ({"Date": "Sunday, 21-Jun-26 12:00:00 GMT"}, 0),
        ({"Date": "Sun, 21 Jun 2026 12:00:00 GMT", "Age": "90"}, 90),
        ({"Date": "Sun, 21 Jun 2026 12:00:00 GMT", "Age": "-90"}, 0),
        ({"Date": "Sun, 21 Jun 2026 12:00:00 GMT", "Age": "٣"}, 0),
        ({"Date": "Sun, 21 Jun 2026 12:00:00 GMT", "Age": "9" * 400}, 0),
    ],
)
def test_the_senders_clock(headers: dict[str, str], seconds: int) -> None:
    assert sent_at(headers) == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Sun, 41 Jun 2026 12:00:00 GMT", "0", "Sun, 21 Jun 99999 1:00:00 GMT"]
)
def test_no_clock(date: str) -> None:
    assert sent_at({"Date": date}) is None
    assert sent_at({}) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Sun, 21 Jun 2026 12:05:00 GMT", 300),
        ("Sun, 21 Jun 2026 11:00:00 GMT", 0),
        ("86400", WAIT_SECONDS_MAX),
        ("Sun, 21 Jun 2099 11:00:00 GMT", WAIT_SECONDS_MAX),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("9" * 400, 0),
    ],
)
def test_how_long_it_wants_to_be_left_alone(written: str, seconds: float) -> None:
    assert wait_seconds({"Retry-After": written}, NOON) == seconds
    assert wait_seconds({}, NOON) == 0


def test_a_date_counts_by_the_clock_that_wrote_it() -> None:
    headers = {"Retry-After": "Sun, 21 Jun 2026 15:05:00 GMT", "Date": "Sun, 21 Jun 2026 15:00:00 GMT"}
    assert wait_seconds(headers, NOON) == 300
