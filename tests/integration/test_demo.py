"""The demo as a person meets it: miners pause and resume, a hiccup of the laptop changes nothing, a hint ends it.

In the evening the Bitaxes ramp to their night settings; one is too hot, steps down and is restored.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.embedded_farm import ROOT, children_of
from tests.waiting import eventually

HICCUP_SECONDS = 3.0
FALSE_ALARMS = (
    "failsafe",
    "stale",
    "unknown:",
    "Traceback",
    "starts again",
    "invariant",
    "cannot",
    "gone",
    "no answer",
    "cycle",
    "has not seen",
)
# Its chip exceeds its limit just before the windows change: from then on it is read every second.
HOT_IN_THE_EVENING = "16:00 bitaxe-1 heat 74, 21:20 bitaxe-1 mend"


def test_a_morning_with_a_hiccup_of_the_laptop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo", "--day", "48", "--days", "0.25"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert eventually(lambda: len(children_of(demo.pid)) == 9, 15), "broker, simulator, six services, terminal"
        everybody = [demo.pid, *children_of(demo.pid)]
        time.sleep(1.5)
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(HICCUP_SECONDS)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        out, _ = demo.communicate(timeout=40)

    assert demo.returncode == 0, out
    assert "first decision" in out
    assert "[s19-20] SoC 7" in out
    assert "< 73 % → mining stopped" in out
    assert "> 75 % → mining" in out
    assert "make topics" in out
    for trouble in FALSE_ALARMS:
        assert trouble not in out, out
    assert not any(Path(f"/proc/{pid}").exists() for pid in everybody[1:])


def test_an_evening_with_a_ramp_and_with_a_chip_that_is_too_hot(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--day", "60", "--from", "15:00", "--days", "0.52"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SUNHERD_SIMULATED_ORDERS": HOT_IN_THE_EVENING},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for trouble in FALSE_ALARMS:
        assert trouble not in done.stdout, done.stdout
    for cool in ("bitaxe-2", "bitaxe-3"):
        assert_in_order(
            done.stdout,
            rf"\[{cool}\] 450 MHz at 1150 mV, by the window 07:30-20:00 .* → mining at 450 MHz 1150 mV",
            # A second of a machine that is busy with other tests is 24 minutes of this day.
            rf"2[01]:.. \[{cool}\] 550 MHz at 1250 mV, by the window 20:00-07:30 .* → ramping from 450 MHz 1150 mV",
            rf"\[{cool}\] 550 MHz at 1250 mV, .* → mining at 550 MHz 1250 mV",
        )
    assert_in_order(
        done.stdout,
        r"\[bitaxe-1\] 450 MHz at 1150 mV, .* → mining at 450 MHz 1150 mV",
        r"2.:.. \[bitaxe-1\] chip 7[0-4][.0-9]* °C, limit 70 °C: at most [.0-9]+ W\n",
        r"held back by heat: bitaxe-1 \d+ °C",
        r"\[bitaxe-1\] (chip [56].* °C, limit 70 °C: was too hot, at most|cool again; ).* → (ramping|mining)",
    )
    assert re.search(r"ramping: .*bitaxe-2 \d+ MHz 1\d+ mV", done.stdout), done.stdout


def assert_in_order(text: str, *patterns: str) -> None:
    """Each pattern comes after the one before it."""
    rest = text
    for pattern in patterns:
        found = re.search(pattern, rest)
        assert found is not None, f"{pattern} not in\n{rest}\nof\n{text}"
        rest = rest[found.end() :]
