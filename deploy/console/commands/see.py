"""`sunherd status`, `explain` and `watch`: what the farm does, why, and what happens."""

from typing import Annotated

import typer

from deploy.console.given import given_to
from deploy.console.names import complete_miner, complete_miner_or_group

_EXIT_CODES = (
    "Exit codes: 0 all is well; 1 something needs a person (a miner marked with !, no engine, SoC unknown, an "
    "emergency stop); 2 nobody is there, or a name is wrong."
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog=_EXIT_CODES)(status)
    app.command(epilog="Exit codes: 0 explained; 2 nobody is there, or no such miner.")(explain)
    app.command(epilog="Ctrl-C ends it with a summary. Exit codes: 0 ended by you; 2 nobody is there.")(watch)


def status(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MINER|GROUP]...", autocompletion=complete_miner_or_group, show_default=False),
    ] = None,
    *,
    watching: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and show it anew; Ctrl-C ends it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines; null is unknown.")] = False,
    unfold: Annotated[bool, typer.Option("--all", help="Each miner, also where there are more than 40.")] = False,
) -> None:
    """Show every miner, what it does and why, and the TOTAL: who is online, hashrate, power, efficiency.

    What is not known is shown as ?, and never added up: a figure that covers only some says "(from 2 of 3)". A reading
    counts only while its agent is heard and it is not older than three polls; so it listens for up to 15 s.

    Into a file or a pipe it writes one line for each miner, with a "!" behind its status where it needs a person:
    sunherd status | grep ' !'
    """
    from deploy.console.showing import run_status

    raise typer.Exit(run_status(given_to(context), names, watching=watching, as_json=as_json, unfold=unfold))


def explain(
    context: typer.Context,
    miner: Annotated[str, typer.Argument(metavar="MINER", autocompletion=complete_miner)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The same for machines; null is unknown.")] = False,
) -> None:
    """Explain why a miner is as it is: what is commanded, which limit binds, and everything else that has a say.

    A limit marked with > is the one that binds. Values that a person has chosen stand beside those of the farm file.
    """
    from deploy.console.showing import run_explain

    raise typer.Exit(run_explain(given_to(context), miner, as_json=as_json))


def watch(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MINER|GROUP]...", autocompletion=complete_miner_or_group, show_default=False),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Only events and what people want, not each decision.")
    ] = False,
    total_every: Annotated[
        str, typer.Option(metavar="TIME", help="How often the file of --log-file gets a TOTAL: line, such as 5min.")
    ] = "5min",
) -> None:
    """Tell what happens as it happens: decisions, changes, events, and who wanted what.

    A line reads [time] [name] sentence. With sunherd --log-file FILE watch the lines go into that file, too, a new one
    each day, and a TOTAL: line every 5 minutes.
    """
    from deploy.console.watching import run_watch

    raise typer.Exit(run_watch(given_to(context), names, as_json=as_json, only_events=events, total_every=total_every))
