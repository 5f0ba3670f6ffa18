"""The example files as the three scripts publish them, comments and quirks and all, where their texts are at hand."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import Secrets, load_farm
from tests.unit.deploy.console_run import Console
from tests.unit.deploy.script_files import SOC_OPTIONS

SEEDS = Path(__file__).parents[4] / "shared/seeds"

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"SKIPPED: {SEEDS} is not there, so nothing is imported")


def blocks() -> Iterator[str]:
    """Each JSON text that could be a whole file: fenced, or a bare array that begins a line."""
    for file in sorted(SEEDS.glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        fenced = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
        bare = re.findall(r"^\[\n.*?^\]", text, re.DOTALL | re.MULTILINE)
        yield from dict.fromkeys([*fenced, *(block for block in bare if block not in "".join(fenced))])


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    return Console(tmp_path / "farm.yaml", monkeypatch, capsys)


def test_all_three_are_imported_and_the_services_take_the_farm(console: Console) -> None:
    marks = {"miners.json": '"stop_soc"', "rigs.json": '"kasa_device_ip"', "multi_scheduler_config.json": '"miners": ['}
    names = []
    for name, mark in marks.items():
        (block,) = [each for each in blocks() if mark in each and '"timestamp"' not in each]
        (console.farm.parent / name).write_text(block, encoding="utf-8")
        names.append(str(console.farm.parent / name))
    said = console("import", *names, *SOC_OPTIONS)
    assert (said.code, said.err) == (0, "")
    farm = load_farm(console.farm, Secrets({"HA_TOKEN": "x"}, {}, console.farm.parent))
    assert list(farm.miners) == ["s19-20", "s19-21", "s19-22", "example_worker", "bitaxe-1", "bitaxe-2", "bitaxe-3"]
    assert [(each.stop_soc, each.resume_soc) for each in farm.miners.values() if each.driver == "vnish"] == [
        (73, 75),
        (95, 99),
        (95, 99),
    ]
    assert farm.observe
    assert [name for name, miner in farm.miners.items() if miner.observe] == ["example_worker"]
    assert set(farm.timetables()) == {"bitaxe-1", "bitaxe-2", "bitaxe-3"}
