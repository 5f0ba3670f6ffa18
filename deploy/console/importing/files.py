"""Which script a file belongs to, and what it says. Everything that stands in the way is said at once."""

from collections.abc import Sequence
from pathlib import Path

from deploy.console.editing.farm_file import read_text
from deploy.console.importing.harvest import Harvest
from deploy.console.importing.lenient_json import read_json
from deploy.console.importing.of_bitaxe_scheduler import harvest_scheduler, is_bitaxe_schedulers
from deploy.console.importing.of_rig_restarter import harvest_rigs, is_rig_restarters
from deploy.console.importing.of_soc_controller import SocOptions, harvest_soc, is_soc_controllers


def harvest_files(files: Sequence[Path], options: SocOptions, nominal_w: float | None) -> list[Harvest]:
    """What each file says. Raises TroubleError for a file that cannot be read."""
    return [harvest_text(file.name, read_text(file), options, nominal_w) for file in files]


def harvest_text(name: str, text: str, options: SocOptions, nominal_w: float | None) -> Harvest:
    """What a file of this name and text says. Pure."""
    harvest = Harvest(name)
    try:
        data = read_json(text)
    except ValueError as error:
        harvest.refuse("the file", str(error), "look for a missing comma, quote or bracket there")
        return harvest
    if is_bitaxe_schedulers(data):
        return _with_somebody(harvest_scheduler(name, data))
    if is_rig_restarters(data):
        return _with_somebody(harvest_rigs(name, data, nominal_w))
    if is_soc_controllers(data):
        return _with_somebody(harvest_soc(name, data, options))
    cause = "it is none of the files that are known"
    fix = "give miners.json, rigs.json or multi_scheduler_config.json of the scripts in docs/coming-from.md"
    harvest.refuse("the file", cause, fix)
    return harvest


def _with_somebody(harvest: Harvest) -> Harvest:
    if not harvest.machines and not harvest.wrong:
        harvest.refuse("the file", "there is no machine in it", "give the file that the script really uses")
    return harvest
