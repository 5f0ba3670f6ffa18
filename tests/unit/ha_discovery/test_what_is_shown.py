"""What the farm's messages come to on the Mirrors, through the wired service and a broker in memory."""

from datetime import timedelta
from typing import Any

import pytest

from shared.messages import (
    PAUSE,
    Care,
    Choice,
    EmergencyStop,
    Limit,
    MinerState,
    Override,
    OverrideKind,
    PoolReading,
    PoolVerdict,
    SiteTelemetry,
)
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_CHOICE,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_POOL,
    SITE_TELEMETRY,
)
from tests.shown_farm import AGENT, ENGINE, POLLER, ShownFarm, renewed

AXE, S19 = "miner-axe-1", "miner-s19-20"
MEASURED = ("hashrate", "power", "efficiency", "chip_temperature", "state")


@pytest.fixture
def farm() -> ShownFarm:
    found = ShownFarm()
    found.pass_seconds(3)
    return found


def override(farm: ShownFarm, kind: OverrideKind, **rest: Any) -> Override:
    found = Override(at=farm.clock.now(), kind=kind, by="Ada", **rest)
    farm.write(MINER_OVERRIDE, "axe-1", found)
    farm.pass_seconds(0.5)
    return found


# --- unknown


def test_before_anything_is_heard_nothing_is_a_number(farm: ShownFarm) -> None:
    shown = farm.mirror(AXE)
    assert not shown.available
    assert [shown.values[key] for key in MEASURED] == [None] * 5
    assert (shown.values["health"], shown.values["problem"]) == (None, None)
    totals = farm.values("farm-home")
    assert (totals["power"], totals["hashrate"], totals["miners_hashing"]) == (None, None, None)
    assert (totals["miners_covered"], totals["miners"], totals["state_of_charge"]) == (0, 3, None)


