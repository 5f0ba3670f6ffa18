"""Runs a command that ends with its parent: `python leash.py <parent pid> <command> ...`.

Linux ends the command by SIGTERM when the *thread* that started it ends: start it from a thread that lives as long as
the parent. Elsewhere the command runs without a leash.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h


def tie_to_parent(parent: int) -> None:
    """Asks the kernel for a SIGTERM when the parent ends; raises it at once where the parent has gone already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Turns this process into the command."""
    tie_to_parent(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is ours, and no shell is wanted


if __name__ == "__main__":
    main()
