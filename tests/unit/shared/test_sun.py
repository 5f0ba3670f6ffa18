"""Where the sun neither rises nor sets."""

from datetime import UTC, date, timedelta

from shared.sun import Place, sun_at

LONGYEARBYEN = Place(78.2, 15.6)
MIDSUMMER, MIDWINTER = date(2026, 6, 21), date(2026, 12, 21)


def test_the_midnight_sun_is_up_all_day() -> None:
    rises = sun_at("sunrise", MIDSUMMER, LONGYEARBYEN, UTC)
    sets = sun_at("sunset", MIDSUMMER, LONGYEARBYEN, UTC)
    assert sets - rises == timedelta(days=1)


def test_in_the_polar_night_it_rises_and_sets_at_noon() -> None:
    assert sun_at("sunrise", MIDWINTER, LONGYEARBYEN, UTC) == sun_at("sunset", MIDWINTER, LONGYEARBYEN, UTC)
