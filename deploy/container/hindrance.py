"""What keeps a service from starting in its container now."""

import importlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.container.demo_day import CLOCK_FILE, join_demo
from shared.inputs import Stamp, forget_inputs, inputs_of, stamp_of
from shared.settings import FarmFileError, FarmSettings

NO_FARM = """\
There is no farm file {path} in this container; I wait for it. To give me one:
  1. mkdir -p farm && cp farm.example.yaml farm/farm.yaml, and put in your own addresses
  2. SUNHERD_FARM_DIRECTORY=./farm in .env
  3. docker compose up --detach"""

Look = tuple[Stamp, Stamp]


@dataclass(frozen=True)
class Hindrance:
    """Why there is no service yet. `is_trouble` False: all is well, there is only nothing for it to do."""

    sentence: str
    short: str
    is_trouble: bool = True


def look_of(farm: Path) -> Look:
    """What changes when the farm file, a secret, or the demo's clock beside it is written anew."""
    return stamp_of(farm), stamp_of(farm.parent / CLOCK_FILE)


def hindrance(service: str, farm: Path) -> Hindrance | None:
    """None: it can start. A farm file that was understood is kept for the service (`shared.inputs.inputs_of`)."""
    forget_inputs(farm)
    try:
        if not farm.is_file():
            return Hindrance(NO_FARM.format(path=farm), f"there is no farm file {farm}")
        waits_for = join_demo(farm.parent, os.environ)
        if waits_for is not None:
            return Hindrance(waits_for, waits_for)
        inputs = inputs_of(farm)
    except FarmFileError as error:
        return Hindrance(f"{error}\nMend it, and I start by myself.", str(error).splitlines()[0])
    except OSError as error:
        fix = f"let user {os.getuid()} read it: chmod a+rX farm farm/farm.yaml"
        sentence = f"{error.filename or farm}: {error.strerror}. Fix: {fix}"
        return Hindrance(sentence, sentence)
    if _is_needed(service, inputs.farm):
        return None
    sentence = "nothing in the farm file calls for it; it waits for a farm file that does"
    return Hindrance(sentence, "nothing to do", is_trouble=False)


def _is_needed(service: str, farm: FarmSettings) -> bool:
    name = f"services.{service}.needed"
    if importlib.util.find_spec(name) is None:  # the simulator has always something to do
        return True
    is_needed: Callable[[FarmSettings], bool] = importlib.import_module(name).is_needed
    return is_needed(farm)
