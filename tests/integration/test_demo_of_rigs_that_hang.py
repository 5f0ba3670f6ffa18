"""The demo's morning: a rig hangs and is brought back, one is given up on, and one that is paused is left alone."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded_farm import ROOT
from tests.integration.test_demo import assert_in_order

GIVEN_UP = "3 tries in vain: left alone until it comes back or a person says automatic"
_SEEN = r"demo-pool has not seen it for .*; it draws only \d+ W of [45]00 W"
ALLOWED = (
    r"\[s19-2[012]\] SoC [.0-9]+ % [<>] \d+ % → mining( stopped)?$",
    r"\[s19-20\] demo-pool sees it no more; it is paused, so it is left alone$",
    r"\[rig-[78]\] nothing holds it back → mining$",
    rf"\[rig-[78]\] {_SEEN}: its power is cycled, try \d of 3; looked at again after .*$",
    r"\[rig-[78]\] power cycle: its outlet is (off|on again)$",
    r"\[rig-7\] at work again$",
    rf"\[rig-8\] {_SEEN}; {GIVEN_UP}$",
    r"\[bitaxe-[123]\] ",
)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """All that the demo has said until it gave up on somebody. Takes as long as three tries do: 55 s."""
    where: Path = tmp_path_factory.mktemp("demo")
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo", "--days", "0.9"],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            told.append(line)
            if GIVEN_UP in line:
                demo.send_signal(signal.SIGINT)
    assert demo.returncode == 0, "".join(told)
    return told


def test_a_rig_that_hangs_is_cycled_through_its_plug_and_returns(lines: list[str]) -> None:
    told = "".join(line for line in lines if "[rig-7]" in line)
    assert_in_order(told, "its power is cycled, try 1 of 3", "its outlet is off", "its outlet is on", "at work again")
    assert told.count("its power is cycled") == 1


def test_one_that_hangs_again_after_each_cycle_is_given_up_on(lines: list[str]) -> None:
    told = "".join(line for line in lines if "[rig-8]" in line)
    tries = [rf"try {number} of 3.*\n.*outlet is off\n.*outlet is on again\n" for number in (1, 2, 3)]
    assert_in_order(told, *tries, GIVEN_UP)
    assert told.count("its power is cycled") == 3


def test_one_that_is_paused_for_the_battery_is_left_alone_and_runs_again(lines: list[str]) -> None:
    told = "".join(line for line in lines if "[s19-20]" in line)
    assert_in_order(
        told,
        "< 73 % → mining stopped",
        "demo-pool sees it no more; it is paused, so it is left alone",
        "> 75 % → mining",
    )
    assert "cycle" not in told


def test_nothing_else_is_said(lines: list[str]) -> None:
    events = [line.rstrip("\n") for line in lines if re.match(r"\d\d:\d\d \[", line)]
    assert events
    assert [line for line in events if not any(re.search(allowed, line) for allowed in ALLOWED)] == []
