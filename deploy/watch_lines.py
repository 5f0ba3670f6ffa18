"""What a person at the terminal is told: one status line, and lines for what has begun and been read back. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from deploy.watch_care import CareScene, hanging
from services.policy_engine.policies.overheat import COOL, COOLING, HOT, HOT_PAUSE, PROTECTED, REST
from shared.messages import (
    Event,
    Following,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    PlugTelemetry,
    PoolReading,
    Severity,
    SiteTelemetry,
    UnknownReason,
)

_KW = 1000.0
_SITE = "site"
_TOLD_OTHERWISE = {"soc_unknown", "soc_known", "warm", "farm_file_wrong"}
"""By the site's own line, by the decision that answers it, or, once for all services, by who runs the farm."""
_GOOD_NEWS = {"returned"}
_HEAT = {HOT, HOT_PAUSE, PROTECTED, COOLING, COOL, REST}
_NAMED_MAX = 3


@dataclass
class Scene:
    """All that has been heard so far, and what has been said of it.

    What has not been heard for `stale_seconds` of real time is unknown: the broker's memory of a dead agent proves
    nothing. `heard_seconds` None stands for such a memory.
    """

    zone: tzinfo
    stale_seconds: float = 35.0
    line: Callable[[datetime, str, str], str] | None = None
    """How a line is written: of when, of whom, and what. None: `12:00 [s19-20] what`."""
    site: SiteTelemetry | None = None
    commands: dict[str, MinerCommand] = field(default_factory=dict)
    telemetry: dict[str, MinerTelemetry] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _told_site: str = ""
    _heard: dict[str, float | None] = field(default_factory=dict)
    _ramping: dict[str, str | None] = field(default_factory=dict)
    """Where to, by miner."""
    _events: dict[str, str] = field(default_factory=dict)
    """The code of the event that was told last, by miner."""
    _heated: set[str] = field(default_factory=set)
    """Held back by heat since the last change that was told."""
    _care: CareScene = field(default_factory=CareScene)
    changes: int = 0

    def site_heard(self, site: SiteTelemetry, heard_seconds: float | None) -> list[str]:
        """Takes in the battery; a line when it becomes unknown or known again."""
        self.site, self._heard[_SITE] = site, heard_seconds
        waiting = site.unknown is UnknownReason.STARTING
        said = "" if site.unknown is None or waiting else f"SoC unknown: {site.detail or site.unknown}"
        if said == self._told_site:
            return []
        self._told_site = said
        return [self._line(site.at, "battery", said or f"SoC known again: {site.state_of_charge_percent:.1f} %")]

    def command_heard(self, miner: str, command: MinerCommand) -> list[str]:
        """Takes in a command; the line follows when the miner has done it."""
        self.commands[miner] = command
        if _is_held_by_heat(command):
            self._heated.add(miner)
        return self._change(miner, command.at)

    def telemetry_heard(self, miner: str, telemetry: MinerTelemetry, heard_seconds: float | None) -> list[str]:
        """Takes in a reading; a line when it shows that a miner is on its way, or has changed."""
        before = self.telemetry.get(miner)
        self.telemetry[miner], self._heard[f"miner {miner}"] = telemetry, heard_seconds
        return [*self._departure(miner, before, telemetry), *self._change(miner, telemetry.at)]

    def forget(self, miner: str) -> None:
        """It has left the farm: nobody tends it any more."""
        for told in (self.commands, self.telemetry, self._told, self._ramping, self._events):
            told.pop(miner, None)
        self._heard.pop(f"miner {miner}", None)
        self._heated.discard(miner)

    def event_heard(self, who: str, event: Event) -> list[str]:
        """A line for what needs a person's eye."""
        quiet = event.severity is Severity.INFO and event.code not in _GOOD_NEWS
        if quiet or event.code in _TOLD_OTHERWISE:
            return []
        self._events[who] = event.code
        return [self._line(event.at, who, event.sentence)]

    def pool_heard(self, miner: str, reading: PoolReading) -> list[str]:
        """Takes in a pool's word; a line when it misses a miner that is paused."""
        told = self._care.pool_heard(miner, reading, self.commands.get(miner))
        return [self._line(reading.at, miner, told)] if told else []

    def plug_heard(self, miner: str, plug: PlugTelemetry) -> list[str]:
        """Takes in an outlet's reading; a line when a power cycle has switched it."""
        told = self._care.plug_heard(miner, plug)
        return [self._line(plug.at, miner, told)] if told else []

    def status(self, now: datetime, seconds: float) -> str:
        """The line that is updated in place, at this farm time and these real seconds."""
        site = self.site if self._is_fresh(_SITE, seconds) else None
        parts = [now.astimezone(self.zone).strftime("%H:%M"), f"Battery {_percent(site)}"]
        fresh = {name: item for name, item in self.telemetry.items() if self._is_fresh(f"miner {name}", seconds)}
        known = {name: item for name, item in fresh.items() if item.reachable}
        tried, given_up = hanging(self.commands)
        absent = {*tried, *given_up}
        hashing = sum(item.state is MinerState.HASHING and name not in absent for name, item in known.items())
        parts.append(f"{hashing} of {len(self.telemetry)} miners hashing")
        powers = [item.power_w for item in known.values() if item.power_w is not None]
        coverage = "" if len(powers) == len(self.telemetry) else f" (from {len(powers)})"
        parts.append(f"{_power(sum(powers))}{coverage}")
        parts += [*self._on_their_way(known), *self._held_by_heat(known)]
        parts += [f"{what}: {_some(names)}" for what, names in (("hangs", tried), ("given up on", given_up)) if names]
        if site is not None:
            parts += [
                f"{name} {watts / _KW:.1f} kW"
                for name, watts in (("sun", site.pv_w), ("house+miners", site.load_w))
                if watts is not None
            ]
        return " · ".join(parts)

    def _on_their_way(self, known: Mapping[str, MinerTelemetry]) -> list[str]:
        found = [f"{name} {_setting(item)}" for name, item in known.items() if name in self._ramping and _setting(item)]
        if not found:
            return []
        return [f"{len(found)} ramping" if len(found) > _NAMED_MAX else f"ramping: {', '.join(found)}"]

    def _held_by_heat(self, known: Mapping[str, MinerTelemetry]) -> list[str]:
        hot = [
            f"{name} {item.chip_temperature_celsius:.0f} °C"
            for name, item in known.items()
            if item.chip_temperature_celsius is not None and _is_held_by_heat(self.commands.get(name))
        ]
        if not hot:
            return []
        return [f"{len(hot)} held back by heat" if len(hot) > _NAMED_MAX else f"held back by heat: {', '.join(hot)}"]

    def _is_fresh(self, what: str, seconds: float) -> bool:
        heard = self._heard.get(what)
        return heard is not None and seconds - heard <= self.stale_seconds

    def _departure(self, miner: str, before: MinerTelemetry | None, telemetry: MinerTelemetry) -> list[str]:
        """A line when a miner begins to move; it has moved when its setting has, so one that is only watched never."""
        if telemetry.settled is not False:
            self._ramping.pop(miner, None)
            return []
        was = None if before is None else _setting(before)
        if was in {None, _setting(telemetry)} or self._ramping.get(miner) == telemetry.desired:
            return []
        self._ramping[miner] = telemetry.desired
        command = self.commands.get(miner)
        if command is not None and command.code == self._events.get(miner):
            return []  # the event has said why
        return [self._line(telemetry.at, miner, f"{self._why(miner)} → ramping from {was}")]

    def _change(self, miner: str, at: datetime) -> list[str]:
        telemetry, command = self.telemetry.get(miner), self.commands.get(miner)
        if telemetry is None or telemetry.settled is not True or telemetry.state is MinerState.RAMPING:
            return []
        state = _outcome(telemetry)
        before, self._told[miner] = self._told.get(miner), state
        if before == state:
            return []
        self.changes += before is not None
        line = self._line(at, miner, f"{self._why(miner)} → {state}")
        if not _is_held_by_heat(command):
            self._heated.discard(miner)
        return [line]

    def _why(self, miner: str) -> str:
        telemetry, command = self.telemetry[miner], self.commands.get(miner)
        if telemetry.following is Following.EMERGENCY_STOP:
            return "emergency stop"
        if telemetry.following is Following.FAILSAFE:
            return "no live command, failsafe"
        if command is None:
            return "no command"
        is_cool_again = miner in self._heated and not _is_held_by_heat(command)
        return f"cool again; {command.sentence}" if is_cool_again else command.sentence

    def _line(self, at: datetime, who: str, text: str) -> str:
        if self.line is not None:
            return self.line(at, who, text)
        return f"{at.astimezone(self.zone).strftime('%H:%M')} [{who}] {text}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _percent(site: SiteTelemetry | None) -> str:
    if site is None or site.state_of_charge_percent is None:
        return "SoC unknown"
    return f"SoC {site.state_of_charge_percent:.1f} %"


def _power(watts: float) -> str:
    return f"{watts / _KW:.1f} kW" if watts >= _KW else f"{watts:.0f} W"


def _setting(telemetry: MinerTelemetry) -> str | None:
    """What a miner is set to, where that can be set."""
    if telemetry.voltage_mv is None or telemetry.frequency_mhz is None:
        return None
    return f"{telemetry.frequency_mhz:g} MHz {telemetry.voltage_mv} mV"


def _is_held_by_heat(command: MinerCommand | None) -> bool:
    return command is not None and command.code in _HEAT


def _outcome(telemetry: MinerTelemetry) -> str:
    if telemetry.state is MinerState.PAUSED:
        return "mining stopped"
    if telemetry.state is MinerState.HASHING:
        setting = _setting(telemetry)
        if setting is not None:
            return f"mining at {setting}"
        normal = None if telemetry.ladder is None else telemetry.ladder.normal
        return "mining" if telemetry.desired in {None, normal} else f"mining at {telemetry.desired}"
    return str(telemetry.state)
