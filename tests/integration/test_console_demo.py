"""The console beside the living demo: real services, stand-ins for the hardware, and a clock that runs fast."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.console_command import ROOT, console, staying
from tests.contract.console_json import ANSWERS
from tests.waiting import eventually

MINERS = ["s19-20", "s19-21", "s19-22", "bitaxe-1", "bitaxe-2", "bitaxe-3", "rig-7", "rig-8"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("demo")
    with (directory / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.demo", "--day", "600", "--days", "0"],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        connection = directory / ".sunherd" / "demo" / "connection.json"
        assert eventually(connection.exists, 20)
        yield directory
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def test_the_console_sees_the_whole_demo_without_being_told_where_it_is(demo: Path) -> None:
    assert eventually(lambda: console(demo, "status").returncode == 0, 40), console(demo, "status").stdout
    done = console(demo, "status", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, ANSWERS["status"].model_json_schema(mode="serialization"))
    assert [miner["name"] for miner in answer["miners"]] == MINERS
    assert answer["mode"] == "automatic"
    assert answer["engine"]["live"] is True
    assert 0 < answer["battery"]["state_of_charge_percent"] <= 100
    assert answer["total"]["online"] == 8
    drawn_w = [miner["power_w"] for miner in answer["miners"] if miner["power_w"] is not None]
    assert answer["total"]["power_w"] == pytest.approx(sum(drawn_w))
    rig = next(miner for miner in answer["miners"] if miner["name"] == "rig-7")
    assert rig["hashrate_ths"] is None, "a rig without an interface tells no hashrate: unknown, not 0"
    assert answer["total"]["hashrate_known"] == 6


def test_the_page_of_the_demo_is_greppable(demo: Path) -> None:
    page = console(demo, "status").stdout
    for name in MINERS:
        assert len(re.findall(rf"^{name} ", page, re.MULTILINE)) == 1
    assert re.search(r"^TOTAL: 8/8 online \| [\d.]+ TH/s \(from 6 of 8\) \| [\d.]+ k?W \| ", page, re.MULTILINE), page


def test_every_miner_of_the_demo_is_explained(demo: Path) -> None:
    told = console(demo, "explain", "s19-21")
    assert told.returncode == 0
    assert re.search(r"^Setting +stop_soc 95 % in the file$", told.stdout, re.MULTILINE)
    assert re.search(r"^Agent +vnish_agent-\S+ follows its command; wants \S+, ", told.stdout, re.MULTILINE)
    answer = json.loads(console(demo, "explain", "s19-21", "--json").stdout)
    jsonschema.validate(answer, ANSWERS["explain"].model_json_schema(mode="serialization"))
    binding = [limit["policy"] for limit in answer["limits"] if limit["binds"]]
    assert binding == ["soc_hysteresis"], "the battery stands below 95 %"
    assert {limit["policy"] for limit in answer["limits"]} >= {"emergency_stop", "override", "stale_input"}


def test_watch_tells_what_a_person_does_in_the_demo(demo: Path) -> None:
    with staying(demo, "watch", "bitaxe-2") as printed:
        assert eventually(lambda: "Watching bitaxe-2" in printed(), 20)
        told = subprocess.run(
            [sys.executable, "-m", "deploy.console", "override", "bitaxe-2", "pause", "--reason", "dust"],
            cwd=demo,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        assert told.returncode == 0
        # Its firmware knows no pause: the decision says so, and then the reading what has become of it.
        assert eventually(lambda: "dust → mining at 400 MHz 1100 mV" in printed(), 40), printed()
    assert re.search(r"\[bitaxe-2\] paused by \S+: dust\n", printed())
    assert re.search(r"\[bitaxe-2\] cannot pause, .* paused by \S+: dust → quiet\n", printed())
    assert re.search(r"\[bitaxe-2\] WARNING cannot pause, .* paused by \S+: dust\n", printed())
    assert re.search(r"^In \d+ s: ", printed(), re.MULTILINE)
