"""`sunherd miners`: who is in the farm file; one or many more, fewer, or for a while not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.console.given import given_to
from deploy.console.trouble import TroubleError

if TYPE_CHECKING:
    from deploy.console.editing.farm_file import Change

_NAMES_SHOWN = 12
_DRY_RUN = typer.Option("--dry-run", help="Show what would change, and change nothing.")
_Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Ids of miners.")]
_DryRun = Annotated[bool, _DRY_RUN]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    room = typer.Typer(
        help="The miners of the farm file: list, add, enable, disable, remove. Comments in the file stay.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    room.command("list")(list_miners)
    room.command("add")(add)
    room.command("enable")(enable)
    room.command("disable")(disable)
    room.command("remove")(remove)
    app.add_typer(room, name="miners")


def list_miners(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """List the miners of the farm file: name, driver, address, and whether Sunherd acts on them.

    enabled: it is herded. observed: it is only watched. disabled: it is left out of everything.
    """
    import json

    from deploy.console.editing.farm_file import whole_farm
    from deploy.console.editing.listing import entries_of
    from deploy.fleet.table import table

    entries = entries_of(whole_farm(given_to(context).farm_file))
    if as_json:
        typer.echo(json.dumps(entries, indent=2))
        return
    rows = [(each["name"], each["driver"], each["address"], f"[{each['state']}]") for each in entries]
    typer.echo("\n".join(table(("miner", "driver", "address", "state"), rows)) if rows else "There is no miner yet.")


def add(  # noqa: PLR0913 - the options of a command
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Its id: a to z, 0 to 9, - and _.")] = None,
    driver: Annotated[str | None, typer.Option(help="vnish, bitaxe or plug.")] = None,
    host: Annotated[str | None, typer.Option(help="Address of its web page, such as 192.168.1.20.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of the miner, such as stop_soc=73.")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group to join; made where there is none.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Many at once: a table whose head names the keys.")] = None,
    defaults: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="For all rows that do not say otherwise.")
    ] = None,
    *,
    dry_run: _DryRun = False,
) -> None:
    """Add a miner, or all of a table.

    \b
    sunherd miners add s19-23 --driver vnish --host 192.168.88.23 --set stop_soc=95 --set resume_soc=99
    sunherd miners add rig-8 --driver plug --set nominal_w=900 --set plug.host=192.168.1.50 --set 'plug.outlet=Rig 8'
    sunherd miners add --csv rigs.csv --defaults driver=vnish --group hall

    A table begins with a head such as name,driver,host,plug.host,group. Nothing is written unless every row is good.
    Passwords belong into .env, not here: S19_23_PASSWORD.
    """  # noqa: D301 - the mark for lines that are not joined
    from deploy.console.editing.adding import add_rows, one_row, table_of_file
    from deploy.console.editing.table_file import Table

    file = given_to(context).farm_file
    if (csv is None) == (name is None):
        message = "give the name of a miner, or a table with --csv. Fix: sunherd miners add --help shows both."
        raise TroubleError(message)
    groups = tuple(group or ())
    if csv is not None:
        if driver or host or settings:
            message = "--driver, --host and --set are for one miner. Fix: with --csv use --defaults driver=vnish."
            raise TroubleError(message)
        change, names = add_rows(file, table_of_file(csv, defaults or [], groups), str(csv), dry_run=dry_run)
    else:
        row = one_row(name or "", driver, host, [*(defaults or []), *(settings or [])], groups)
        change, names = add_rows(file, Table([row]), dry_run=dry_run)
    _tell(file, change, f"added {_listed(names)}")


def enable(context: typer.Context, names: _Names, *, dry_run: _DryRun = False) -> None:
    """Herd miners again that were disabled."""
    _switch(context, names, dry_run=dry_run, enabled=True)


def disable(context: typer.Context, names: _Names, *, dry_run: _DryRun = False) -> None:
    """Leave miners out of everything, and keep their settings.

    Nothing stops such a miner: it goes on as it is. Its id and address stay its own; it counts in no cap of a group.
    """
    _switch(context, names, dry_run=dry_run, enabled=False)


def remove(
    context: typer.Context,
    names: _Names,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: _DryRun = False,
) -> None:
    """Take miners out of the farm file, and out of its groups. To keep their settings, disable them instead."""
    import sys

    from deploy.console.editing.farm_file import change_farm
    from deploy.console.editing.membership import removing

    file = given_to(context).farm_file
    if not yes and not dry_run:
        change_farm(file, lambda data: removing(data, names), dry_run=True)  # what cannot be done is not asked for
        if not sys.stdin.isatty():
            message = "nobody is here to be asked. Fix: add --yes."
            raise TroubleError(message)
        typer.confirm(f"Remove {_listed(names)} from {file}?", abort=True)
    change = change_farm(file, lambda data: removing(data, names), dry_run=dry_run)
    _tell(file, change, f"removed {_listed(names)}")


def _switch(context: typer.Context, names: list[str], *, dry_run: bool, enabled: bool) -> None:
    from deploy.console.editing.farm_file import change_farm
    from deploy.console.editing.membership import switching

    file = given_to(context).farm_file
    change = change_farm(file, lambda data: switching(data, names, enabled=enabled), dry_run=dry_run)
    _tell(file, change, f"{'enabled' if enabled else 'disabled'} {_listed(names)}")


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMES_SHOWN else f"{len(names)} miners"


def _tell(file: Path, change: "Change", done: str) -> None:
    from deploy.console.editing.listing import difference

    if change.after == change.before:
        typer.echo(f"{file}: it is so already; nothing was changed.")
    elif change.backup is None:
        typer.echo("\n".join([*difference(change, str(file)), f"Nothing was written: {done} only on trial."]))
    else:
        typer.echo(f"{file}: {done}. The file before is {change.backup.name}.")
