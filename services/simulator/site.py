"""A site without hardware: sun with passing clouds, a battery with losses, a household, and mains or none.

Everything is a function of the seed, the time and what the miners draw: the same farm day can be had again.
"""

import hashlib
import math
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_STEP_SECONDS = 60.0
_SHORTEST_SECONDS = 0.001
_CLOUD_SECONDS = 1500
_KETTLE_SECONDS = 300


@dataclass(frozen=True)
class SiteShape:
    """What the site is made of. The default is an off-grid farm on a summer's day."""

    time_zone: str = "UTC"
    battery_wh: float = 40_000.0
    charge_limit_w: float = 15_000.0
    discharge_limit_w: float = 15_000.0
    charge_efficiency: float = 0.96
    discharge_efficiency: float = 0.96
    pv_peak_w: float = 13_000.0
    sunrise_hour: float = 6.0
    sunset_hour: float = 20.5
    cloudiness: float = 0.35
    """How much of the sun a passing cloud takes at most, 0 to 1."""
    household_w: float = 280.0
    """What the house draws at night."""
    grid_available: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Flows:
    """Mean powers over a stretch of time. pv + grid + unserved = load + miners + battery, always.

    `battery_w` is positive while charging, `grid_w` while importing; `unserved_w` is what stays dark.
    """

    pv_w: float = 0.0
    load_w: float = 0.0
    miners_w: float = 0.0
    battery_w: float = 0.0
    grid_w: float = 0.0
    unserved_w: float = 0.0


class Site:
    """The site at one moment."""

    def __init__(self, shape: SiteShape, now: datetime, state_of_charge_percent: float = 76.0) -> None:
        self.shape = shape
        self.now = now
        self.grid_available = shape.grid_available
        self.flows = Flows()
        self._stored_wh = shape.battery_wh * min(max(state_of_charge_percent, 0.0), 100.0) / 100
        self._zone = ZoneInfo(shape.time_zone)

    @property
    def stored_wh(self) -> float:
        return self._stored_wh

    @property
    def state_of_charge_percent(self) -> float:
        """Never outside 0 to 100."""
        return min(100.0, 100 * self._stored_wh / self.shape.battery_wh)

    def advance(self, seconds: float, miners_w: float) -> Flows:
        """Lets time pass while the miners draw so much; returns the mean flows of that time."""
        if seconds < _SHORTEST_SECONDS:
            return self.flows
        count = math.ceil(seconds / _STEP_SECONDS)
        self.flows = _mean([self._pass(seconds / count, max(0.0, miners_w)) for _ in range(count)])
        return self.flows

    def _pass(self, seconds: float, miners_w: float) -> Flows:
        middle = self.now + timedelta(seconds=seconds / 2)
        self.now += timedelta(seconds=seconds)
        local = middle.astimezone(self._zone)
        pv_w, load_w = sun_w(self.shape, local), house_w(self.shape, local)
        surplus_w = pv_w - load_w - miners_w
        battery_w = self._battery(surplus_w, seconds / 3600)
        left_w = surplus_w - battery_w
        if self.grid_available:
            return Flows(pv_w, load_w, miners_w, battery_w, grid_w=-left_w)
        # Nowhere to go with what is over: the inverter takes less from the panels. What is missing stays dark.
        return Flows(pv_w - max(0.0, left_w), load_w, miners_w, battery_w, unserved_w=max(0.0, -left_w))

    def _battery(self, surplus_w: float, hours: float) -> float:
        """Charges or discharges with what is over or missing, as far as the battery takes or gives it."""
        shape = self.shape
        if surplus_w >= 0:
            room_w = (shape.battery_wh - self._stored_wh) / shape.charge_efficiency / hours
            power_w = min(surplus_w, shape.charge_limit_w, room_w)
            self._stored_wh = min(shape.battery_wh, self._stored_wh + power_w * hours * shape.charge_efficiency)
        else:
            there_w = self._stored_wh * shape.discharge_efficiency / hours
            power_w = -min(-surplus_w, shape.discharge_limit_w, there_w)
            self._stored_wh = max(0.0, self._stored_wh + power_w * hours / shape.discharge_efficiency)
        return power_w


def sun_w(shape: SiteShape, local: datetime) -> float:
    """What the panels could give at a local time."""
    hour = local.hour + local.minute / 60 + local.second / 3600
    if not shape.sunrise_hour < hour < shape.sunset_hour:
        return 0.0
    height = math.sin(math.pi * (hour - shape.sunrise_hour) / (shape.sunset_hour - shape.sunrise_hour))
    cloud = shape.cloudiness * _noise(shape.seed, "cloud", local, _CLOUD_SECONDS)
    return float(shape.pv_peak_w * height**1.3 * (1 - cloud))


def house_w(shape: SiteShape, local: datetime) -> float:
    """What the household draws at a local time: a morning and an evening peak, and kettles in between."""
    hour = local.hour + local.minute / 60
    morning = 900 * math.exp(-(((hour - 7.5) / 1.0) ** 2))
    evening = 1300 * math.exp(-(((hour - 20.0) / 1.8) ** 2))
    kettle = 150 * _noise(shape.seed, "kettle", local, _KETTLE_SECONDS)
    return shape.household_w + morning + evening + kettle


def _noise(seed: int, name: str, local: datetime, period_seconds: int) -> float:
    """Between 0 and 1, smooth in time, and the same for the same seed and time."""
    position = local.timestamp() / period_seconds
    index = math.floor(position)
    part = (1 - math.cos(math.pi * (position - index))) / 2
    return _chance(seed, name, index) * (1 - part) + _chance(seed, name, index + 1) * part


def _chance(seed: int, name: str, index: int) -> float:
    digest = hashlib.blake2b(f"{seed} {name} {index}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 0xFFFF_FFFF


def _mean(parts: list[Flows]) -> Flows:
    """The mean of stretches of one length."""
    columns = zip(*(astuple(flows) for flows in parts), strict=True)
    return Flows(*(math.fsum(column) / len(parts) for column in columns))
