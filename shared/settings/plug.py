"""The outlet that feeds a miner, and those that are never switched, in the farm file."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from shared.duration import Duration, at_least, not_below
from shared.settings.address import Address, is_loopback, parse_address
from shared.settings.section import Section

NO_PORT = 0
"""The port of an address that names none: then it is the protocol's own (9999, or 80 with an account)."""

PLUG_POLL_SECONDS_MIN = 10.0
"""Strips drop requests when they are asked more often. Source: home-assistant/core issues 54234 and 113512."""
_STAND_IN_POLL_SECONDS_MIN = 0.5

_OUTLETS_MAX = 64


def _outlet(value: object) -> object:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _OUTLETS_MAX:
        return value
    message = f"{value!r} is no outlet: give its alias, or its number as printed on the housing, counted from 1"
    raise ValueError(message)


Outlet = Annotated[str | int, BeforeValidator(_outlet)]
"""An outlet's alias, or its number as printed on the housing, counted from 1."""


def plug_address(value: object) -> Address:
    """Where a plug or strip is. Raises ValueError saying why not."""
    return parse_address(value, NO_PORT)


def address_shown(address: Address) -> str:
    """As the owner wrote it: without a port that was not given."""
    return str(address).removesuffix(f":{NO_PORT}")


PlugAddress = Annotated[Address, BeforeValidator(plug_address)]


class PlugSettings(Section):
    """A Kasa plug, or one outlet of a strip. Account, where it asks for one: KASA_USERNAME and KASA_PASSWORD."""

    host: PlugAddress
    """Its address; a port only where it is not the usual one."""
    outlet: Outlet | None = None
    """Of a strip: which one. A plain plug needs none."""
    protocol: Literal["auto", "legacy", "klap", "smart"] = "auto"
    """What the device speaks; `auto` finds out. `klap`: with account; `smart`: newer models (KP125M, Tapo)."""
    mac: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$")] | None = None
    """Which plug this is; without it the one found first. Another one at the address is never switched."""
    cut_when_paused: bool = False
    """Whether the outlet is switched off once the miner stands paused and has cooled down."""
    cut_below_celsius: Annotated[float, Field(gt=0, le=100)] = 40.0
    """How cool the chips must be before that."""
    poll: Annotated[Duration, at_least(_STAND_IN_POLL_SECONDS_MIN)] = timedelta(seconds=PLUG_POLL_SECONDS_MIN)
    """How often the device is read, in real seconds. Below 10 s only a stand-in on this machine."""

    @field_validator("poll")
    @classmethod
    def _bearable(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        host = info.data.get("host")
        if host is None or is_loopback(host.host):
            return value
        return not_below(value, PLUG_POLL_SECONDS_MIN)


class NeverSwitch(Section):
    """An outlet that feeds the network, or what else must stay on. Without `outlet`: the whole device."""

    host: PlugAddress
    """Of the plug or strip."""
    outlet: Outlet | None = None
    """Its alias, or its number as printed on the housing. None: the whole device."""
