"""What a person wants of miners and groups: overrides, and what is asked for once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.console.given import Given, given_to
from deploy.console.trouble import EXIT_WRONG

if TYPE_CHECKING:
    from deploy.console.asking import Answer
    from deploy.console.targets import Target
    from shared.messages import Number, OverrideKind, RequestKind
    from shared.settings import FarmSettings

KINDS = {"pause": "pause", "force": "force_on", "limit": "limit", "automatic": "automatic"}
"""What is said, and the name of the override."""

_Who = Annotated[list[str], typer.Argument(help="One or more miners.", metavar="MINER...", show_default=False)]
_For = Annotated[str | None, typer.Option("--for", help="How long, such as 2h or 30min.", metavar="TIME")]
_Reason = Annotated[str, typer.Option(help="Why; it is shown wherever the decision is.", metavar="TEXT")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (override, maintenance, cycle, restart, identify, clear):
        app.command()(command)


def override(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            help="Miners or groups, then what: pause, force, limit or automatic.",
            metavar="WHO... KIND",
            show_default=False,
        ),
    ],
    lasts: _For = None,
    watts: Annotated[
        float | None, typer.Option(min=0, help="Of a limit: how many watts at most; of a group for all together.")
    ] = None,
    reason: _Reason = "",
) -> None:
    """Pause, force on, limit or free miners and groups.

    pause: off until you say automatic, or for a time. force: on although the battery is low; needs --for, and silences
    neither heat, stale input, caps nor the emergency stop. limit: at most --watts. automatic: the rules alone again.

    Says of each miner what has come of it. Exit code 1: no engine has taken it up.

    Examples: sunherd override s19-20 pause --for 2h; sunherd override garage limit --watts 800;
    sunherd override s19-20 s19-21 automatic
    """
    from deploy.console.targets import last_word
    from shared.messages import OverrideKind

    names, kind = last_word(words, KINDS, "kind of override")
    _override(given_to(context), names, OverrideKind(KINDS[kind]), lasts, reason, watts)


def maintenance(
    context: typer.Context,
    who: Annotated[list[str], typer.Argument(help="Miners or groups.", metavar="WHO...", show_default=False)],
    lasts: _For = None,
    reason: _Reason = "",
) -> None:
    """Hands off, while you work on a machine.

    Nothing is done to it; it is read as ever. Without --for it ends after 12 h; sooner by: sunherd override WHO
    automatic. An emergency stop stands above it.
    """
    from shared.messages import OverrideKind

    _override(given_to(context), who, OverrideKind.MAINTENANCE, lasts, reason, None)


def cycle(context: typer.Context, who: _Who) -> None:
    """Cut the power of a miner and give it back.

    It needs an outlet (plug: in the farm file). The engine refuses what would harm, and says why: exit code 1.
    """
    from shared.messages import RequestKind

    _ask_miners(given_to(context), who, RequestKind.CYCLE)


def restart(context: typer.Context, who: _Who) -> None:
    """Start a miner's own software anew.

    A paused miner is not restarted: that would start it. The engine says so: exit code 1.
    """
    from shared.messages import RequestKind

    _ask_miners(given_to(context), who, RequestKind.RESTART)


def identify(context: typer.Context, who: _Who) -> None:
    """Let a miner show which machine it is.

    It blinks, or says hello on its display. Its agent answers, whether an engine runs or not.
    """
    from shared.messages import RequestKind

    _ask_miners(given_to(context), who, RequestKind.IDENTIFY)


def clear(context: typer.Context, who: _Who) -> None:
    """Try a rig anew that was given up on.

    Its vain tries (unstable) are forgotten.
    """
    from shared.messages import RequestKind

    _ask_miners(given_to(context), who, RequestKind.CLEAR_UNSTABLE)


# --- what they share


def _override(
    given: Given, names: Sequence[str], kind: "OverrideKind", lasts: str | None, reason: str, watts: float | None
) -> None:
    from deploy.console import overriding
    from deploy.console.line import Line
    from deploy.console.reach import connection_to
    from deploy.console.scene import login_name
    from deploy.console.targets import lasting, targets_of

    connection = connection_to(given)
    targets = targets_of(names, connection)
    line = Line(connection, overriding.HEARD)
    said = overriding.wanted(kind, line.clock.now(), login_name(), lasting(lasts), reason, watts)
    farm = farm_of(given) if any(target.is_group for target in targets) else None
    members = {} if farm is None else {name: group.members for name, group in farm.groups.items()}
    with line:
        upshots = overriding.override(line, targets, said, members)
    for upshot in upshots:
        typer.echo(f"{upshot.miner}: {upshot.sentence}")
    unknown = [target.name for target in targets if target.is_group and target.name not in members]
    for name in unknown:
        typer.echo(f"{name}: the broker has it; who belongs to it is not known without a farm file")
    if unknown or not all(upshot.taken_up for upshot in upshots):
        raise typer.Exit(EXIT_WRONG)


def _ask_miners(given: Given, names: Sequence[str], kind: "RequestKind") -> None:
    from deploy.console.reach import connection_to
    from deploy.console.targets import targets_of

    ask(given, targets_of(names, connection_to(given), groups=False), kind, {})


def ask(
    given: Given,
    targets: "Sequence[Target]",
    kind: "RequestKind",
    choose: "Mapping[str, Mapping[str, Number | None]]",
) -> None:
    """Asks each, and says what was answered; ends with exit code 1 unless all is done. `choose`: by name."""
    from deploy.console.asking import Questions
    from deploy.console.reach import connection_to
    from deploy.console.scene import login_name

    questions = Questions(connection_to(given))
    with questions.line:
        answers: list[Answer] = questions.ask(targets, kind, login_name(), choose)
    for answer in answers:
        typer.echo(f"{answer.name}: {'' if answer.accepted else 'not done: '}{answer.sentence}")
    if not all(answer.accepted for answer in answers):
        raise typer.Exit(EXIT_WRONG)


def farm_of(given: Given) -> "FarmSettings | None":
    """The farm file's own words; None where there is none to be read."""
    from deploy.console.scene import place_of, scene_at

    return scene_at(place_of(given)).farm
