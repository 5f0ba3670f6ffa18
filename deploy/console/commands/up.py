"""`sunherd up`: the embedded farm."""

from typing import Annotated

import typer

from deploy.console.given import given_to
from deploy.console.names import complete_miner


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(up)


def up(
    context: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Run this miner alone; may be said several times.", autocompletion=complete_miner
        ),
    ] = None,
) -> None:
    """Run the farm on this machine: a broker if none is configured, and all services. Ctrl-C ends it.

    Logs and the memory of the broker live in .sunherd beside the farm file. A restart is safe.
    With --only the farm is as if it had no other miners: caps of groups count these alone, and nobody tends the others.
    """
    from deploy import embedded

    words = [word for name in only or () for word in ("--only", name)]
    raise typer.Exit(embedded.main(["--farm", str(given_to(context).farm_file), *words]))
