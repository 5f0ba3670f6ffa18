"""From the farm file to a running engine."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.policy_engine import __main__ as process
from services.policy_engine.rules import GroupRules, MinerRules, WatchRules
from services.policy_engine.settings import rules_of
from shared.bus import MemoryBroker
from shared.clock import VirtualClock
from shared.launch import Context
from shared.settings import FarmSettings, Secrets
from shared.settings.load import FARM_VARIABLE
from tests.engine_whole import engine_service

FARM = {
    "site": {"id": "hill", "time_zone": "Europe/Lisbon", "latitude": 38.7, "longitude": -9.1},
    "battery": {"mqtt": {"preset": "evcc"}},
    "miners": {
        "s19": {"driver": "vnish", "host": "10.0.0.1", "stop_soc": 73, "resume_soc": 75, "max_w": 3000},
        "s21": {"driver": "vnish", "host": "10.0.0.2", "nominal_w": 3500, "require_grid": True, "observe": True},
    },
    "groups": {"shed": {"members": ["s21", "s19"], "max_w": 6000}},
    "rules": {"lease": "90 s", "minimum_off": "10 min", "starts_per_day": 3},
}


def test_the_farm_file_becomes_the_rule_book() -> None:
    rules = rules_of(FarmSettings.model_validate(FARM))
    watch = WatchRules(can_restart=True, off_for=timedelta(seconds=30))
    assert rules.miners["s19"] == MinerRules(73, 75, max_w=3000, watch=watch)
    watch = replace(watch, nominal_w=3500)
    assert rules.miners["s21"] == MinerRules(nominal_w=3500, require_grid=True, observe=True, watch=watch)
    assert rules.groups == {"shed": GroupRules(("s21", "s19"), 6000)}
    assert (rules.lease, rules.minimum_off, rules.starts_per_day) == (timedelta(seconds=90), timedelta(minutes=10), 3)
    assert (rules.latitude, rules.longitude, rules.zone) == (38.7, -9.1, ZoneInfo("Europe/Lisbon"))
    assert rules.memory_lasts == timedelta(seconds=210)


BITAXES = {
    "site": {"time_zone": "Europe/Lisbon"},
    "miners": {
        "axe-1": {"driver": "bitaxe", "host": "10.0.0.3", "schedule": "home", "max_w": 15},
        "axe-2": {"driver": "bitaxe", "host": "10.0.0.4", "max_chip_celsius": 65},
        "s19": {"driver": "vnish", "host": "10.0.0.5"},
        "s21": {"driver": "vnish", "host": "10.0.0.6", "max_chip_celsius": 80},
    },
    "groups": {"desk": {"members": ["axe-1", "axe-2"], "schedule": "night"}},
    "schedules": {
        "home": [{"from": "20:00", "to": "07:30", "profile": "quiet"}],
        "night": {"stagger": "30 s", "windows": [{"from": "sunset", "to": "24:00", "pause": True}]},
    },
    "rules": {"heat_step": "1 min", "heat_restore": "10 min", "minimum_on": "3 min"},
}


def test_schedules_and_limits_of_heat_reach_the_rule_book() -> None:
    rules = rules_of(FarmSettings.model_validate(BITAXES))
    first, second = rules.miners["axe-1"], rules.miners["axe-2"]
    assert first.timetable is not None
    assert second.timetable is not None
    assert (first.timetable.schedule.name, second.timetable.schedule.name) == ("home", "night")
    assert (first.timetable.zone, second.timetable.delay) == (ZoneInfo("Europe/Lisbon"), timedelta())
    assert (first.max_chip_celsius, first.max_regulator_celsius, first.stock_w) == (70, 100, 22)
    assert second.max_chip_celsius == 65
    watch = WatchRules(can_restart=True, off_for=timedelta(seconds=30))
    assert rules.miners["s19"] == MinerRules(watch=watch)
    assert rules.miners["s21"] == MinerRules(max_chip_celsius=80, watch=watch)
    assert (rules.heat_step, rules.heat_restore) == (timedelta(minutes=1), timedelta(minutes=10))
    assert rules.minimum_on == timedelta(minutes=3)


def test_what_is_watched_reaches_the_rule_book() -> None:
    plug = {"host": "10.0.0.9", "outlet": 3}
    farm = {
        "miners": {
            "rig": {"driver": "plug", "nominal_w": 900, "plug": plug, "worker": "ckpool/bc1q/rig"},
            "s19": {
                "driver": "vnish",
                "host": "10.0.0.1",
                "plug": {**plug, "outlet": 4, "cut_when_paused": True, "cut_below_celsius": 35},
                "status_check_cooldown": "20 min",
                "max_consecutive_restarts": 5,
                "power_cycle_on_delay": "45 s",
            },
        }
    }
    rules = rules_of(FarmSettings.model_validate(farm))
    assert rules.miners["rig"].watch == WatchRules(has_worker=True, has_plug=True, is_plug=True, nominal_w=900)
    assert rules.miners["s19"].watch == WatchRules(
        has_plug=True,
        can_restart=True,
        cooldown=timedelta(minutes=20),
        tries=5,
        off_for=timedelta(seconds=45),
        cut_below_celsius=35,
    )


def test_what_the_owner_should_know_is_said_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    service = engine_service(MemoryBroker(), VirtualClock(), "policy_engine-1")
    process.build(Context(service, FarmSettings.model_validate(BITAXES), Secrets({}, {}, Path())))
    said = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("axe-1 may draw 15 W") for line in said)
    assert any(line.startswith("no window of home holds from") for line in said)


@pytest.mark.parametrize(("farm", "started"), [(FARM, True), ({}, False)])
def test_without_miners_it_does_not_start(farm: dict[str, object], started: bool) -> None:
    broker = MemoryBroker()
    service = engine_service(broker, VirtualClock(), "policy_engine-1")
    settings = FarmSettings.model_validate(farm)
    assert process.build(Context(service, settings, Secrets({}, {}, Path()))) is started
    service.start()
    service.step()
    service.step()
    assert ("sunherd/site/hill/epoch" in broker.retained) is started


def test_as_a_process_it_refuses_a_farm_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FARM_VARIABLE, "nowhere.yaml")
    with pytest.raises(SystemExit, match="2"):
        process.main()
