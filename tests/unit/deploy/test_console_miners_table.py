"""`sunherd miners add --csv`: many miners at once, all or none, and every bad row with its line."""

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
  rig-7:
    driver: plug
    nominal_w: 1100      # measured
    plug: {host: 192.168.88.50, outlet: Rig 7}
groups:
  garage: {members: [s19-20, rig-7], max_w: 6600}
"""


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    (tmp_path / "farm.yaml").write_text(FARM, encoding="utf-8")
    return Console(tmp_path / "farm.yaml", monkeypatch, capsys)


def table(console: Console, text: str) -> str:
    file = console.farm.parent / "rigs.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_table_adds_many_at_once(console: Console, separator: str, mark: str) -> None:
    rows = ["name,driver,host,stop_soc,resume_soc,group", "s19-21,,192.168.88.21,95,99,garage hall", ""]
    rows += ["bitaxe-2,bitaxe,192.168.1.2,,,", "'s19-22',,192.168.88.22,20,30,".replace("'", '"')]
    text = mark + "\r\n".join(rows).replace(",", separator)
    said = console("miners", "add", "--csv", table(console, text), "--defaults", "driver=vnish", "--group", "all")
    assert (said.code, said.err) == (0, "")
    farm = load_farm(console.farm)
    assert [farm.miners[name].driver for name in ("s19-21", "bitaxe-2", "s19-22")] == ["vnish", "bitaxe", "vnish"]
    assert (farm.miners["s19-21"].stop_soc, farm.miners["bitaxe-2"].stop_soc) == (95, None)
    assert farm.groups["garage"].members == ["s19-20", "rig-7", "s19-21"]
    assert (farm.groups["hall"].members, farm.groups["all"].members) == (["s19-21"], ["s19-21", "bitaxe-2", "s19-22"])


def test_every_bad_row_is_told_with_its_line_and_nothing_is_written(console: Console) -> None:
    text = (
        "name,driver,host,stop_soc,resume_soc,plug.outlet,plug.host\n"
        "s19-20,vnish,192.168.88.90,,,,\n"  # 2: there already
        "Rig 1,vnish,192.168.88.91,,,,\n"  # 3: no id
        "b,vnisch,192.168.88.92,,,,\n"  # 4: driver
        "c,vnish,192.168.88.20,,,,\n"  # 5: address
        "d,vnish,192.168.88.93,80,70,,\n"  # 6: band
        "d,vnish,192.168.88.94,,,,\n"  # 7: twice
        "e,vnish\n"  # 8: too short
        "f,vnish,192.168.88.95,,,[1,192.168.88.60\n"  # 9: no value
        "g,vnish,192.168.88.96,,,,192.168.88.50\n"  # fine
        "h,vnish,192.168.88.97,,,Rig 7,192.168.88.50\n"  # 11: outlet
    )
    said = console("miners", "add", "--csv", table(console, text))
    assert said.code == 2
    lines = said.err.splitlines()
    expected = [
        "rigs.csv:2: s19-20 is in farm.yaml already. Fix: name it otherwise.",
        "rigs.csv:3: 'Rig 1' cannot be an id. Fix: write rig-1.",
        "rigs.csv:4: b: driver: 'vnisch' is not allowed here (did you mean \"vnish\"?). Fix: use one of: vnish",
        "rigs.csv:5: c: host: 192.168.88.20:80 is already the address of s19-20. Fix: give each miner",
        "rigs.csv:6: d: stop_soc 80 must be below resume_soc 70. Fix: leave room between the two",
        "rigs.csv:7: d stands in line 6 already. Fix: give each miner a name of its own.",
        "rigs.csv:8: 2 cells below a head of 7. Fix: quote cells that hold the separator.",
        "rigs.csv:9: plug.outlet: '[1' cannot be read as YAML",
        "rigs.csv:11: h: plug: outlet 'rig 7' of 192.168.88.50 already feeds rig-7. Fix: give each miner an outlet",
        "Nothing was written.",
    ]
    for line, beginning in zip(lines, expected, strict=True):
        assert line.startswith(beginning), line
    assert console.text == FARM


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rigs.csv:1: no column is called name. Fix: begin with a head such as name,driver,host."),
        ("host,driver\n", "rigs.csv:1: no column is called name. Fix: "),
        (
            "name,hots\n",
            "rigs.csv:1: no key of a miner is called 'hots' (did you mean \"host\"?). Fix: use keys such as",
        ),
        ("name,host,host\n", "rigs.csv:1: two columns are called 'host'. Fix: remove one of them."),
        ("name,,host\n", "rigs.csv:1: column 2 has no name. Fix: name the key of a miner that stands in it."),
        ("name,host\n", "rigs.csv:1: there is no row below the head. Fix: write a row for each miner."),
        ('name,host\na,"b\n', "rigs.csv:2: this is no row of a table: unexpected end of data. Fix: check the quotes."),
    ],
)
def test_a_table_that_is_none_is_told(console: Console, text: str, said: str) -> None:
    told = console("miners", "add", "--csv", table(console, text))
    assert told.code == 2
    assert told.err.startswith(said)
    assert console.text == FARM


def test_a_trial_shows_the_lines_and_writes_nothing(console: Console) -> None:
    text = "name,driver,host\nb,vnish,192.168.88.90\n"
    said = console("miners", "add", "--csv", table(console, text), "--dry-run")
    assert said.code == 0
    assert [line for line in said.out.splitlines() if line.startswith("+  ")] == [
        "+  b:",
        "+    driver: vnish",
        "+    host: 192.168.88.90",
    ]
    assert "Nothing was written: added b only on trial." in said.out
    assert console.text == FARM


def test_the_table_of_the_documentation_is_right(console: Console) -> None:
    page = Path("docs/coming-from.md").read_text(encoding="utf-8")
    rows = page[page.index("name,driver,host") :].partition("```")[0]
    said = console("miners", "add", "--csv", table(console, rows))
    assert (said.code, said.err) == (0, "")
    assert {"s19-23", "rig-8"} <= set(load_farm(console.farm).miners)
