"""The engine's shell: it alone has a clock, a bus and a log. It listens, lets the core decide, and publishes."""

import logging
from datetime import timedelta
from typing import Any

from services.policy_engine.decide import Book, book_of, decide_all
from services.policy_engine.explain import Term, is_worth_publishing
from services.policy_engine.reign import Reign, Word
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm, empty_farm, fold, from_the_future, with_commands
from services.policy_engine.telling import Teller, has_news
from shared.bus import Received
from shared.messages import EmergencyStop, EngineEpoch, MinerCommand, MinerTelemetry, Override, SiteTelemetry
from shared.service import Service
from shared.topics import (
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    GROUP_OVERRIDE,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
_WHOLE_FARM_EVERY = timedelta(seconds=1)
"""In farm time: dwell times, stale inputs and leases run on without any message."""


class Engine:
    """Decides for one site. `farm`, `reign` and `book` are immutable values; this object only holds the newest."""

    def __init__(self, service: Service, rules: Rules, site: str) -> None:
        self.book: Book = book_of(rules)
        self.farm: Farm = empty_farm(rules.miners, rules.groups, service.clock.now())
        self.reign = Reign(service.bus.instance)
        self._service = service
        self._rules = rules
        self._site = site
        self._teller = Teller(service)
        self._dirty: set[MinerId] = set()
        self._all_dirty = False
        self._pass_ordered = False
        self._to_rewrite: set[MinerId] = set()
        self._last_whole_at = service.clock.now()
        service.on(SITE_TELEMETRY, self._site_telemetry, site)
        service.on(EMERGENCY_STOP, self._emergency_stop, site)
        service.on(ENGINE_EPOCH, self._engine_epoch, site)
        service.on(MINER_TELEMETRY, self._miner_telemetry)
        service.on(MINER_OVERRIDE, self._miner_override)
        service.on(GROUP_OVERRIDE, self._group_override)
        service.on(MINER_COMMAND, self._miner_command)
        service.on_ready(self._memory_arrived)
        service.every(TICK_SECONDS, self._tick)

    # --- listening

    def _site_telemetry(self, received: Received[SiteTelemetry]) -> None:
        message = received.message
        if message is not None and from_the_future(message, received.received_at):
            self._teller.refused_future(message, received.received_at)
            return
        before = self.farm.site
        self._fold(SITE_TELEMETRY, received)
        after = self.farm.site
        if (before.soc_percent, before.unknown, before.grid_available) != (
            after.soc_percent,
            after.unknown,
            after.grid_available,
        ):
            self._order_pass()

    def _emergency_stop(self, received: Received[EmergencyStop]) -> None:
        self._fold(EMERGENCY_STOP, received)
        if received.message is None:
            self._restore_emergency_stop()
        self._order_pass()

    def _miner_telemetry(self, received: Received[MinerTelemetry]) -> None:
        view = self.farm.miners.get(received.identifier)
        if view is None:
            return
        before = view.telemetry
        self._fold(MINER_TELEMETRY, received)
        if has_news(before, received.message):
            self._order_pass(received.identifier)

    def _miner_override(self, received: Received[Override]) -> None:
        if received.identifier in self.farm.miners:
            self._fold(MINER_OVERRIDE, received)
            self._order_pass(received.identifier)

    def _group_override(self, received: Received[Override]) -> None:
        self._fold(GROUP_OVERRIDE, received)
        group = self._rules.groups.get(received.identifier)
        for miner in () if group is None else group.members:
            self._order_pass(miner)

    def _engine_epoch(self, received: Received[EngineEpoch]) -> None:
        message = received.message
        word = Word.LOWER if message is None else self._hear(message.engine, message.epoch)
        if word is Word.LOWER and self.reign.epoch is not None:
            self._publish_epoch(self.reign.epoch)

    def _miner_command(self, received: Received[MinerCommand]) -> None:
        message, miner = received.message, received.identifier
        if miner not in self.farm.miners:
            return
        word = Word.LOWER if message is None else self._hear(message.engine, message.epoch)
        if word is Word.LOWER and self.reign.epoch is not None:
            self._service.counts.add("command_rewritten")
            self._to_rewrite.add(miner)
            self._order_pass(miner)
        elif word in {Word.MEMORY, Word.HIGHER}:
            self._fold(MINER_COMMAND, received)

    def _fold(self, topic: Topic[Any], received: Received[Any]) -> None:
        self.farm = fold(
            self.farm,
            topic,
            received.identifier,
            received.message,
            received.received_at,
            retained=received.retained,
        )

    # --- being in charge

    def _hear(self, engine: str, epoch: int) -> Word:
        word = self.reign.judge(engine, epoch)
        self.reign = self.reign.hear(engine, epoch, self._service.clock.now())
        if word is Word.HIGHER:
            self._service.counts.add("stood_down")
            log.warning("%s has taken over with epoch %d: standing down until it is silent", engine, epoch)
        return word

    def _memory_arrived(self) -> None:
        """After each (re)connection. The broker may have lost its memory meanwhile: everything is said again."""
        if self.reign.epoch is not None:
            self._publish_epoch(self.reign.epoch)
        elif self.reign.may_begin(self._service.clock.now(), self._rules.memory_lasts):
            self._begin()
        self._restore_emergency_stop()
        self._to_rewrite.update(self.farm.miners)
        self._decide(whole=True)

    def _begin(self) -> None:
        self.reign = self.reign.begin(self._service.clock.now())
        if self.reign.epoch is not None:
            log.info("%s is in charge with epoch %d", self.reign.engine, self.reign.epoch)
            self._publish_epoch(self.reign.epoch)

    def _publish_epoch(self, epoch: int) -> None:
        message = EngineEpoch(at=self._service.clock.now(), engine=self.reign.engine, epoch=epoch)
        self._service.publish(ENGINE_EPOCH, self._site, message)

    def _restore_emergency_stop(self) -> None:
        """The latch outlives its topic: from our memory, or from what the commands remember of it."""
        latch = self.farm.emergency
        if latch is None and any(_remembers_stop(view.command) for view in self.farm.miners.values()):
            reason = "the broker lost the stop; the commands remember it"
            latch = EmergencyStop(at=self._service.clock.now(), active=True, by=self.reign.engine, reason=reason)
            self._emergency_from_memory(latch)
        if latch is not None and latch.active and self.reign.epoch is not None:
            self._service.publish(EMERGENCY_STOP, self._site, latch)

    def _emergency_from_memory(self, latch: EmergencyStop) -> None:
        log.warning("emergency stop: %s", latch.reason)
        self.farm = fold(self.farm, EMERGENCY_STOP, self._site, latch, latch.at, retained=False)

    # --- deciding

    def _order_pass(self, miner: MinerId | None = None) -> None:
        """One pass follows all messages of a batch, at once after it."""
        if miner is None:
            self._all_dirty = True
        else:
            self._dirty.add(miner)
        if not self._pass_ordered:
            self._pass_ordered = True
            self._service.soon(self._ordered_pass)

    def _ordered_pass(self) -> None:
        self._pass_ordered = False
        self._decide(whole=self._all_dirty)

    def _tick(self) -> None:
        now = self._service.clock.now()
        if self.reign.rival is not None and self.reign.may_begin(now, self._rules.memory_lasts):
            log.warning("%s has been silent for too long: taking over again", self.reign.rival)
            self._begin()
            self._order_pass()
        if now - self._last_whole_at >= _WHOLE_FARM_EVERY:
            self._decide(whole=True)

    def _decide(self, *, whole: bool) -> None:
        # Without a broker nobody could hear: memory ages then, as the agents' leases do.
        if self.reign.epoch is None or not self._service.bus.is_synced():
            return
        now = self._service.clock.now()
        miners = None if whole else [*self._dirty]
        self._dirty.clear()
        if whole:
            self._all_dirty, self._last_whole_at = False, now
        term = Term(self.reign.engine, self.reign.epoch, self._rules.lease)
        commands = decide_all(self.book, self.farm, miners, now, term)
        self._publish({name: command for name, command in commands.items() if self._is_news(name, command)})

    def _is_news(self, miner: MinerId, command: MinerCommand) -> bool:
        return miner in self._to_rewrite or is_worth_publishing(self.farm.miners[miner].command, command, miner)

    def _publish(self, commands: dict[MinerId, MinerCommand]) -> None:
        before = {name: self.farm.miners[name].command for name in commands}
        # Only what is published becomes memory: so a restart, which knows nothing else, decides the very same.
        self.farm = with_commands(self.farm, commands)
        self._to_rewrite.difference_update(commands)
        for name, command in commands.items():
            self._service.publish(MINER_COMMAND, name, command)
            self._teller.tell(name, before[name], command)


def _remembers_stop(command: MinerCommand | None) -> bool:
    return command is not None and command.code == "emergency_stop"
