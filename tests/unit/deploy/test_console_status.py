"""What `sunherd status` shows, and above all what it does not show: nothing unknown as if it were known."""

import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from rich.text import Text

from deploy.console.view.look import farm_seen
from deploy.console.view.seen import FarmSeen, MinerSeen, Mode, Status
from deploy.console.view.table import Look, table
from deploy.console.view.totals import total_line, total_of
from shared.messages import (
    PAUSE,
    Action,
    Care,
    EmergencyStop,
    Following,
    MinerState,
    PlugCommand,
    PlugTelemetry,
    UnknownReason,
)
from shared.topics import EMERGENCY_STOP, MINER_COMMAND, MINER_TELEMETRY, PLUG_COMMAND, PLUG_TELEMETRY, SITE_TELEMETRY
from tests.unit.deploy.console_scene import AGENT, ENGINE, NOON, Scene, battery, command, facts, reading

THREE = facts("bitaxe-1", "bitaxe-2", "bitaxe-3")


def seeds_farm() -> Scene:
    """The three miners of the seed's table: two hash, one does not answer."""
    second = reading(hashrate_ths=0.4483, power_w=11.3, chip_temperature_celsius=64.8)
    gone = reading(
        reachable=False,
        state=MinerState.UNKNOWN,
        detail="no answer from 192.168.1.102",
        hashrate_ths=None,
        power_w=None,
    )
    return Scene(THREE).led().miner("bitaxe-1").miner("bitaxe-2", second).miner("bitaxe-3", gone)


def shown(scene: Scene, width: int | None = None, *names: str, folds: bool = True) -> list[str]:
    return [line.plain for line in table(farm_seen(scene.picture(), names), Look(UTC, width, folds))]


def miner(scene: Scene, name: str = "bitaxe-1") -> MinerSeen:
    return next(each for each in farm_seen(scene.picture()).miners if each.name == name)


def test_the_total_line_is_the_seeds_to_the_letter() -> None:
    total = farm_seen(seeds_farm().picture()).total
    assert total_line(total) == "TOTAL: 2/3 online | 898.8 GH/s | 22.80 W | 25.37 J/TH"


def test_a_page_for_a_pipe_has_a_whole_line_for_each_miner() -> None:
    assert shown(seeds_farm()) == [
        "Miner Status - 2025-01-21 14:30:00",
        "Battery 78.4 % (12 s ago) · mode automatic · engine policy_engine-pi",
        "=" * 100,
        "Name      Status       Hashrate    Temp    Power  Efficiency  Settings         Why",
        "-" * 100,
        "bitaxe-1  Hashing    450.5 GH/s  65.2°C  11.50 W  25.53 J/TH  1150mV @ 450MHz  nothing holds it back",
        "bitaxe-2  Hashing    448.3 GH/s  64.8°C  11.30 W  25.21 J/TH  1150mV @ 450MHz  nothing holds it back",
        "bitaxe-3  Offline !           ?       ?        ?           ?  ?                no answer from 192.168.1.102",
        "-" * 100,
        "TOTAL: 2/3 online | 898.8 GH/s | 22.80 W | 25.37 J/TH",
        "=" * 100,
    ]


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (
            100,
            [
                "Name      Status       Hashrate    Temp    Power  Settings         Why",
                "bitaxe-1  Hashing    450.5 GH/s  65.2°C  11.50 W  1150mV @ 450MHz  nothing holds it back",
                "bitaxe-3  Offline !           ?       ?        ?  ?                no answer from 192.168.1.102",
            ],
        ),
        (
            70,
            [
                "Name      Status       Hashrate    Power  Why",
                "bitaxe-1  Hashing    450.5 GH/s  11.50 W  nothing holds it back",
                "bitaxe-3  Offline !           ?        ?  no answer from 192.168.1.102",
            ],
        ),
        (
            44,
            [
                "Name      Status     Why",
                "bitaxe-1  Hashing    nothing holds it back",
                "bitaxe-3  Offline !  no answer from 192.168…",
            ],
        ),
    ],
)
def test_on_a_narrow_terminal_columns_give_way_and_the_reason_stays(width: int, rows: list[str]) -> None:
    page = shown(seeds_farm(), width)
    assert [page[3], page[5], page[7]] == rows
    assert all(len(line) <= width for line in page if not line.startswith("TOTAL"))


