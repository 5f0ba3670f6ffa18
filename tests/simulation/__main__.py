"""`make simulate`: days of whole farms in which something goes wrong, checked against every invariant at every step."""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from services.policy_engine.invariants import INVARIANTS
from tests.simulation.history import ALL_KINDS, history_of
from tests.simulation.play import Outcome, play
from tests.simulation.report import Report, described, told
from tests.simulation.shape import History
from tests.simulation.shrink import shrunk
from tests.simulation.world import quietly

_DAYS_EACH = 200
_EPILOG = """\
examples:
  python -m tests.simulation --seeds 0-9999            ten thousand days, on all cores
  python -m tests.simulation --seeds 147               one seed; a failure is shortened and printed
  python -m tests.simulation --seeds 147 --keep 2,5    the day of seed 147 with its incidents 2 and 5 only
  python -m tests.simulation --seeds 147 --keep none   the same day in peace
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays seeds; returns 1 when an invariant was broken."""
    options = _parser().parse_args(arguments)
    quietly()
    only = partial(play, only=options.only)
    days = (history_of(seed) for seed in options.seeds)
    histories = [_kept(day, options.keep) for day in days if options.having <= {one.kind for one in day.incidents}]
    report = Report(len(histories), options.jobs)
    for outcome in _play_all(only, histories, options.jobs):
        report.add(outcome)
        if outcome.breaches and options.until_broken:
            break
    summary = report.summary()
    sys.stdout.write(json.dumps(summary, indent=2) + "\n" if options.json else report.table())
    if report.broken and not options.no_shrink:
        sys.stdout.write(_shortest(report.broken[0]))
    return 1 if report.broken else 0


def _shortest(outcome: Outcome) -> str:
    """The shortest history that breaks the same invariant, as text and as a command that plays it again."""
    if outcome.first is None:
        return ""
    invariant = outcome.first.invariant
    sys.stderr.write(f"Looking for the shortest history that breaks {invariant} ...\n")

    def breaks(shorter: History) -> bool:
        return any(breach.invariant == invariant for breach in play(shorter).breaches)

    shortest = shrunk(outcome.history, breaks)
    again = play(shortest)
    keep = [str(outcome.history.incidents.index(incident)) for incident in shortest.incidents]
    command = f"python -m tests.simulation --seeds {shortest.seed} --keep {','.join(keep) or 'none'}"
    return f"\n{described(shortest)}\n{told(again)}\nAgain: {command}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Each seed makes a farm and a day of incidents: services killed and frozen, messages lost, devices "
        "that lie. The real services live through it on a virtual clock, and every invariant is checked at each step.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=_seeds, default=range(100), metavar="A-B", help="which seeds (0-99)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    parser.add_argument(
        "--keep", type=_numbers, metavar="N,N", help="only these incidents of each day, from 0; or none"
    )
    parser.add_argument(
        "--having",
        type=_kinds,
        default=frozenset(),
        metavar="KIND,KIND",
        help="only days with these kinds of incidents",
    )
    parser.add_argument("--only", choices=[one.name for one in INVARIANTS], help="look at this invariant alone")
    parser.add_argument("--until-broken", action="store_true", help="stop at the first broken invariant")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for the shortest history")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found:
        message = f"{text!r} is not a range of seeds such as 0-99"
        raise argparse.ArgumentTypeError(message)
    return found


def _kinds(text: str) -> frozenset[str]:
    kinds = frozenset(text.split(","))
    if not kinds <= set(ALL_KINDS):
        message = f"{', '.join(sorted(kinds - set(ALL_KINDS)))}: there are {', '.join(ALL_KINDS)}"
        raise argparse.ArgumentTypeError(message)
    return kinds


def _numbers(text: str) -> list[int]:
    try:
        return [] if text == "none" else [int(part) for part in text.split(",")]
    except ValueError as error:
        message = f"{text!r} is neither a list of numbers such as 2,5 nor none"
        raise argparse.ArgumentTypeError(message) from error


def _kept(history: History, keep: list[int] | None) -> History:
    if keep is None:
        return history
    return History(history.seed, tuple(one for index, one in enumerate(history.incidents) if index in keep))


def _play_all(play_one: Callable[[History], Outcome], histories: list[History], jobs: int) -> Iterator[Outcome]:
    if jobs <= 1 or len(histories) == 1:
        yield from map(play_one, histories)
        return
    # Fresh processes now and then, so that a long run shows the days' own memory and no other.
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=_DAYS_EACH) as pool:
        yield from pool.imap(play_one, histories)


if __name__ == "__main__":
    sys.exit(main())
