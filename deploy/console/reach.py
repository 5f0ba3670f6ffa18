"""How a person's shell reaches the farm's broker: the farm that runs embedded here, else the one of the farm file."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from deploy.connection import CONNECTION_FILE, NONE_HERE, STATE_DIRECTORY, Connection, newest_connection
from deploy.console.given import Given
from deploy.console.trouble import TroubleError
from shared.clock import SystemClock
from shared.settings import FarmSettings, load_farm
from shared.settings.secrets import EXPECTED_VARIABLE

URL_VARIABLE = "SUNHERD_BROKER__URL"
PORT_VARIABLE = "SUNHERD_BROKER_PORT"
PASSWORD_VARIABLE = "SUNHERD_BROKER_PASSWORD_PEOPLE"  # noqa: S105 - a variable's name
USER = "people"
_IN_COMPOSE = "mosquitto"
"""The broker's name among the containers; nobody else knows it by that."""


def connection_to(given: Given) -> Connection:
    """Where the farm listens. Raises TroubleError, FarmFileError, and OSError for a farm file that cannot be read."""
    if given.farm is None and not given.farm_file.exists():
        newest = newest_connection()
        if newest is None:
            raise TroubleError(NONE_HERE.strip())
        return newest
    file = given.farm_file.absolute()
    state = lived_in_state(file)
    if state is not None:
        return Connection.model_validate_json((state / CONNECTION_FILE).read_text(encoding="utf-8"))
    return connection_of(owners_farm(file), variables_of(file))


def lived_in_state(farm_file: Path) -> Path | None:
    """The directory from which the farm of this file runs embedded here; None while it does not."""
    return next(
        (state for state in (farm_file.parent / STATE_DIRECTORY, farm_file.parent) if _is_lived_in(state)), None
    )


def owners_farm(file: Path) -> FarmSettings:
    """The settings of a farm file, to whoever needs none of its secrets. Raises FarmFileError and OSError."""
    before = os.environ.get(EXPECTED_VARIABLE)
    os.environ[EXPECTED_VARIABLE] = ""
    try:
        return load_farm(file)
    finally:
        if before is None:
            del os.environ[EXPECTED_VARIABLE]
        else:
            os.environ[EXPECTED_VARIABLE] = before


def connection_of(farm: FarmSettings, variables: Mapping[str, str]) -> Connection:
    """The broker that the farm file or the environment names; of a compose stack, the port that it publishes here."""
    url = farm.broker.url
    if url is None or f"//{_IN_COMPOSE}" in url:
        url = f"mqtt://127.0.0.1:{variables.get(PORT_VARIABLE) or 1883}"
    username, password = farm.broker.username, variables.get("MQTT_PASSWORD")
    if variables.get(PASSWORD_VARIABLE):
        username, password = USER, variables[PASSWORD_VARIABLE]
    return Connection(
        url=url,
        username=username,
        password=password,
        prefix=farm.broker.prefix,
        ca_file=farm.broker.ca_file,
        clock=SystemClock().to_variable(),
        site=farm.site.id,
        miners=list(farm.miners),
        groups=list(farm.groups),
    )


def variables_of(farm_file: Path) -> dict[str, str]:
    """Those of the environment, above `.env` beside the farm file, above `.env` here."""
    found: dict[str, str] = {}
    for directory in (Path(), farm_file.parent):
        found |= {name: value for name, value in dotenv_values(directory / ".env").items() if value}
    return found | dict(os.environ)


def _is_lived_in(state: Path) -> bool:
    """Whether a farm runs from this directory: it holds the lock."""
    lock = state / "lock"
    if not lock.is_file() or not (state / CONNECTION_FILE).is_file():
        return False
    with lock.open("r", encoding="utf-8") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
