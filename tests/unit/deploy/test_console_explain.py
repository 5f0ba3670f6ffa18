"""`sunherd explain`: the one limit that binds, everything else that has a say, and how far all of it is known."""

from datetime import UTC, timedelta
from typing import Any

from deploy.console.view.explained import Explanation
from deploy.console.view.explanation import explanation_of
from deploy.console.view.explanation_text import explanation_text
from shared.messages import (
    PAUSE,
    Care,
    Choice,
    Following,
    Limit,
    MinerCommand,
    MinerState,
    Override,
    OverrideKind,
    PlugTelemetry,
    PoolReading,
    PoolVerdict,
)
from shared.topics import (
    GROUP_CHOICE,
    GROUP_OVERRIDE,
    MINER_CHOICE,
    MINER_OVERRIDE,
    MINER_POOL,
    PLUG_TELEMETRY,
)
from tests.unit.deploy.console_scene import AGENT, NOON, Scene, command, facts, reading

FARM = facts(
    "bitaxe-1",
    groups={"shelf": ("bitaxe-1",)},
    miners={"bitaxe-1": {"driver": "bitaxe", "host": "192.168.1.10", "stop_soc": 73, "resume_soc": 75, "max_w": 14}},
)


def limit(policy: str, ceiling_w: float | None, **changed: Any) -> Limit:
    values: dict[str, Any] = {"code": policy, "sentence": f"{policy} says so", "since": NOON - timedelta(minutes=5)}
    return Limit(policy=policy, ceiling_w=ceiling_w, **{**values, **changed})


def paused() -> MinerCommand:
    return command(
        point=PAUSE,
        code="soc_low",
        sentence="SoC 72.9 % < 73 %",
        changes_when="resumes above 75 %, now 72.9 %",
        limits=(
            limit("emergency_stop", None),
            limit("miner_cap", 14),
            limit("minimum_off", 0),
            limit("soc_hysteresis", 0, changes_when="resumes above 75 %"),
        ),
    )


def scene() -> Scene:
    return Scene(FARM).led().miner("bitaxe-1", reading(state=MinerState.PAUSED), paused())


def told(of: Scene) -> Explanation:
    return explanation_of(of.picture(), "bitaxe-1")


def lines(of: Scene, width: int | None = None) -> list[str]:
    return [line.plain for line in explanation_text(told(of), UTC, width)]


def line(of: Scene, label: str) -> list[str]:
    return [text[11:] for text in lines(of) if text.startswith(f"{label:<11}")]


def test_it_names_the_one_limit_that_binds_as_the_engine_does() -> None:
    found = told(scene())
    # Of two ceilings of 0 the first in the engine's own order binds: here the gate stands before.
    assert [each.policy for each in found.limits if each.binds] == ["minimum_off"]
    assert [each.policy for each in found.limits if each.gate] == ["minimum_off"]
    assert found.gates_passed == ("starts_per_day", "stagger", "group_cap")


def test_policies_stand_before_gates_each_with_ceiling_sentence_and_what_would_change_it() -> None:
    page = lines(scene())
    begin = next(number for number, text in enumerate(page) if "Policy" in text)
    assert page[begin:] == [
        "   Policy              Ceiling  Since  Says",
        "   emergency_stop         none  14:25  emergency_stop says so",
        "   miner_cap              14 W  14:25  miner_cap says so",
        "   soc_hysteresis          0 W  14:25  soc_hysteresis says so; resumes above 75 %",
        ">  minimum_off (gate)      0 W  14:25  minimum_off says so",
        "  passed: starts_per_day, stagger, group_cap (gates)",
    ]


def test_on_a_terminal_no_sentence_is_cut() -> None:
    page = lines(scene(), 30)
    assert "    soc_hysteresis says so; resumes above 75 %" in page


def test_what_is_commanded_since_when_and_why() -> None:
    assert line(scene(), "Commanded") == ["pause, 0 W nominal, since 13:30 (1 h)"]
    assert line(scene(), "Because") == ["SoC 72.9 % < 73 %  [soc_low]"]
    assert line(scene(), "Changes") == ["resumes above 75 %, now 72.9 %"]
    assert line(scene(), "Binds") == ["minimum_off: at most 0 W"]
    assert line(scene(), "Engine") == ["policy_engine-pi, epoch 7; lease until 14:31"]


def test_a_lease_that_has_run_out_and_an_engine_that_is_silent_are_said() -> None:
    assert line(scene().later(61), "Engine") == [
        "policy_engine-pi, epoch 7, which is not heard; lease HAS RUN OUT at 14:31"
    ]


