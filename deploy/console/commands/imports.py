"""`sunherd import`: the farm file from the files of the three scripts that Sunherd replaces."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.console.given import given_to


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("import")(import_files)


def import_files(  # noqa: PLR0913 - the options of a command
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="miners.json, rigs.json, multi_scheduler_...")],
    ha_url: Annotated[
        str | None, typer.Option(help="As the SoC script had it: http://homeassistant.local:8123")
    ] = None,
    sensor: Annotated[str | None, typer.Option(help="As the SoC script had it: sensor.battery_soc")] = None,
    poll: Annotated[int | None, typer.Option(min=1, help="As the SoC script had it, in seconds.")] = None,
    nominal_w: Annotated[
        float | None, typer.Option(min=1, help="What each rig of rigs.json draws; else it is assumed.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="Of the schedules; else this machine's.")] = None,
    output: Annotated[Path | None, typer.Option(help="The farm file to make; else as --farm says.")] = None,
    *,
    merge: Annotated[bool, typer.Option("--merge", help="Add to a farm file that is there.")] = False,
) -> None:
    """Take over what the old scripts were told, and say what became of each value.

    \b
    sunherd import miners.json --ha-url http://homeassistant.local:8123 --sensor sensor.battery_soc --poll 30
    sunherd import miners.json rigs.json multi_scheduler_config.json --ha-url ... --sensor ...
    sunherd import rigs.json --merge

    Files are told apart by what is in them. The same address in two of them is one miner. Passwords go into .env beside
    the farm file. The farm begins with observe: true, and touches no miner until you remove that. All, or nothing.
    """  # noqa: D301 - the mark for lines that are not joined
    from deploy.console.importing.bring import bring_into_existing, bring_into_fresh
    from deploy.console.importing.files import harvest_files
    from deploy.console.importing.of_soc_controller import SocOptions
    from deploy.console.importing.summary import closing, summary
    from deploy.console.importing.zone import zone_of_machine

    file = output or given_to(context).farm_file
    harvests = harvest_files(files, SocOptions(ha_url, sensor, poll), nominal_w)
    zone = time_zone or zone_of_machine()
    if merge:
        brought = bring_into_existing(file, harvests, zone)
    else:
        brought = bring_into_fresh(file, harvests, zone, assumed=nominal_w is None)
    typer.echo("\n".join([*summary(brought.lines), "", *closing(file, brought)]))
