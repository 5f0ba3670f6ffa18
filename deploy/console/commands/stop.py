"""`sunherd stop` and `sunherd resume`: everything off at once, whatever is ill, and the end of that."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.console.given import Given, given_to
from deploy.console.trouble import EXIT_WRONG, TroubleError

if TYPE_CHECKING:
    from deploy.console.direct.effort import Result
    from deploy.console.scene import Place
    from deploy.console.stopping import Ending
    from deploy.console.targets import Target
    from shared.settings import FarmSettings

_FEW = 10
"""So many confirmed miners are still told one by one."""
_Reason = Annotated[str, typer.Option(help="Why; it is shown wherever the stop is.", metavar="TEXT")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(stop)
    app.command()(resume)


def stop(
    context: typer.Context,
    who: Annotated[list[str] | None, typer.Argument(help="Miners or groups; or say --all.", metavar="[WHO...]")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="The emergency stop: every miner of the farm.")] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Tell the devices themselves at once, whether anybody obeys or not.")
    ] = False,
    reason: _Reason = "",
) -> None:
    """Stop everything, or some miners, now.

    Also with broker or engine dead.

    --all sets the emergency stop: on the broker, where every agent obeys it by itself, and in a file for the agents of
    this machine. It stands through restarts until: sunherd resume. Miners by name are paused, until: sunherd override
    WHO automatic.

    Devices of which nobody is known to take care are told directly, at once; so are all others that have not been seen
    to obey after 2.5 s. Antminers stop, Bitaxes pause (before firmware 2.14: lowest point), rigs without an interface
    lose their outlet. Each is read back.

    Exit code 1: something could not be reached or confirmed; it is named.

    Examples: sunherd stop --all --reason smoke; sunherd stop s19-20
    """
    if everything == bool(who):
        message = "Say whom: --all, or names of miners, not both. Fix: sunherd stop --all, or sunherd stop s19-20."
        raise TroubleError(message)
    given = given_to(context)
    ended = _stop_all(given, reason, direct=direct) if everything else _stop_some(given, who or [], reason, direct)
    _tell(ended.results)
    if ended.broker:
        typer.echo(f"The broker has not got the word: {ended.broker}")
        typer.echo("Nobody elsewhere knows of it. Fix: say the same again when the broker answers.")
    if ended.broker or any(result.outcome != "confirmed" for result in ended.results.values()):
        raise typer.Exit(EXIT_WRONG)


def resume(context: typer.Context, reason: _Reason = "") -> None:
    """Lift the emergency stop, and say what stood.

    It is lifted on the broker and in the file of this machine. It starts nothing: the rules decide again, with all
    their times and gates. Miners that were stopped by name stay paused. Exit code 1: something still stands, or the
    broker could not be asked.
    """
    from contextlib import ExitStack

    from deploy.console import resuming
    from deploy.console.line import Line
    from deploy.console.scene import login_name, place_of, scene_at

    place = place_of(given_to(context))
    scene = scene_at(place)
    with ExitStack() as opened:
        line, trouble = None, scene.trouble
        try:
            if scene.connection is not None:
                line = opened.enter_context(Line(scene.connection, resuming.HEARD))
        except TroubleError as error:
            trouble = str(error)
        site = "" if scene.connection is None else scene.connection.site
        stands = resuming.standing(line, place, site)
        for sentence in stands.sentences(place):
            typer.echo(sentence)
        word = None if line is None else stands.resume(line, login_name(), reason)
        lifted = word is None or line is None or resuming.lift(line, site, word)
        removed = _is_removed(place)
        left = [] if line is None else resuming.still_stopped(line)
    if not stands and not left and line is not None:
        typer.echo("No emergency stop stands.")
        return
    _tell_of_resume(left, trouble if line is None else "", lifted=lifted, removed=removed)


# --- inside


def _stop_all(given: Given, reason: str, *, direct: bool) -> "Ending":
    """The file first: it needs nobody, and nothing that may be ill."""
    from deploy.console.line import Line
    from deploy.console.scene import login_name, place_of, scene_at
    from deploy.console.stopping import BROKER_SECONDS, Order
    from deploy.console.stopping import stop as begin
    from shared.messages import EmergencyStop
    from shared.topics import EMERGENCY_STOP

    place = place_of(given)
    word = EmergencyStop(at=place.clock.now(), active=True, by=login_name(), reason=reason)
    try:
        place.latch.write(word)
        typer.echo(f"Emergency stop set in {place.latch.path}, for the agents of this machine.")
    except OSError as error:
        typer.echo(f"{place.latch.path} cannot be written: {error.strerror}. The agents here hear of it by the broker.")
    scene = scene_at(place)
    connection = scene.connection
    if scene.farm is None:
        typer.echo(f"{scene.trouble}\nWithout it no device can be told directly.")
    site = "" if connection is None else connection.site

    def tell(line: Line) -> bool:
        line.say(EMERGENCY_STOP, site, word)

        def is_back() -> bool:
            back = line.word(EMERGENCY_STOP, site)
            return back is not None and back.active and back.at >= word.at

        return line.listen(BROKER_SECONDS, is_back)

    names = tuple(scene.farm.miners) if scene.farm is not None else tuple(connection.miners if connection else ())
    return begin(Order(names, everything=True, tell=tell, direct=direct), scene)


def _stop_some(given: Given, who: list[str], reason: str, direct: bool) -> "Ending":
    """A pause of each, and then the devices."""
    from deploy.console import overriding
    from deploy.console.line import Line
    from deploy.console.scene import login_name, place_of, scene_at
    from deploy.console.stopping import BROKER_SECONDS, Order
    from deploy.console.stopping import stop as begin
    from deploy.console.targets import targets_of
    from shared.messages import OverrideKind

    scene = scene_at(place_of(given))
    if scene.connection is None:
        raise TroubleError(scene.trouble)
    targets = targets_of(who, scene.connection)
    word = overriding.wanted(OverrideKind.PAUSE, scene.place.clock.now(), login_name(), None, reason)

    def tell(line: Line) -> bool:
        try:
            overriding.say(line, targets, word, BROKER_SECONDS)
        except TroubleError:
            return False
        return True

    names = tuple(dict.fromkeys(name for target in targets for name in _members(scene.farm, target)))
    return begin(Order(names, everything=False, tell=tell, direct=direct), scene)


def _members(farm: "FarmSettings | None", target: "Target") -> list[str]:
    if not target.is_group:
        return [target.name]
    if farm is None:
        message = f"Who belongs to {target.name} is not known without a farm file. Fix: name the miners themselves."
        raise TroubleError(message)
    return list(farm.groups[target.name].members)


def _tell(results: "Mapping[str, Result]") -> None:
    """Those of which something is not sure come by name, whatever their number."""
    sure = [name for name, result in results.items() if result.outcome == "confirmed"]
    typer.echo(f"{len(sure)} of {len(results)} confirmed.")
    for name, result in results.items():
        if result.outcome != "confirmed":
            typer.echo(f"  {name}: {result.outcome.upper()}: {result.words}")
        elif len(results) <= _FEW or result.words != "stopped":
            typer.echo(f"  {name}: {result.words}")
    if len(sure) < len(results):
        typer.echo("Fix: say it again; what still does not answer has to be switched off by hand.")


def _is_removed(place: "Place") -> bool:
    try:
        place.latch.remove()
    except OSError as error:
        typer.echo(f"{place.latch.path} cannot be removed: {error.strerror}. Fix: remove it as its owner.")
        return False
    return True


def _tell_of_resume(left: list[str], trouble: str, *, lifted: bool, removed: bool) -> None:
    if trouble:
        typer.echo(f"{trouble}\nIf a stop stands on the broker, it stands on. Fix: resume again when it answers.")
    elif not lifted:
        typer.echo("The broker has not taken it, or another stop was set meanwhile. Fix: resume again.")
    if left:
        typer.echo(f"Not heard to be free of a stop: {', '.join(left)}. Fix: look at their agents.")
    if trouble or left or not (lifted and removed):
        raise typer.Exit(EXIT_WRONG)
    typer.echo("Lifted. Nothing is started by that: the rules decide again.")
