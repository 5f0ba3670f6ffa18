"""A farm file, right and wrong: everything that is wrong is said at once, with line, cause, fix and did-you-mean."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.settings import Address, FarmFileError, FarmSettings, Secrets, load_farm
from shared.settings.load import farm_path

HOME_ASSISTANT = """
battery:
  home_assistant: {url: "http://homeassistant.local:8123", state_of_charge: sensor.battery_soc}
"""
MINERS = """
miners:
  s19-20: {driver: vnish, host: 192.168.88.20, stop_soc: 73, resume_soc: 75}
  s19-21: {driver: vnish, host: "miner.lan:8080", preset: 20:00}
groups:
  garage: {members: [s19-20, s19-21], max_w: 6600}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def load(directory: Path, text: str, **secrets: str) -> FarmSettings:
    file = directory / "farm.yaml"
    file.write_text(text, encoding="utf-8")
    return load_farm(file, Secrets(secrets, {}, directory / "secrets"))


def problems(directory: Path, text: str, **secrets: str) -> list[str]:
    """What is said about a wrong file, line by line, without its directory and the closing line."""
    with pytest.raises(FarmFileError) as caught:
        load(directory, text, **secrets)
    lines = str(caught.value).replace(f"{directory}/", "").splitlines()
    assert lines[-1].endswith("; nothing was started.")
    assert len(lines) == len(caught.value.problems) + 1
    return lines[:-1]


def test_a_right_file_is_read_with_safe_defaults(directory: Path) -> None:
    farm = load(directory, HOME_ASSISTANT + MINERS, HA_TOKEN="t")

    assert farm.miners["s19-20"].host == Address("192.168.88.20", 80)
    assert (farm.miners["s19-20"].stop_soc, farm.miners["s19-20"].when_alone) == (73, "pause")
    assert farm.miners["s19-21"].host == Address("miner.lan", 8080)
    assert (farm.rules.lease, farm.rules.grace) == (timedelta(seconds=60), timedelta(seconds=120))
    assert farm.broker.url is None
    assert farm.observed() == frozenset()


def test_a_time_of_day_stays_text(directory: Path) -> None:
    assert load(directory, HOME_ASSISTANT + MINERS, HA_TOKEN="t").miners["s19-21"].preset == "20:00"


def test_a_number_as_preset_is_its_name(directory: Path) -> None:
    farm = load(directory, "miners: {a: {driver: vnish, host: a, preset: 1800}}")
    assert farm.miners["a"].preset == "1800"


@pytest.mark.parametrize("broker", ["broker: auto", "broker:", "broker: {prefix: farm}", ""])
def test_a_broker_may_be_left_to_the_embedded_run(directory: Path, broker: str) -> None:
    assert load(directory, f"{broker}\nobserve: false\n").broker.url is None


def test_observe_counts_for_the_farm_or_one_miner(directory: Path) -> None:
    text = "miners:\n  a: {driver: vnish, host: a, observe: true}\n  b: {driver: vnish, host: b}\n"
    assert load(directory, text).observed() == {"a"}
    assert load(directory, text + "observe: true").observed() == {"a", "b"}


