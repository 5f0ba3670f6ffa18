"""Museum 24. Seen in evcc 32760: one cloud (12.4, 6.5, 12.6, 4.0 kW) made the charger flap.

Must happen: dwell times hold and starts are bounded, whatever the input does. At this stage the input is the state of
charge, thrown to and fro in the rhythm of the report.
"""

import itertools

from tests.engine_whole import ONE, hashing

SUN_KW = (12.4, 6.5, 12.6, 4.0)


def test_flapping_is_slowed_to_the_dwell_time_and_to_the_days_starts() -> None:
    run = hashing()
    for sun_kw in itertools.islice(itertools.cycle(SUN_KW), 24 * 60):
        run.soc(76 if sun_kw > 10 else 72).run(60, step_seconds=30)
    starts = run.now_commanded.starts
    assert len(starts) == ONE.starts_per_day
    assert run.changes().count("normal") == 1 + ONE.starts_per_day
    assert min(later - earlier for earlier, later in itertools.pairwise(starts)) >= ONE.minimum_off


def test_within_the_band_nothing_moves() -> None:
    run = hashing()
    for sun_kw in itertools.islice(itertools.cycle(SUN_KW), 60):
        run.soc(73 + sun_kw / 7).run(60, step_seconds=30)
    assert run.changes() == ["pause", "normal"]  # the pause is that of the moment before the first reading
