"""`sunherd miners`: what is listed, added, switched and removed, and what is refused with everything that is wrong."""

import io
import json
from pathlib import Path

import pytest

from shared.settings import load_farm
from tests.unit.deploy.console_run import Console

FARM = """\
# My farm
battery:
  mqtt: {preset: victron}
miners:
  s19-20: {driver: vnish, host: 192.168.88.20, stop_soc: 73, resume_soc: 75}   # attic
  bitaxe-1: {driver: bitaxe, host: "miner.lan:8080", observe: true}
  rig-7:
    driver: plug
    nominal_w: 1100      # measured
    plug: {host: 192.168.88.50, outlet: Rig 7}
groups:
  garage: {members: [s19-20, rig-7], max_w: 6600}
  cellar: {members: [bitaxe-1]}
"""


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    (tmp_path / "farm.yaml").write_text(FARM, encoding="utf-8")
    return Console(tmp_path / "farm.yaml", monkeypatch, capsys)


def test_list_tells_driver_address_and_state(console: Console) -> None:
    console("miners", "disable", "rig-7")
    assert console("miners", "list").out.splitlines() == [
        "miner     driver  address                          state",
        "s19-20    vnish   http://192.168.88.20             [enabled]",
        "bitaxe-1  bitaxe  http://miner.lan:8080            [observed]",
        "rig-7     plug    plug 192.168.88.50 outlet Rig 7  [disabled]",
    ]
    entries = json.loads(console("miners", "list", "--json").out)
    assert [(each["name"], each["state"], each["groups"]) for each in entries] == [
        ("s19-20", "enabled", ["garage"]),
        ("bitaxe-1", "observed", ["cellar"]),
        ("rig-7", "disabled", ["garage"]),
    ]
    assert entries[2] == {
        "name": "rig-7",
        "driver": "plug",
        "address": "plug 192.168.88.50 outlet Rig 7",
        "state": "disabled",
        "enabled": False,
        "observed": False,
        "groups": ["garage"],
    }


def test_list_of_a_farm_without_miners(console: Console) -> None:
    console.farm.write_text("observe: true\n", encoding="utf-8")
    assert console("miners", "list").out == "There is no miner yet.\n"


def test_a_farm_file_that_is_wrong_is_told(console: Console) -> None:
    console.farm.write_text("minrs: {}\n", encoding="utf-8")
    for command in (("list",), ("disable", "a"), ("add", "a", "--driver", "vnish", "--host", "h")):
        said = console("miners", *command)
        assert said.code == 2
        assert said.err.startswith('farm.yaml:1: minrs: unknown key (did you mean "miners"?). Fix: ')


def test_no_farm_file_is_told(console: Console) -> None:
    console.farm.unlink()
    for command in (("list",), ("disable", "a"), ("add", "a", "--driver", "vnish", "--host", "h")):
        said = console("miners", *command)
        assert (said.code, "farm.yaml is not there. Fix: sunherd init" in said.err) == (2, True)


def test_add_one_with_its_keys_and_groups(console: Console) -> None:
    said = console(
        *("miners", "add", "rig-8", "--driver", "plug", "--set", "nominal_w=900", "--set", "plug.host=192.168.88.50"),
        *("--set", "plug.outlet=Rig #8", "--set", "worker=ckpool/bc1q/rig8", "--group", "garage", "--group", "hall"),
    )
    assert (said.code, said.err) == (0, "")
    assert "added rig-8. The file before is farm.yaml.bak." in said.out
    assert (
        console.text
        == FARM.replace("[s19-20, rig-7]", "[s19-20, rig-7, rig-8]").replace(
            "groups:\n",
            '  rig-8:\n    driver: plug\n    nominal_w: 900\n    plug: {host: 192.168.88.50, outlet: "Rig #8"}\n'
            "    worker: ckpool/bc1q/rig8\ngroups:\n",
        )
        + "  hall: {members: [rig-8]}\n"
    )
    farm = load_farm(console.farm)
    plug = farm.miners["rig-8"].plug
    assert plug is not None
    assert plug.outlet == "Rig #8"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Bitaxe 2", "--driver", "bitaxe", "--host", "h"], "'Bitaxe 2' cannot be an id. Fix: call it bitaxe-2."),
        (["§", "--driver", "bitaxe", "--host", "h"], "'§' cannot be an id. Fix: use only a to z, 0 to 9, - and _."),
        (["s19-20", "--driver", "bitaxe", "--host", "h"], "s19-20 is in farm.yaml already. Fix: name it otherwise."),
        (["garage", "--driver", "bitaxe", "--host", "h"], "farm.yaml: groups.garage: garage is a miner's id already."),
        (["b", "--driver", "bitaxe"], "farm.yaml: miners.b.host: this key is missing. Fix: add host: ...."),
        (["b", "--host", "h"], "farm.yaml: miners.b.driver: this key is missing. Fix: add driver: ...."),
        (["b", "--driver", "bitaxe", "--host", "192.168.88.20"], "is already the address of s19-20. Fix: "),
        (["b", "--driver", "x", "--host", "h"], "miners.b.driver: 'x' is not allowed here. Fix: use one of: vnish, "),
        (["b", "--set", "stop_soc"], "'stop_soc' sets nothing. Fix: write key=value, such as stop_soc=73"),
        (["b", "--set", "plug=1", "--set", "plug.host=h"], "plug.host cannot stand beside plug. Fix: give one of"),
        (["b", "--set", "days=[a"], "'[a' cannot be read as YAML. Fix: "),
        ([], "give the name of a miner, or a table with --csv. Fix: "),
        (["b", "--csv", "rigs.csv"], "give the name of a miner, or a table with --csv. Fix: "),
        (["--csv", "rigs.csv", "--host", "h"], "are for one miner. Fix: with --csv use --defaults driver=vnish."),
        (["--csv", "/nowhere/rigs.csv"], "/nowhere/rigs.csv cannot be read: No such file or directory. Fix: "),
    ],
)
def test_what_cannot_be_added_is_told_and_nothing_is_written(console: Console, arguments: list[str], said: str) -> None:
    told = console("miners", "add", *arguments)
    assert told.code == 2
    assert said in told.err
    assert console.text == FARM
    assert [each.name for each in console.farm.parent.iterdir()] == ["farm.yaml"]