def test_a_reading_is_shown_sensibly_rounded(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(0.5)
    shown = farm.mirror(AXE)
    assert shown.available
    assert [str(shown.values[key]) for key in MEASURED] == ["1.23", "20", "16.5", "58.5", "hashing"], (
        "as people read it"
    )


def test_a_miner_that_does_not_answer_is_not_available_and_shows_no_figure(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(6)
    seen = farm.values(AXE)["last_seen"]
    farm.reading("axe-1", reachable=False, problem="unreachable")
    farm.pass_seconds(0.5)
    shown = farm.mirror(AXE)
    assert not shown.available
    assert [shown.values[key] for key in MEASURED] == [None] * 5
    assert (shown.values["health"], shown.values["last_seen"]) == ("unreachable", seen)
    assert shown.values["problem"] is None, "one lost answer needs nobody"


def test_a_miner_that_stays_away_needs_a_person(farm: ShownFarm) -> None:
    for _ in range(5):
        farm.reading("axe-1", reachable=False, problem="unreachable", detail="no answer from axe-1.test")
        farm.pass_seconds(10)
    shown = farm.values(AXE)
    assert (shown["problem"], shown["problem_sentence"]) == (True, "no answer from axe-1.test")


def test_what_has_not_been_read_for_three_polls_is_unknown(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(29)
    assert farm.mirror(AXE).available
    farm.pass_seconds(5)
    shown = farm.mirror(AXE)
    assert not shown.available
    assert (shown.values["power"], shown.values["health"], shown.values["problem"]) == (None, None, True)


def test_the_last_word_of_a_dead_agent_is_unknown_after_three_beats(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(18, alive=(ENGINE,))
    assert not farm.mirror(AXE).available
    assert farm.values("service-bitaxe_agent-test")["running"] is False


def test_a_paused_miner_has_no_efficiency(farm: ShownFarm) -> None:
    farm.reading("axe-1", state=MinerState.PAUSED, power_w=2.0, hashrate_ths=0.0)
    farm.pass_seconds(0.5)
    shown = farm.values(AXE)
    assert (shown["efficiency"], shown["state"], shown["health"], shown["hashrate"]) == (None, "paused", "ok", 0.0)


def test_a_miner_that_is_cut_off_on_purpose_is_off_and_no_problem(farm: ShownFarm) -> None:
    farm.decide("s19-20", point=PAUSE)
    for _ in range(5):
        farm.outlet("s19-20", on=False, power_w=0.0)
        farm.reading("s19-20", reachable=False, problem="unreachable")
        farm.pass_seconds(10)
    shown = farm.values(S19)
    assert (shown["health"], shown["problem"]) == ("off", False)


# --- what is worth a message


def test_the_same_reading_again_says_nothing(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.decide("axe-1")
    farm.pass_seconds(1)
    said = farm.said(AXE)
    for _ in range(3):
        farm.pass_seconds(9)
        farm.reading("axe-1")
        farm.pass_seconds(0.5)
    assert farm.said(AXE) == said


def test_a_renewed_lease_says_nothing(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    command = farm.decide("axe-1")
    farm.pass_seconds(1)
    said = farm.said(AXE)
    for _ in range(4):
        command = renewed(command, farm.clock.now())
        farm.write(MINER_COMMAND, "axe-1", command)
        farm.pass_seconds(6)
    assert farm.said(AXE) == said


def test_the_figures_of_a_decision_alone_wait(farm: ShownFarm) -> None:
    command = farm.decide("axe-1")
    farm.pass_seconds(6)
    said = farm.said(AXE)
    fresh = renewed(command, farm.clock.now()).model_copy(update={"sentence": "SoC 80.4 % > 75 %"})
    farm.write(MINER_COMMAND, "axe-1", fresh)
    farm.pass_seconds(60)
    assert (farm.said(AXE), farm.values(AXE)["why"]) == (said, "SoC 80.1 % > 75 %")
    farm.pass_seconds(260)
    assert farm.values(AXE)["why"] == "SoC 80.4 % > 75 %"


def test_a_decision_is_shown_at_once(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.decide("axe-1")
    farm.pass_seconds(0.25)
    farm.decide("axe-1", point=PAUSE, code="soc_low", sentence="SoC 39 % < 40 %")
    farm.service.step()
    farm.service.step()
    assert farm.values(AXE)["why"] == "SoC 39 % < 40 %"


def test_figures_come_at_most_every_five_seconds(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(1)
    said = farm.said(AXE)
    for watts in range(20):
        farm.reading("axe-1", power_w=100.0 + watts)
        farm.pass_seconds(1)
    assert 3 <= farm.said(AXE) - said <= 5


def test_last_seen_is_said_at_most_once_a_minute(farm: ShownFarm) -> None:
    seen = set()
    for tenth in range(60):
        farm.reading("axe-1", power_w=20.0 + tenth % 7)
        farm.pass_seconds(2)
        seen.add(farm.values(AXE)["last_seen"])
    assert len(seen) == 2


# --- why


def test_the_numbers_of_the_limit_that_speaks_and_the_other_ceilings_stand_beside_the_sentence(farm: ShownFarm) -> None:
    farm.decide("axe-1", sentence="x" * 300)
    farm.pass_seconds(0.5)
    shown = farm.mirror(AXE)
    assert len(str(shown.values["why"])) == 255
    assert (shown.why["soc"], shown.why["code"]) == (80.1, "soc_ok")
    assert shown.why["other_ceilings"] == "miner_cap: at most 25 W, at most 25 W"


def test_a_number_with_an_odd_name_hides_no_other(farm: ShownFarm) -> None:
    limit = Limit(policy="p", code="soc_ok", sentence="s", numbers={"Odd name": 1, "soc": 2}, since=farm.clock.now())
    farm.decide("axe-1", limits=(limit,))
    farm.pass_seconds(0.5)
    why = farm.mirror(AXE).why
    assert why["soc"] == 2
    assert "Odd name" not in why


# --- people


def test_the_switch_is_off_while_a_person_has_paused_it(farm: ShownFarm) -> None:
    assert farm.values(AXE)["automatic"] is True
    paused = override(farm, OverrideKind.PAUSE)
    shown = farm.values(AXE)
    assert shown["automatic"] is False
    assert Override.model_validate_json(str(shown["stands"])) == paused
    override(farm, OverrideKind.AUTOMATIC)
    assert (farm.values(AXE)["automatic"], farm.values(AXE)["stands"]) == (True, None)


def test_a_pause_whose_time_is_over_is_over_here_too(farm: ShownFarm) -> None:
    override(farm, OverrideKind.PAUSE, until=farm.clock.now() + timedelta(seconds=20))
    assert farm.values(AXE)["automatic"] is False
    farm.pass_seconds(24)
    assert farm.values(AXE)["automatic"] is True


@pytest.mark.parametrize(("minutes", "shown"), [(30, "30 min"), (60, "1 h"), (480, "8 h"), (180, None)])
def test_force_on_shows_the_duration_that_was_chosen(farm: ShownFarm, minutes: int, shown: str | None) -> None:
    assert farm.values(AXE)["force_on"] == "off"
    override(farm, OverrideKind.FORCE_ON, until=farm.clock.now() + timedelta(minutes=minutes))
    assert farm.values(AXE)["force_on"] == shown
    farm.time.advance(minutes * 60)
    farm.pass_seconds(3)
    assert farm.values(AXE)["force_on"] == "off"


def test_a_choice_holds_instead_of_the_farm_file(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(0.5)
    shown = farm.values(AXE)
    assert (shown["stop_soc"], shown["max_w"], shown["profile"]) == (40.0, None, "automatic")
    farm.write(MINER_CHOICE, "axe-1", Choice(at=farm.clock.now(), stop_soc=45.0, max_w=22.0, point="quiet"))
    farm.pass_seconds(0.5)
    shown = farm.values(AXE)
    assert (shown["stop_soc"], shown["resume_soc"], shown["max_w"], shown["profile"]) == (45.0, 50.0, 22.0, "quiet")
    farm.write(MINER_CHOICE, "axe-1", None)
    farm.pass_seconds(0.5)
    assert farm.values(AXE)["stop_soc"] == 40.0
    farm.write(GROUP_CHOICE, "garage", Choice(at=farm.clock.now(), max_w=3500.0))
    farm.pass_seconds(0.5)
    assert farm.values("group-garage")["max_w"] == 3500.0


def test_a_choice_that_is_on_no_rung_is_not_shown_as_one(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.write(MINER_CHOICE, "axe-1", Choice(at=farm.clock.now(), point="gone"))
    farm.pass_seconds(0.5)
    assert farm.values(AXE)["profile"] is None


def test_whoever_was_refused_is_shown_again_what_holds(farm: ShownFarm) -> None:
    said = farm.said(AXE)
    farm.event(MINER_EVENT, "axe-1", "request_accepted")
    farm.pass_seconds(1)
    assert farm.said(AXE) == said
    farm.event(MINER_EVENT, "axe-1", "request_refused")
    farm.pass_seconds(1)
    assert farm.said(AXE) == said + 1


# --- health


def care(farm: ShownFarm, code: str, **rest: Any) -> Care:
    return Care(code=code, sentence="it hangs", since=farm.clock.now(), **rest)


def test_a_miner_that_was_given_up_on_needs_a_person_and_does_not_count_as_hashing(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(1)
    assert farm.values("farm-home")["miners_hashing"] == 1
    farm.decide("axe-1", care=care(farm, "unstable", unstable_since=farm.clock.now()))
    farm.pass_seconds(6)
    shown = farm.values(AXE)
    assert (shown["health"], shown["problem"], shown["problem_sentence"]) == ("given_up", True, "it hangs")
    totals = farm.values("farm-home")
    assert (totals["miners_hashing"], totals["miners_covered"], totals["problem"]) == (0, 1, True)
    assert "axe-1" in str(totals["problem_sentence"])


def test_tries_in_vain_are_a_hang(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.decide("axe-1", care=care(farm, "settling", numbers={"tries_in_vain": 1}))
    farm.pass_seconds(0.5)
    assert farm.values(AXE)["health"] == "hangs"


@pytest.mark.parametrize(
    ("reading", "code", "health", "problem"),
    [
        ({"state": MinerState.RAMPING}, "soc_ok", "warming", False),
        ({"state": MinerState.FAULT, "detail": "board 2 is missing"}, "soc_ok", "fault", True),
        ({"state": MinerState.UNKNOWN}, "soc_ok", None, False),
        ({}, "too_hot", "too_hot", False),
        ({}, "cooling", "cooling", False),
        ({"problem": "hardware_fault", "detail": "fan"}, "soc_ok", "ok", True),
    ],
)
def test_how_a_miner_is(
    farm: ShownFarm, reading: dict[str, Any], code: str, health: str | None, problem: bool | None
) -> None:
    farm.reading("axe-1", **reading)
    farm.decide("axe-1", code=code)
    farm.pass_seconds(0.5)
    shown = farm.values(AXE)
    assert (shown["health"], shown["problem"]) == (health, problem)


# --- worker, outlet, group, farm, services


def test_a_worker_is_unknown_while_nobody_asks_its_pool(farm: ShownFarm) -> None:
    now = farm.clock.now()
    reading = PoolReading(
        at=now,
        pool="ckpool",
        worker="s19-20",
        verdict=PoolVerdict.ONLINE,
        since=now,
        last_seen_at=now,
        offline_after_seconds=600,
        hashrate_ths=95.123,
    )
    farm.write(MINER_POOL, "s19-20", reading)
    farm.pass_seconds(0.5)
    shown = farm.values(S19)
    assert (shown["worker"], shown["worker_hashrate"]) == ("online", 95.12)
    farm.pass_seconds(20, alive=(AGENT, ENGINE))
    shown = farm.values(S19)
    assert (shown["worker"], shown["worker_hashrate"]) == (None, None)
    assert shown["worker_last_seen"] == now.isoformat(timespec="seconds")


def test_an_outlet_shows_what_it_measures(farm: ShownFarm) -> None:
    farm.outlet("rig-7", voltage_v=230.14, current_a=4.783, energy_today_wh=1234.5)
    farm.pass_seconds(0.5)
    shown = farm.mirror("plug-rig-7")
    assert shown.available
    assert dict(shown.values) == {
        "plug_on": True,
        "plug_power": 1100.0,
        "plug_energy_today": 1.234,
        "plug_voltage": 230.1,
        "plug_current": 4.78,
    }
    farm.pass_seconds(40)
    assert set(farm.values("plug-rig-7").values()) == {None}


def test_sums_say_how_many_they_cover(farm: ShownFarm) -> None:
    farm.reading("s19-20", power_w=3200.0, hashrate_ths=95.5)
    farm.reading("axe-1", power_w=None)
    farm.pass_seconds(6)
    group, whole = farm.values("group-garage"), farm.values("farm-home")
    assert (group["power"], group["miners_covered"], group["miners"]) == (3200.0, 1, 2)
    assert (whole["power"], whole["power_covers"], whole["hashrate_covers"], whole["miners"]) == (3200.0, 1, 2, 3)


def test_the_farm_says_in_which_mode_it_is(farm: ShownFarm) -> None:
    assert farm.values("farm-home")["mode"] == "automatic"
    stop = EmergencyStop(at=farm.clock.now(), active=True, by="Ada")
    farm.write(EMERGENCY_STOP, "home", stop)
    farm.pass_seconds(0.5)
    shown = farm.values("farm-home")
    assert (shown["mode"], shown["emergency_stop_active"]) == ("emergency_stop", True)
    assert shown["emergency_stop_at"] == stop.at.isoformat()
    farm.write(EMERGENCY_STOP, "home", None)
    farm.pass_seconds(0.5)
    assert farm.values("farm-home")["emergency_stop_active"] is True, "a cleared topic lifts nothing"
    late = EmergencyStop(at=farm.clock.now(), active=False, lifts=stop.at - timedelta(seconds=1))
    farm.write(EMERGENCY_STOP, "home", late)
    farm.pass_seconds(0.5)
    assert farm.values("farm-home")["emergency_stop_active"] is True, "it was meant for an older stop"
    farm.write(EMERGENCY_STOP, "home", late.model_copy(update={"lifts": stop.at}))
    farm.pass_seconds(0.5)
    assert farm.values("farm-home")["mode"] == "automatic"
    farm.pass_seconds(20, alive=(AGENT, POLLER))
    assert farm.values("farm-home")["mode"] == "no_engine"


def test_the_state_of_charge_is_unknown_when_it_is_not_told_any_more(farm: ShownFarm) -> None:
    told = SiteTelemetry(at=farm.clock.now(), source="test", state_of_charge_percent=72.34)
    farm.write(SITE_TELEMETRY, "home", told)
    farm.pass_seconds(6)
    assert farm.values("farm-home")["state_of_charge"] == 72.3
    farm.pass_seconds(40)
    shown = farm.values("farm-home")
    assert (shown["state_of_charge"], shown["problem"]) == (None, True)


def test_a_farm_of_whose_miners_one_is_unknown_is_not_said_to_be_without_problems(farm: ShownFarm) -> None:
    def shown() -> tuple[object, object]:
        farm.write(
            SITE_TELEMETRY, "home", SiteTelemetry(at=farm.clock.now(), source="test", state_of_charge_percent=72)
        )
        farm.pass_seconds(6)
        values = farm.values("farm-home")
        return values["problem"], values["problem_sentence"]

    assert shown() == (None, None), "nothing is known of any"
    for miner in ("axe-1", "s19-20"):
        farm.reading(miner)
    assert shown() == (None, None), "nothing is known of the rig"
    farm.reading("rig-7", driver="plug")
    assert shown() == (False, None)
    farm.reading("axe-1", reachable=False, problem="unreachable")
    assert shown() == (False, None), "one lost answer needs nobody"
    farm.reading("axe-1", state=MinerState.FAULT)
    assert shown() == (True, "miners: axe-1")


def test_a_replica_is_shown_with_what_it_tends(farm: ShownFarm) -> None:
    farm.beat(AGENT, version="1.2.3", tends=7)
    farm.pass_seconds(4, alive=())
    assert farm.values("service-bitaxe_agent-test") == {"running": True, "version": "1.2.3", "tends": 7}
    farm.pass_seconds(20, alive=(ENGINE,))
    assert farm.values("service-bitaxe_agent-test") == {"running": False, "version": "1.2.3", "tends": None}


# --- energy


def test_energy_is_the_area_under_the_power_and_goes_on_after_a_restart(farm: ShownFarm) -> None:
    for _ in range(61):
        farm.reading("axe-1", power_w=6000.0)
        farm.pass_seconds(10)
    farm.pass_seconds(60)
    counted = farm.values(AXE)["energy"]
    assert counted == pytest.approx(1.0, abs=0.002)
    again = farm.again()
    again.pass_seconds(3)
    assert again.values(AXE)["energy"] == counted


def test_a_gap_in_the_readings_is_not_counted(farm: ShownFarm) -> None:
    farm.reading("axe-1", power_w=1000.0)
    farm.pass_seconds(1)
    farm.time.advance(3600)
    farm.pass_seconds(1)
    farm.reading("axe-1", power_w=1000.0)
    farm.pass_seconds(70)
    assert farm.values(AXE)["energy"] == 0.0
