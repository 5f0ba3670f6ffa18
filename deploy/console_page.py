"""Writes docs/console.md from the command line itself: `python -m deploy.console_page > docs/console.md`."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer.main
from typer.core import TyperGroup

from deploy.console.app import build

EXAMPLES = {
    "init": "sunherd init --subnet 192.168.88.0/24",
    "discover miners": "sunherd discover miners --subnet 192.168.88.0/24",
    "discover kasa": "sunherd discover kasa --seconds 3",
    "check": "sunherd check --live",
    "up": "sunherd up",
    "miners list": "sunherd miners list --json",
    "miners add": "sunherd miners add s19-23 --driver vnish --host 192.168.88.23 --set stop_soc=95 --set resume_soc=99",
    "miners enable": "sunherd miners enable bitaxe-2",
    "miners disable": "sunherd miners disable bitaxe-2 --dry-run",
    "miners remove": "sunherd miners remove bitaxe-2 --yes",
    "import": "sunherd import rigs.json --nominal-w 900 --output rigs.yaml",
    "status": "sunherd status garage --json",
    "explain": "sunherd explain s19-20",
    "watch": "sunherd watch --events",
    "override": "sunherd override garage limit --watts 800",
    "maintenance": "sunherd maintenance s19-20 --for 3h",
    "cycle": "sunherd cycle rig-7",
    "restart": "sunherd restart s19-20",
    "identify": "sunherd identify bitaxe-1",
    "clear": "sunherd clear rig-7",
    "set": "sunherd set s19-20 stop_soc=70 resume_soc=75",
    "unset": "sunherd unset s19-20",
    "settings": "sunherd settings s19-20",
    "stop": "sunherd stop --all",
    "resume": "sunherd resume",
}
"""One of each command; the tests run them all."""
_HEAD = """\
# Every command

Generated from the commands by `python -m deploy.console_page > docs/console.md`. The examples are run by the tests.

`sunherd` is `.venv/bin/sunherd` of a checkout (`. .venv/bin/activate` puts it at hand), the same as
`python -m deploy.console`. It looks at the farm whose `farm.yaml` is in the directory where you are; `--farm FILE`
before the command, or `SUNHERD_FARM`, names another one. Each command tells more with `--help`.

Exit codes: 0 fine, 1 something is wrong, 2 bad input or nobody there. Errors say what is wrong, and then what mends it.
"""


@dataclass(frozen=True)
class Entry:
    """One command. `path` is how it is said, such as `miners add`."""

    path: str
    command: Any


def entries() -> list[Entry]:
    """All commands, in the order of the console's own help."""
    return list(_below(typer.main.get_command(build()), ()))


def page() -> str:
    """The whole page."""
    return (
        _HEAD + f"\nBefore any command:\n{_table(typer.main.get_command(build()))}" + "".join(map(_section, entries()))
    )


def _below(command: Any, path: tuple[str, ...]) -> Iterator[Entry]:
    if not isinstance(command, TyperGroup):
        yield Entry(" ".join(path), command)
        return
    for name, each in command.commands.items():
        yield from _below(each, (*path, name))


def _section(entry: Entry) -> str:
    example = EXAMPLES.get(entry.path, "")
    return f"\n## {entry.path}\n\n{_prose(entry.command)}\n\n```sh\n{example}\n```\n{_table(entry.command)}"


def _prose(command: Any) -> str:
    """What its help says, without its own examples."""
    paragraphs = re.split(r"\n\s*\n", (command.help or "").replace("\f", "").strip())
    told = [" ".join(paragraph.split()) for paragraph in paragraphs if "\b" not in paragraph]
    told = [paragraph for paragraph in told if not paragraph.startswith(("Example", "sunherd "))]
    epilog = " ".join((command.epilog or "").split())
    return "\n\n".join(paragraph for paragraph in [*told, epilog] if paragraph)


def _table(command: Any) -> str:
    rows = [_row(*record) for parameter in command.params if (record := parameter.get_help_record(_CONTEXT))]
    told = [row for row in rows if row is not None]
    return "" if not told else "\n| given | what it is |\n|---|---|\n" + "".join(told)


def _row(given: str, told: str) -> str | None:
    """None where the name says all, or where every command has it."""
    option = given.startswith("-")
    given = _TYPE.sub(lambda found: f" {_VALUES.get(found[1], 'TEXT')}" if option else "", given)
    told = told.replace("[required]", "").strip()
    return None if not told or "--help" in given else f"| `{_cell(given)}` | {_cell(told)} |\n"


_TYPE = re.compile(r" <(?:list\[)?(\w+)[^>]*>")
_VALUES = {"int": "NUMBER", "float": "NUMBER", "path": "FILE", "Path": "FILE"}
_CONTEXT = typer.main.get_command(build()).make_context("sunherd", ["--help"], resilient_parsing=True)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
