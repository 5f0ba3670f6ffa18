"""Plays a history and says what came of it."""

from collections import Counter
from dataclasses import dataclass

from services.policy_engine.inspector import Breach
from tests.simulation.incidents import schedule
from tests.simulation.shape import DAY_SECONDS, History
from tests.simulation.witness import Witness
from tests.simulation.world import World


@dataclass(frozen=True)
class Outcome:
    """What came of one history. `trace` is the same whenever the same history is played."""

    history: History
    breaches: tuple[Breach, ...]
    counts: Counter[str]
    trace: str

    @property
    def first(self) -> Breach | None:
        return self.breaches[0] if self.breaches else None


def play(history: History, until_seconds: float = DAY_SECONDS, only: str | None = None) -> Outcome:
    """Plays a day, or the beginning of one, in a world of its own. `only`: the one invariant that counts."""
    world = World(history)
    witness = Witness(world)
    schedule(world, history)
    world.run(witness.look, until_seconds)
    breaches = tuple(breach for breach in witness.breaches if only in {None, breach.invariant})
    counts = Counter(witness.counts)
    counts["turns"] = world.scheduler.turns
    counts["restarts compared"] = witness.restarts.compared
    for process in world.processes.values():
        counts.update({f"{process.name} restarted": max(0, process.starts - 1)})
        process.kill()
    return Outcome(history, breaches, counts, witness.trace())