def test_everything_that_is_wrong_is_said_at_once(directory: Path) -> None:
    text = """site: {time_zone: Europe/Lisboa, lattitude: 38.7}
battery:
  unconfirmed_after: soon
  home_assistant:
    url: homeassistant.local
    state_of_charge: Battery SoC
miners:
  s19-20: {driver: vnisch, host: 192.168.88.20, stop_soc: 75, resume_soc: 73}
  s19-21: {driver: vnish, host: 192.168.88.20, stop_sco: 20}
  s19_21: {driver: vnish, host: 192.168.88.22, stop_soc: 20}
  s19-20: {driver: vnish, host: 192.168.88.23}
  S19: {driver: vnish, host: two words}
  s19-24: {driver: vnish}
groups:
  garage: {members: [s19-20, s19-2], max_w: -5}
  s19-21: {members: []}
rules: {lease: 0, poll: 1 fortnight, graze: 5}
miner: {}
"""

    said = problems(directory, text)

    expected = [
        ':1: site.lattitude: unknown key (did you mean "latitude"?). Fix: remove it, or use one of: id, time_zone,',
        ":1: site.time_zone: 'Europe/Lisboa' is not a time zone. Fix: write one such as Europe/Lisbon.",
        ":3: battery.unconfirmed_after: 'soon' is not a duration. Fix: write it like 90 s, 10 min, 12 h or 1 d.",
        ":4: battery.home_assistant: the secret HA_TOKEN is missing. Fix: create a long-lived token",
        ":5: battery.home_assistant.url: 'homeassistant.local' does not have the right form. Fix: write it like http",
        ":6: battery.home_assistant.state_of_charge: 'Battery SoC' is not an entity id. Fix: write it as Home",
        ":8: miners.s19-20: stop_soc 75 must be below resume_soc 73. Fix: leave room between the two",
        ":8: miners.s19-20.driver: 'vnisch' is not allowed here (did you mean \"vnish\"?). Fix: use one of: vnish",
        ":9: miners.s19-21.host: 192.168.88.20:80 is already the address of s19-20. Fix: give each miner its own",
        ':9: miners.s19-21.stop_sco: unknown key (did you mean "stop_soc"?). Fix: remove it, or use one of: driver',
        ":10: miners.s19_21: its password variable S19_21_PASSWORD is that of s19-21, too. Fix: rename one of the two.",
        ":10: miners.s19_21: resume_soc is missing. Fix: stop_soc and resume_soc come in a pair.",
        ":11: miners.s19-20: this key stands twice, first in line 8. Fix: give one of the two another name",
        ":12: miners.S19: 'S19' cannot be an id. Fix: use only a to z, 0 to 9, - and _.",
        ":12: miners.S19.host: 'two words' is not a host. Fix: write a name or an address such as",
        ":13: miners.s19-24.host: this key is missing. Fix: add host: ....",
        ":15: groups.garage.max_w: Input should be greater than 0 (found -5). Fix: correct the value.",
        ":15: groups.garage.members.1: no miner is called 's19-2' (did you mean \"s19-24\"?). Fix: name a miner",
        ":16: groups.s19-21: s19-21 is a miner's id already. Fix: give the group another name.",
        ":16: groups.s19-21.members: List should have at least 1 item",
        ':17: rules.graze: unknown key (did you mean "grace"?). Fix: remove it, or use one of: lease, grace,',
        ":17: rules.lease: 0 s is too short. Fix: give at least 0.1 s.",
        ":17: rules.poll: '1 fortnight' is not a duration. Fix: write it like 90 s, 10 min, 12 h or 1 d.",
        ':18: miner: unknown key (did you mean "miners"?). Fix: remove it, or use one of: site, broker,',
    ]
    for line, beginning in zip(said, expected, strict=True):
        assert line.startswith("farm.yaml" + beginning), line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "farm.yaml:1: the file is empty. Fix: start from farm.example.yaml."),
        ("# nothing\n", "farm.yaml:1: the file is empty. Fix: start from farm.example.yaml."),
        ("- a\n- b\n", "farm.yaml:1: not a farm file: no keys at the top. Fix: start from farm.example.yaml."),
        ("hello", "farm.yaml:1: not a farm file: no keys at the top. Fix: start from farm.example.yaml."),
        ("site:\n  id: [1\nb", "farm.yaml:3: not valid YAML: "),
        ("site: {id: home\n", "farm.yaml:2: not valid YAML: "),
        ("a:\n\t- b", "farm.yaml:2: not valid YAML: found character '\\t' that cannot start any token."),
        ("a: \x00", "farm.yaml:1: not valid YAML: "),
        ("a: 2026-99-99", "farm.yaml:1: not valid YAML: month must be in 1..12."),
        ("a: !!python/name:os.system x", "farm.yaml:1: not valid YAML: could not determine a constructor"),
        ("a: &x {b: *x}", "farm.yaml:1: not valid YAML: nested too deeply, or an alias that contains itself."),
        ("a: " + "[" * 2000, "farm.yaml:1: not valid YAML: nested too deeply"),
        ("_env_file: x", "farm.yaml:1: _env_file: unknown key. Fix: remove it."),
        ("? [a, b]\n: 1", "farm.yaml:1: ('a', 'b'): unknown key. Fix: remove it."),
        ("7: x", "farm.yaml:1: 7: unknown key. Fix: remove it."),
        ("battery: {}", "farm.yaml:1: battery: give exactly one source. Fix: home_assistant or mqtt."),
        ("battery: {mqtt: {preset: statestream}}", "farm.yaml:1: battery.mqtt: state_of_charge is missing. Fix: give"),
        ("rules: {stale_no_start: 1 h}", "farm.yaml:1: rules: stale_no_start must not be longer than stale_pause"),
        (
            "broker: {prefix: A/b}",
            "farm.yaml:1: broker.prefix: 'A/b' does not have the right form. Fix: use only a to z",
        ),
        ("broker: {url: 'mqtt://b:99999'}", "farm.yaml:1: broker.url: Port out of range 0-65535 in the URL"),
        ("broker: 1883", "farm.yaml:1: broker: Input should be a valid dictionary"),
        ("site: {time_zone: Europe}", "farm.yaml:1: site.time_zone: 'Europe' is not a time zone."),
        ("site: {id: My Home}", "farm.yaml:1: site.id: 'My Home' cannot be an id. Fix: use only a to z"),
        ("miners: 5", "farm.yaml:1: miners: Input should be a valid dictionary (found 5)."),
        (
            "miners: {a: {driver: vnish, host: a, stop_soc: 1, resume_soc: 2}}",
            "farm.yaml:1: miners.a.stop_soc: there is no battery whose state of charge could be read. Fix: add a",
        ),
        (
            "battery:\n  mqtt:\n    state_of_charge: {topic: a,\n      pth: b}",
            'farm.yaml:4: battery.mqtt.state_of_charge.pth: unknown key (did you mean "path"?). Fix: remove it, or',
        ),
    ],
)
def test_one_mistake_has_one_message(directory: Path, text: str, said: str) -> None:
    found = problems(directory, text)
    assert len(found) == 1, found
    assert found[0].startswith(said)


