"""`make chaos`: whether replicas keep their promises while they are killed, frozen and cut off."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.checker import PROMISES, check
from tests.chaos.drills import DRILLS
from tests.chaos.field import cast_of
from tests.chaos.history import History
from tests.chaos.plan import Cast, Trouble, battery, plan
from tests.chaos.report import as_json, as_text, load_history, save_history
from tests.chaos.running import carry_out
from tests.chaos.times import Times, band

_BUILD = Path("build")
_CALM_SECONDS = 60.0

_EPILOG = """\
What happens: a real mosquitto, replicas of policy_engine, vnish_agent and soc_bridge as processes of their own, VNish
stand-ins and Home Assistant's, and a man in the middle between each replica and the broker. The battery steps up and
down through all bands, so that every miner has to stop and start. From a seed: replicas and broker are killed and
frozen; replicas are cut off (reset, or a black hole in one or both directions), leave, join, or come with a wrong
clock; the broker comes back without its memory; miners hang; Home Assistant fails. Then all is well for a minute.

What is looked at: everything on the broker, and what the miners themselves have seen. docs/chaos.md explains the rules:
{promises}

What comes out: a report; build/chaos-<seed>.json, the same for programs; build/chaos-<seed>-history.json, everything
that was recorded, which --check looks at again. Exit code 1: a promise was broken. 130: ended by Ctrl-C.

The same seed gives the same troubles. It does not give the same history: processes take the time that they take.

Examples:
  python -m tests.chaos --minutes 2                 two minutes, 3 replicas, 50 miners
  python -m tests.chaos --minutes 30 --seed 7       the half hour of docs/chaos.md
  python -m tests.chaos --engine-kills 20           kills whichever engine is in charge, 20 times; nothing else is wrong
  python -m tests.chaos --agent-kills 6             how soon the devices of a killed agent are tended again
  python -m tests.chaos --joins 3                   which share of the devices a new replica gets
  python -m tests.chaos --check build/chaos-7-history.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; progress goes to standard error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.check is not None:
        try:
            return _judge(load_history(options.check), None)
        except (OSError, ValueError) as error:
            parser.error(f"{options.check} cannot be read as a history: {str(error).splitlines()[0]}")
    if min(options.replicas, options.miners) < 1 or options.minutes <= 0:
        parser.error("--minutes, --replicas and --miners take numbers above 0")
    if options.joins and options.replicas == 1:
        parser.error("--joins needs --replicas of at least 2: one replica alone shares with nobody")
    history = _planned(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        carry_out(history, _say, options.keep)
    except KeyboardInterrupt:
        _say("ended early: every process has been ended, and nothing was judged")
        return 130
    name = f"chaos-{history.seed}"
    save_history(history, _BUILD / f"{name}-history.json")
    return _judge(history, _BUILD / f"{name}.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kills, freezes and cuts off replicas at random on a real broker, and checks the history.",
        epilog=_EPILOG.format(promises="\n".join(f"  - {promise}" for promise in PROMISES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (2), and a minute and a half besides")
    parser.add_argument("--seed", type=int, default=1, help="decides what goes wrong and when (1)")
    parser.add_argument("--replicas", type=int, default=3, help="of the agent (3); engine and bridge: two, with 1 one")
    parser.add_argument("--miners", type=int, default=50, help="how many stand-ins (50)")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="leave the logs of all processes there")
    instead = parser.add_mutually_exclusive_group()
    for one in DRILLS:
        said = f"in place of chaos: {one.help}"
        instead.add_argument(f"--{one.option}", dest=one.option, type=int, metavar="N", default=0, help=said)
    instead.add_argument("--check", type=Path, metavar="FILE", help="look at a recorded history again; runs nothing")
    return parser


def _planned(options: argparse.Namespace) -> History:
    cast = cast_of(options.replicas, options.miners)
    troubles, seconds = _troubles(options, cast)
    return History(
        times=Times(),
        cast=cast,
        bands={name: band(number) for number, name in enumerate(cast.miners)},
        seconds=seconds,
        calm_seconds=_CALM_SECONDS,
        seed=options.seed,
        planned=troubles,
        battery=battery(options.seed, seconds),
    )


def _troubles(options: argparse.Namespace, cast: Cast) -> tuple[list[Trouble], float]:
    for one in DRILLS:
        times = getattr(options, one.option)
        if times:
            return one.troubles(cast, times)
    seconds = options.minutes * 60
    return plan(options.seed, seconds, cast), seconds


def _judge(history: History, file: Path | None) -> int:
    verdict = check(history)
    if file is not None:
        file.write_text(as_json(history, verdict) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(as_text(history, verdict)) + "\n")
    sys.stdout.write(f"{len(verdict.broken)} breaks of promises.\n" if verdict.broken else "All promises were kept.\n")
    return 1 if verdict.broken else 0


def _leave(_number: int, _frame: object) -> None:
    """Once: who presses Ctrl-C twice must not leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
