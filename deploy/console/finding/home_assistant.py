"""Home Assistant over REST, as a person's shell asks it: which sensors it has, and what they say."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NoReturn, Self

import requests

from services.soc_bridge.values import Unknown, parse_percent
from shared.clock import Clock

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
_WHOLE_SECONDS = 10.0
_ANSWER_BYTES_MAX = 32_000_000
"""A house with ten thousand entities tells 10 MB of states."""
_PIECE_BYTES = 65_536
_BATTERY_WORDS = ("soc", "state_of_charge", "battery")
_OF_SMALL_THINGS = (
    "phone",
    "tablet",
    "watch",
    "remote",
    "motion",
    "door",
    "window",
    "button",
    "lock",
    "_sensor_battery",
)
"""The battery in a door contact is a percentage, too, and says nothing of the one that feeds miners."""


class HomeAssistantError(Exception):
    """It gives no usable answer. `str(error)` says what is wrong, `fix` what to do; neither holds the token."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.fix = fix


class TokenRefusedError(HomeAssistantError):
    """It is there, and does not know the token."""


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    body: Any
    now_there: datetime | None
    """By its own clock, to the second; None where it does not tell."""


@dataclass(frozen=True)
class Sensor:
    """One sensor of percents. `percent` is what it says now."""

    entity_id: str
    name: str
    percent: float


class HomeAssistant:
    """Asks one Home Assistant. Every method raises HomeAssistantError."""

    def __init__(self, url: str, token: str, clock: Clock) -> None:
        self._base = url.rstrip("/")
        self._clock = clock
        self._session = requests.Session()
        # With the environment's trust, a .netrc entry would replace the token, and a proxy would be asked for the LAN.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.headers["Accept-Encoding"] = "identity"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_what: object) -> None:
        self._session.close()

    def state(self, entity_id: str) -> Told:
        """The state of one entity; status 404 where there is none."""
        told = self._get(f"/api/states/{entity_id}")
        missing = told.status == HTTPStatus.NOT_FOUND and isinstance(told.body, dict) and "message" in told.body
        if not missing and (not isinstance(told.body, dict) or not isinstance(told.body.get("state"), str)):
            self._fail(f"answers {told.status} without a state")
        return told

    def percent_sensors(self) -> list[Sensor]:
        """Every sensor that says a percentage from 0 to 100, the likeliest battery first."""
        told = self._get("/api/states")
        if told.status != HTTPStatus.OK or not isinstance(told.body, list):
            self._fail(f"answers {told.status} when asked for its states")
        return sorted(_percents(told.body), key=_likelihood)

    def _get(self, path: str) -> Told:
        try:
            told = self._exchange(path)
        except requests.Timeout:
            self._fail(f"does not answer within {_READ_SECONDS:g} s")
        except requests.exceptions.SSLError:
            self._fail("has a certificate that is not trusted", "use its http:// address")
        except (requests.RequestException, OSError, ValueError):
            self._fail("cannot be reached")
        if told.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            fix = "make a long-lived token in Home Assistant (your profile, Security), and set HA_TOKEN to it"
            message = f"Home Assistant at {self._base} does not accept the token"
            raise TokenRefusedError(message, fix)
        return told

    def _exchange(self, path: str) -> Told:
        deadline = self._clock.seconds() + _WHOLE_SECONDS
        timeout = (_CONNECT_SECONDS, _READ_SECONDS)
        with self._session.get(self._base + path, timeout=timeout, stream=True, allow_redirects=False) as response:
            content = bytearray()
            for piece in response.iter_content(_PIECE_BYTES):
                content += piece
                if len(content) > _ANSWER_BYTES_MAX or self._clock.seconds() > deadline:
                    self._fail("answers too much, or too slowly")
            return Told(response.status_code, _decoded(bytes(content)), _date(response.headers.get("Date")))

    def _fail(self, what: str, fix: str = "open this address in a browser of this machine's network") -> NoReturn:
        message = f"Home Assistant at {self._base} {what}"
        raise HomeAssistantError(message, fix) from None


def _percents(states: Iterable[Any]) -> Iterable[Sensor]:
    for state in states:
        if not isinstance(state, dict) or not isinstance(state.get("attributes"), dict):
            continue
        entity_id, attributes = state.get("entity_id"), state["attributes"]
        percent = parse_percent(state.get("state"))
        of_percents = attributes.get("unit_of_measurement") == "%" and attributes.get("device_class") != "humidity"
        if isinstance(entity_id, str) and entity_id.startswith("sensor.") and of_percents:
            name = attributes.get("friendly_name")
            if not isinstance(percent, Unknown):
                yield Sensor(entity_id, name if isinstance(name, str) else "", percent)


def _likelihood(sensor: Sensor) -> tuple[bool, int, str]:
    words = [index for index, word in enumerate(_BATTERY_WORDS) if word in sensor.entity_id]
    small = any(word in sensor.entity_id for word in _OF_SMALL_THINGS)
    return small, min(words, default=len(_BATTERY_WORDS)), sensor.entity_id


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
