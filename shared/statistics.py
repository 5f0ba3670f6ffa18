"""What a miner does in each window of its schedule, added up reading by reading. Pure.

Each reading stands for the time until the next one. Where a window ends between two, the time before its edge is
counted there with the earlier reading, and the time after it in the next window with the later one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.messages import MinerState, MinerStatistics, MinerTelemetry, WindowFigures, WindowStatistics
from shared.schedule import Spell, Timetable

BETWEEN = "between"
LONGEST_GAP = timedelta(seconds=120)
"""Between two readings that are further apart nobody was looking."""
_SECONDS_AN_HOUR = 3600
_ZERO = timedelta()


@dataclass(frozen=True)
class Reading:
    """What of a reading is counted."""

    at: datetime
    online: bool
    power_w: float | None
    hashrate_ths: float | None

    @property
    def measured(self) -> tuple[float, float] | None:
        """Power and hashrate, where both are known."""
        known = self.online and self.power_w is not None and self.hashrate_ths is not None
        return (self.power_w or 0.0, self.hashrate_ths or 0.0) if known else None


@dataclass(frozen=True)
class Tally:
    """The windows so far, and the last reading. Immutable: `heard` makes the next one."""

    timetable: Timetable
    windows: tuple[WindowStatistics, ...] = ()
    last: Reading | None = None
    longest_gap: timedelta = LONGEST_GAP

    def heard(self, telemetry: MinerTelemetry) -> "Tally":
        """Takes in a reading. One that is not newer than the last changes nothing."""
        reading = _reading(telemetry)
        if self.last is not None and reading.at <= self.last.at:
            return self
        is_watched = self.last is not None and reading.at - self.last.at <= self.longest_gap
        after = self.passed(self.last, reading) if self.last is not None and is_watched else self
        sample = WindowFigures(samples=0 if reading.measured is None else 1)
        return replace(after.added(self.timetable.spell_at(reading.at), reading.at, sample), last=reading)

    def message(self, now: datetime) -> MinerStatistics:
        """What is published, and goes on after a restart."""
        label = _label(self.timetable.spell_at(now))
        return MinerStatistics(at=now, schedule=self.timetable.schedule.name, now=label, windows=self.windows)

    def recalled(self, message: MinerStatistics) -> "Tally":
        """Goes on from what was published, for the windows that are still in the schedule."""
        if message.schedule != self.timetable.schedule.name:
            return self
        labels = {*(window.label for window in self.timetable.schedule.windows), BETWEEN}
        return replace(self, windows=tuple(window for window in message.windows if window.window in labels))

    def passed(self, earlier: Reading, later: Reading) -> "Tally":
        """The time between two readings."""
        after, at, reading = self, earlier.at, earlier
        while at < later.at:
            spell = self.timetable.spell_at(at)
            until = later.at if spell.ends is None else min(spell.ends, later.at)
            after = after.added(spell, at, _figures(reading, until - at))
            at, reading = until, later
        return after

    def added(self, spell: Spell, at: datetime, figures: WindowFigures) -> "Tally":
        """More figures for the window of a spell."""
        label = _label(spell)
        found = next((window for window in self.windows if window.window == label), None)
        if found is None:
            found = WindowStatistics(window=label, began_at=at, latest=WindowFigures(), since=at, total=WindowFigures())
        is_new = spell.begins is not None and found.began_at < spell.begins
        grown = found.model_copy(
            update={
                "began_at": at if is_new else found.began_at,
                "latest": _sum(WindowFigures() if is_new else found.latest, figures),
                "total": _sum(found.total, figures),
            }
        )
        others = [window for window in self.windows if window.window != label]
        return replace(self, windows=tuple(sorted([*others, grown], key=lambda window: window.window)))


def _label(spell: Spell) -> str:
    return BETWEEN if spell.window is None else spell.window.label


def _reading(telemetry: MinerTelemetry) -> Reading:
    hashrate_ths = telemetry.hashrate_ths
    if hashrate_ths is None and telemetry.state is MinerState.PAUSED:
        hashrate_ths = 0.0  # known, without being told
    return Reading(telemetry.at, telemetry.reachable, telemetry.power_w, hashrate_ths)


def _figures(reading: Reading, time: timedelta) -> WindowFigures:
    seconds = max(time, _ZERO).total_seconds()
    power_w, hashrate_ths = reading.measured or (0.0, 0.0)
    return WindowFigures(
        observed_seconds=seconds,
        online_seconds=seconds if reading.online else 0.0,
        measured_seconds=0.0 if reading.measured is None else seconds,
        energy_wh=power_w * seconds / _SECONDS_AN_HOUR,
        hashes_th=hashrate_ths * seconds,
    )


def _sum(one: WindowFigures, other: WindowFigures) -> WindowFigures:
    observed, online = one.observed_seconds + other.observed_seconds, one.online_seconds + other.online_seconds
    measured = one.measured_seconds + other.measured_seconds
    energy_wh, hashes_th = one.energy_wh + other.energy_wh, one.hashes_th + other.hashes_th
    return WindowFigures(
        samples=one.samples + other.samples,
        observed_seconds=observed,
        online_seconds=online,
        measured_seconds=measured,
        energy_wh=energy_wh,
        hashes_th=hashes_th,
        average_power_w=energy_wh * _SECONDS_AN_HOUR / measured if measured else None,
        average_hashrate_ths=hashes_th / measured if measured else None,
        efficiency_j_per_th=energy_wh * _SECONDS_AN_HOUR / hashes_th if hashes_th else None,
        online_percent=min(100.0, 100 * online / observed) if observed else None,
    )
