"""`sunherd init`: a farm file of what is there, checked before it is written."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from dotenv import dotenv_values

from deploy.console.given import given_to
from deploy.console.trouble import EXIT_WRONG, TroubleError

if TYPE_CHECKING:
    from deploy.console.finding.interview import Given, Interview

_NEXT = """\
Next: sunherd check --live    does everything answer as written?
      sunherd up              run it; with observe: true it touches no miner"""


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(init)


def init(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    *,
    subnet: Annotated[list[str] | None, typer.Option(help="A subnet to search for miners. Repeatable.")] = None,
    ha_url: Annotated[str | None, typer.Option(help="Home Assistant's URL, or none. Token: HA_TOKEN.")] = None,
    sensor: Annotated[str | None, typer.Option(help="The entity of the battery's state of charge.")] = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://host:1883, or own. Password: MQTT_PASSWORD.")] = None,
    broker_username: Annotated[str | None, typer.Option(help="Its user name.")] = None,
    band: Annotated[str | None, typer.Option(help="For all miners that the battery feeds, such as 50-60.")] = None,
    miner_band: Annotated[list[str] | None, typer.Option(help="NAME=30-40, or NAME=none. Repeatable.")] = None,
    plug: Annotated[list[str] | None, typer.Option(help="NAME=HOST or NAME=HOST#OUTLET. Repeatable.")] = None,
    watts: Annotated[list[str] | None, typer.Option(help="Of a rig without interface: NAME=1100.")] = None,
    kasa_target: Annotated[
        list[str] | None, typer.Option(help="Where plugs are asked for (default: the subnets' broadcast addresses).")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Europe/Lisbon (default: this machine's).")] = None,
    port: Annotated[int, typer.Option(help="Where the miners' web pages are.", min=1, max=65535)] = 80,
    output: Annotated[
        Path | None,
        typer.Option(help="The farm file to make (default: as --farm, else farm.yaml here).", metavar="FILE"),
    ] = None,
    large: Annotated[bool, typer.Option("--large", help="Also subnets of more than a /20.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the options and the defaults.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file; the old one is kept.")] = False,
) -> None:
    """Make a farm file: find miners and plugs, ask for the rest, prove each by reading it, and check the whole.

    Nothing is switched or set. Passwords and tokens are asked for or taken from the environment (VNISH_PASSWORD,
    HA_TOKEN, MQTT_PASSWORD, KASA_USERNAME, KASA_PASSWORD), and written to .env beside the farm file. Without a
    terminal nothing is asked.

    Example: sunherd init --subnet 192.168.88.0/24
    """
    from deploy.console.finding.interview import Given

    given = Given(
        subnets=subnet or (),
        large=large,
        port=port,
        time_zone=time_zone,
        ha_url=ha_url,
        sensor=sensor,
        band=band,
        bands=miner_band or (),
        broker=broker,
        broker_username=broker_username,
        kasa_targets=kasa_target or (),
        plugs=plug or (),
        watts=watts or (),
    )
    _make(output or given_to(context).farm_file, given, may_ask=not yes, overwrite=overwrite)


def _make(output: Path, given: "Given", *, may_ask: bool, overwrite: bool) -> None:
    from deploy.console.finding.asking import Asker
    from deploy.console.finding.draft import farm_text
    from deploy.console.finding.interview import Interview, on_a_terminal
    from shared.clock import SystemClock
    from shared.settings import Secrets

    asker = Asker(asks=may_ask and on_a_terminal())
    if not output.parent.is_dir():
        message = f"{output.parent} is no directory. Fix: make it, or --output another file."
        raise TroubleError(message)
    question = f"{output} is there already. Replace it? (the old one is kept)"
    if output.exists() and not overwrite and not (asker.asks and asker.confirmed(question, default=False)):
        message = f"{output} is there already, and was not touched. Fix: --overwrite, or --output another file."
        raise TroubleError(message)
    interview = Interview(asker, given, Secrets.beside(output), SystemClock(), output)
    text = farm_text(interview.draft())
    interview.fresh |= _kept_from_the_environment(output, interview)
    _prove(output, text, interview.fresh)
    if asker.asks:
        asker.say(f"\n{text}")
    if not asker.confirmed(f"The farm file is sound. Write {output}?", default=True):
        message = "Nothing was written."
        raise TroubleError(message, exit_code=EXIT_WRONG)
    _write(output, text, interview.fresh)


def _kept_from_the_environment(output: Path, interview: "Interview") -> dict[str, str]:
    """Secrets of this shell alone that the farm was made with: the next shell would not have them."""
    present = dotenv_values(output.parent / ".env")
    used = [name for name in interview.used if os.environ.get(name) and not present.get(name)]
    return {name: os.environ[name] for name in used if name not in interview.fresh}


def _prove(output: Path, text: str, fresh: Mapping[str, str]) -> None:
    """By the loader of the services, before anything is there. Raises FarmFileError."""
    from deploy.environment import write_private
    from shared.settings import Secrets, load_farm
    from shared.settings.secrets import SECRETS_DIRECTORY_VARIABLE

    directory = Path(os.environ.get(SECRETS_DIRECTORY_VARIABLE, "/run/secrets"))
    secrets = Secrets(os.environ, dotenv_values(output.parent / ".env") | dict(fresh), directory)
    trial = output.with_name(output.name + ".trial")
    write_private(trial, text)
    try:
        load_farm(trial, secrets)
    finally:
        trial.unlink()


def _write(output: Path, text: str, fresh: Mapping[str, str]) -> None:
    """Secrets first: a farm file without them could not be used."""
    from deploy.console.finding.env_file import append_secrets

    env_file = output.parent / ".env"
    added = append_secrets(env_file, fresh) if fresh else []
    if output.exists():
        output.replace(output.with_name(output.name + ".old"))
    temporary = output.with_name(output.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)
    typer.echo(f"Written: {output}" + (f"; added to {env_file}: {', '.join(added)}" if added else "") + ".")
    typer.echo(_NEXT)
