"""What a person at the terminal is told of rigs that hang, beyond the engine's own events: power, and pauses. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.messages import MinerCommand, PlugTelemetry, PoolReading, PoolVerdict


@dataclass
class CareScene:
    """What pools and outlets have been heard to say."""

    _verdicts: dict[str, PoolVerdict] = field(default_factory=dict)
    _cut: set[str] = field(default_factory=set)
    """Whose power is off for a cycle, as far as has been told."""

    def pool_heard(self, miner: str, reading: PoolReading, command: MinerCommand | None) -> str:
        """A sentence when the pool loses sight of a miner that is paused; of all others the engine itself speaks."""
        before, self._verdicts[miner] = self._verdicts.get(miner), reading.verdict
        if before is not PoolVerdict.ONLINE or reading.verdict is not PoolVerdict.OFFLINE:
            return ""
        if command is None or not command.point.is_pause:
            return ""
        return f"{reading.pool} sees it no more; it is paused, so it is left alone"

    def plug_heard(self, miner: str, plug: PlugTelemetry) -> str:
        """A sentence when an outlet has been read off for a power cycle, and when it has been read on after it."""
        if plug.cycle_off_since is not None and plug.on is False and miner not in self._cut:
            self._cut.add(miner)
            return "power cycle: its outlet is off"
        if plug.on is True and miner in self._cut:
            self._cut.discard(miner)
            return "power cycle: its outlet is on again"
        return ""


def hanging(commands: Mapping[str, MinerCommand]) -> tuple[list[str], list[str]]:
    """Whom the watchdog has tried in vain to bring back so far, and whom it has given up on."""
    tried, given_up = [], []
    for miner, command in commands.items():
        if command.care is not None and command.care.unstable_since is not None:
            given_up.append(miner)
        elif command.care is not None and command.care.numbers.get("tries_in_vain"):
            tried.append(miner)
    return tried, given_up