def test_what_agents_still_remember_of_a_miner_that_does_not_answer_is_not_shown() -> None:
    frozen = reading(reachable=False, state=MinerState.UNKNOWN)
    seen = miner(Scene(THREE).led().miner("bitaxe-1", frozen))
    assert (seen.hashrate_ths, seen.power_w, seen.chip_temperature_celsius, seen.settings) == (None, None, None, "?")
    assert seen.status is Status.OFFLINE


# --- memory proves nothing


def test_a_memory_of_an_agent_that_is_not_heard_is_unknown_with_since_when() -> None:
    silent = Scene(THREE).beat(ENGINE).beat(AGENT, retained=True).miner("bitaxe-1").later(16)
    seen = miner(silent)
    assert (seen.status, seen.online, seen.hashrate_ths, seen.power_w) == (Status.UNKNOWN, None, None, None)
    assert seen.why == f"its agent {AGENT} is silent; last read 14:30 (16 s ago)"
    assert seen.needs_a_person


def test_an_agent_that_falls_silent_takes_its_readings_along() -> None:
    scene = Scene(THREE).led().miner("bitaxe-1", retained=False)
    assert miner(scene.later(14)).status is Status.HASHING
    assert miner(scene.later(2)).status is Status.UNKNOWN
    assert miner(scene.beat(AGENT)).status is Status.HASHING


def test_an_agent_that_has_ended_is_believed_at_once() -> None:
    scene = Scene(THREE).led().miner("bitaxe-1", retained=False).beat(AGENT, status="offline")
    assert miner(scene).why.startswith(f"its agent {AGENT} has ended; last read 14:30")


def test_a_reading_older_than_three_polls_is_no_measurement_though_its_agent_is_heard() -> None:
    scene = Scene(THREE).led().miner("bitaxe-1", retained=False).later(36).beat(AGENT).beat(ENGINE)
    seen = miner(scene)
    assert (seen.status, seen.hashrate_ths) == (Status.UNKNOWN, None)
    assert seen.why == "its agent is heard, but tells no reading of it; last read 14:30 (36 s ago)"


def test_a_slower_poll_lets_a_reading_live_longer() -> None:
    scene = Scene(facts("bitaxe-1", rules={"poll": "30 s"})).led().miner("bitaxe-1", retained=False)
    assert miner(scene.later(90).beat(AGENT)).status is Status.HASHING


def test_a_memory_from_the_future_proves_nothing() -> None:
    ahead = reading(at=NOON + timedelta(minutes=5))
    assert miner(Scene(THREE).led().miner("bitaxe-1", ahead)).status is Status.UNKNOWN


def test_a_reading_that_is_heard_needs_no_beat_of_its_agent_yet() -> None:
    scene = Scene(THREE).beat(ENGINE).beat(AGENT, retained=True).miner("bitaxe-1", retained=False)
    assert miner(scene).status is Status.HASHING


def test_a_miner_of_which_nobody_speaks_is_unknown() -> None:
    seen = miner(Scene(THREE).led())
    assert (seen.status, seen.why, seen.read_at) == (Status.UNKNOWN, "nothing has been heard of it", None)


# --- totals


def test_totals_say_from_how_many_they_are() -> None:
    half = reading(power_w=None)
    scene = Scene(THREE).led().miner("bitaxe-1").miner("bitaxe-2", half)
    line = total_line(farm_seen(scene.picture()).total)
    assert line == "TOTAL: 2/3 online | 901.0 GH/s | 11.50 W (from 1 of 2) | 25.53 J/TH (from 1 of 2) | 1 unknown"