def test_values_that_a_person_has_chosen_stand_beside_those_of_the_file() -> None:
    chosen = Choice(at=NOON - timedelta(days=1), stop_soc=70.0, by="Ana")
    shared = Choice(at=NOON, max_w=600.0, by="Bea")
    of = scene().hear(MINER_CHOICE, "bitaxe-1", chosen).hear(GROUP_CHOICE, "shelf", shared)
    assert line(of, "Setting") == [
        "stop_soc 73 % in the file, 70 % chosen by Ana on 2025-01-20 14:30",
        "resume_soc 75 % in the file",
        "max_w 14 W in the file",
        "group shelf: max_w nothing in the file, 600 W chosen by Bea on 2025-01-21 14:30",
    ]


def test_overrides_say_by_whom_and_until_when_and_whether_they_still_count() -> None:
    pause = Override(at=NOON, kind=OverrideKind.PAUSE, by="Ana", until=NOON + timedelta(hours=2), reason="dust")
    hold = Override(at=NOON, kind=OverrideKind.LIMIT, by="Bea", max_w=500.0, until=NOON + timedelta(seconds=1))
    of = scene().hear(MINER_OVERRIDE, "bitaxe-1", pause).hear(GROUP_OVERRIDE, "shelf", hold).later(2)
    assert line(of, "Override") == [
        "paused by Ana at 14:30 until 16:30: dust",
        "group shelf: limited to 500 W by Bea at 14:30 until 14:30 (over)",
    ]
    automatic = Override(at=NOON, kind=OverrideKind.AUTOMATIC)
    assert line(scene().hear(MINER_OVERRIDE, "bitaxe-1", automatic), "Override") == []


def test_maintenance_without_an_end_ends_all_the_same() -> None:
    of = scene().hear(MINER_OVERRIDE, "bitaxe-1", Override(at=NOON, kind=OverrideKind.MAINTENANCE, by="Ana"))
    assert told(of).overrides[0].until == NOON + timedelta(hours=12)


def test_care_tells_tries_and_that_it_has_been_given_up() -> None:
    care = Care(
        code="unstable", sentence="it hangs", since=NOON, tries=(NOON, NOON), unstable_since=NOON, changes_when="alone"
    )
    of = Scene(FARM).led().miner("bitaxe-1", None, command(care=care))
    assert line(of, "Care") == ["it hangs  [unstable]; 2 tries within 24 h; given up at 14:30; alone"]


def test_agent_and_reading_say_what_is_followed_and_how_old_it_is() -> None:
    of = Scene(FARM).led().miner("bitaxe-1", reading(settled=False, following=Following.GRACE)).later(12)
    assert line(of, "Agent") == [
        f"{AGENT} its lease has run out: in grace, the last command still stands; wants day, NOT settled yet"
    ]
    assert line(of, "Reading") == ["12 s ago: hashing, 450.5 GH/s, 11.50 W, chip 65.2°C, 1150mV @ 450MHz"]


def test_a_reading_that_counts_no_more_shows_no_figures() -> None:
    of = Scene(FARM).led().miner("bitaxe-1").later(16)
    assert line(of, "Reading") == ["unknown; the last one was made at 14:30, 16 s ago"]
    assert line(of, "Agent") == [f"{AGENT} is not heard"]
    assert told(of).desired is None


def test_an_outlet_whose_agent_is_silent_is_unknown() -> None:
    plug = PlugTelemetry(at=NOON, reachable=True, on=True, power_w=480.0, by="kasa_power_agent-pi")
    of = scene().hear(PLUG_TELEMETRY, "bitaxe-1", plug, retained=True)
    assert line(of, "Outlet") == ["unknown: its agent is not heard, ?"]
    assert line(of.beat("kasa_power_agent-pi"), "Outlet") == ["on, 480.00 W"]


def test_a_pool_that_has_not_answered_for_long_says_nothing() -> None:
    pool = PoolReading(
        at=NOON,
        pool="ckpool",
        worker="w",
        verdict=PoolVerdict.ONLINE,
        since=NOON,
        confirmed_at=NOON,
        offline_after_seconds=600,
    )
    of = scene().hear(MINER_POOL, "bitaxe-1", pool)
    assert line(of, "Worker") == ["online at ckpool, confirmed 0 s ago"]
    of.later(1201)
    assert line(of, "Worker")[0].startswith("unknown at ckpool, confirmed 20 min 1 s ago")


def test_a_miner_of_which_nothing_is_known_is_explained_as_that() -> None:
    of = Scene(FARM).led()
    assert lines(of)[:2] == ["bitaxe-1: unknown !", "  nothing has been heard of it"]
    assert line(of, "Commanded") == ["nothing: no engine has decided anything for it"]
    assert line(of, "Agent") == ["unknown: nobody has told of it"]
    assert line(of, "Reading") == ["none"]
