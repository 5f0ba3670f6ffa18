"""`sunherd status`, `explain` and `watch` on a real broker: exit codes, what memory alone does not prove, outages."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from shared.messages import PAUSE, EmergencyStop, Event, MinerState, Override, OverrideKind
from shared.topics import EMERGENCY_STOP, MINER_COMMAND, MINER_EVENT, MINER_OVERRIDE, MINER_TELEMETRY
from tests.console_command import AGENT, ENGINE, FarmOfWords, console, environment, staying
from tests.contract.console_json import ANSWERS
from tests.waiting import eventually

SPOKEN_SECONDS = 20


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[FarmOfWords]:
    farm = FarmOfWords(tmp_path)
    yield farm
    farm.close()


def check(command: str, answer: object) -> None:
    jsonschema.validate(answer, ANSWERS[command].model_json_schema(mode="serialization"))


def test_all_is_well_is_exit_code_0_and_a_line_for_each_miner(farm: FarmOfWords) -> None:
    farm.say_all()
    with farm.beating(ENGINE, AGENT):
        done = console(farm.directory, "status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("bitaxe")] == [
        ["bitaxe-1", "Hashing"],
        ["bitaxe-2", "Hashing"],
    ]
    assert "\nTOTAL: 2/2 online | 900.0 GH/s | 23.00 W | 25.56 J/TH\n" in done.stdout
    assert re.search(rf"^Battery 78\.4 % \(\d+ s ago\) · mode automatic · engine {ENGINE}$", done.stdout, re.MULTILINE)


def test_what_was_said_is_kept_in_a_file_a_day(farm: FarmOfWords) -> None:
    farm.say_all()
    log = farm.directory / "kept" / "sunherd.log"
    log.parent.mkdir()
    log.write_text("of yesterday\n", encoding="utf-8")
    yesterday = log.stat().st_mtime - 86_400
    os.utime(log, (yesterday, yesterday))
    with farm.beating(ENGINE, AGENT):
        assert console(farm.directory, "--log-file", str(log), "status").returncode == 0
    kept = log.read_text(encoding="utf-8")
    assert "of yesterday" not in kept
    assert "[bitaxe-1] Hashing: nothing holds it back\n" in kept
    assert "TOTAL: 2/2 online | 900.0 GH/s" in kept
    [old] = [file for file in log.parent.iterdir() if file != log]
    assert re.fullmatch(r"sunherd\.log\.\d{4}-\d\d-\d\d", old.name)
    assert old.read_text(encoding="utf-8") == "of yesterday\n"


def test_one_miner_that_does_not_answer_is_exit_code_1_and_groups_narrow_the_look(farm: FarmOfWords) -> None:
    farm.say_all()
    gone = farm.reading(reachable=False, state=MinerState.UNKNOWN, detail="no answer")
    farm.bus.publish(MINER_TELEMETRY, "bitaxe-2", gone)
    with farm.beating(ENGINE, AGENT):
        everybody = console(farm.directory, "status", "--json")
        shelf = console(farm.directory, "status", "shelf")
    assert everybody.returncode == 1
    answer = json.loads(everybody.stdout)
    check("status", answer)
    assert [(each["status"], each["needs_a_person"]) for each in answer["miners"]] == [
        ("hashing", False),
        ("offline", True),
    ]
    assert shelf.returncode == 0
    assert "bitaxe-2" not in shelf.stdout


def test_what_the_broker_remembers_of_the_dead_is_unknown_and_exit_code_2(farm: FarmOfWords) -> None:
    farm.say_all()
    farm.beat(AGENT)
    farm.beat(ENGINE)
    done = console(farm.directory, "status", "--json")
    assert done.returncode == 2
    assert "no service of this farm has been heard" in done.stderr
    answer = json.loads(done.stdout)
    check("status", answer)
    assert answer["mode"] == "no_engine"
    assert answer["total"]["hashrate_ths"] is None
    assert {(each["status"], each["online"], each["power_w"]) for each in answer["miners"]} == {("unknown", None, None)}


def test_an_unknown_name_and_a_broker_that_is_away_are_exit_code_2(farm: FarmOfWords) -> None:
    done = console(farm.directory, "explain", "bitax-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "bitaxe-1"?' in done.stderr
    farm.broker.stop()
    done = console(farm.directory, "status")
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert "Fix:" in done.stderr


def test_explain_tells_what_binds(farm: FarmOfWords) -> None:
    farm.say_all()
    pause = Override(at=farm.clock.now(), kind=OverrideKind.PAUSE, by="Ana", reason="dust")
    farm.bus.publish(MINER_OVERRIDE, "bitaxe-1", pause)
    with farm.beating(ENGINE, AGENT):
        told = console(farm.directory, "explain", "bitaxe-1")
        answer = json.loads(console(farm.directory, "explain", "bitaxe-1", "--json").stdout)
    assert told.returncode == 0
    assert re.search(r"^Override +paused by Ana at \d\d:\d\d: dust$", told.stdout, re.MULTILINE)
    check("explain", answer)
    assert answer["decision"]["code"] == "no_limit"
    assert answer["overrides"][0]["in_force"] is True


def test_watch_tells_who_did_what_writes_it_down_and_sums_it_up(farm: FarmOfWords) -> None:
    farm.say_all()
    words = ("--log-file", "log/sunherd.log", "watch", "--total-every", "1s")
    with farm.beating(ENGINE, AGENT), staying(farm.directory, *words) as printed:
        assert eventually(lambda: "Watching 2 miners" in printed(), SPOKEN_SECONDS), printed()
        now = farm.clock.now()
        farm.bus.publish(MINER_OVERRIDE, "bitaxe-1", Override(at=now, kind=OverrideKind.PAUSE, by="Ana"))
        order = farm.command(point=PAUSE, code="paused_by_person", sentence="paused by Ana")
        farm.bus.publish(MINER_COMMAND, "bitaxe-1", order)
        farm.bus.publish(MINER_TELEMETRY, "bitaxe-1", farm.reading(state=MinerState.PAUSED, desired="pause"))
        farm.bus.publish(MINER_EVENT, "bitaxe-2", Event(at=now, code="recovered", sentence="reached at last"))
        farm.bus.publish(EMERGENCY_STOP, "home", EmergencyStop(at=now, active=True, by="Bea"))
        assert eventually(lambda: "EMERGENCY STOP by Bea" in printed(), SPOKEN_SECONDS), printed()
        log = farm.directory / "log" / "sunherd.log"
        assert eventually(lambda: "TOTAL: 2/2 online" in log.read_text(encoding="utf-8"), SPOKEN_SECONDS)
    told = [re.sub(r"^\[[^]]+\] ", "", line) for line in printed().splitlines()]
    for line in (
        "[bitaxe-1] paused by Ana",
        "[bitaxe-1] paused by Ana → pause",
        "[bitaxe-1] paused by Ana → mining stopped",
        "[bitaxe-2] reached at last",
        "[site] ERROR EMERGENCY STOP by Bea",
    ):
        assert told.count(line) == 1, printed()
    assert re.search(r"^In \d+ s: 1 decision, 1 change, 1 event, 2 wishes of people$", printed(), re.MULTILINE)
    kept = log.read_text(encoding="utf-8")
    assert kept.count("[bitaxe-1] paused by Ana → mining stopped\n") == 1
    assert "Traceback" not in printed()


def test_watch_says_that_the_broker_is_lost_and_that_it_is_back(farm: FarmOfWords) -> None:
    farm.say_all()
    with staying(farm.directory, "watch", "bitaxe-1", "--json", "--events") as printed:
        # Nothing is said at the beginning in JSON: an event that is told shows that it listens.
        event = Event(at=farm.clock.now(), code="hello", sentence="hello")

        def is_heard() -> bool:
            farm.bus.publish(MINER_EVENT, "bitaxe-1", event)
            farm.bus.publish(MINER_EVENT, "bitaxe-2", event)
            return "hello" in printed()

        assert eventually(is_heard, SPOKEN_SECONDS), printed()
        farm.broker.restart()
        assert eventually(lambda: "is reached again" in printed(), SPOKEN_SECONDS), printed()
    lines = [json.loads(line) for line in printed().splitlines() if line.startswith("{")]
    for line in lines:
        check("watch", line)
    assert {line["name"] for line in lines} == {"bitaxe-1", "broker"}
    assert [line["sentence"] for line in lines if line["name"] == "broker"] == [
        "is lost; trying on",
        "is reached again",
    ]


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    farm: FarmOfWords, variables: dict[str, str], *, is_coloured: bool
) -> None:
    farm.say_all()
    ours, theirs = pty.openpty()
    with farm.beating(ENGINE, AGENT):
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.console", "status"],
            cwd=farm.directory,
            env=environment(COLUMNS="80", **variables),
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        page = _all_of(ours)
        assert process.wait(30) == 0
    assert ("\x1b[" in page) == is_coloured
    assert "TOTAL: 2/2 online" in page


def test_a_page_that_is_shown_anew_stands_until_ctrl_c_and_its_verdict_stays(farm: FarmOfWords) -> None:
    farm.say_all()
    ours, theirs = pty.openpty()
    with farm.beating(ENGINE, AGENT):
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.console", "status", "--watch"],
            cwd=farm.directory,
            env=environment(COLUMNS="80", LINES="24", TERM="xterm"),
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        os.close(theirs)
        first = os.read(ours, 65536)
        while b"TOTAL: 2/2 online" not in first:
            first += os.read(ours, 65536)
        farm.bus.publish(MINER_TELEMETRY, "bitaxe-2", farm.reading(reachable=False, state=MinerState.UNKNOWN))
        anew = b""
        while b"TOTAL: 1/2 online" not in anew:
            anew += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        rest = _all_of(ours)
        assert process.wait(30) == 1, "one miner needs a person"
    assert "TOTAL: 1/2 online" in rest
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def _all_of(terminal: int) -> str:
    found = b""
    try:
        while piece := os.read(terminal, 65536):
            found += piece
    except OSError:  # the other side has been closed
        pass
    os.close(terminal)
    return found.decode()
