"""`sunherd import`: three files of the old scripts become one farm file, and nothing is lost without a word."""

import json
import re
from pathlib import Path

import pytest

from shared.settings import FarmSettings, Secrets, load_farm
from tests.unit.deploy.console_run import Console
from tests.unit.deploy.script_files import RIGS, SCHEDULER, SOC, SOC_OPTIONS


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    for name, text in (("miners.json", SOC), ("rigs.json", RIGS), ("multi_scheduler_config.json", SCHEDULER)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Console(tmp_path / "farm.yaml", monkeypatch, capsys)


def files(console: Console, *names: str) -> list[str]:
    return [str(console.farm.parent / f"{name}.json") for name in names]


def farm_of(console: Console) -> FarmSettings:
    return load_farm(console.farm, Secrets({"HA_TOKEN": "x"}, {}, console.farm.parent))


def test_three_files_make_one_farm_that_the_services_take(console: Console) -> None:
    said = console("import", *files(console, "miners", "rigs", "multi_scheduler_config"), *SOC_OPTIONS)
    assert (said.code, said.err) == (0, "")
    farm = farm_of(console)
    assert farm.observe
    assert farm.site.time_zone == "Europe/Lisbon"
    assert list(farm.miners) == ["s19-20", "s19-21", "garage-rig", "bitaxe-1", "bitaxe-3"]
    assert farm.battery is not None
    assert farm.battery.home_assistant is not None
    assert farm.battery.home_assistant.state_of_charge == "sensor.solis_soc"
    assert farm.battery.home_assistant.poll.total_seconds() == 30
    assert "# from miners.json" in console.text
    assert "observe: true            # decides and explains" in console.text
    assert "  bitaxe-2:\n    driver: bitaxe\n    host: 192.168.1.101\n    enabled: false\n" in console.text
    assert "Before it can start: the secret HA_TOKEN is missing. Fix: create a long-lived token" in said.out
    both = said.out + console.text
    assert "s3cret" not in both
    # The rig may be one of the Antminers: without the observe at the top it must not be cycled while that is paused.
    assert farm.miners["garage-rig"].observe
    assert "# it would lose its power while it is paused." in console.text


def test_passwords_stand_in_a_private_file_and_mean_the_same_there(console: Console) -> None:
    assert console("import", *files(console, "miners"), *SOC_OPTIONS).code == 0
    private = console.farm.parent / ".env"
    assert private.stat().st_mode & 0o777 == 0o600
    secrets = Secrets.beside(console.farm)
    assert secrets.password_of("s19-20", "X") == "admin"
    assert secrets.password_of("s19-21", "X") == 'it\'s "s3cret" #1 $x \\'


def test_what_stands_in_the_private_file_stays(console: Console) -> None:
    private = console.farm.parent / ".env"
    private.write_text("# mine\nHA_TOKEN=t\nS19_20_PASSWORD=other", encoding="utf-8")
    said = console("import", *files(console, "miners"), *SOC_OPTIONS)
    assert said.code == 0
    assert private.read_text(encoding="utf-8").startswith(
        "# mine\nHA_TOKEN=t\nS19_20_PASSWORD=other\nS19_21_PASSWORD='"
    )
    assert re.search(r"\.env +S19_20_PASSWORD +password +\*\*\* +another one stands in .env already", said.out)


def test_a_password_that_the_private_file_cannot_hold_is_told(console: Console) -> None:
    text = json.dumps([{"ip": "10.0.0.1", "password": "a${HOME}b", "stop_soc": 1, "resume_soc": 2}])
    Path(files(console, "miners")[0]).write_text(text, encoding="utf-8")
    said = console("import", *files(console, "miners"), *SOC_OPTIONS)
    assert said.code == 0
    assert "cannot be written into .env: give it as a secret file" in said.out
    assert not (console.farm.parent / ".env").exists()


def test_bands_without_a_battery_are_refused(console: Console) -> None:
    said = console("import", *files(console, "miners"))
    assert said.code == 2
    assert said.err.startswith(
        "stop_soc and resume_soc need the battery's state of charge. Fix: add --ha-url and --sens"
    )
    assert not console.farm.exists()
    assert not (console.farm.parent / ".env").exists()


def test_a_farm_file_that_is_there_is_never_written_over(console: Console) -> None:
    console.farm.write_text("observe: true\n", encoding="utf-8")
    said = console("import", *files(console, "rigs"))
    assert (said.code, "farm.yaml is there already. Fix: --merge adds to it; --output" in said.err) == (2, True)
    assert console.text == "observe: true\n"
    other = console.farm.parent / "other.yaml"
    assert console("import", *files(console, "rigs"), "--output", str(other)).code == 0
    assert "garage-rig" in load_farm(other).miners


EXISTING = """\
# My farm, live
battery: {home_assistant: {url: "http://ha:8123", state_of_charge: sensor.soc}}   # the cellar's
miners:
  old-20: {driver: vnish, host: 192.168.88.20, stop_soc: 50, resume_soc: 60}   # its band stays
  oven: {driver: bitaxe, host: "http://192.168.1.100"}
  strip: {driver: plug, nominal_w: 1500, plug: {host: 192.168.0.9, outlet: garage rig}}
groups:
  bitaxe-3: {members: [oven]}
schedules:
  day-and-night: [{from: "00:00", to: "24:00", profile: quiet}]
"""


def test_a_merge_adds_and_changes_nothing_that_stands(console: Console) -> None:
    console.farm.write_text(EXISTING, encoding="utf-8")
    said = console("import", "--merge", *files(console, "miners", "rigs", "multi_scheduler_config"))
    assert (said.code, said.err) == (0, "")
    farm = load_farm(console.farm, Secrets({"HA_TOKEN": "x"}, {}, console.farm.parent))

    # Who is there already keeps its name and its band, and is herded on; what it lacked is added.
    assert (farm.miners["old-20"].stop_soc, farm.miners["oven"].schedule) == (50, "day-and-night-of-oven")
    assert farm.miners["strip"].power_cycle_on_delay is not None
    assert farm.miners["strip"].nominal_w == 1500
    # Newcomers are only watched, and take no id that is taken.
    assert farm.observed() == {"s19-21", "bitaxe-3-2"}
    assert set(farm.miners) == {"old-20", "oven", "strip", "s19-21", "bitaxe-3-2"}
    assert "enabled: false" in console.text
    assert farm.site.time_zone == "Europe/Lisbon"
    assert farm.battery is not None
    for line in EXISTING.splitlines():
        assert line in console.text or line.startswith(("  oven", "  strip"))
    assert (console.farm.parent / "farm.yaml.bak").read_text(encoding="utf-8") == EXISTING
    assert re.search(r"miners.json +old-20 +stop_soc +73 +the farm file says stop_soc: 50, which stays", said.out)


def test_merging_the_same_twice_changes_nothing_more(console: Console) -> None:
    console.farm.write_text(EXISTING, encoding="utf-8")
    names = files(console, "miners", "rigs", "multi_scheduler_config")
    console("import", "--merge", *names)
    once = console.text
    assert console("import", "--merge", *names).code == 0
    assert console.text == once


def test_a_rig_on_the_outlet_of_a_miner_is_that_miner(console: Console) -> None:
    existing = "miners:\n  a: {driver: vnish, host: h, plug: {host: 192.168.0.9, outlet: Garage Rig}}\n"
    console.farm.write_text(existing, encoding="utf-8")
    said = console("import", "--merge", *files(console, "rigs"))
    assert (said.code, "Miners that were there already are herded on" in said.out) == (0, True)
    miner = load_farm(console.farm).miners["a"]
    assert (miner.driver, miner.nominal_w, miner.max_consecutive_restarts, miner.observe) == ("vnish", None, 3, False)
    assert miner.time_until_offline is not None


def test_what_two_files_say_of_one_miner_of_the_farm_is_joined(console: Console) -> None:
    plug = "plug: {host: 192.168.0.9, outlet: Garage Rig}"
    existing = f"miners:\n  a: {{driver: vnish, host: 192.168.88.20, {plug}}}\n"
    console.farm.write_text(existing, encoding="utf-8")
    assert console("import", "--merge", *files(console, "rigs", "miners"), *SOC_OPTIONS).code == 0
    miner = farm_of(console).miners["a"]
    assert (miner.stop_soc, miner.max_consecutive_restarts, miner.driver, miner.nominal_w) == (73, 3, "vnish", None)
    assert "S19_20_PASSWORD" not in (console.farm.parent / ".env").read_text(encoding="utf-8")
    assert Secrets.beside(console.farm).password_of("a", "X") == "admin"


def test_a_merge_that_would_make_the_farm_wrong_writes_nothing(console: Console) -> None:
    existing = "never_switch: [{host: 192.168.0.9}]\n"
    console.farm.write_text(existing, encoding="utf-8")
    said = console("import", "--merge", *files(console, "rigs"))
    assert (said.code, "stands in never_switch" in said.err) == (2, True)
    assert console.text == existing


def test_a_schedule_needs_a_clock(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.console.importing.zone.zone_of_machine", lambda: None)
    said = console("import", *files(console, "multi_scheduler_config"))
    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "nobody knows this machine's time zone. Fix: add --time-zone, such as Europe/Lisbon.",
    )
    assert console("import", *files(console, "multi_scheduler_config"), "--time-zone", "Asia/Tokyo").code == 0
    assert farm_of(console).site.time_zone == "Asia/Tokyo"


def test_a_file_that_is_not_there_is_told(console: Console) -> None:
    said = console("import", "/nowhere/miners.json")
    assert said.code == 2
    assert said.err.startswith("/nowhere/miners.json cannot be read: No such file or directory. Fix: ")
