"""A miner that is disabled: its words are checked and kept, and the farm is as if it were not there."""

from pathlib import Path

import pytest

from shared.settings import FarmFileError, FarmSettings, Secrets, load_farm
from shared.settings.load import load_whole_farm

FARM = """
miners:
  a: {driver: bitaxe, host: 192.168.1.1}
  b: {driver: bitaxe, host: 192.168.1.2, enabled: false}
  c: {driver: bitaxe, host: 192.168.1.3}
groups:
  g: {members: [a, b], schedule: night}
  h: {members: [b]}
schedules:
  night: {stagger: 1 min, windows: [{from: "20:00", to: "07:30", profile: quiet}]}
"""


def load(directory: Path, text: str, **secrets: str) -> FarmSettings:
    file = directory / "farm.yaml"
    file.write_text(text, encoding="utf-8")
    return load_farm(file, Secrets(secrets, {}, directory))


def test_it_is_left_out_of_miners_groups_and_turns(tmp_path: Path) -> None:
    farm = load(tmp_path, FARM + "observe: true")
    assert list(farm.miners) == ["a", "c"]
    assert {name: group.members for name, group in farm.groups.items()} == {"g": ["a"]}
    assert farm.observed() == {"a", "c"}
    assert set(farm.timetables()) == {"a"}


def test_without_the_word_every_miner_is_enabled(tmp_path: Path) -> None:
    assert list(load(tmp_path, FARM.replace("false", "true")).miners) == ["a", "b", "c"]
    assert list(load(tmp_path, FARM.replace(", enabled: false", "")).groups) == ["g", "h"]


def test_the_whole_file_still_has_it(tmp_path: Path) -> None:
    load(tmp_path, FARM)
    whole = load_whole_farm(tmp_path / "farm.yaml")
    assert [(name, miner.enabled) for name, miner in whole.miners.items()] == [("a", True), ("b", False), ("c", True)]
    assert whole.groups["g"].members == ["a", "b"]


def test_the_environment_may_disable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_MINERS__A__ENABLED", "false")
    assert list(load(tmp_path, FARM).miners) == ["c"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  d: {driver: bitaxe, host: 192.168.1.2}\n", "192.168.1.2:80 is already the address of b"),
        ("  B: {driver: bitaxe, host: 192.168.1.4}\n", "'B' cannot be an id"),
        ("  b: {driver: bitaxe, host: 192.168.1.4}\n", "this key stands twice"),
    ],
)
def test_its_id_and_its_address_stay_its_own(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(FarmFileError, match=said):
        load(tmp_path, FARM.replace("groups:", line + "groups:"))


def test_enabling_it_again_brings_no_new_mistake_but_a_secret_that_it_needs(tmp_path: Path) -> None:
    disabled = "miners:\n  a: {driver: vnish, host: 192.168.1.1, worker: braiins/me/a, enabled: false}\n"
    assert load(tmp_path, disabled).miners == {}
    with pytest.raises(FarmFileError, match="the secret BRAIINS_KEY is missing"):
        load(tmp_path, disabled.replace("false", "true"))


def test_the_key_of_a_pool_is_asked_for_the_first_miner_that_is_enabled(tmp_path: Path) -> None:
    text = "miners:\n"
    text += "  a: {driver: vnish, host: 192.168.1.1, worker: braiins/me/a, enabled: false}\n"
    text += "  b: {driver: vnish, host: 192.168.1.2, worker: braiins/me/b}\n"
    with pytest.raises(FarmFileError, match=r"farm.yaml:3: miners.b.worker: the secret BRAIINS_KEY is missing"):
        load(tmp_path, text)


def test_a_run_may_be_for_some_miners_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_ONLY", "c, ")
    farm = load(tmp_path, FARM)
    assert list(farm.miners) == ["c"]
    assert not farm.groups
    monkeypatch.setenv("SUNHERD_ONLY", "")
    assert list(load(tmp_path, FARM).miners) == ["a", "c"]


@pytest.mark.parametrize("name", ["aa", "b"])
def test_a_run_for_nobody_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_ONLY", name)
    with pytest.raises(FarmFileError, match=rf"no miner is called '{name}'.*Fix: name miners of this file"):
        load(tmp_path, FARM)