def test_where_nothing_is_known_no_total_is_0() -> None:
    line = total_line(farm_seen(Scene(THREE).led().picture()).total)
    assert line == "TOTAL: 0/3 online | ? | ? | ? J/TH | 3 unknown"


def test_a_paused_miner_adds_nothing_whatever_it_still_tells() -> None:
    paused = reading(state=MinerState.PAUSED, point="pause", hashrate_ths=95.0, power_w=20.0)
    scene = Scene(facts("bitaxe-1", "bitaxe-2")).led().miner("bitaxe-1").miner("bitaxe-2", paused)
    assert total_line(farm_seen(scene.picture()).total) == "TOTAL: 2/2 online | 450.5 GH/s | 31.50 W | 25.53 J/TH"
    assert miner(scene, "bitaxe-2").hashrate_ths is None


@pytest.mark.parametrize(
    ("ths", "watts", "text"),
    [
        (0.9999, 999.99, "999.9 GH/s | 999.99 W"),
        (0.99996, 999.999, "1.00 TH/s | 1.00 kW"),
        (95.0, 3250.0, "95.0 TH/s | 3.25 kW"),
        (1250.0, 1_100_000.0, "1.25 PH/s | 1.10 MW"),
    ],
)
def test_units_follow_the_size(ths: float, watts: float, text: str) -> None:
    one = MinerSeen(
        name="a", status=Status.HASHING, online=True, state=MinerState.HASHING, hashrate_ths=ths, power_w=watts
    )
    assert total_line(total_of([one])).startswith(f"TOTAL: 1/1 online | {text} | ")


# --- what a miner is at


def test_one_whose_outlet_is_cut_for_a_pause_is_off_and_no_trouble() -> None:
    gone = reading(reachable=False, state=MinerState.UNKNOWN)
    scene = Scene(THREE).led().beat("kasa_power_agent-pi").miner("bitaxe-1", gone, command(point=PAUSE))
    assert miner(scene).status is Status.OFFLINE
    plug = PlugTelemetry(at=NOON, reachable=True, on=False, by="kasa_power_agent-pi")
    order = PlugCommand(
        at=NOON, engine=ENGINE, epoch=7, expires_at=NOON, on=False, code="cut", sentence="cut", since=NOON
    )
    scene.hear(PLUG_TELEMETRY, "bitaxe-1", plug).hear(PLUG_COMMAND, "bitaxe-1", order)
    assert (miner(scene).status, miner(scene).needs_a_person) == (Status.OFF, False)
    scene.later(16)
    scene.beat(AGENT).miner("bitaxe-1", gone, command(point=PAUSE), retained=False)
    assert miner(scene).status is Status.OFFLINE, "whoever reads the outlet is silent"


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"numbers": {"tries_in_vain": 1}}, Status.HANGS, "it draws 60 W; its power is cycled"),
        ({"unstable_since": NOON}, Status.GIVEN_UP, "it draws 60 W; its power is cycled"),
        ({"code": "offline_unconfirmed"}, Status.HASHING, "it draws 60 W; its power is cycled"),
    ],
)
def test_care_is_told(changed: dict[str, Any], status: Status, why: str) -> None:
    values = {"code": "settling", "sentence": "it draws 60 W", "since": NOON, "changes_when": "its power is cycled"}
    care = Care(**{**values, **changed})
    seen = miner(Scene(THREE).led().miner("bitaxe-1", None, command(care=care)))
    assert (seen.status, seen.why, seen.needs_a_person) == (status, why, True)


def test_care_of_the_past_is_no_trouble() -> None:
    care = Care(code="well", sentence="it is well", since=NOON, tries=(NOON,), returned_at=NOON)
    seen = miner(Scene(THREE).led().miner("bitaxe-1", None, command(care=care)))
    assert (seen.status, seen.needs_a_person, seen.why) == (Status.HASHING, False, "nothing holds it back")


