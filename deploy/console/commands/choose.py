"""Settings chosen instead of the farm file's: set, taken back, shown."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.console.commands.act import ask, farm_of
from deploy.console.given import given_to

if TYPE_CHECKING:
    from deploy.console.targets import Target
    from shared.messages import Choice


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(name="set")(choose)
    app.command()(unset)
    app.command()(settings)


def choose(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            help="Miners or groups, then settings: stop_soc, resume_soc, max_w, point; of a group max_w.",
            metavar="WHO... KEY=VALUE...",
            show_default=False,
        ),
    ],
) -> None:
    """Choose settings instead of the farm file's.

    They hold until they are taken back with unset. The engine checks them as the farm file's are checked, and keeps
    them through restarts; the file stays as it is.

    Example: sunherd set s19-20 stop_soc=70 resume_soc=75
    """
    from deploy.console.choosing import assignments
    from deploy.console.reach import connection_to
    from shared.messages import RequestKind

    connection = connection_to(given_to(context))
    targets, chosen = assignments(words, connection)
    choices = dict.fromkeys((target.name for target in targets), chosen)
    ask(given_to(context), targets, RequestKind.CHOOSE, choices)


def unset(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            help="Miners or groups, then settings; without any, all.", metavar="WHO... [KEY...]", show_default=False
        ),
    ],
) -> None:
    """Take chosen settings back.

    What the farm file says holds again.

    Examples: sunherd unset s19-20 stop_soc; sunherd unset s19-20
    """
    from deploy.console.choosing import keys_of, taken_back
    from deploy.console.reach import connection_to
    from shared.messages import RequestKind

    targets, keys = taken_back(words, connection_to(given_to(context)))
    choices = {target.name: dict.fromkeys(keys or keys_of(target)) for target in targets}
    ask(given_to(context), targets, RequestKind.CHOOSE, choices)


def settings(
    context: typer.Context,
    who: Annotated[
        list[str] | None, typer.Argument(help="Miners or groups; without any, all.", metavar="[WHO...]")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show settings, and what was chosen instead.

    What the farm file says, and beside it what has been chosen, by whom and since when. A setting that nobody has
    chosen shows as -; what the farm file says shows as ? where there is none to be read.
    """
    from deploy.console.choosing import settings_of, table
    from deploy.console.line import Line
    from deploy.console.reach import connection_to
    from deploy.console.targets import targets_of
    from shared.topics import GROUP_CHOICE, MINER_CHOICE

    connection = connection_to(given_to(context))
    targets = targets_of(who or [*connection.miners, *connection.groups], connection)
    with Line(connection, (MINER_CHOICE, GROUP_CHOICE)) as line:
        choices: dict[Target, Choice | None] = {
            target: line.word(GROUP_CHOICE if target.is_group else MINER_CHOICE, target.name) for target in targets
        }
    rows = settings_of(targets, farm_of(given_to(context)), choices)
    if as_json:
        data: dict[str, dict[str, object]] = {}
        for row in rows:
            data.setdefault(row.of.name, {})[row.key] = row.as_data()
        typer.echo(json.dumps(data, indent=2))
    else:
        typer.echo(table(rows), nl=False)
