"""From the add-on's form to a farm file, secrets, and complaints in the form's own words."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.addon.options import Form, OptionsError, as_yaml, form_of, in_words_of_the_form, read_options
from shared.settings import FarmFileError, FarmSettings, load_farm

CORE = "http://supervisor/core"
MINER = {"name": "s19-20", "driver": "vnish", "host": "192.168.88.20", "stop_soc": 73.0, "resume_soc": 75.0}
SOUND: dict[str, Any] = {"observe": False, "state_of_charge": "sensor.soc", "miners": [MINER], "broker": "auto"}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HA_TOKEN", "lent by the supervisor")


def filled(**changed: Any) -> Form:
    return form_of({**SOUND, **changed}, CORE, "Europe/Lisbon", own_file=False)


def farm_of(form: Form, directory: Path) -> FarmSettings:
    (directory / "farm.yaml").write_text(as_yaml(form.farm), encoding="utf-8")
    return load_farm(directory / "farm.yaml")


def complaints(directory: Path, **changed: Any) -> list[str]:
    form = filled(**changed)
    try:
        farm_of(form, directory)
    except FarmFileError as error:
        return [*form.problems, *map(in_words_of_the_form, error.problems)]
    return list(form.problems)


def test_a_sound_form_is_a_farm(tmp_path: Path) -> None:
    form = filled()
    farm = farm_of(form, tmp_path)
    assert form.problems == ()
    assert not farm.observe
    assert farm.site.time_zone == "Europe/Lisbon"
    assert farm.battery is not None
    assert farm.battery.home_assistant is not None
    assert farm.battery.home_assistant.url == CORE
    assert farm.battery.home_assistant.state_of_charge == "sensor.soc"
    miner = farm.miners["s19-20"]
    assert (str(miner.host), miner.stop_soc, miner.resume_soc) == ("192.168.88.20:80", 73, 75)


def test_without_a_word_it_only_observes(tmp_path: Path) -> None:
    options = {key: value for key, value in SOUND.items() if key != "observe"}
    assert farm_of(form_of(options, CORE, "UTC", own_file=False), tmp_path).observe


@pytest.mark.parametrize(("chosen", "meant"), [({}, None), ({"discovery": True}, None), ({"discovery": False}, False)])
def test_home_assistant_is_shown_the_farm_wherever_it_can_be_unless_the_owner_says_no(
    tmp_path: Path, chosen: dict[str, bool], meant: bool | None
) -> None:
    form = filled(**chosen)
    assert form.problems == ()
    assert farm_of(form, tmp_path).home_assistant.discovery is meant


def test_a_switch_that_is_neither_on_nor_off_is_complained_about(tmp_path: Path) -> None:
    (told,) = complaints(tmp_path, discovery="maybe")
    assert told.startswith("option: discovery: 'maybe' is neither on nor off")


def test_a_rig_with_only_an_outlet(tmp_path: Path) -> None:
    rig = {
        "name": "rig-7",
        "driver": "plug",
        "nominal_w": 1100.0,
        "worker": "ckpool/bc1q/rig-7",
        "plug_host": "192.168.88.50",
        "plug_outlet": "Rig 7",
        "host": "",
    }
    plug = farm_of(filled(miners=[MINER, rig]), tmp_path).miners["rig-7"].plug
    assert plug is not None
    assert (plug.host.host, plug.outlet) == ("192.168.88.50", "Rig 7")


def test_passwords_are_secrets_and_nowhere_else() -> None:
    form = filled(
        miners=[{**MINER, "password": "of-one"}], vnish_password="of-all", kasa_username="", kasa_password="k"
    )
    assert form.secrets == {"S19_20_PASSWORD": "of-one", "VNISH_PASSWORD": "of-all", "KASA_PASSWORD": "k"}
    for word in ("of-one", "of-all"):
        assert word not in as_yaml(form.farm)
        assert word not in repr(form)


@pytest.mark.parametrize(
    ("changed", "place", "cause"),
    [
        ({"state_of_charge": " "}, "state_of_charge", "it is missing"),
        ({"state_of_charge": "battery"}, "state_of_charge", "'battery' is not an entity id"),
        ({"miners": []}, "miners", "there are none"),
        ({"miners": "s19"}, "miners", "not a list of miners"),
        ({"miners": [{**MINER, "stop_soc": 80.0}]}, "miners, s19-20", "stop_soc 80 must be below resume_soc 75"),
        ({"miners": [{**MINER, "driver": "vnsh"}]}, "miners, s19-20: driver", '(did you mean "vnish"?)'),
        ({"miners": [{**MINER, "host": ""}]}, "miners, s19-20: host", "this key is missing"),
        ({"miners": [{**MINER, "hots": "x"}]}, "miners, s19-20: hots", '(did you mean "host"?)'),
        ({"miners": [{**MINER, "name": ""}]}, "miners, number 1: name", "it is missing"),
        (
            {"miners": [MINER, {**MINER, "host": "192.168.88.21"}]},
            "miners, s19-20: name",
            "another miner has this name",
        ),
        ({"miners": [MINER, {**MINER, "name": "b"}]}, "miners, b: host", "is already the address of s19-20"),
        ({"miners": [{**MINER, "plug_outlet": "1"}]}, "miners, s19-20: plug_host", "it is missing"),
        ({"miners": [{**MINER, "plug_host": "not a host"}]}, "miners, s19-20: plug_host", "is not a host"),
        ({"miners": [{**MINER, "worker": "rig7"}]}, "miners, s19-20: worker", "is not a worker at a pool"),
        ({"broker": "atuo"}, "broker", '(did you mean "auto"?)'),
        ({"log_level": "loud"}, "log_level", "'loud' is not allowed here"),
        ({"observe": "yes"}, "observe", "neither on nor off"),
        ({"obsreve": True}, "obsreve", '(did you mean "observe"?)'),
    ],
)
def test_each_mistake_is_said_with_its_fix(tmp_path: Path, changed: dict[str, Any], place: str, cause: str) -> None:
    found = [line for line in complaints(tmp_path, **changed) if line.startswith(f"option: {place}")]
    assert found, complaints(tmp_path, **changed)
    assert cause in found[0]
    assert " Fix: " in found[0]


def test_all_mistakes_are_said_together(tmp_path: Path) -> None:
    found = complaints(tmp_path, state_of_charge="", broker="x", miners=[{**MINER, "driver": "x"}, {"name": "b"}])
    assert len(found) == 4
    error = OptionsError(found)
    assert str(error).endswith("4 problems in the options; nothing was started.")


def test_with_an_own_farm_file_the_forms_miners_do_not_count() -> None:
    form = form_of({"miners": "nonsense", "vnish_password": "x"}, CORE, "UTC", own_file=True)
    assert (form.farm, form.problems) == ({}, ())
    assert form.secrets == {"VNISH_PASSWORD": "x"}


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"a": 1'])  # absent, and not a form
def test_options_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "options.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(OptionsError, match="Fix: "):
        read_options(file)


def test_options_as_home_assistant_saves_them(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text(json.dumps(SOUND), encoding="utf-8")
    assert read_options(tmp_path / "options.json") == SOUND