@pytest.mark.parametrize(
    ("following", "action", "why", "sore"),
    [
        (Following.FAILSAFE, Action.APPLY, "no live command: failsafe", True),
        (Following.GRACE, Action.APPLY, "the lease has run out, grace: nothing holds it back", False),
        (Following.EMERGENCY_STOP, Action.APPLY, "emergency stop", False),
        (Following.COMMAND, Action.OBSERVE, "only watched: nothing holds it back", False),
        (Following.COMMAND, Action.MAINTENANCE, "maintenance: nothing holds it back", False),
    ],
)
def test_what_an_agent_follows_is_told(following: Following, action: Action, why: str, *, sore: bool) -> None:
    seen = miner(Scene(THREE).led().miner("bitaxe-1", reading(following=following), command(action=action)))
    assert (seen.why, seen.needs_a_person) == (why, sore)


def test_a_chip_above_its_limit_is_marked_without_colour() -> None:
    scene = Scene(facts("bitaxe-1")).led().miner("bitaxe-1", reading(chip_temperature_celsius=71.0))
    assert "71.0°C!" in shown(scene)[5]
    assert "71.0°C!" not in shown(Scene(facts("bitaxe-1")).led().miner("bitaxe-1"))[5]


# --- the farm


def test_all_is_well_needs_nobody() -> None:
    scene = Scene(facts("bitaxe-1")).led().miner("bitaxe-1")
    farm = farm_seen(scene.picture())
    assert (farm.mode, farm.attention, farm.needs_a_person) == (Mode.AUTOMATIC, (), False)


def test_without_an_engine_the_mode_says_so() -> None:
    farm = farm_seen(Scene(facts("bitaxe-1")).led().miner("bitaxe-1").later(16).beat(AGENT).picture())
    assert (farm.mode, farm.engine.instance, farm.engine.live) == (Mode.NO_ENGINE, ENGINE, False)
    assert farm.attention[0].startswith("no engine is heard")
    assert farm.needs_a_person


def test_observing_is_a_mode() -> None:
    farm = farm_seen(Scene(facts("bitaxe-1")).led().miner("bitaxe-1", None, command(action=Action.OBSERVE)).picture())
    assert farm.mode is Mode.OBSERVING


def test_an_emergency_stop_stands_until_a_resume_of_that_very_stop() -> None:
    scene = Scene(facts("bitaxe-1")).led().miner("bitaxe-1")
    stop = EmergencyStop(at=NOON, active=True, by="Ana", reason="smoke")
    scene.hear(EMERGENCY_STOP, "home", stop)
    late = EmergencyStop(at=NOON, active=False, by="Bea", lifts=NOON - timedelta(hours=1))
    scene.hear(EMERGENCY_STOP, "home", late).hear(EMERGENCY_STOP, "home", None)
    farm = farm_seen(scene.picture())
    assert farm.mode is Mode.EMERGENCY_STOP
    assert farm.attention == ("emergency stop since 14:30 by Ana: smoke; sunherd resume ends it",)
    scene.hear(EMERGENCY_STOP, "home", EmergencyStop(at=NOON, active=False, by="Ana", lifts=NOON))
    assert farm_seen(scene.picture()).mode is Mode.AUTOMATIC


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (battery(state_of_charge_percent=None, unknown=UnknownReason.UNREACHABLE, detail="no answer"), "no answer"),
        (battery(confirmed_at=NOON - timedelta(minutes=6)), "78.4 % was confirmed 6 min ago"),
        (battery(confirmed_at=NOON + timedelta(minutes=6)), "its clock is ahead"),
        (battery(confirmed_at=None), "never confirmed"),
    ],
)
def test_a_state_of_charge_that_nobody_confirms_is_unknown(told: Any, says: str) -> None:
    scene = Scene(facts("bitaxe-1")).led().miner("bitaxe-1").hear(SITE_TELEMETRY, "home", told)
    farm = farm_seen(scene.picture())
    assert farm.battery is not None
    assert farm.battery.state_of_charge_percent is None
    assert farm.attention == (f"SoC unknown: {says}",)
    assert shown(scene)[1].startswith(f"Battery unknown ({says})")


