"""The command line of `python -m deploy.fleet`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

_EXIT_CODES = "exit codes: 0 fine, 1 something is wrong, 2 bad input, or Docker or the broker cannot be reached"


def parser() -> argparse.ArgumentParser:
    """The commands, each with a help that teaches."""
    whole = argparse.ArgumentParser(
        prog="python -m deploy.fleet",
        description="Looks after the services of the farm that runs here: their containers (Docker) beside what their "
        "replicas say (MQTT). With `make`: make fleet ARGS='status --watch'.",
        epilog="examples: status --watch; doctor; scale vnish-agent=3; restart --rolling; prune --yes. "
        "The broker: --broker, else SUNHERD_BROKER__URL (environment or .env), else the port that Docker publishes, "
        f"else the embedded farm of this directory. Password: SUNHERD_BROKER_PASSWORD_FLEET. {_EXIT_CODES}",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="the answer for machines, on standard output")
    common.add_argument("--broker", metavar="URL", help="such as mqtt://192.168.1.5:1883, or mqtts:// with TLS")
    common.add_argument("--ca-file", type=Path, metavar="FILE", help="with mqtts: whose certificates count")
    common.add_argument("--project", metavar="NAME", help="the compose project (default: the one of this directory)")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_looking(commands, common)
    _add_changing(commands, common)
    return whole


def _add_looking(commands: "_Commands", common: argparse.ArgumentParser) -> None:
    shown = commands.add_parser(
        "status",
        parents=[common],
        help="containers, and beside them what their replicas say",
        description="Containers with health, restarts, memory and processor; their replicas with presence (live, "
        "possible, ghost, gone, never heard), how many units each tends, what it holds, and its clock against ours. "
        "Takes up to 16 s when somebody is silent. Without Docker or without a broker it shows the other half.",
        epilog=_EXIT_CODES,
    )
    shown.add_argument("--watch", action="store_true", help="anew every 2 s, until Ctrl-C")
    commands.add_parser(
        "doctor",
        parents=[common],
        help="finds the usual faults: what each means, and what mends it",
        description="Listens for 16 s and looks at containers, images, farm files, passwords, clocks, battery, "
        "engines, replicas and devices. Changes nothing.",
        epilog=_EXIT_CODES,
    )
    pruned = commands.add_parser(
        "prune",
        parents=[common],
        help="lets the broker forget replicas that are gone for good",
        description="Lists replicas that are gone or silent, have no container here, and have given no sign of life "
        "for so long; with --yes the broker forgets them. Nothing else is touched; one that comes back is heard again.",
        epilog=f"example: prune --older-than 2d --yes. {_EXIT_CODES}",
    )
    pruned.add_argument("--older-than", default="24h", metavar="TIME", help="default: %(default)s")
    pruned.add_argument("--yes", action="store_true", help="do it; without it they are only listed")


def _add_changing(commands: "_Commands", common: argparse.ArgumentParser) -> None:
    scaled = commands.add_parser(
        "scale",
        parents=[common],
        help="so many containers share the work of a service",
        description="Has compose make or remove containers, then waits until every device has exactly one owner, "
        "nobody still leaves one, and all replicas count one another.",
        epilog=f"examples: scale vnish-agent=3; scale vnish-agent=2 policy-engine=2. {_EXIT_CODES}",
    )
    scaled.add_argument("services", nargs="+", metavar="SERVICE=N")
    restarted = commands.add_parser(
        "restart",
        parents=[common],
        help="restarts containers one at a time",
        description="Stops and starts one container after the other; goes on only when the last is healthy, heard, and "
        "ownership has settled. Who acts for the whole site (engine, bridge) comes last. A new image or changed .env "
        "needs `docker compose up --detach` instead.",
        epilog=f"examples: restart --rolling; restart vnish-agent --rolling. {_EXIT_CODES}",
    )
    restarted.add_argument("services", nargs="*", metavar="SERVICE", help="default: all that share work")
    restarted.add_argument("--rolling", action="store_true", help="the only way it does it; to be said")
    scaled.add_argument("--within", default="2min", metavar="TIME", help="how long to wait (default: %(default)s)")
    each = "how long to wait for each container (default: %(default)s)"
    restarted.add_argument("--within", default="2min", metavar="TIME", help=each)
