"""The demo as a person meets it: miners pause and resume, a hiccup of the laptop changes nothing, a hint ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.embedded_farm import ROOT, children_of
from tests.waiting import eventually

HICCUP_SECONDS = 3.0


def test_a_morning_with_a_hiccup_of_the_laptop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo", "--day", "48", "--days", "0.25"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert eventually(lambda: len(children_of(demo.pid)) == 6, 15), "broker, simulator, three services, terminal"
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
    for trouble in ("failsafe", "stale", "unknown:", "Traceback", "starts again"):
        assert trouble not in out, out
    assert not any(Path(f"/proc/{pid}").exists() for pid in everybody[1:])
