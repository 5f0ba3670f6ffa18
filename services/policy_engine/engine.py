"""The engine's shell: it alone has a clock, a bus and a log. It listens, lets the core decide, and publishes."""

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from services.policy_engine.choices import rules_with
from services.policy_engine.decide import Book, book_of, decide_all, decide_each
from services.policy_engine.explain import Term
from services.policy_engine.heat import is_too_hot
from services.policy_engine.people import People
from services.policy_engine.policies.emergency_stop import remembered_stop
from services.policy_engine.publisher import Publisher
from services.policy_engine.reign import Reign, Word
from services.policy_engine.remarks import remarks
from services.policy_engine.rota import Rota
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.self_check import CHECK_SECONDS, SelfCheck
from services.policy_engine.state import Farm, empty_farm, fold
from services.policy_engine.telling import Change, Teller, has_news
from services.policy_engine.throne import Throne
from services.policy_engine.view import from_the_future
from shared.bus import Received
from shared.messages import (
    Command,
    EmergencyStop,
    EngineEpoch,
    MinerCommand,
    MinerTelemetry,
    PlugCommand,
    PlugTelemetry,
    PoolReading,
    SiteTelemetry,
)
from shared.station import Station
from shared.topics import (
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    MINER_COMMAND,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_COMMAND,
    PLUG_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
_SHARE = 50
"""Miners that are looked at in one go: some milliseconds, for which a message may have to wait."""


class Engine:
    """Decides for one site. `farm`, `reign` and `book` are immutable values; this object only holds the newest."""

    def __init__(self, service: Station, rules: Rules, site: str, *, rival_silence: timedelta | None = None) -> None:
        """`rival_silence`: after which we decide again, if nobody else is asked to; else as long as memory lasts."""
        self.book: Book = book_of(rules)
        self.farm: Farm = empty_farm(rules.miners, rules.groups, service.clock.now())
        self._throne = Throne(service, site, rival_silence or rules.memory_lasts)
        self._service = service
        self._rules = rules
        """The farm file's; those that hold are the book's: what people have chosen stands above them."""
        self._obeyed = self.farm.choices
        self._site = site
        self._teller = Teller(service)
        self._dirty: set[MinerId] = set()
        self._all_dirty = False
        self._pass_ordered = self._claim_due = False
        self._publisher = Publisher(service, rules)
        for remark in remarks(rules, service.clock.now()):
            log.warning("%s", remark)
        self._rota = Rota(rules.shares(_SHARE), service.clock.now())
        service.on(SITE_TELEMETRY, self._site_telemetry, site)
        service.on(EMERGENCY_STOP, self._emergency_stop, site)
        service.on(ENGINE_EPOCH, self._engine_epoch, site)
        service.on(MINER_TELEMETRY, self._miner_telemetry)
        service.on(MINER_COMMAND, self._miner_command)
        service.on(MINER_POOL, self._witness)
        service.on(PLUG_TELEMETRY, self._witness)
        service.on(PLUG_COMMAND, self._plug_command)
        self._people = People(service, rules, self)
        self._self_check = SelfCheck(service)
        service.on_ready(self._memory_arrived)
        service.every(CHECK_SECONDS, self._check)
        service.every(min(TICK_SECONDS, self._rota.period.total_seconds()), self._tick)

    # --- listening

    def _site_telemetry(self, received: Received[SiteTelemetry]) -> None:
        message = received.message
        if message is not None and from_the_future(message, received.received_at):
            self._teller.refused_future(message, received.received_at)
            return
        before = self.farm.site
        self.hear(SITE_TELEMETRY, received)
        after = self.farm.site
        if (before.soc_percent, before.unknown, before.grid_available) != (
            after.soc_percent,
            after.unknown,
            after.grid_available,
        ):
            self.order_pass()

    def _emergency_stop(self, received: Received[EmergencyStop]) -> None:
        self.hear(EMERGENCY_STOP, received)
        if received.message is None or self.farm.emergency is not received.message:
            self._restore_emergency_stop()
        self.order_pass()

    def _miner_telemetry(self, received: Received[MinerTelemetry]) -> None:
        view = self.farm.miners.get(received.identifier)
        if view is None:
            return
        before = view.telemetry
        self.hear(MINER_TELEMETRY, received)
        rules = self.book.rules.miners[received.identifier]
        if has_news(before, received.message) or is_too_hot(received.message, rules):
            self.order_pass(received.identifier)

    def _engine_epoch(self, received: Received[EngineEpoch]) -> None:
        message = received.message
        word = Word.LOWER if message is None else self._throne.hear(message.engine, message.epoch)
        if word is Word.LOWER:
            self._throne.proclaim()

    def _witness(self, received: Received[PoolReading] | Received[PlugTelemetry]) -> None:
        """Pool and outlet are heard at their own pace: nothing that follows from them is in a hurry."""
        topic: Topic[Any] = PLUG_TELEMETRY if isinstance(received.message, PlugTelemetry) else MINER_POOL
        self.hear(topic, received)

    def _miner_command(self, received: Received[MinerCommand]) -> None:
        view = self.farm.miners.get(received.identifier)
        if view is not None and (received.message is None or received.message is not view.command):
            self._command(MINER_COMMAND, received)

    def _plug_command(self, received: Received[PlugCommand]) -> None:
        view = self.farm.miners.get(received.identifier)
        if view is not None and (received.message is None or received.message is not view.outlet):
            self._command(PLUG_COMMAND, received)

    def _command(self, topic: Topic[Any], received: Received[Any]) -> None:
        """Not our own words that come back: another engine's, or a memory of what was decided before us."""
        message: Command | None = received.message
        word = Word.LOWER if message is None else self._throne.hear(message.engine, message.epoch)
        if word is Word.LOWER and self._throne.epoch is not None:
            self._service.counts.add("command_rewritten")
            self._publisher.say_again(received.identifier)
            self.order_pass(received.identifier)
        elif word in {Word.MEMORY, Word.HIGHER}:
            self.hear(topic, received)

    def hear(self, topic: Topic[Any], received: Received[Any]) -> None:
        self.farm = fold(
            self.farm,
            topic,
            received.identifier,
            received.message,
            received.received_at,
            retained=received.retained,
        )

    def _check(self) -> None:
        if self.reign.epoch is None or not self._service.bus.is_synced():
            self._self_check.forget()
        else:
            self._self_check.look(self.farm, self.book.rules, self.reign.epoch)

    # --- being in charge

    @property
    def reign(self) -> Reign:
        return self._throne.reign

    def _memory_arrived(self) -> None:
        """After each (re)connection. The broker may have lost its memory meanwhile: everything is said again."""
        self._claim_due = True
        self._claim()

    def _claim(self) -> None:
        # Fenced, another replica may be in charge by now: who was cut off or stood still must hear of that first.
        if not self._claim_due or self._service.is_fenced():
            return
        self._claim_due = False
        self._throne.claim()
        self._restore_emergency_stop()
        if self.is_in_charge():
            self._people.say_choices_again()
        self._publisher.say_again(*self.farm.miners)
        self.decide(None)

    def _restore_emergency_stop(self) -> None:
        """The latch outlives its topic: from our memory, or from what the commands remember of it."""
        remembered = remembered_stop(self.farm, self.reign.engine, self._service.clock.now())
        if remembered is not None and (self.farm.emergency is None or not self.farm.emergency.ends(remembered)):
            log.warning("emergency stop: %s", remembered.reason)
            self.farm = fold(self.farm, EMERGENCY_STOP, self._site, remembered, remembered.at, retained=False)
        # A resume is said again, too: a broker that came back with an old memory would stop everybody anew.
        if self.farm.emergency is not None and self.reign.epoch is not None:
            self._service.publish(EMERGENCY_STOP, self._site, self.farm.emergency)

    # --- deciding

    def order_pass(self, *miners: MinerId) -> None:
        """One pass follows all messages of a batch, at once after it. No miner named: it is over the whole farm."""
        self._all_dirty = self._all_dirty or not miners
        self._dirty.update(miners)
        if not self._pass_ordered:
            self._pass_ordered = True
            self._service.soon(self._ordered_pass)

    def _ordered_pass(self) -> None:
        self._pass_ordered = False
        self.decide(None if self._all_dirty else [*self._dirty])

    def _tick(self) -> None:
        self._claim()
        if self._throne.reclaim():
            self.order_pass()
        miners, self._rota = self._rota.turn(self._service.clock.now())
        if miners is None:
            self.decide(None)
        elif miners:
            self._look(miners)

    def _term(self) -> Term | None:
        # Without a broker nobody could hear: memory ages then, as the agents' leases do.
        if self.reign.epoch is None or not self._service.bus.is_synced() or self._service.is_fenced():
            return None
        return Term(self.reign.engine, self.reign.epoch, self._rules.lease)

    def is_in_charge(self) -> bool:
        """Whether it decides at this moment, and can be heard."""
        return self._term() is not None

    def _renew_book(self) -> None:
        """The rules that hold are made anew when a choice has changed. What is remembered stays as it is."""
        if self.farm.choices is self._obeyed:
            return
        before, rules = self.book.rules, rules_with(self._rules, self.farm.choices)
        self._obeyed, self.book = self.farm.choices, book_of(rules)
        self._rota = self._rota.shared_anew(rules.shares(_SHARE))
        # Who has chosen what is said at once, also where nothing else follows from it.
        self._publisher.say_again(*(name for name, own in rules.miners.items() if own != before.miners[name]))
        for name, group in rules.groups.items():
            if group != before.groups[name]:
                self._publisher.say_again(*group.members)

    def _look(self, miners: tuple[MinerId, ...]) -> None:
        """One share of the farm. Where it would start a miner, all are asked: starts go by priority, not by turns."""
        term, now = self._term(), self._service.clock.now()
        if term is None:
            return
        self._renew_book()
        commands = decide_all(self.book, self.farm, miners, now, term)
        if any(command.starts[-1:] == (now,) for command in commands.values()):
            self.decide(None)
        else:
            self._teller.tell(self._publish(commands.items(), term))

    def decide(self, miners: Collection[MinerId] | None) -> None:
        """A pass over these miners (None: the whole farm), and what was decided is said."""
        term, now = self._term(), self._service.clock.now()
        if term is None:
            return
        self._renew_book()
        self._dirty.difference_update(self.farm.miners if miners is None else miners)
        if miners is None:
            self._all_dirty, self._rota = False, self._rota.all_seen(now)
        decisions = decide_each(self.book, self.farm, miners, now, term)
        changes: list[Change] = []
        # The first commands are on their way while the last are still being decided; log files come after them.
        while share := list(islice(decisions, _SHARE)):
            changes += self._publish(share, term)
        self._teller.tell(changes)

    def _publish(self, decisions: Iterable[tuple[MinerId, MinerCommand]], term: Term) -> list[Change]:
        self.farm, changes = self._publisher.publish(self.farm, dict(decisions), term, self._service.clock.now())
        return changes
