"""How a service is, for whoever watches its container: one line in a file, and the command that judges it.

The main thread writes the line at each beat to `SUNHERD_HEALTH_FILE`. Docker and Kubernetes ask for it:

    python -m shared.health live     the main thread has stirred within 20 s; else: start the container anew
    python -m shared.health ready    it is live, and hears the broker, or has nothing to do; else: look at the broker

Exit code 0: yes, 1: no; one line says why. 2: it was asked for something else. Only what is light is imported here: on
a small machine one of these runs every few seconds.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from shared.clock import SystemClock

HEALTH_FILE_VARIABLE = "SUNHERD_HEALTH_FILE"
HANG_EXIT_VARIABLE = "SUNHERD_HANG_EXIT_SECONDS"
LIVE_SECONDS = 20.0
"""Four beats of a service, and a busy machine."""
QUESTIONS = ("live", "ready")
_EXIT_USAGE = 2


class Health:
    """The sign of life of one process. Without the variables it does nothing."""

    def __init__(self, file: str | None = None, hang_exit_seconds: float | None = None) -> None:
        """`hang_exit_seconds`: when it has not stirred for so long, the process prints where it is and ends itself.

        It is for containers without a supervisor: what is frozen there would stay so, since nothing ends it.
        """
        self._file = file
        self._hang_exit_seconds = hang_exit_seconds
        self._trouble: str | None = None
        self._since_seconds = 0.0
        self._complained = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Health":
        """As the variables say; a hang time that is no number above 0 counts as none."""
        return cls(environment.get(HEALTH_FILE_VARIABLE) or None, _seconds(environment.get(HANG_EXIT_VARIABLE)))

    def stirred(self, seconds: float, trouble: str = "") -> None:
        """The main thread is here, at this real time. `trouble`: why the service is not ready; nothing when it is."""
        if self._hang_exit_seconds is not None:
            import faulthandler

            faulthandler.dump_traceback_later(self._hang_exit_seconds, exit=True)
        if self._file is None:
            return
        if trouble != self._trouble:
            self._trouble, self._since_seconds = trouble, seconds
        line = f"{seconds:.3f} {self._since_seconds:.3f} {trouble}".rstrip() + "\n"
        try:
            _write(self._file, line)
        except OSError as error:
            # Whoever watches sees an old file and acts; the service itself goes on.
            if not self._complained:
                self._complained = True
                sys.stderr.write(f"{self._file}: {error.strerror}; nobody can see that this process is well\n")


def judge(question: str, line: str, seconds: float) -> tuple[bool, str]:
    """Whether the answer to `live` or `ready` is yes for a line at this real time, and a sentence for people."""
    beat, _, rest = line.strip().partition(" ")
    since, _, trouble = rest.partition(" ")
    try:
        silent_seconds, state_seconds = seconds - float(beat), seconds - float(since)
    except ValueError:
        return False, "the health file cannot be read"
    if not 0 <= silent_seconds <= LIVE_SECONDS:
        return False, f"the main thread has not stirred for {silent_seconds:.0f} s"
    if trouble and question == "ready":
        return False, f"not ready for {state_seconds:.0f} s: {trouble}"
    return True, f"not ready, but live: {trouble}" if trouble else f"ready for {state_seconds:.0f} s"


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    if set(arguments) & {"-h", "--help"}:
        sys.stdout.write(f"{__doc__}")
        return 0
    if len(arguments) != 1 or arguments[0] not in QUESTIONS:
        sys.stderr.write("Ask `python -m shared.health live` or `python -m shared.health ready`.\n")
        return _EXIT_USAGE
    file = os.environ.get(HEALTH_FILE_VARIABLE)
    if not file:
        sys.stderr.write(f"Nobody writes a sign of life: set {HEALTH_FILE_VARIABLE} for service and question alike.\n")
        return _EXIT_USAGE
    try:
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - pathlib costs more time than all the rest
            line = opened.read()
    except OSError:
        sys.stdout.write("no sign of life yet\n")
        return 1
    fine, sentence = judge(arguments[0], line, SystemClock().seconds())
    sys.stdout.write(sentence + "\n")
    return 0 if fine else 1


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    number = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if not number:
        message = f"{HANG_EXIT_VARIABLE}: {text!r} is no time: write seconds, such as 60, or leave it out"
        raise ValueError(message)
    return number


def _write(file: str, line: str) -> None:
    """Whoever reads sees the whole line, old or new."""
    fresh = f"{file}.new"
    with open(fresh, "w", encoding="utf-8") as opened:  # noqa: PTH123 - as above
        opened.write(line)
    os.replace(fresh, file)  # noqa: PTH105 - as above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
