"""`make bench`: how fast, as ratios from one run on this machine."""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict

from tests.bench.reaction import Reaction, measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table, or JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Time from a change of the state of charge to the last miner's stop, whose web servers take 100 ms "
        "for an answer; beside a loop that visits one miner after another. Medians of several runs.",
    )
    parser.add_argument("--miners", type=int, nargs="+", default=[1, 10, 30], help="farm sizes (1 10 30)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    if min(options.miners) < 1 or options.runs < 1:
        parser.error("--miners and --runs take numbers from 1")
    found = [_median(count, options.runs) for count in options.miners]
    if options.json:
        rows = [{**asdict(reaction), "ratio": reaction.ratio} for reaction in found]
        sys.stdout.write(json.dumps({"runs": options.runs, "reaction": rows}, indent=2) + "\n")
        return 0
    sys.stdout.write("miners   one after another    Sunherd     ratio\n")
    for reaction in found:
        sys.stdout.write(
            f"{reaction.miners:6}   {reaction.sequential_seconds:15.2f} s   {reaction.sunherd_seconds:6.2f} s   "
            f"{reaction.ratio:5.1f}\n"
        )
    return 0


def _median(count: int, runs: int) -> Reaction:
    sys.stderr.write(f"{count} miners, {runs} runs ...\n")
    measured = [measure(count) for _ in range(runs)]
    return Reaction(
        count,
        statistics.median(one.sunherd_seconds for one in measured),
        statistics.median(one.sequential_seconds for one in measured),
    )


if __name__ == "__main__":
    sys.exit(main())
