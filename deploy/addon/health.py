"""Whether the add-on's farm still turns: the container's health check, `python -m deploy.addon.health`.

The supervising process writes down the time at each look after its children (a frozen service or a dead broker it
mends itself); when it stands still, nobody does, and Home Assistant's watchdog has to start the add-on again.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.clock import Clock, SystemClock

ALIVE_FILE = Path("/tmp/sunherd-alive")  # noqa: S108 - inside the container's own /tmp, and it holds only a number
WRITE_SECONDS = 5.0
SILENT_SECONDS = 60.0


def sign_of_life(file: Path, clock: Clock) -> Callable[[], bool]:
    """To be called often; writes at most every `WRITE_SECONDS`. Its answer is always False: it ends nothing."""
    written_at = -WRITE_SECONDS

    def write() -> bool:
        nonlocal written_at
        now = clock.seconds()
        if now - written_at >= WRITE_SECONDS:
            written_at = now
            fresh = file.with_name(file.name + ".new")
            fresh.write_text(repr(now), encoding="ascii")
            fresh.replace(file)
        return False

    return write


def complaint(file: Path, now_seconds: float) -> str | None:
    """What is wrong; None while all is well."""
    try:
        silent_seconds = now_seconds - float(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return "the farm has not started yet"
    except (OSError, ValueError) as error:
        return f"{file} cannot be read: {error}"
    # A file from before a reboot of the machine lies in the future of the new clock.
    if not 0 <= silent_seconds <= SILENT_SECONDS:
        return f"the supervising process has not stirred for {silent_seconds:.0f} s"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when healthy, 1 when not; says why."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.addon.health",
        description="Tells whether the add-on's farm still turns: exit 0 when it does, 1 when not.",
    )
    parser.add_argument("--file", type=Path, default=ALIVE_FILE, help="where the farm writes (default: %(default)s)")
    wrong = complaint(parser.parse_args(arguments).file, SystemClock().seconds())
    sys.stdout.write(f"{wrong or 'alive'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