def test_a_farm_without_a_battery_misses_none() -> None:
    scene = Scene(facts("bitaxe-1", battery=None)).led().hear(SITE_TELEMETRY, "home", None).miner("bitaxe-1")
    farm = farm_seen(scene.picture())
    assert (farm.battery, farm.needs_a_person) == (None, False)
    assert shown(scene)[1].startswith("no battery")


def test_without_a_farm_file_a_battery_is_expected() -> None:
    scene = Scene(replace(facts("bitaxe-1"), settings=None)).led().hear(SITE_TELEMETRY, "home", None).miner("bitaxe-1")
    assert farm_seen(scene.picture()).attention == ("SoC unknown: nobody tells of the battery",)


# --- many miners, and some of them


def many() -> Scene:
    names = [f"b-{number}" for number in range(45)]
    scene = Scene(facts(*names, groups={"left": tuple(names[:20]), "right": tuple(names[20:44])})).led()
    for name in names[1:]:
        scene.miner(name)
    return scene


def test_many_miners_fold_into_their_groups_on_a_terminal() -> None:
    page = shown(many(), 100)
    assert page[3:8] == [
        "Group       Online  Hashing    Hashrate     Power  Efficiency  Needs a person",
        "-" * 77,
        "left         19/20       19   8.56 TH/s  218.50 W  25.53 J/TH  1: b-0",
        "right        24/24       24   10.8 TH/s  276.00 W  25.53 J/TH  -",
        "(no group)     1/1        1  450.5 GH/s   11.50 W  25.53 J/TH  -",
    ]
    assert not any(line.startswith("b-1 ") for line in page)
    assert page[-2].startswith("TOTAL: 44/45 online")


def test_all_unfolds_and_a_pipe_never_folds() -> None:
    for page in (shown(many(), 100, folds=False), shown(many())):
        assert sum(line.startswith("b-") for line in page) == 45


def test_named_groups_and_miners_are_shown_alone() -> None:
    page = shown(many(), None, "left", "b-44")
    assert sum(line.startswith("b-") for line in page) == 21
    assert page[-2].startswith("TOTAL: 20/21 online")


# --- texts from outside


def test_nothing_that_a_device_says_can_steer_the_terminal() -> None:
    gone = reading(reachable=False, state=MinerState.UNKNOWN, detail="no\x1b[2J\nanswer")
    page = table(farm_seen(Scene(THREE).led().miner("bitaxe-1", gone).picture()), Look(UTC))
    assert all("\x1b" not in line.plain and "\n" not in line.plain for line in page)


def test_json_has_null_for_what_is_unknown() -> None:
    answer = json.loads(farm_seen(seeds_farm().picture()).model_dump_json())
    assert answer["miners"][2]["hashrate_ths"] is None
    assert answer["total"]["hashrate_known"] == 2
    assert FarmSeen.model_validate(answer).total.online == 2


def test_colours_are_beside_the_words() -> None:
    page = table(farm_seen(seeds_farm().picture()), Look(UTC, 132))
    assert any(isinstance(line, Text) and line.spans for line in page)
    assert "Offline !" in page[7].plain


def test_words_of_miners_that_are_gone_from_the_broker_are_forgotten() -> None:
    scene = Scene(THREE).led().miner("bitaxe-1").hear(MINER_TELEMETRY, "bitaxe-1", None)
    scene.hear(MINER_COMMAND, "bitaxe-1", None)
    seen = miner(scene)
    assert (seen.why, seen.commanded) == ("nothing has been heard of it", None)
