"""`make soak`: whether a farm stays as it is through hours of trouble, in minutes."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict

from tests.soak.findings import GROWTH_MAX_PERCENT, NOISE_MB, Verdict
from tests.soak.plan import Phases
from tests.soak.running import soak

_EPILOG = f"""\
What happens: the embedded farm as its owner runs it (real processes, real broker, real sockets) with stand-ins for the
miners and Home Assistant in processes of their own. The state of charge swings over all bands, so that every miner
pauses and starts again and again. Miners fall silent, answer half, reset, answer 500, lie, lock out; Home Assistant is
unavailable, restarts, freezes, talks nonsense; services and the broker are killed and frozen. A seed decides it all.

When: from 2 to 14 % of the time every service and the broker is killed twice, and everything else goes wrong as well.
Then all is well for a while, and at 20 % threads, sockets and descriptors are counted. From 20 to 95 % nobody is
killed, for a process that comes back has fresh memory; everything else goes wrong. Of this time the median of the first
quarter is compared with that of the last. From 95 % all is well again, and what is open is counted once more.

What is compared: all that a process has in memory and is no file's. PSS is shown beside it without a bound: services
are forked from one parent, and each page of it that a service writes to for the first time becomes its own. That moves
the PSS up, ever more slowly, although nothing is allocated; and the PSS depends on what else the machine runs.

Bounds (exit code 1 when one is broken): memory grows by at most {GROWTH_MAX_PERCENT:g} % in total and per process (a
process may grow by {NOISE_MB:g} MB); no thread, socket or descriptor more than before; nothing restarted but what was
killed; no exception in a log; at the end, with a full battery, every miner hashes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table, or JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Runs a farm through minutes of trouble and says whether it has kept anything.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=float, default=20.0, help="how long (20); under 10 services are still warming up"
    )
    parser.add_argument("--miners", type=int, default=100, help="how many stand-ins (100)")
    parser.add_argument("--seed", type=int, default=1, help="decides what goes wrong and when (1)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that the farm ends with us
    if min(options.minutes, options.miners) < 1:
        parser.error("--minutes and --miners take numbers from 1")
    verdict = soak(options.seed, options.minutes * 60, options.miners, _say)
    broken = verdict.broken()
    if options.json:
        settings = {"minutes": options.minutes, "miners": options.miners, "seed": options.seed}
        sys.stdout.write(json.dumps({**settings, **asdict(verdict), "broken": broken}, indent=2) + "\n")
    else:
        phases = Phases(options.minutes * 60)
        sys.stdout.write("\n".join(table(verdict, phases)) + "\n")
        sys.stdout.write("\n".join([f"BROKEN: {one}" for one in broken] or ["All bounds hold."]) + "\n")
    return 1 if broken else 0


def table(verdict: Verdict, phases: Phases) -> list[str]:
    """What was found, for people."""
    quarter = (phases.calm - phases.compared) / 4
    times = [phases.compared, phases.compared + quarter, phases.calm - quarter, phases.calm]
    minutes = "{:.1f} to {:.1f} and {:.1f} to {:.1f}".format(*(second / 60 for second in times))
    lines = [
        f"Memory in MB: medians of minutes {minutes}. Threads, sockets, descriptors: before and after all troubles."
    ]
    lines.append(_row("process", "allocated", "change", "PSS", "change", "threads", "sockets", "descr.", "restarts"))
    for role, one in verdict.growth.items():
        cells = [f"{one.first_mb:.2f} → {one.last_mb:.2f}", f"{one.percent:+.1f} %"]
        cells += [f"{one.first_pss_mb:.1f} → {one.last_pss_mb:.1f}", f"{one.pss_percent:+.1f} %"]
        if role in verdict.kept:
            held = verdict.kept[role]
            cells += [f"{before} → {after}" for before, after in (held.threads, held.sockets, held.descriptors)]
            cells.append(str(verdict.restarts.get(role, 0)))
        lines.append(_row(role, *cells))
    troubles = ", ".join(f"{name} {count}" for name, count in sorted(verdict.troubles.items()))
    lines.append(f"Troubles: {troubles}.")
    lines.append(f"With all well again {verdict.hashing[0]} of {verdict.hashing[1]} miners hash.")
    return lines


def _row(name: str, *cells: str) -> str:
    widths = (16, 8, 15, 8, 11, 11, 11, 9)
    return f"{name:14}" + "".join(f" {cell:>{width}}" for cell, width in zip(cells, widths, strict=False))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
