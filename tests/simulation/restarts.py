"""Whether an engine that was restarted decides what the one before would have decided on the same facts."""

from dataclasses import dataclass

from services.policy_engine.choices import rules_with
from services.policy_engine.decide import book_of, decide_all
from services.policy_engine.engine import Engine
from services.policy_engine.explain import Term
from services.policy_engine.rules import MinerId
from services.policy_engine.state import Farm, fold
from shared.messages import MinerCommand
from shared.topics import MINER_TELEMETRY, SITE_TELEMETRY, locate
from tests.simulation.world import World

_LONGEST_GAP_SECONDS = 5.0


@dataclass(frozen=True)
class Left:
    """What a killed engine knew."""

    farm: Farm
    epoch: int
    at_seconds: float


class Restarts:
    """Only gaps of a few seconds in fair weather are compared: nothing else has changed in them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left: Left | None = None
        self._to_compare: set[MinerId] = set()
        self.compared = 0
        world.on_kill.append(self._killed)

    def _killed(self, name: str) -> None:
        world = self._world
        substance = world.processes[name].substance
        sole = len(world.engines()) == 1 and name == "policy_engine"
        calm = world.broker.weather.is_fair and world.processes[name].well
        if isinstance(substance, Engine) and sole and calm and substance.reign.epoch is not None:
            self._left = Left(substance.farm, substance.reign.epoch, world.clock.seconds())
            self._to_compare = set(world.machines)

    def compare(self, name: MinerId, command: MinerCommand) -> str:
        """What differs; nothing where nothing can be compared."""
        left = self._left
        if left is None or command.epoch <= left.epoch or name not in self._to_compare:
            return ""
        self._to_compare.discard(name)
        gap_seconds = self._world.clock.seconds() - left.at_seconds
        # What a clock that goes wrong has written down tells nothing of its age to one who did not hear it.
        if gap_seconds > _LONGEST_GAP_SECONDS or any(one.offset_seconds for one in self._world.processes.values()):
            return ""
        expected = self._expected(left, name, command)
        self.compared += 1
        for what in ("point", "code", "paused_since", "starts", "action"):
            if getattr(expected, what) != getattr(command, what):
                return f"{what}: {getattr(expected, what)} before, {getattr(command, what)} after"
        return ""

    def _expected(self, left: Left, name: MinerId, command: MinerCommand) -> MinerCommand:
        farm = left.farm
        for path, payload in self._world.broker.retained.items():
            located = locate("sunherd", path)
            if located is not None and located[0] in {MINER_TELEMETRY, SITE_TELEMETRY}:
                topic, identifier = located
                message = topic.model.model_validate_json(payload)
                farm = fold(farm, topic, identifier, message, command.at, retained=True)
        term = Term(command.engine, command.epoch, self._world.rules.lease)
        book = book_of(rules_with(self._world.rules, farm.choices))
        return decide_all(book, farm, None, command.at, term)[name]
