"""What a person at the terminal is told: one status line, and one line per change that has been read back. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from shared.messages import (
    Event,
    Following,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    Severity,
    SiteTelemetry,
    UnknownReason,
)

_KW = 1000.0
_SITE = "site"
_TOLD_BY_THE_SITE = {"soc_unknown", "soc_known"}


@dataclass
class Scene:
    """All that has been heard so far, and what has been said of it.

    What has not been heard for `stale_seconds` of real time is unknown: the broker's memory of a dead agent proves
    nothing. `heard_seconds` None stands for such a memory.
    """

    zone: tzinfo
    stale_seconds: float = 35.0
    site: SiteTelemetry | None = None
    commands: dict[str, MinerCommand] = field(default_factory=dict)
    telemetry: dict[str, MinerTelemetry] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _told_site: str = ""
    _heard: dict[str, float | None] = field(default_factory=dict)
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
        return self._change(miner, command.at)

    def telemetry_heard(self, miner: str, telemetry: MinerTelemetry, heard_seconds: float | None) -> list[str]:
        """Takes in a reading; a line when it shows that a miner has changed."""
        self.telemetry[miner], self._heard[f"miner {miner}"] = telemetry, heard_seconds
        return self._change(miner, telemetry.at)

    def event_heard(self, who: str, event: Event) -> list[str]:
        """A line for what needs a person's eye."""
        if event.severity is Severity.INFO or event.code in _TOLD_BY_THE_SITE:
            return []
        return [self._line(event.at, who, event.sentence)]

    def status(self, now: datetime, seconds: float) -> str:
        """The line that is updated in place, at this farm time and these real seconds."""
        site = self.site if self._is_fresh(_SITE, seconds) else None
        parts = [now.astimezone(self.zone).strftime("%H:%M"), f"Battery {_percent(site)}"]
        if site is not None:
            parts += [
                f"{name} {watts / _KW:.1f} kW"
                for name, watts in (("sun", site.pv_w), ("house+miners", site.load_w))
                if watts is not None
            ]
        fresh = [item for name, item in self.telemetry.items() if self._is_fresh(f"miner {name}", seconds)]
        known = [item for item in fresh if item.reachable]
        hashing = sum(item.state is MinerState.HASHING for item in known)
        parts.append(f"{hashing} of {len(self.telemetry)} miners hashing")
        powers = [item.power_w for item in known if item.power_w is not None]
        coverage = "" if len(powers) == len(self.telemetry) else f" (from {len(powers)})"
        parts.append(f"{sum(powers) / _KW:.1f} kW{coverage}")
        return " · ".join(parts)

    def _is_fresh(self, what: str, seconds: float) -> bool:
        heard = self._heard.get(what)
        return heard is not None and seconds - heard <= self.stale_seconds

    def _change(self, miner: str, at: datetime) -> list[str]:
        telemetry, command = self.telemetry.get(miner), self.commands.get(miner)
        if telemetry is None or telemetry.settled is not True or telemetry.state is MinerState.RAMPING:
            return []
        state = _outcome(telemetry)
        before, self._told[miner] = self._told.get(miner), state
        if before == state:
            return []
        self.changes += before is not None
        return [self._line(at, miner, f"{_why(telemetry, command)} → {state}")]

    def _line(self, at: datetime, who: str, text: str) -> str:
        return f"{at.astimezone(self.zone).strftime('%H:%M')} [{who}] {text}"


def _percent(site: SiteTelemetry | None) -> str:
    if site is None or site.state_of_charge_percent is None:
        return "SoC unknown"
    return f"SoC {site.state_of_charge_percent:.1f} %"


def _outcome(telemetry: MinerTelemetry) -> str:
    if telemetry.state is MinerState.PAUSED:
        return "mining stopped"
    if telemetry.state is MinerState.HASHING:
        normal = None if telemetry.ladder is None else telemetry.ladder.normal
        return "mining" if telemetry.desired in {None, normal} else f"mining at {telemetry.desired}"
    return str(telemetry.state)


def _why(telemetry: MinerTelemetry, command: MinerCommand | None) -> str:
    if telemetry.following is Following.EMERGENCY_STOP:
        return "emergency stop"
    if telemetry.following is Following.FAILSAFE:
        return "no live command, failsafe"
    return command.sentence if command is not None else "no command"
