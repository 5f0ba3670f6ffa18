"""A Kasa plug or strip without its wire: outlets with relays, meters and what hangs on them, and how it misbehaves."""

import hashlib
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.simulator.http import Wire
from services.simulator.mac import mac_of
from services.simulator.mains import Load
from shared.clock import Clock, SystemClock

HEARD_KEPT = 2000


@dataclass(frozen=True)
class KasaModel:
    """One kind of device, by what it tells of itself."""

    name: str
    hardware: str
    firmware: str
    meter: bool
    outlets: int = 0
    """Of a strip; a plain plug tells of none."""
    floats: bool = False
    """The oldest meters tell floats in W, V, A and kWh; later ones integers in thousandths, and Wh."""
    smart: bool = False
    """It speaks the younger protocol, whose transport asks for the account."""
    volts: float = 120.0


MODELS = {
    "HS103": KasaModel("HS103(US)", "2.1", "1.1.4 Build 200101 Rel.100000", meter=False),
    "HS110": KasaModel("HS110(EU)", "1.0", "1.2.5 Build 180101 Rel.100000", meter=True, floats=True, volts=230.0),
    "KP115": KasaModel("KP115(EU)", "1.0", "1.0.16 Build 210101 Rel.100000", meter=True, volts=230.0),
    "HS300": KasaModel("HS300(US)", "2.0", "1.0.12 Build 220101 Rel.100000", meter=True, outlets=6),
    "KP303": KasaModel("KP303(US)", "2.0", "1.0.9 Build 230101 Rel.100000", meter=False, outlets=3),
    "KP125M": KasaModel("KP125M", "1.0", "1.2.3 Build 240101 Rel.100000", meter=True, smart=True),
}


@dataclass
class KasaFaults:
    """Orders to misbehave. Flags stand until they are taken back, numbers count down with each use."""

    wire: Wire = Wire.WHOLE
    slow_seconds: float = 0.0
    garbage: bytes | None = None
    """Every answer is this, in place of JSON."""
    refuses: bool = False
    """Relays are not switched, and it says so."""
    refuses_on: int = 0
    """So many times it refuses to switch on."""
    yes_and_nothing: bool = False
    """Relays are not switched, and it says yes."""
    mute_relay: bool = False
    """Relays are switched, but it never says so: the connection stays without an answer."""
    meter_fails: bool = False
    """The meter gives an error, and everything else works."""


@dataclass(frozen=True)
class Switched:
    """A relay that was really moved, in real seconds."""

    at_seconds: float
    outlet: int
    """Counted from 0, as on the wire."""
    on: bool


class Outlet:
    """One socket with its relay and meter. Energy is counted by the farm's days of this machine's time zone."""

    def __init__(self, identifier: str, alias: str, clock: Clock) -> None:
        self.identifier = identifier
        self.alias = alias
        self.on = True
        self.load: Load | None = None
        self.total_wh = 0.0
        self._clock = clock
        self._on_since = clock.seconds()
        self._counted_until = clock.now()
        self._days_wh: dict[date, float] = {}

    @property
    def power_w(self) -> float:
        return 0.0 if self.load is None or not self.on else self.load.power_w

    @property
    def on_seconds(self) -> int:
        return int(self._clock.seconds() - self._on_since) if self.on else 0

    @property
    def today_wh(self) -> float:
        return self._days_wh.get(_day(self._clock.now()), 0.0)

    @property
    def month_wh(self) -> float:
        return sum(self._days_wh.values())

    def count(self) -> None:
        """Counts what was drawn since the last time, as if it had been as much as now."""
        now = self._clock.now()
        drawn_wh = self.power_w * (now - self._counted_until).total_seconds() / 3600
        self._counted_until = now
        day = _day(now)
        if day not in self._days_wh:
            self._days_wh = {each: wh for each, wh in self._days_wh.items() if each.month == day.month}
        self._days_wh[day] = self._days_wh.get(day, 0.0) + drawn_wh
        self.total_wh += drawn_wh

    def switch(self, *, on: bool) -> None:
        self.count()
        self.on, self._on_since = on, self._clock.seconds()
        if self.load is not None:
            (self.load.restore_power if on else self.load.cut_power)()


class KasaMachine:
    """May be asked and ordered from any thread; what asks it over a wire holds `lock` meanwhile."""

    def __init__(
        self,
        model: str = "KP115",
        *,
        clock: Clock,
        name: str = "plug",
        aliases: Sequence[str] = (),
    ) -> None:
        self.model = MODELS[model]
        self.clock = clock
        self.calendar: Clock = SystemClock()
        """What the device takes for the date: the real one, whatever the farm's clock says."""
        self.alias = name
        digest = hashlib.blake2b(name.encode(), digest_size=20).hexdigest().upper()
        self.device_id = digest
        self.mac = mac_of(name)
        self.faults = KasaFaults()
        self.heard: deque[dict[str, Any]] = deque(maxlen=HEARD_KEPT)
        """What was asked of it, newest last."""
        self.switched: deque[Switched] = deque(maxlen=HEARD_KEPT)
        self.parent_switched = 0
        """How often all outlets of a strip were switched at once."""
        self.lock = threading.RLock()
        self.outlets = [
            Outlet(f"{digest}{index:02d}", _alias(index, aliases, name, self.model), clock)
            for index in range(self.model.outlets or 1)
        ]

    @property
    def is_strip(self) -> bool:
        return self.model.outlets > 0

    def outlet(self, which: int | str = 1) -> Outlet:
        """By its number, counted from 1, or its alias."""
        if isinstance(which, int):
            return self.outlets[which - 1]
        return next(outlet for outlet in self.outlets if outlet.alias == which)

    def plug_in(self, load: Load, which: int | str = 1) -> None:
        """The load hangs on this outlet from now on."""
        with self.lock:
            self.outlet(which).load = load

    def press(self, which: int | str = 1, *, on: bool) -> None:
        """Somebody presses the button at the outlet, or taps it in the maker's app."""
        with self.lock:
            self._move(self.outlets.index(self.outlet(which)), on=on)

    def relay(self, outlet: Outlet, *, on: bool) -> bool:
        """What a request for this relay brings about; whether the device says yes."""
        faults = self.faults
        if on and faults.refuses_on > 0:
            faults.refuses_on -= 1
            return False
        if faults.refuses:
            return False
        if not faults.yes_and_nothing:
            self._move(self.outlets.index(outlet), on=on)
        return True

    def count(self) -> None:
        """Lets the meters count up to now."""
        with self.lock:
            for outlet in self.outlets:
                outlet.count()

    def _move(self, index: int, *, on: bool) -> None:
        outlet = self.outlets[index]
        if outlet.on is not on:
            outlet.switch(on=on)
            self.switched.append(Switched(self.clock.seconds(), index, on))


def _alias(index: int, aliases: Sequence[str], name: str, model: KasaModel) -> str:
    if index < len(aliases):
        return aliases[index]
    return f"Outlet {index + 1}" if model.outlets else name


def _day(now: datetime) -> date:
    return now.astimezone().date()
