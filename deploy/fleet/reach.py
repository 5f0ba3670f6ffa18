"""How the owner's shell reaches the farm: variables of the environment and of `.env`, else what runs here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dotenv import dotenv_values
from pydantic import TypeAdapter, ValidationError

from deploy.connection import Connection
from deploy.fleet.container import BROKER_SERVICE
from shared.bus import BrokerAddress
from shared.clock import SystemClock
from shared.launch import address_of
from shared.settings.address import BrokerUrl

URL_VARIABLE = "SUNHERD_BROKER__URL"
PREFIX_VARIABLE = "SUNHERD_BROKER__PREFIX"
USER = "fleet"
PASSWORD_VARIABLE = "SUNHERD_BROKER_PASSWORD_FLEET"  # noqa: S105 - a variable's name
PORT_VARIABLE = "SUNHERD_BROKER_PORT"
PROJECT_VARIABLE = "COMPOSE_PROJECT_NAME"
ENVIRONMENT_FILE = ".env"
PORT = 1883


class BadInputError(ValueError):
    """What was given cannot be used; the text says why and how to mend it."""


@dataclass(frozen=True)
class Reach:
    """Where the farm's broker is, and the clock by which the farm lives."""

    address: BrokerAddress
    prefix: str
    clock: SystemClock
    why: str
    """Why just there: for whoever wonders."""


def variables_of(directory: Path) -> dict[str, str]:
    """Those of the environment, above those of `.env` in the directory."""
    try:
        written = dotenv_values(directory / ENVIRONMENT_FILE)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{directory / ENVIRONMENT_FILE} cannot be read: {error}. Fix: run this as its owner."
        raise BadInputError(message) from error
    return {**{name: value for name, value in written.items() if value is not None}, **os.environ}


def reach_of(
    variables: Mapping[str, str],
    *,
    url: str | None = None,
    published_port: int | None = None,
    embedded: Connection | None = None,
    clock: SystemClock | None = None,
) -> Reach:
    """The broker: `url`, else the variables', else the port that Docker publishes, else an embedded farm's.

    `clock`: of a farm that does not live by this machine's. Raises BadInputError.
    """
    given, why = (url, "--broker") if url else (variables.get(URL_VARIABLE) or None, URL_VARIABLE)
    prefix = variables.get(PREFIX_VARIABLE) or "sunherd"
    clock = clock or SystemClock()
    if given is not None:
        address = address_of(_checked(given, why), None, None)
        if address.host != BROKER_SERVICE:
            return Reach(_as_fleet(address, variables), prefix, clock, f"{why} says so")
        # The name by which the stack's containers know it; nobody else does.
    elif published_port is None and embedded is not None and not variables.get(PASSWORD_VARIABLE):
        address = address_of(embedded.url, embedded.username, embedded.password)
        return Reach(address, embedded.prefix, SystemClock.from_variable(embedded.clock), "the farm runs embedded here")
    port = published_port or _port(variables)
    why = "Docker publishes it" if published_port else f"neither --broker nor {URL_VARIABLE} says otherwise"
    return Reach(_as_fleet(BrokerAddress("127.0.0.1", port), variables), prefix, clock, why)


def _as_fleet(address: BrokerAddress, variables: Mapping[str, str]) -> BrokerAddress:
    """A broker that wants no password gets none; a URL may bring its own user."""
    password = variables.get(PASSWORD_VARIABLE)
    if address.username is not None or not password:
        return address
    return replace(address, username=USER, password=password)


def _checked(url: str, why: str) -> str:
    try:
        return TypeAdapter(BrokerUrl).validate_python(url)
    except ValidationError:
        # Without the text itself: a password may stand in it.
        message = f"{why} is no broker's address: write it like mqtt://192.168.1.5:1883, or mqtts:// for one with TLS."
        raise BadInputError(message) from None


def _port(variables: Mapping[str, str]) -> int:
    text = variables.get(PORT_VARIABLE) or str(PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004 - the highest port
        message = f"{PORT_VARIABLE}={text} is no port: write a number such as {PORT}."
        raise BadInputError(message)
    return int(text)