@pytest.mark.parametrize(("poll", "wrong"), [("3 min", True), ("150 s", False)])
def test_a_poll_that_lets_the_value_go_stale_is_refused(directory: Path, poll: str, *, wrong: bool) -> None:
    text = f"battery:\n  home_assistant: {{url: 'http://a', state_of_charge: sensor.soc,\n    poll: {poll}}}"
    said = f"farm.yaml:3: battery.home_assistant.poll: {poll} is more than half of rules.stale_no_start (5 min)."
    if wrong:
        (found,) = problems(directory, text, HA_TOKEN="x")
        assert found.startswith(said)
    else:
        assert load(directory, text, HA_TOKEN="x").battery is not None


def test_aliases_that_multiply_are_refused(directory: Path) -> None:
    bomb = "a0: &a0 {x: 1}\n"
    for number in range(1, 12):
        bomb += f"a{number}: &a{number} {{{', '.join(f'k{i}: *a{number - 1}' for i in range(6))}}}\n"
    assert problems(directory, bomb)[0].startswith("farm.yaml:1: not valid YAML: more than 100000 places")


def test_the_environment_overrides_the_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_RULES__LEASE", "90 s")
    monkeypatch.setenv("SUNHERD_BROKER__URL", "mqtt://other:1884")
    farm = load(directory, "rules: {lease: 30 s, grace: 10 s}\nbroker: {url: 'mqtt://this', username: me}")
    assert (farm.rules.lease, farm.rules.grace) == (timedelta(seconds=90), timedelta(seconds=10))
    assert (farm.broker.url, farm.broker.username) == ("mqtt://other:1884", "me")


def test_a_wrong_variable_is_named_instead_of_a_line(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_RULES__LEASE", "soon")
    assert problems(directory, "observe: true")[0].startswith(
        "farm.yaml: environment variable SUNHERD_RULES__LEASE: 'soon' is not a duration."
    )
    monkeypatch.delenv("SUNHERD_RULES__LEASE")
    monkeypatch.setenv("SUNHERD_RULES", "not json")
    assert problems(directory, "observe: true")[0].startswith("farm.yaml: environment: error parsing value for field")


def test_a_secret_is_in_no_message(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HOME_ASSISTANT + 'broker: {url: "mqtt://me:hunter2@broker/path", usrname: x}\n'
    said = problems(directory, text, HA_TOKEN="eyJ-token", MQTT_PASSWORD="hunter3")
    assert len(said) == 2
    assert not {"hunter2", "hunter3", "eyJ-token"} & set(" ".join(said).replace("@", " ").split())
    assert "hunter" not in " ".join(said)
    assert "mqtt://***@broker/path" in " ".join(said)


def test_a_missing_file_is_not_a_wrong_file(directory: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_farm(directory / "farm.yaml")


def test_the_farm_file_is_here_or_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert farm_path() == Path("farm.yaml")
    monkeypatch.setenv("SUNHERD_FARM", "/etc/sunherd/farm.yaml")
    assert farm_path() == Path("/etc/sunherd/farm.yaml")


def test_a_source_is_one_of_two(directory: Path) -> None:
    both: dict[str, Any] = {"HA_TOKEN": "t"}
    text = HOME_ASSISTANT + "  mqtt: {preset: victron}\n"
    assert problems(directory, text, **both) == [
        "farm.yaml:2: battery: give exactly one source. Fix: home_assistant or mqtt."
    ]
    assert load(directory, "battery: {mqtt: {state_of_charge: batt/soc}}").battery is not None


@pytest.mark.parametrize("poll", ["soon", "1 fortnight"])
def test_a_poll_that_is_no_duration_is_said_once(directory: Path, poll: str) -> None:
    text = f"battery:\n  home_assistant: {{url: 'http://a', state_of_charge: sensor.soc,\n    poll: {poll}}}"
    said = [line for line in problems(directory, text) if "poll" in line]
    assert len(said) == 1
    assert f"'{poll}' is not a duration" in said[0]


@pytest.mark.parametrize(("path", "right"), [("battery.soc", True), ("packs[0].soc", True), ("battery..soc", False)])
def test_a_place_in_json_is_checked_when_the_file_is_read(directory: Path, path: str, *, right: bool) -> None:
    text = f"battery:\n  mqtt:\n    state_of_charge: {{topic: bms, path: '{path}'}}"
    if right:
        assert load(directory, text).battery is not None
    else:
        assert any("'battery..soc' is not a place in JSON" in line for line in problems(directory, text))
