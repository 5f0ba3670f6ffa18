"""Miners that cannot be read, or not yet: nothing starts, nothing is disturbed, and what must stop is stopped."""

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Action, Following, Ladder, MinerState, OperatingPoint
from tests.engine_core import DIMMABLE, NORMAL, CoreRun

BAND = Rules(miners={"s19": MinerRules(73, 75)})


def test_before_the_first_reading_it_is_only_watched() -> None:
    for run in (CoreRun(BAND).soc(80), CoreRun(BAND), CoreRun(BAND).soc(80).miner("s19", None)):
        command = run.decide()["s19"]
        assert (command.action, command.code, command.point.is_pause) == (Action.OBSERVE, "not_read", True)
        assert command.paused_since is None


def test_what_is_only_watched_still_says_which_ceiling_it_would_have() -> None:
    command = CoreRun(BAND).decide()["s19"]
    assert (command.code, command.ceiling_w) == ("not_read", 0)
    assert CoreRun(BAND).soc(80).decide()["s19"].ceiling_w is None


def test_the_first_reading_decides_whether_it_runs() -> None:
    run = CoreRun(BAND).soc(80)
    run.decide()
    run.wait(2).miner("s19", MinerState.HASHING)
    command = run.decide()["s19"]
    assert (command.action, command.point.name, command.starts) == (Action.APPLY, "normal", ())


def test_a_rule_that_forbids_it_to_run_does_not_wait_for_a_reading() -> None:
    command = CoreRun(BAND).soc(60).decide()["s19"]
    assert (command.action, command.code, command.point.is_pause) == (Action.APPLY, "soc_low", True)


def test_hashing_without_a_known_ladder_is_left_alone_unless_forbidden() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING, None)
    assert run.decide()["s19"].action is Action.OBSERVE
    assert run.soc(60).decide()["s19"].action is Action.APPLY


def test_a_gap_in_the_readings_keeps_what_runs() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    run.decide()
    command = run.miner("s19", None).decide()["s19"]
    assert (command.action, command.point, command.code) == (Action.APPLY, NORMAL, "soc_ok")


def test_nothing_is_started_that_cannot_be_read() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.PAUSED)
    run.decide()
    run.wait(400).soc(80).miner("s19", None)
    assert (run.decide()["s19"].code, run.commands["s19"].point.is_pause) == ("no_ladder", True)
    run.miner("s19", MinerState.PAUSED)
    assert run.decide()["s19"].point == NORMAL


def test_after_a_long_outage_what_the_failsafe_paused_waits_again() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    run.decide()
    run.wait(600).soc(80).miner("s19", MinerState.PAUSED)
    command = run.decide()["s19"]
    assert (command.code, command.paused_since) == ("minimum_off", run.now)


def test_after_a_long_outage_the_reported_point_is_held() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING, DIMMABLE, point="1800")
    assert run.decide()["s19"].point == NORMAL
    unknown_point = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING, DIMMABLE, point="?")
    assert unknown_point.decide()["s19"].point == NORMAL


def test_a_device_that_cannot_pause_stays_at_its_floor_and_says_so() -> None:
    floor = OperatingPoint(name="floor", power_w=500)
    ladder = Ladder(points=(floor, NORMAL), normal="normal")
    command = CoreRun(BAND).soc(60).miner("s19", MinerState.HASHING, ladder).decide()["s19"]
    assert (command.point, command.code) == (floor, "cannot_pause")
    assert command.sentence == "cannot pause, so it stays at its floor of 500 W; SoC 60.0 % < 73 %"


def test_of_an_agent_that_is_silent_nothing_is_assumed() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    run.decide()
    command = run.wait(110, silent=True).soc(80).decide()["s19"]
    assert (command.action, command.point) == (Action.APPLY, NORMAL), "two minutes are not over"
    command = run.wait(11, silent=True).soc(80).decide()["s19"]
    assert (command.action, command.code, command.point.is_pause) == (Action.OBSERVE, "not_read", True)
    command = run.miner("s19", MinerState.HASHING).decide()["s19"]
    assert (command.action, command.point, command.starts) == (Action.APPLY, NORMAL, ()), "it ran on: that is no start"


def test_what_must_not_run_is_paused_even_if_its_agent_is_silent() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    run.decide()
    command = run.wait(130, silent=True).soc(60).decide()["s19"]
    assert (command.action, command.code) == (Action.APPLY, "soc_low")


def test_what_an_agent_has_paused_by_itself_waits_its_full_time() -> None:
    for following in (Following.FAILSAFE, Following.EMERGENCY_STOP):
        run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
        run.decide()
        command = (
            run.wait(20).soc(80).miner("s19", MinerState.PAUSED, following=following, desired="pause").decide()["s19"]
        )
        assert (command.code, command.point.is_pause) == ("minimum_off", True)
        command = run.wait(299).soc(80).miner("s19", MinerState.PAUSED).decide()["s19"]
        assert command.code == "minimum_off"
        command = run.wait(2).soc(80).decide()["s19"]
        assert (command.point, len(command.starts)) == (NORMAL, 1)


def test_nothing_is_started_whose_agent_is_silent() -> None:
    run = CoreRun(BAND).soc(60).miner("s19", MinerState.HASHING)
    paused_since = run.decide()["s19"].paused_since
    command = run.wait(400, silent=True).soc(80).decide()["s19"]
    assert (command.action, command.code, command.paused_since) == (Action.OBSERVE, "not_read", paused_since)
    command = run.miner("s19", MinerState.PAUSED).decide()["s19"]
    assert (command.action, command.code) == (Action.APPLY, "minimum_off"), "nobody knows what it has done meanwhile"
    assert run.wait(300).soc(80).decide()["s19"].point == NORMAL
