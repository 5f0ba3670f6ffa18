"""`sunherd stop --all` with the broker dead: until the last healthy miner has its stop, beside one after another."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.console.given import Given
from deploy.console.scene import Scene, place_of, scene_at
from deploy.console.stopping import Direct
from shared.clock import SystemClock
from tests.bench.owners_farm import await_true
from tests.bench.park import Park, park
from tests.bench.reaction import ANSWER_SECONDS
from tests.embedded_farm import ROOT

_NOBODY = "broker: {url: 'mqtt://127.0.0.1:1'}\nminers:\n"
_MINER = '  m{index}: {{driver: vnish, host: "127.0.0.1:{port}"}}\n'


@dataclass(frozen=True)
class Emergency:
    """Several runs, in seconds, until the last miner that answers had its stop."""

    from_configuration: tuple[float, ...]
    """Since the farm file had been read, and the code was there."""
    from_shell: tuple[float, ...]
    """Since the command was called."""
    shell_processor: tuple[float, ...]
    """The processor time of the whole command, until it had read everything back."""


def measure(count: int, *, silent: int, runs: int) -> Emergency:
    """`silent` miners take connections and say nothing."""
    with park(count, ANSWER_SECONDS) as miners, tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "farm.yaml")
        text = "".join(_MINER.format(index=index, port=port) for index, port in enumerate(miners.ports))
        file.write_text(_NOBODY + text, encoding="utf-8")
        scene = scene_at(place_of(Given(file)))
        direct = tuple(_direct(scene, miners, silent) for _ in range(runs))
        shell = tuple(_shell(file, miners, silent) for _ in range(runs))
    return Emergency(direct, tuple(run[0] for run in shell), tuple(run[1] for run in shell))


def _direct(scene: Scene, miners: Park, silent: int) -> float:
    miners.report(forget=True, silent=silent)
    assert scene.farm is not None
    direct = Direct(scene)
    direct.prepare()
    began = SystemClock().seconds()
    direct.begin(list(scene.farm.miners))
    last = _last_stop(miners, silent)
    direct.close()
    return last - began


def _shell(file: Path, miners: Park, silent: int) -> tuple[float, float]:
    miners.report(forget=True, silent=silent)
    before = os.times()
    began = SystemClock().seconds()
    command = subprocess.Popen(
        [sys.executable, "-m", "deploy.console", "--farm", str(file), "stop", "--all"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    last = _last_stop(miners, silent)
    command.wait(60)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return last - began, processor


def _last_stop(miners: Park, silent: int) -> float:
    await_true(lambda: miners.report().last_stop(silent) is not None, "not every miner was stopped")
    return miners.report().last_stop(silent) or 0.0
