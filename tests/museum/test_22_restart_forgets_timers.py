"""Museum 22. Seen in evcc 9586: after a restart the charger did not stop, because the timers had begun afresh.

Must happen: a restart changes nothing; whatever had been running for some time is counted from where it began.
"""

from shared.messages import MinerState
from tests.engine_whole import ONE, WholeRun, hashing


def test_the_stale_timer_goes_on_across_restarts() -> None:
    run = hashing().soc(None)
    for _ in range(3):
        run.run(290).kill().launch()
    run.run(40)
    assert run.now_commanded.code == "soc_stale_pause"


def test_a_battery_never_heard_of_is_counted_across_restarts_too() -> None:
    run = WholeRun(ONE).launch().miner("s19", MinerState.HASHING)
    run.run(600).kill().launch().run(320)
    assert run.now_commanded.code == "soc_stale_pause"


def test_the_minimum_off_time_neither_begins_anew_nor_is_forgotten() -> None:
    run = hashing().soc(70).run(10).soc(80)
    run.run(200).kill().launch().run(60)
    assert run.now_commanded.code == "minimum_off"
    run.run(60)
    assert run.now_commanded.point.name == "normal"


def test_a_latch_in_the_band_survives() -> None:
    paused = hashing().soc(70).run(400).soc(74).kill().launch().run(600)
    assert (paused.now_commanded.point.is_pause, paused.now_commanded.code) == (True, "soc_low")
    running = hashing().soc(74).run(400).kill().launch().run(600)
    assert (running.now_commanded.point.name, running.now_commanded.code) == ("normal", "soc_ok")


def test_a_memory_that_is_too_old_is_void_for_latches() -> None:
    run = hashing().soc(74).run(60).kill()
    run.run(ONE.memory_lasts.total_seconds() + 40)
    run.launch().run(20)
    assert (run.now_commanded.point.is_pause, run.now_commanded.code) == (True, "soc_no_memory")


def test_starts_of_today_are_not_forgotten() -> None:
    run = hashing()
    for _ in range(8):
        run.soc(70).run(310).kill().launch().soc(80).run(30)
    assert len(run.now_commanded.starts) == ONE.starts_per_day
    assert run.now_commanded.code == "starts_per_day"
