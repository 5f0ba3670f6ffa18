"""Museum 1. Seen in seed S1 (VNish state-of-charge controller, D.4): with the sensor "unavailable" it sent no stop in
four polls; a value then came as text, was an error line, and the miners ran on for ever.

Must happen: from 5 minutes on nothing starts, at 15 minutes everything that the battery governs is paused, with a
reason code and an event.
"""

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import MinerState
from tests.engine_whole import ONE, WholeRun, hashing


def test_a_running_miner_goes_on_for_a_while_and_is_paused_at_15_minutes() -> None:
    run = hashing().soc(None)
    run.run(14 * 60 + 50)
    assert run.now_commanded.point.name == "normal"
    run.run(20)
    assert run.now_commanded.point.is_pause
    assert run.now_commanded.code == "soc_stale_pause"
    assert "unavailable" in run.now_commanded.sentence
    assert "soc_stale_pause" in run.codes


def test_nothing_starts_while_the_sensor_is_unavailable() -> None:
    run = WholeRun(ONE).launch().soc(80).miner("s19", MinerState.PAUSED)
    run.run(60).soc(None).run(600)
    assert run.now_commanded.point.is_pause
    assert run.now_commanded.code == "soc_stale"
    assert run.changes() == ["pause"]


def test_a_bridge_that_falls_silent_starts_nothing_from_5_minutes_on() -> None:
    rules = Rules(miners=ONE.miners, minimum_off=ONE.minimum_off * 2)
    run = WholeRun(rules).launch().soc(80).miner("s19", MinerState.PAUSED)
    run.bridge = False
    run.run(700)
    assert run.now_commanded.code == "soc_stale"
    assert run.changes() == ["pause"]


def test_a_battery_never_heard_of_counts_from_the_start_of_the_engine() -> None:
    run = WholeRun(ONE).launch().miner("s19", MinerState.HASHING)
    run.run(14 * 60)
    assert run.now_commanded.point.name == "normal"
    run.run(90)
    assert run.now_commanded.code == "soc_stale_pause"


def test_it_resumes_when_the_value_is_back() -> None:
    run = hashing().soc(None).run(1000).soc(90).run(20)
    assert run.now_commanded.code == "minimum_off"
    run.run(330)
    assert run.now_commanded.point.name == "normal"
    assert "soc_stale_pause_over" in run.codes


def test_a_miner_without_a_band_does_not_care() -> None:
    run = hashing(Rules(miners={"s19": MinerRules()})).soc(None).run(1800)
    assert run.now_commanded.point.name == "normal"
