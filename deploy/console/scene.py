"""What can be known of the farm in an emergency, even where its file or its broker is ill."""

import getpass
from dataclasses import dataclass
from pathlib import Path

from deploy.connection import CONNECTION_FILE, NONE_HERE, STATE_DIRECTORY, Connection, newest_state
from deploy.console.given import Given
from deploy.console.reach import connection_of, lived_in_state, owners_farm, variables_of
from deploy.console.trouble import TroubleError
from shared.clock import SystemClock
from shared.latch import LATCH_FILE, LatchFile
from shared.settings import FarmFileError, FarmSettings

_FARM_FILE = "farm.yaml"


@dataclass(frozen=True)
class Place:
    """Where things are, as far as it is known without reading the farm file."""

    farm_file: Path
    latch: LatchFile
    living: Connection | None
    """Of the farm that runs embedded here."""

    @property
    def clock(self) -> SystemClock:
        """The one by which the farm lives."""
        return SystemClock() if self.living is None else SystemClock.from_variable(self.living.clock)


@dataclass(frozen=True)
class Scene:
    """The farm, or why it is not known."""

    place: Place
    farm: FarmSettings | None
    connection: Connection | None
    trouble: str = ""
    """What is wrong with the farm file."""


def place_of(given: Given) -> Place:
    """Raises TroubleError where there is neither a farm file nor a farm that was started here."""
    file = given.farm_file.absolute()
    state = lived_in_state(file)
    if given.farm is None and not file.exists():
        state = newest_state()
        if state is None:
            raise TroubleError(NONE_HERE.strip())
        beside = (state / _FARM_FILE, state.parent / _FARM_FILE)
        file = next((found for found in beside if found.exists()), beside[0]).absolute()
    living = None
    if state is not None:
        living = Connection.model_validate_json((state / CONNECTION_FILE).read_text(encoding="utf-8"))
    latch = LatchFile.of_process() or LatchFile((state or file.parent / STATE_DIRECTORY) / LATCH_FILE)
    return Place(file, latch, living)


def scene_at(place: Place) -> Scene:
    """Reads the farm file. What is wrong with it is told, and does not keep anybody from stopping."""
    try:
        farm = owners_farm(place.farm_file)
    except FarmFileError as error:
        return Scene(place, None, place.living, str(error))
    except OSError as error:
        return Scene(place, None, place.living, f"{place.farm_file}: {error.strerror}.")
    return Scene(place, farm, place.living or connection_of(farm, variables_of(place.farm_file)))


def login_name() -> str:
    """Who says it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without an entry, as in some containers
        return "unknown"
