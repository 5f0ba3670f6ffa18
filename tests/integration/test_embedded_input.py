"""What `make run`, `sunherd` and `make topics` say to bad input: everything at once, exit code 2, nothing started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.connection import Connection
from shared.clock import SystemClock

ROOT = Path(__file__).parents[2]

BAD = """\
battery: {home_assistant: {url: "http://127.0.0.1:1", state_of_charge: sensor.battery_soc}}
miners:
  s19-20: {driver: vnish, host: 192.168.1.5, stop_soc: 75, resume_soc: 73}
  s19-21: {driver: vnsh, host: 192.168.1.5, stopsoc: 73}
"""


def run(directory: Path, module: str, *arguments: str, token: str | None = "token") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SUNHERD", "HA_TOKEN"))}
    environment["PYTHONPATH"] = str(ROOT)
    if token:
        environment["HA_TOKEN"] = token
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_a_farm_file_it_explains_in_five_lines_how_to_make_one(tmp_path: Path) -> None:
    done = run(tmp_path, "deploy.embedded")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 5
    assert "sunherd init" in done.stderr
    assert not (tmp_path / ".sunherd").exists()


def test_the_example_that_it_points_to_is_a_good_farm(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text((ROOT / "farm.example.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    done = run(tmp_path, "deploy.embedded", "--check")
    assert done.returncode == 0, done.stderr
    assert "is fine: 4 miners" in done.stdout


def test_a_run_may_be_for_one_miner_alone_which_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text((ROOT / "farm.example.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert "is fine: 1 miner\n" in run(tmp_path, "deploy.embedded", "--check", "--only", "bitaxe-1").stdout
    done = run(tmp_path, "deploy.console", "up", "--only", "bitaxe-9")
    assert done.returncode == 2
    assert "no miner is called 'bitaxe-9' (did you mean \"bitaxe-1\"?)" in done.stderr


def test_a_wrong_farm_file_is_told_whole_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text(BAD, encoding="utf-8")
    done = run(tmp_path, "deploy.embedded", token=None)
    assert done.returncode == 2
    for words in (
        "farm.yaml:4: miners.s19-21.driver: 'vnsh' is not allowed here (did you mean \"vnish\"?)",
        'farm.yaml:4: miners.s19-21.stopsoc: unknown key (did you mean "stop_soc"?)',
        "farm.yaml:4: miners.s19-21.host: 192.168.1.5:80 is already the address of s19-20",
        "farm.yaml:3: miners.s19-20: stop_soc 75 must be below resume_soc 73",
        "the secret HA_TOKEN is missing",
        "5 problems",
        "nothing was started",
    ):
        assert words in done.stderr
    assert not (tmp_path / ".sunherd").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["override", "s19-2o", "pause"], 's19-2o is neither a miner nor a group (did you mean "s19-20"?)'),
        (["override", "pause"], "Nobody was named. Fix: name one or more of s19-20, garage"),
        (["override", "s19-20", "force"], "say for how long"),
        (["override", "s19-20", "pause", "--for", "soon"], "'soon' is not a duration"),
    ],
)
def test_an_order_that_cannot_be_given_says_why(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / ".sunherd").mkdir()
    Connection(
        url="mqtt://127.0.0.1:1",
        prefix="sunherd",
        clock=SystemClock().to_variable(),
        site="home",
        miners=["s19-20"],
        groups=["garage"],
    ).leave(tmp_path / ".sunherd")
    done = run(tmp_path, "deploy.console", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_an_order_without_a_farm_says_how_to_start_one(tmp_path: Path) -> None:
    done = run(tmp_path, "deploy.console", "stop", "--all")
    assert done.returncode == 2
    assert "make run" in done.stderr


def test_an_order_that_no_broker_takes_is_not_called_told(tmp_path: Path) -> None:
    (tmp_path / ".sunherd").mkdir()
    clock = SystemClock().to_variable()
    Connection(
        url="mqtt://127.0.0.1:1", prefix="sunherd", clock=clock, site="home", miners=["s19-20"], groups=[]
    ).leave(tmp_path / ".sunherd")
    done = run(tmp_path, "deploy.console", "override", "s19-20", "pause")
    assert done.returncode == 2
    assert "the broker at 127.0.0.1:1 does not answer" in done.stderr


def test_listening_without_a_farm_says_how_to_start_one(tmp_path: Path) -> None:
    done = run(tmp_path, "deploy.listen")
    assert done.returncode == 2
    assert "make demo DAYS=0" in done.stderr


def test_a_demo_with_nonsense_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "deploy.demo", "--day", "1")
    assert done.returncode == 2
    assert "--day takes 10 to 86400 seconds" in done.stderr
