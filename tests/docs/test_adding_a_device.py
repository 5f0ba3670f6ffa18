"""The pages about a new device, followed to the letter in a copy of the project: what they make is herded."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.simulator.http_server import HttpServer
from shared.clock import SystemClock
from shared.messages import EmergencyStop, MinerState, Override, OverrideKind
from shared.topics import EMERGENCY_STOP, MINER_OVERRIDE
from tests.docs.markdown import ROOT, Block, blocks, commands_of
from tests.embedded_farm import embedded_farm
from tests.waiting import eventually

PAGES = ("docs/adding-a-device.md", "docs/wiring-a-device.md")
STEPS = [block for page in PAGES for block in blocks() if block.page == page]
FARM = """\
site: {{time_zone: Europe/Lisbon}}
rules: {{poll: 1 s}}
miners:
  toy-1: {{driver: toy, host: "127.0.0.1:{port}", nominal_w: 800}}
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after its reader has done all that the pages say."""
    directory = tmp_path_factory.mktemp("copy")
    leave_out = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in ("shared", "services", "deploy", "tests"):
        shutil.copytree(ROOT / name, directory / name, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", directory)
    for step in STEPS:
        follow(step, directory)
    return directory


def follow(step: Block, directory: Path) -> None:
    """Does what one block says."""
    if (name := step.says("file")) is not None:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(step.text, encoding="utf-8")
    elif (name := step.says("change")) is not None:
        file = directory / name
        file.write_text(changed(file.read_text(encoding="utf-8"), step), encoding="utf-8")
    elif step.says("in") == "the copy":
        for command in commands_of(step):
            done = run(command.split(), directory)
            assert done.returncode == 0, f"{step}: {command!r}: {done.stdout}{done.stderr}"
    else:
        pytest.fail(f"{step}: say what this block is, by file, change or in: the copy")


def changed(text: str, step: Block) -> str:
    """A text with the lines that begin with - replaced by those that begin with +."""
    old = "".join(line[1:] + "\n" for line in step.text.splitlines() if line.startswith("-"))
    new = "".join(line[1:] + "\n" for line in step.text.splitlines() if line.startswith("+"))
    assert text.count(old) == 1, f"{step}: these lines are not in the file (any more):\n{old}"
    return text.replace(old, new)


def run(words: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """A command as the page shows it; Python is the one that runs this."""
    line = " ".join(words).replace("python ", f"{sys.executable} ", 1) if words[0] == "python" else " ".join(words)
    environment = {"PYTHONPATH": str(directory), "PATH": "/usr/bin:/bin", "HOME": str(directory)}
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def stand_in_of(copy: Path) -> Any:
    """The page's own stand-in."""
    spec = importlib.util.spec_from_file_location("toy_of_the_page", copy / "services/simulator/toy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ToyStandIn()


def test_what_the_pages_make_is_formatted_and_linted(copy: Path) -> None:
    made = [name for step in STEPS if (name := step.says("file")) is not None]
    ruff = Path(sys.executable).with_name("ruff")
    for words in (("format", "--check", "--diff"), ("check",)):
        done = run([str(ruff), *words, *made], copy)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_device_of_the_pages_is_herded_by_a_whole_farm(copy: Path, tmp_path: Path) -> None:
    toy = stand_in_of(copy)
    toy.ignored = 1
    with HttpServer(toy.handle) as server:
        farm = FARM.format(port=server.port)
        with embedded_farm(tmp_path, farm, PYTHONPATH=str(copy)) as running:
            ear, clock = running.ear, SystemClock()

            def shows(state: MinerState) -> bool:
                told = ear.telemetry.get("toy-1")
                return told is not None and told.state is state and told.settled is True

            assert eventually(lambda: shows(MinerState.HASHING), 30), ear.telemetry
            paused = Override(at=clock.now(), kind=OverrideKind.PAUSE, by="a-test")
            ear.bus.publish(MINER_OVERRIDE, "toy-1", paused)
            assert eventually(lambda: shows(MinerState.PAUSED), 30), ear.telemetry
            assert not toy.running
            assert ear.commands["toy-1"].code == "paused_by_person"
            stop = EmergencyStop(at=clock.now(), active=True, by="a-test")
            ear.bus.publish(EMERGENCY_STOP, "home", stop)
            assert eventually(lambda: ear.commands["toy-1"].code == "emergency_stop", 30), ear.commands


def test_a_change_that_does_not_fit_any_more_is_noticed() -> None:
    step = Block("a page", 1, "diff", "-old\n+new\n", "change: a file")
    assert changed("first\nold\n", step) == "first\nnew\n"
    with pytest.raises(AssertionError, match="not in the file"):
        changed("first\n", step)
