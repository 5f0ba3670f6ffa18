"""`sunherd up`: the embedded farm."""

import typer

from deploy.console.given import given_to


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(up)


def up(context: typer.Context) -> None:
    """Run the farm on this machine: a broker if none is configured, and all services. Ctrl-C ends it.

    Logs and the memory of the broker live in .sunherd beside the farm file. A restart is safe.
    """
    from deploy import embedded

    raise typer.Exit(embedded.main(["--farm", str(given_to(context).farm_file)]))
