"""Takes the files of other programs over into a farm file: all of it, or nothing."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.console.editing.edits import Edit
from deploy.console.editing.farm_file import UnfitError, change_farm, locked, problems_of
from deploy.console.editing.on_disk import write_new_file
from deploy.console.importing.fresh_file import fresh_text
from deploy.console.importing.gather import Gathered, Present, gather
from deploy.console.importing.harvest import Harvest, Line
from deploy.console.importing.into_existing import PRESENT, edits_into, present_in
from deploy.console.importing.private import PRIVATE_FILE, keep_passwords
from deploy.console.trouble import TroubleError
from shared.settings import FarmFileError, load_farm


@dataclass(frozen=True)
class Brought:
    """What has been done."""

    lines: list[Line]
    variables: list[str]
    """Of passwords that were written."""
    backup: Path | None = None
    touches_present: bool = False
    """Whether miners that were there already have been given something."""


def fit(harvests: Sequence[Harvest], *, has_battery: bool, time_zone: str | None) -> None:
    """Raises TroubleError with everything that stands in the way."""
    wrong = [sentence for harvest in harvests for sentence in harvest.wrong]
    banded = any("stop_soc" in machine.keys for harvest in harvests for machine in harvest.machines)
    if banded and not has_battery and not any(harvest.battery for harvest in harvests):
        wrong.append(
            "stop_soc and resume_soc need the battery's state of charge. "
            "Fix: add --ha-url and --sensor, as the script was given them."
        )
    if any(harvest.follows_the_clock for harvest in harvests) and time_zone is None:
        wrong.append("nobody knows this machine's time zone. Fix: add --time-zone, such as Europe/Lisbon.")
    if wrong:
        raise TroubleError("\n".join([*wrong, "Nothing was written."]))


def bring_into_fresh(file: Path, harvests: Sequence[Harvest], time_zone: str | None, *, assumed: bool) -> Brought:
    """Makes the farm file. Raises TroubleError where there is one, or where it would be wrong."""
    if file.exists() or file.is_symlink():
        name = shlex.quote(str(file))
        message = f"{file} is there already. Fix: --merge adds to it; --output {name}.new makes another one."
        raise TroubleError(message)
    fit(harvests, has_battery=False, time_zone=time_zone)
    farm = gather(harvests, Present(), time_zone)
    text = fresh_text(farm, watts_are_assumed=assumed)
    problems = problems_of(text)
    if problems:
        raise UnfitError(file, problems, f"{file} would be wrong; nothing was written.")
    with locked(file.absolute()):
        # Passwords first: a farm file without them would log in nowhere, passwords without a farm harm nobody.
        variables, told = _keep(file, farm)
        write_new_file(file, text)
    return Brought([*farm.lines, *told], variables)


def bring_into_existing(file: Path, harvests: Sequence[Harvest], time_zone: str | None) -> Brought:
    """Adds to the farm file. What stands in it stays. Raises TroubleError and FarmFileError."""
    found: list[Gathered] = []
    told: list[Line] = []

    def edits_for(data: dict[str, Any]) -> list[Edit]:
        fit(harvests, has_battery=data.get("battery") is not None, time_zone=time_zone)
        found[:] = [gather(harvests, present_in(data), time_zone)]
        edits, told[:] = edits_into(data, found[0])
        return edits

    change_farm(file, edits_for, dry_run=True)  # what would be refused is refused before a password is written
    with locked(file.absolute()):
        variables, unwritten = _keep(file, found[0])
    change = change_farm(file, edits_for)
    lines = [*found[0].lines, *told, *unwritten]
    return Brought(lines, variables, change.backup, touches_present=any(line.file == PRESENT for line in told))


def still_missing(file: Path) -> list[str]:
    """What must be given before the farm can start: its secrets. One sentence for each."""
    try:
        load_farm(file)
    except FarmFileError as error:
        return [f"{problem.cause}. Fix: {problem.fix}." for problem in error.problems]
    return []


def _keep(file: Path, farm: Gathered) -> tuple[list[str], list[Line]]:
    try:
        variables, refused = keep_passwords(file.parent, farm.passwords)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        message = f"{file.parent / PRIVATE_FILE}: {reason}. Fix: do this as its owner; nothing was written."
        raise TroubleError(message) from error
    return variables, [Line(PRIVATE_FILE, name, "password", "***", why, kept=False) for name, why in refused.items()]
