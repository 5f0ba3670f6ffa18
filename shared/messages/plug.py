"""Outlets: whether the power of a miner is on, and how it comes to be cut and given back."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.messages.device import Command, Reported
from shared.messages.part import Code, Watts

CYCLE_YOUNG_SECONDS = 300.0
"""A power cycle that was ordered longer ago is not begun any more."""


class PlugCommand(Command):
    """What an outlet shall be. Named by the miner that hangs on it."""

    on: bool
    cycle_at: AwareDatetime | None = None
    """A power cycle ordered at that moment. It is done once: afterwards `last_cycle_at` tells the same moment."""
    off_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """How long a power cycle keeps the outlet off, in real seconds."""
    code: Code
    sentence: str
    since: AwareDatetime
    """Since when `on` has been the same."""
    outside_off_over: AwareDatetime | None = None
    """Echo of a telemetry's `outside_off_since` that no longer holds the outlet off."""


class PlugTelemetry(Reported):
    """What an outlet reports. None is unknown: never off, never as before."""

    on: bool | None = None
    power_w: Watts | None = None
    """Measured, where the outlet has a meter."""
    energy_today_wh: Annotated[float, Field(ge=0)] | None = None
    voltage_v: Annotated[float, Field(ge=0)] | None = None
    current_a: Annotated[float, Field(ge=0)] | None = None
    last_cycle_at: AwareDatetime | None = None
    """The `cycle_at` of the last power cycle that was begun; it is told before the outlet is switched off for it."""
    cycle_off_since: AwareDatetime | None = None
    """While a power cycle is under way: since when. Whoever finds it after a restart ends the cycle."""
    outside_off_since: AwareDatetime | None = None
    """Since when the outlet stands switched off by somebody who is not Sunherd."""
    outlet: str | None = None
    """Its alias on the device."""
    outlet_number: Annotated[int, Field(ge=1)] | None = None
    """Its place on a strip, counted from 1; None for a plain plug."""
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    """Of the physical device, in upper case."""
