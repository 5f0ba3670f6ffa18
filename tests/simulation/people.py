"""The people of a simulated farm: what they order, and that they say it again when nobody has heard it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.policy_engine.rules import MinerId, Rules
from shared.bus import Packet
from shared.messages import EmergencyStop, Message, Number, Override, OverrideKind, Request, RequestKind
from shared.topics import EMERGENCY_STOP, GROUP_OVERRIDE, MINER_OVERRIDE, MINER_REQUEST, Topic
from tests.simulation.network import SimulatedBroker
from tests.simulation.scheduler import Scheduler

_PREFIX = "sunherd"
_SAY_AGAIN_SECONDS = 60.0
_ENDING = {OverrideKind.AUTOMATIC, OverrideKind.FORCE_ON}
_STRICTEST_FIRST = (OverrideKind.PAUSE, OverrideKind.FORCE_ON, OverrideKind.MAINTENANCE)


@dataclass(frozen=True)
class Order:
    """What stands on one topic by the will of a person."""

    topic: Topic[Override] | Topic[EmergencyStop] | Topic[Request]
    identifier: str
    message: Message


class People:
    """Orders reach the broker once it can be reached, and are repeated after bad weather."""

    def __init__(self, broker: SimulatedBroker, scheduler: Scheduler, rules: Rules, site: str) -> None:
        self._broker = broker
        self._scheduler = scheduler
        self._rules = rules
        self._site = site
        self.standing: dict[str, Order] = {}
        self._unsaid: set[str] = set()
        self.stop_ordered_at: datetime | None = None
        self._earlier_stop_at: datetime | None = None

    # --- what they want

    def override(
        self, target: str, kind: OverrideKind, until: datetime | None = None, max_w: float | None = None
    ) -> None:
        message = Override(at=self._scheduler.clock.now(), kind=kind, by="owner", until=until, max_w=max_w)
        topic = GROUP_OVERRIDE if target in self._rules.groups else MINER_OVERRIDE
        self._order(Order(topic, target, message))

    def choose(self, miner: MinerId, choose: dict[str, Number | None]) -> None:
        """Asked once, of whoever is there to hear it."""
        request = Request(at=self._scheduler.clock.now(), kind=RequestKind.CHOOSE, by="owner", choose=choose)
        if self._broker.running:
            self._send(Order(MINER_REQUEST, miner, request))

    def stop(self) -> None:
        now = self._scheduler.clock.now()
        self._earlier_stop_at = self.stop_ordered_at or now - timedelta(minutes=10)
        self.stop_ordered_at = now
        self._order(Order(EMERGENCY_STOP, self._site, EmergencyStop(at=now, active=True, by="owner")))

    def resume(self) -> None:
        now, stop_at = self._scheduler.clock.now(), self.stop_ordered_at
        self.stop_ordered_at = None
        self._order(Order(EMERGENCY_STOP, self._site, EmergencyStop(at=now, active=False, by="owner", lifts=stop_at)))

    def late_resume(self) -> None:
        """A resume of an earlier stop, which has waited in somebody's telephone until now."""
        now = self._scheduler.clock.now()
        lifts = self._earlier_stop_at or now - timedelta(hours=2)
        if self.stop_ordered_at is not None and lifts >= self.stop_ordered_at:
            return
        late = EmergencyStop(at=lifts + timedelta(seconds=1), active=False, by="telephone", lifts=lifts)
        if self._broker.running:
            self._send(Order(EMERGENCY_STOP, self._site, late))

    def forgotten(self) -> None:
        """Broker and engine have both lost their memory: nobody can know any more what was ordered."""
        self.standing.clear()
        self._unsaid.clear()
        self.stop_ordered_at = None

    def wants(self, miner: MinerId) -> OverrideKind | None:
        """What is in force for a miner, its groups' orders included."""
        now, found = self._scheduler.clock.now(), set()
        for target in (miner, *self._rules.groups_of[miner]):
            order = self.standing.get(target)
            message = None if order is None else order.message
            if isinstance(message, Override) and (message.until is None or now < message.until):
                found.add(message.kind)
        return next((kind for kind in _STRICTEST_FIRST if kind in found), None)

    def limit_w(self, target: str) -> float | None:
        """How many watts are allowed to a miner or a group, where a limit is in force."""
        order = self.standing.get(target)
        message = None if order is None else order.message
        if not isinstance(message, Override) or message.max_w is None:
            return None
        over = message.until is not None and self._scheduler.clock.now() >= message.until
        return None if over else message.max_w

    def ended_a_pause_at(self, miner: MinerId) -> datetime | None:
        """When somebody last said that a miner shall go on, which ends a pause made at the miner itself."""
        orders = (self.standing.get(target) for target in (miner, *self._rules.groups_of[miner]))
        messages = [order.message for order in orders if order is not None]
        return max((one.at for one in messages if isinstance(one, Override) and one.kind in _ENDING), default=None)

    def has_said_all(self) -> bool:
        return not self._unsaid

    # --- how they say it

    def say_again(self) -> None:
        """After bad weather: whatever stands."""
        for identifier, order in self.standing.items():
            self._try(identifier, order)

    def _order(self, order: Order) -> None:
        self.standing[order.identifier] = order
        self._unsaid.add(order.identifier)
        self._try(order.identifier, order)

    def _try(self, identifier: str, order: Order) -> None:
        if self.standing.get(identifier) is not order:
            return
        if self._broker.running:
            self._send(order)
            self._unsaid.discard(identifier)
        else:
            self._scheduler.after(_SAY_AGAIN_SECONDS, lambda: self._try(identifier, order))

    def _send(self, order: Order) -> None:
        path = order.topic.path(_PREFIX, order.identifier)
        payload = order.message.model_dump_json(exclude_none=True).encode()
        self._broker.publish(Packet(path, payload, order.topic.qos, order.topic.retain))
