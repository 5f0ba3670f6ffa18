"""The supervisor with real processes: what dies comes back, what has nothing to do does not, and all end together."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from tests.waiting import eventually

PARENT = """
    import sys
    from deploy.supervise import Supervisor
    from shared.clock import SystemClock
    sys.path.insert(0, {directory!r})
    sys.exit(Supervisor({modules!r}, SystemClock(), frozen_seconds=1.0).run())
"""

STEADY = """
    import os, signal, time
    from pathlib import Path
    from shared.watchdog import notify_watchdog
    def main():
        stopped = []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
        with Path({log!r}).open("a") as log:
            print(os.getpid(), file=log, flush=True)
        while not stopped:
            notify_watchdog()
            time.sleep(0.02)
"""


class Farm:
    """A supervisor in a process of its own, over child modules written for the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.modules: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def child(self, name: str, source: str) -> Path:
        """Adds a child module; returns the file into which it writes its process id at each start."""
        log = self.directory / f"{name}.pids"
        (self.directory / f"{name}.py").write_text(textwrap.dedent(source.format(log=str(log))), encoding="utf-8")
        self.modules.append(name)
        return log

    def start(self) -> subprocess.Popen[str]:
        script = textwrap.dedent(PARENT.format(directory=str(self.directory), modules=self.modules))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(self.directory)])}
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, text=True
        )
        return self.process


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path)


def pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text(encoding="utf-8").split()] if log.exists() else []


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_child_comes_back(farm: Farm, number: signal.Signals) -> None:
    log = farm.child("steady", STEADY)
    with farm.start() as supervisor:
        assert eventually(lambda: len(pids(log)) == 1)
        os.kill(pids(log)[0], number)
        assert eventually(lambda: len(pids(log)) == 2)
        supervisor.terminate()
        assert supervisor.wait(5) == 0
    assert all(gone(pid) for pid in pids(log))


def test_a_frozen_child_is_replaced(farm: Farm) -> None:
    log = farm.child("steady", STEADY)
    with farm.start() as supervisor:
        assert eventually(lambda: len(pids(log)) == 1)
        os.kill(pids(log)[0], signal.SIGSTOP)
        assert eventually(lambda: len(pids(log)) == 2, 10)
        supervisor.terminate()
        assert supervisor.wait(5) == 0
        assert "has not stirred for 1 s: killing it" in (supervisor.stderr.read() if supervisor.stderr else "")
    assert all(gone(pid) for pid in pids(log))


def test_a_laptop_that_slept_has_frozen_nobody(farm: Farm) -> None:
    log = farm.child("steady", STEADY)
    with farm.start() as supervisor:
        assert eventually(lambda: len(pids(log)) == 1)
        everybody = [supervisor.pid, *pids(log)]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        assert not eventually(lambda: len(pids(log)) == 2, 1.5)
        supervisor.terminate()
        assert supervisor.wait(5) == 0


def test_a_child_with_nothing_to_do_is_left_alone_and_bad_input_ends_all(farm: Farm) -> None:
    idle = farm.child("idle", "import sys\ndef main():\n    open({log!r}, 'a').write('1\\n')\n    sys.exit(0)\n")
    steady = farm.child("steady", STEADY)
    farm.child("bad", "import sys, time\ndef main():\n    time.sleep(0.8)\n    sys.exit(2)\n")
    with farm.start() as supervisor:
        assert supervisor.wait(10) == 2
    assert len(pids(idle)) == 1
    assert all(gone(pid) for pid in pids(steady))


NEEDING = """
    import sys
    from deploy.supervise import Supervisor
    from shared.clock import SystemClock
    sys.path.insert(0, {directory!r})
    clock = SystemClock()
    supervisor, began, said = Supervisor(["steady", "brief"], clock), clock.seconds(), []
    def until():
        if not said and supervisor.children["brief"].process is not None:
            said.append(supervisor.need(["steady", "brief", "late"]))
        return clock.seconds() - began > 6
    sys.exit(supervisor.run(until))
"""


def test_what_is_needed_anew_is_started_also_where_it_was_about_to_end(farm: Farm) -> None:
    steady, late = farm.child("steady", STEADY), farm.child("late", STEADY)
    ends = "import os, sys, time\ndef main():\n    print(os.getpid(), file=open({log!r}, 'a'), flush=True)\n"
    brief = farm.child("brief", ends + "    time.sleep(1)\n    sys.exit(0)\n")
    script = textwrap.dedent(NEEDING.format(directory=str(farm.directory)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(farm.directory)])}
    assert subprocess.run([sys.executable, "-c", script], env=environment, timeout=30, check=False).returncode == 0
    assert len(pids(steady)) == len(pids(late)) == 1
    assert len(pids(brief)) == 2, "once more, and not again and again"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what a process has open")
def test_a_child_holds_none_of_its_brothers_sockets(farm: Farm) -> None:
    logs = [farm.child("steady", STEADY), farm.child("second", STEADY)]
    with farm.start() as supervisor:
        assert eventually(lambda: all(len(pids(log)) == 1 for log in logs))
        without = [eventually(partial(_no_socket, pids(log)[0])) for log in logs]
        supervisor.terminate()
        assert supervisor.wait(5) == 0
    assert all(without)


def _no_socket(pid: int) -> bool:
    try:
        return not any(str(entry.readlink()).startswith("socket:") for entry in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:  # closed while we looked
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_children_do_not_outlive_a_killed_supervisor(farm: Farm) -> None:
    log = farm.child("steady", STEADY)
    with farm.start() as supervisor:
        assert eventually(lambda: len(pids(log)) == 1)
        supervisor.kill()
        supervisor.wait(5)
    assert eventually(lambda: gone(pids(log)[0]))