def test_disable_and_enable_change_one_line_each(console: Console) -> None:
    said = console("miners", "disable", "s19-20", "rig-7")
    assert (said.code, "disabled s19-20, rig-7." in said.out) == (0, True)
    assert console.text == FARM.replace("resume_soc: 75}", "resume_soc: 75, enabled: false}").replace(
        "outlet: Rig 7}\n", "outlet: Rig 7}\n    enabled: false\n"
    )
    farm = load_farm(console.farm)
    assert (list(farm.miners), list(farm.groups)) == (["bitaxe-1"], ["cellar"])
    assert console("miners", "enable", "rig-7").code == 0
    assert load_farm(console.farm).groups["garage"].members == ["rig-7"]
    again = console("miners", "enable", "rig-7")
    assert (again.code, again.out.endswith("it is so already; nothing was changed.\n")) == (0, True)


def test_a_name_that_is_not_there_changes_nothing(console: Console) -> None:
    for command in (("disable",), ("enable",), ("remove", "--yes")):
        said = console("miners", *command, "rig-7", "s19-2", "zebra")
        assert said.code == 2
        assert said.err.startswith(
            "no miner is called 's19-2' (did you mean \"s19-20\"?); no miner is called 'zebra'. Fix: sunherd miners"
        )
    assert console.text == FARM


def test_remove_takes_it_out_of_its_groups_too(console: Console) -> None:
    said = console("miners", "remove", "rig-7", "--yes")
    assert (said.code, "removed rig-7. The file before is farm.yaml.bak." in said.out) == (0, True)
    start, end = FARM.index("  rig-7:"), FARM.index("groups:")
    assert console.text == (FARM[:start] + FARM[end:]).replace("[s19-20, rig-7]", "[s19-20]")


def test_remove_asks_and_without_a_person_does_nothing(console: Console) -> None:
    said = console("miners", "remove", "rig-7")
    assert (said.code, said.err) == (2, "nobody is here to be asked. Fix: add --yes.\n")
    assert console.text == FARM


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_a_person_is_asked_before_a_miner_goes(
    console: Console, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer))
    said = console("miners", "remove", "rig-7")
    assert (said.code, "Remove rig-7 from " in said.out) == (code, True)
    assert ("rig-7" in console.text) is bool(code)


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_a_person_is_offered_an_id(console: Console, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer))
    said = console("miners", "add", "Bitaxe 2", "--driver", "bitaxe", "--host", "h")
    assert (said.code, "'Bitaxe 2' cannot be an id. Call it bitaxe-2?" in said.out) == (code, True)
    assert ("bitaxe-2: " in console.text or "bitaxe-2:\n" in console.text) is not bool(code)


def test_a_group_is_never_left_empty(console: Console) -> None:
    said = console("miners", "remove", "--yes", "bitaxe-1")
    assert said.code == 2
    assert said.err.startswith("the group cellar would have no member left. Fix: remove the group from the farm file")
    assert "sunherd miners disable bitaxe-1" in said.err
    assert console.text == FARM


def test_the_last_miner_leaves_a_section_that_is_right(console: Console) -> None:
    console.farm.write_text("miners:\n  a: {driver: bitaxe, host: h}\n", encoding="utf-8")
    assert console("miners", "remove", "--yes", "a").code == 0
    assert console.text == "miners: {}\n"
    assert console("miners", "add", "b", "--driver", "bitaxe", "--host", "h").code == 0
    assert list(load_farm(console.farm).miners) == ["b"]
