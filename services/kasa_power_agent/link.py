"""What a physical plug or strip is to this service: outlets that can be read and switched, one call at a time.

`kasa_link.py` speaks to real ones; a simulation puts a machine of its own in the same place.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.settings import Address

Language = Literal["auto", "legacy", "klap", "smart"]
"""What a device speaks; `auto`: to be found out."""


@dataclass(frozen=True)
class Account:
    """The TP-Link account that newer devices ask for. The password never shows in a text."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Manners:
    """How one device is reached. Port 0: the protocol's own."""

    address: Address
    language: Language = "auto"
    account: Account | None = None


@dataclass(frozen=True)
class Meter:
    """What an outlet's meter shows. None is unknown, never 0."""

    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    energy_today_wh: float | None = None


@dataclass(frozen=True)
class OutletReading:
    """One outlet as it was read. `on` None: the device did not tell."""

    outlet_id: str
    """What `switch` takes; the device's own, never shown to people."""
    on: bool | None
    alias: str | None = None
    number: int | None = None
    """Its place on a strip, counted from 1; None for a plain plug."""
    meter: Meter | None = None
    """Only where it was asked for and the outlet has one."""


@dataclass(frozen=True)
class DeviceReading:
    """A physical device with all its outlets, in the order of their numbers; a plain plug has exactly one."""

    outlets: tuple[OutletReading, ...]
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    """In upper case, with colons."""
    alias: str | None = None
    """Of the device itself: on a strip not the alias of any outlet."""
    has_meter: bool = False


class PlugLink(Protocol):
    """One connection to one physical device. Called by one thread only; each call ends within a bounded time."""

    def read(self, *, meters: bool) -> DeviceReading:
        """Asks the device, with `meters` also for watts and energy. Raises DeviceError; never answers from memory."""

    def switch(self, outlet_id: str, *, on: bool) -> None:
        """Switches one outlet, and never a strip as a whole. Raises DeviceError. It proves nothing: `read` does."""

    def close(self) -> None:
        """Lets go of the connection; a later call makes a new one."""
