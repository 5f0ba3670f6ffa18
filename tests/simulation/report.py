"""What a run of simulated days says: progress, what was seen, what was broken."""

import sys
import time
from collections import Counter
from typing import Any

from tests.simulation.history import shape_of
from tests.simulation.play import Outcome
from tests.simulation.shape import History

_PROGRESS_SECONDS = 10.0


class Report:
    """Adds up outcomes as they come in; tells its progress on standard error."""

    def __init__(self, days: int, jobs: int) -> None:
        self.broken: list[Outcome] = []
        self._days = days
        self._jobs = jobs
        self._played = 0
        self._seen: Counter[str] = Counter()
        self._incidents: Counter[str] = Counter()
        self._began = self._said_at = time.perf_counter()

    def add(self, outcome: Outcome) -> None:
        self._played += 1
        self._seen.update(outcome.counts)
        self._incidents.update(incident.kind for incident in outcome.history.incidents)
        if outcome.breaches:
            self.broken.append(outcome)
            sys.stderr.write(f"seed {outcome.history.seed}: {told(outcome)}\n")
        now = time.perf_counter()
        if now - self._said_at >= _PROGRESS_SECONDS:
            self._said_at = now
            sys.stderr.write(f"{self._played} of {self._days} days, {self._per_minute():.0f} a minute\n")

    def summary(self) -> dict[str, Any]:
        """As data."""
        return {
            "site_days": self._played,
            "site_days_per_minute": round(self._per_minute(), 1),
            "processes": self._jobs,
            "incidents": dict(self._incidents.most_common()),
            "seen": dict(self._seen.most_common()),
            "broken": [
                {"seed": one.history.seed, "invariant": one.first.invariant, "sentence": one.first.sentence}
                for one in self.broken
                if one.first is not None
            ],
        }

    def table(self) -> str:
        """As text."""
        lines = [
            f"{self._played} site-days in {self._jobs} processes, {self._per_minute():.0f} a minute",
            "incidents: " + _listed(self._incidents),
            "seen:      " + _listed(self._seen),
            f"broken:    {len(self.broken)} histories",
        ]
        return "\n".join(lines) + "\n"

    def _per_minute(self) -> float:
        return self._played / max(1e-9, time.perf_counter() - self._began) * 60


def told(outcome: Outcome) -> str:
    """The first thing that was broken."""
    breach = outcome.first
    if breach is None:
        return "nothing is broken"
    return f"{breach.invariant} broken at {breach.at:%H:%M:%S} for {breach.miner}: {breach.sentence}"


def described(history: History) -> str:
    """A history for people: the farm and what happens to it."""
    shape = shape_of(history.seed)
    miners = [
        f"  {name}: {' '.join(filter(None, (miner.driver, miner.board)))}, firmware {miner.generation}, "
        f"{miner.nominal_w} W, " + ", ".join(f"{key} {value}" for key, value in miner.settings.items())
        for name, miner in shape.miners.items()
    ]
    rules = [f"  {key} {value}" for key, value in shape.settings["rules"].items()]
    for name, windows in shape.settings.get("schedules", {}).items():
        rules += [f"  {name} {' '.join(f'{key} {value}' for key, value in window.items())}" for window in windows]
    incidents = [f"  {incident.text()}" for incident in history.incidents] or ["  nothing"]
    return "\n".join([f"seed {history.seed}, miners:", *miners, "rules:", *rules, "incidents:", *incidents])


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())
