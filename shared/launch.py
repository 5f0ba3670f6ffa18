"""How a service process begins: settings, log, clock, bus; then the service's own wiring, then its life."""

import logging
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.bus import BrokerAddress, Bus, MqttLink, TrustError
from shared.clock import clock_of_process
from shared.follow import EMBEDDED_VARIABLE, FOLLOW_VARIABLE, Follower
from shared.inputs import Inputs, inputs_of
from shared.lives import Lives
from shared.replicas import Replicas, Wire, settle_seconds_of_process
from shared.service import Service
from shared.settings import FarmFileError, FarmSettings, Secrets
from shared.settings.concern import EVERYTHING, Concern
from shared.settings.load import farm_path

log = logging.getLogger(__name__)

LOG_LEVEL_VARIABLE = "SUNHERD_LOG"
LOG_DIRECTORY_VARIABLE = "SUNHERD_LOG_DIR"
_LOG_BYTES = 1_000_000
_LOG_FILES_KEPT = 3
INSTANCE_VARIABLE = "SUNHERD_INSTANCE"
EXIT_BAD_INPUT = 2
EXIT_ANEW = 4
"""It wants to be started again, as whatever keeps it alive does: Docker, systemd, the embedded farm."""


class NewProcessError(Exception):
    """Raised by a service's wiring: what the new farm file asks for can only be had in a process of its own."""


@dataclass(frozen=True)
class Context:
    """What a service's wiring needs."""

    service: Service
    farm: FarmSettings
    secrets: Secrets
    settle_seconds: float = 0.0
    """How long replicas must have agreed before a unit changes hands; 0: there are no others."""

    def share(self, units: Mapping[str, Wire], *, keeps: bool = False) -> Replicas:
        """Wires the units of this replica's share, now and whenever they become its own."""
        replicas = Replicas(self.service, units, settle_seconds=self.settle_seconds, keeps=keeps)
        replicas.begin()
        return replicas


def launch(name: str, build: Callable[[Context], bool], concern: Concern = EVERYTHING, *, follows: bool = True) -> None:
    """Runs a service until SIGTERM, and anew whenever what concerns it in the farm file has changed.

    `build` wires it and returns False when nothing is configured for it: then it waits for a farm file that calls for
    it; in an embedded farm it ends, and is started again when it is needed.
    """
    set_up_log(name)
    path = farm_path()
    try:
        inputs = inputs_of(path)
    except FarmFileError as error:
        sys.exit(_complain(str(error)))
    except OSError as error:
        sys.exit(_complain(f"{path}: {error.strerror}. Fix: copy farm.example.yaml, or set SUNHERD_FARM."))
    follows = follows and os.environ.get(FOLLOW_VARIABLE) != "off"
    waits = follows and not os.environ.get(EMBEDDED_VARIABLE)
    lives = Lives(name, path, concern, Follower(path, inputs, objection), partial(_begin, name, build))
    try:
        was_told = lives.run(follows=follows, waits=waits)
    except TrustError as error:
        code = _complain(str(error))
        sys.exit(code if lives.inputs is inputs else EXIT_ANEW)
    except NewProcessError as error:
        log.info("%s: %s; it ends, to be started anew", name, error)
        sys.exit(EXIT_ANEW)
    if not was_told:
        sys.exit(0)


def _begin(name: str, build: Callable[[Context], bool], inputs: Inputs) -> tuple[Service, bool]:
    """A service, wired, and whether it has anything to do. Raises TrustError and NewProcessError."""
    farm, secrets = inputs.farm, inputs.secrets
    address, clock, instance = broker_address(farm, secrets), clock_of_process(), instance_name(name)
    bus = Bus(MqttLink(address, instance), clock, prefix=farm.broker.prefix, instance=instance)
    service = Service(name, bus, clock)
    has_work = build(Context(service, farm, secrets, settle_seconds_of_process()))
    if has_work:
        log.info("%s %s talks to %s", name, instance, address)
    return service, has_work


def objection(before: Inputs, after: Inputs) -> str | None:
    """Why a running service shall not go on by a farm file that is sound in itself."""
    if os.environ.get(EMBEDDED_VARIABLE) and before.farm.broker.url is not None and after.farm.broker.url is None:
        return "broker.url is gone, and this farm has started none. Fix: bring it back; or stop the farm, and start it."
    try:
        MqttLink(broker_address(after.farm, after.secrets), "trial")
    except TrustError as error:
        return str(error)
    return None


def broker_address(farm: FarmSettings, secrets: Secrets) -> BrokerAddress:
    """The farm's broker: the environment's (the embedded run sets it), else the file's, else this machine's."""
    url = farm.broker.url or "mqtt://127.0.0.1:1883"
    password = secrets.get("MQTT_PASSWORD")
    return address_of(url, farm.broker.username, password, farm.broker.ca_file)


def address_of(url: str, username: str | None, password: str | None, ca_file: str | None = None) -> BrokerAddress:
    """A broker's address from its URL. A user name and password in the URL are used, too, and never shown."""
    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    return BrokerAddress(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (8883 if tls else 1883),
        username=username or _decoded(parts.username),
        password=password or _decoded(parts.password),
        tls=tls,
        ca_file=ca_file,
    )


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)


def instance_name(service: str) -> str:
    """Unique among replicas and the same after a restart: `SUNHERD_INSTANCE`, else the machine's name."""
    host = os.environ.get(INSTANCE_VARIABLE) or platform.node() or "local"
    return re.sub(r"[^a-z0-9_-]", "-", f"{service}-{host}".lower())[:64]


def set_up_log(name: str) -> None:
    """One line per record on standard error; `SUNHERD_LOG` sets the level (default INFO).

    With `SUNHERD_LOG_DIR` the lines go to a file of that directory, bounded in size, and only errors to the terminal.
    """
    level = os.environ.get(LOG_LEVEL_VARIABLE, "INFO").upper()
    terminal = logging.StreamHandler(sys.stderr)
    handlers: list[logging.Handler] = [terminal]
    directory = os.environ.get(LOG_DIRECTORY_VARIABLE)
    if directory:
        terminal.setLevel(logging.ERROR)
        path = Path(directory, f"{name}.log")
        handlers.append(RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES_KEPT, encoding="utf-8"))
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=level, format=form, handlers=handlers, force=True)


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return EXIT_BAD_INPUT
