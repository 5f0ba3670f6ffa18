"""`sunherd discover` and `check`: what is out there, and whether all that a farm file names answers."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.console.given import Given, given_to
from deploy.console.trouble import EXIT_BAD_INPUT, EXIT_WRONG, TroubleError

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from deploy.connection import Connection
    from deploy.console.finding.finding import Finding
    from shared.settings import FarmSettings

_SUBNET_HELP = "A subnet to search, such as 192.168.88.0/24; may be given several times."
_JSON_HELP = "For programs: JSON on standard output. null is unknown."


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    found = typer.Typer(no_args_is_help=True, help="Look for miners and plugs on your network. Nothing is changed.")
    found.command("miners")(discover_miners)
    found.command("kasa")(discover_kasa)
    app.add_typer(found, name="discover")
    app.command()(check)


def discover_miners(
    context: typer.Context,
    subnet: Annotated[list[str] | None, typer.Option(help=_SUBNET_HELP, metavar="SUBNET")] = None,
    port: Annotated[int, typer.Option(help="Where their web pages are.", min=1, max=65535)] = 80,
    wait: Annotated[
        float, typer.Option(help="Seconds for each address to answer; more where the network is bad.", min=0.1, max=10)
    ] = 1.1,
    *,
    large: Annotated[bool, typer.Option("--large", help="Also more than a /20, up to a /16.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_JSON_HELP)] = False,
) -> None:
    """Search subnets for VNish miners and for Bitaxes (AxeOS).

    Each address gets one TCP connection; who takes it is asked once who it is. No address outside the subnets is ever
    asked, and none at all that you have not named. Exit code 1: none found, or it is not known of every address.

    Example: sunherd discover miners --subnet 192.168.88.0/24 --subnet 192.168.89.0/24
    """
    from deploy.console.finding.miners import as_json as searched_json
    from deploy.console.finding.miners import rows, search_miners, table
    from deploy.console.finding.showing import Progress, searched_shown
    from shared.clock import SystemClock

    subnets = _subnets(subnet or [], large=large, may_ask=not as_json)
    progress = Progress()
    searched = search_miners(subnets, SystemClock(), port=port, wait_seconds=wait, progress=progress.searched)
    progress.end()
    farm, farm_read = _farm_as_far_as_known(given_to(context))
    if as_json:
        typer.echo(json.dumps(searched_json(searched, farm, farm_read=farm_read), indent=1))
    else:
        if searched.found:
            typer.echo(table(rows(searched.found, farm, farm_read=farm_read)), nl=False)
        typer.echo(searched_shown(searched), nl=False)
    if not searched.found or not searched.is_whole:
        raise typer.Exit(EXIT_WRONG)


def discover_kasa(
    context: typer.Context,
    target: Annotated[
        str, typer.Option(help="The broadcast address to ask, such as 192.168.1.255; or one device.", metavar="ADDRESS")
    ] = "255.255.255.255",
    seconds: Annotated[int, typer.Option(help="How long to wait for answers.", min=1, max=60)] = 5,
    port: Annotated[int | None, typer.Option(help="Ask older devices on this port in place of 9999.")] = None,
) -> None:
    """List the Kasa plugs and strips that answer on the local network, with their outlets. Nothing is switched.

    Each line is an outlet. In the farm file, under the miner that hangs on it: plug: {host: 192.168.1.50, outlet: 3}.
    Where the column "account" says yes, set KASA_USERNAME and KASA_PASSWORD (your TP-Link account) in .env.
    """
    from deploy.console.finding.plugs import search_plugs
    from services.kasa_power_agent.search import NONE_FOUND, table

    found = search_plugs(given_to(context).farm_file, [target], seconds, port)
    if not found:
        raise TroubleError(NONE_FOUND.format(target=target, seconds=seconds).strip(), exit_code=EXIT_WRONG)
    typer.echo(table(found), nl=False)


def check(
    context: typer.Context,
    *,
    live: Annotated[bool, typer.Option("--live", help="Also connect to everything that it names.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_JSON_HELP)] = False,
) -> None:
    """Read the farm file and say everything that is wrong with it, each with its line and what to do.

    With --live also: does the broker let us in, does Home Assistant take the token, what do its sensors say, is each
    miner the one that is meant and is its password right, are the outlets there, do the pools know the workers, do the
    clocks agree. Nothing is changed or switched. Exit codes: 0 fine, 1 something does not answer as written, 2 the file
    cannot be used.
    """
    from deploy.console.finding.summary import remarks, summary
    from shared.settings import FarmFileError, Secrets, load_farm

    given = given_to(context)
    file = given.farm_file
    secrets = Secrets.beside(file)
    try:
        farm = load_farm(file, secrets)
    except FarmFileError as error:
        if not as_json:
            raise
        problems = [vars(problem) for problem in error.problems]
        typer.echo(json.dumps({"file": str(file), "fine": False, "problems": problems}, indent=1))
        raise typer.Exit(EXIT_BAD_INPUT) from None
    told, thoughts = summary(farm), list(remarks(farm, secrets))
    if not as_json:
        _show_summary(file, told, thoughts)
    findings = _look(given, farm, as_json=as_json) if live else None
    if as_json:
        _show_json(file, told, thoughts, findings)
    if findings is not None and not all(finding.is_fine for finding in findings):
        raise typer.Exit(EXIT_WRONG)


def _show_summary(file: Path, told: dict[str, str], thoughts: list[str]) -> None:
    typer.echo(f"{file} is fine.")
    for kind, line in told.items():
        typer.echo(f"  {kind:<10}{line}")
    for thought in thoughts:
        typer.echo(f"Note: {thought}.")


def _look(given: Given, farm: "FarmSettings", *, as_json: bool) -> "list[Finding]":
    from deploy.console.finding.live import Subject, look_at_everything
    from deploy.console.finding.showing import Progress, findings_shown
    from shared.clock import SystemClock
    from shared.settings import Secrets

    secrets = Secrets.beside(given.farm_file)
    progress = Progress()
    connection = _broker_of(given, farm)
    findings = look_at_everything(Subject(farm, secrets, connection, SystemClock()), progress.looked)
    progress.end()
    if not as_json:
        typer.echo("")
        typer.echo(findings_shown(findings), nl=False)
        if connection is None:
            typer.echo("Note: no broker runs yet; sunherd up brings one along.")
        bad = sum(not finding.is_fine for finding in findings)
        typer.echo(f"{len(findings)} looked at, " + (f"{bad} wrong." if bad else "all fine. Next: sunherd up"))
    return findings


def _broker_of(given: Given, farm: "FarmSettings") -> "Connection | None":
    """The broker to look at; None where the farm brings its own, and does not run now."""
    from deploy.console.reach import connection_to
    from deploy.ports import is_free
    from shared.launch import address_of

    connection = connection_to(Given(given.farm_file))
    if farm.broker.url is not None:
        return connection
    address = address_of(connection.url, None, None)
    # Without a login it can only be somebody else's: those of the embedded farm and of the containers have one.
    return None if connection.username is None or is_free(address.host, address.port) else connection


def _show_json(file: Path, told: dict[str, str], thoughts: list[str], findings: "list[Finding] | None") -> None:
    answer: dict[str, object] = {"file": str(file), "problems": [], "summary": told, "remarks": thoughts}
    answer["fine"] = findings is None or all(finding.is_fine for finding in findings)
    if findings is not None:
        answer["live"] = [vars(finding) | {"fine": finding.is_fine} for finding in findings]
    typer.echo(json.dumps(answer, indent=1))


def _subnets(texts: Sequence[str], *, large: bool, may_ask: bool) -> "tuple[IPv4Network, ...]":
    """Those that are named; on a terminal they are asked for. Never one that nobody has named."""
    from deploy.console.finding.subnets import none_given, own_subnets, parse_subnets

    if texts:
        return parse_subnets(texts, large=large)
    if not may_ask or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise none_given()
    own = own_subnets()
    typer.echo("This machine stands in:" if own else "This machine does not tell in which subnets it stands.")
    for name in own:
        typer.echo(f"  {name}")
    answer = typer.prompt("Which subnets are to be searched? (several with blanks between)")
    return parse_subnets(str(answer).split(), large=large)


def _farm_as_far_as_known(given: Given) -> "tuple[FarmSettings | None, bool]":
    """The farm file without its secrets, and whether it is known what stands in it: of an unsound one nobody knows."""
    from deploy.console.reach import owners_farm
    from shared.settings import FarmFileError

    try:
        return owners_farm(given.farm_file), True
    except FileNotFoundError:
        return None, True
    except (FarmFileError, OSError):
        return None, False
