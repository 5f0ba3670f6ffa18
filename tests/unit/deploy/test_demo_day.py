"""The demo in containers: one farm file and one clock for all, and never for a real farm."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.container import demo_day
from deploy.container.demo_day import join_demo, prepare_demo
from shared.clock import SystemClock
from shared.settings import FarmFileError, FarmSettings, Secrets, load_farm


def clock_in(directory: Path) -> SystemClock:
    return SystemClock.from_variable(json.loads((directory / "clock").read_text())["clock"])


def demo_farm(directory: Path) -> FarmSettings:
    return load_farm(directory / "farm.yaml", Secrets.beside(directory / "farm.yaml"))


def test_a_first_demo_begins_in_the_morning_and_everybody_has_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: dict[str, str] = {}
    prepare_demo(tmp_path, environment)
    assert "rig-7 hang" in environment["SUNHERD_SIMULATED_ORDERS"]

    joined: dict[str, str] = {}
    assert join_demo(tmp_path, joined) is None
    clock = SystemClock.from_variable(joined["SUNHERD_CLOCK"])
    assert clock.rate == 864.0
    assert timedelta() <= clock.now() - datetime(2026, 6, 21, 4, tzinfo=UTC) < timedelta(hours=12)
    with pytest.raises(FarmFileError, match="poll"):
        demo_farm(tmp_path)  # such a hurry is for stand-ins only
    monkeypatch.setenv("SUNHERD_SIMULATED_AT", joined["SUNHERD_SIMULATED_AT"])
    farm = demo_farm(tmp_path)
    assert {miner.host.host for miner in farm.miners.values() if miner.host is not None} == {"simulator"}


def test_a_simulator_that_comes_back_keeps_the_clock_of_the_others(tmp_path: Path) -> None:
    prepare_demo(tmp_path, {})
    before = (tmp_path / "clock").read_text()
    prepare_demo(tmp_path, {})
    assert (tmp_path / "clock").read_text() == before


def test_after_a_reboot_all_wait_for_a_new_clock_which_begins_after_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_demo(tmp_path, {})
    old = json.loads((tmp_path / "clock").read_text())
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    (tmp_path / "clock").write_text(json.dumps(old | {"boot_id": "another", "written": an_hour_ago.isoformat()}))

    environment: dict[str, str] = {}
    waits_for = join_demo(tmp_path, environment)
    assert waits_for is not None
    assert "before this machine was started" in waits_for
    assert environment == {}, "rather none than a wrong one"

    prepare_demo(tmp_path, {})
    assert join_demo(tmp_path, environment) is None
    # An hour is 36 days of 100 s: what the broker remembers is of the past.
    assert clock_in(tmp_path).now() > datetime(2026, 6, 21, 4, tzinfo=UTC) + timedelta(hours=864)


def test_another_length_of_the_day_makes_another_clock(tmp_path: Path) -> None:
    prepare_demo(tmp_path, {})
    reached = clock_in(tmp_path).now()
    prepare_demo(tmp_path, {"SUNHERD_DEMO_DAY_SECONDS": "1000"})
    assert clock_in(tmp_path).rate == 86.4
    assert clock_in(tmp_path).now() > reached


@pytest.mark.parametrize("text", ["soon", "5", "90000", "-100"])
def test_a_day_must_be_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="a day of the demo takes 10 to 86400 seconds"):
        prepare_demo(tmp_path, {"SUNHERD_DEMO_DAY_SECONDS": text})


def test_nothing_is_written_into_a_folder_of_the_owners(tmp_path: Path) -> None:
    prepare_demo(tmp_path, {"SUNHERD_FARM_DIRECTORY": "./farm"})
    assert list(tmp_path.iterdir()) == []


def test_a_real_farm_keeps_its_clock_and_its_secrets(tmp_path: Path) -> None:
    environment = {"HA_TOKEN": "real"}
    assert join_demo(tmp_path, environment) is None
    assert environment == {"HA_TOKEN": "real"}


def test_the_demo_gets_no_real_secret(tmp_path: Path) -> None:
    prepare_demo(tmp_path, {})
    mine = {"HA_TOKEN": "a", "VNISH_PASSWORD": "b", "S19_20_PASSWORD": "c", "KASA_USERNAME": "d", "BRAIINS_KEY": "e"}
    needed = {"MQTT_PASSWORD": "f", "SUNHERD_BROKER__USERNAME": "g", "PATH": "/bin"}
    environment = mine | needed
    join_demo(tmp_path, environment)
    assert environment.keys() == {*needed, "SUNHERD_CLOCK", "SUNHERD_SIMULATED_AT", "SUNHERD_FOLLOW"}
    assert Secrets(environment, {}, tmp_path).get("HA_TOKEN") is None
    assert Secrets.beside(tmp_path / "farm.yaml").get("HA_TOKEN") == "demo-token"


def test_the_boot_is_told_apart() -> None:
    assert len(demo_day._boot_id()) == 36
