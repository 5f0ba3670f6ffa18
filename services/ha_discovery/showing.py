"""Shows the farm to Home Assistant: hears everything, announces each device, and says what has changed of it."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from services.ha_discovery.announcer import Announcer
from services.ha_discovery.cast import Cast
from services.ha_discovery.components import Paths
from services.ha_discovery.happenings import REFUSED
from services.ha_discovery.hearing import MINER_TOPICS, farm_after, group_after, miner_after, without
from services.ha_discovery.known import Moment
from services.ha_discovery.names import Kind, Name
from services.ha_discovery.names import farm as farm_name
from services.ha_discovery.shown import Told, first, next_told
from shared.bus import Arrival, Received
from shared.messages import Choice, EmergencyStop, Event, Mirror, Override, Presence, SiteTelemetry
from shared.settings import FarmSettings
from shared.station import Station
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_CHOICE,
    GROUP_EVENT,
    GROUP_OVERRIDE,
    MINER_EVENT,
    MIRROR,
    PLUG_TELEMETRY,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)

TICK_SECONDS = 0.5
_SHARES = 5
"""A tick looks at whatever has news, and at a fifth of all others: time alone changes some."""
BIRTH_TOPIC = "homeassistant/status"
"""Where Home Assistant says that it has started, whatever its discovery prefix."""
BIRTH_DELAY_SECONDS = 5.0


class Showing:
    """Lives in the service's thread."""

    def __init__(self, station: Station, farm: FarmSettings, chance: Callable[[], float] = random.random) -> None:
        """`chance`: a number from 0 to 1, so that not all who hear a birth answer it at once."""
        self._station = station
        self._chance = chance
        self.cast = Cast(farm)
        self._announcer = Announcer(station, farm.home_assistant.prefix, farm_name(farm.site.id))
        self._told: dict[Name, Told] = {}
        self._dirty: set[Name] = set()
        self._unannounced: set[Name] = set()
        self._pass_ordered = False
        self._all_due_seconds: float | None = None
        self._turn = 0
        self._listen(farm.site.id)
        station.on_ready(self._memory_arrived)
        station.every(TICK_SECONDS, self._tick)

    def _listen(self, site: str) -> None:
        station = self._station
        for topic in MINER_TOPICS:
            station.on(topic, partial(self._miner, topic))
        station.on(GROUP_OVERRIDE, partial(self._group, chosen=False))
        station.on(GROUP_CHOICE, partial(self._group, chosen=True))
        station.on(SITE_TELEMETRY, self._site, site)
        station.on(EMERGENCY_STOP, self._emergency, site)
        station.on(SERVICE_PRESENCE, self._presence)
        station.on(MIRROR, self._mirror)
        station.on(MINER_EVENT, partial(self._event, Kind.MINER))
        station.on(GROUP_EVENT, partial(self._event, Kind.GROUP))
        station.bus.subscribe_raw(BIRTH_TOPIC, self._status)
        station.on_stop(lambda: station.bus.unsubscribe_raw([self._status]))

    # --- listening

    def _miner(self, topic: Topic[Any], received: Received[Any]) -> None:
        known = self.cast.miners.get(received.identifier)
        if known is None:
            return
        seconds, kind = self._station.clock.seconds(), Kind.PLUG if topic is PLUG_TELEMETRY else Kind.MINER
        after = miner_after(known, topic, received, seconds, self.cast.poll_seconds)
        self.cast.miners[received.identifier] = after
        name = self.cast.name(kind, received.identifier)
        if (known.facts, known.plug_facts, known.choice) != (after.facts, after.plug_facts, after.choice):
            self._unannounced.update([name, *self._groups_of(received.identifier)])
        self._mark(name, *([self.cast.name(Kind.MINER, received.identifier)] if kind is Kind.PLUG else []))

    def _groups_of(self, miner: str) -> Iterable[Name]:
        for group, settings in self.cast.settings.groups.items():
            if miner in settings.members:
                yield self.cast.name(Kind.GROUP, group)

    def _group(self, received: Received[Override] | Received[Choice], *, chosen: bool) -> None:
        known = self.cast.groups.get(received.identifier)
        if known is not None:
            self.cast.groups[received.identifier] = group_after(known, received.message, chosen=chosen)
            name = self.cast.name(Kind.GROUP, received.identifier)
            if chosen:
                self._unannounced.add(name)
            self._mark(name)

    def _site(self, received: Received[SiteTelemetry]) -> None:
        self.cast.farm = farm_after(self.cast.farm, received, self._station.clock.seconds())

    def _emergency(self, received: Received[EmergencyStop]) -> None:
        self.cast.farm = farm_after(self.cast.farm, received, self._station.clock.seconds())
        self._mark(farm_name(self.cast.settings.site.id))

    def _presence(self, received: Received[Presence]) -> None:
        name = self.cast.name(Kind.SERVICE, received.identifier)
        if received.message is None:
            self.cast.farm = without(self.cast.farm, received.identifier)
        else:
            self.cast.farm = farm_after(self.cast.farm, received, self._station.clock.seconds())
        if name not in self._told:
            self._unannounced.add(name)

    def _mirror(self, received: Received[Mirror]) -> None:
        """What was shown before us; our own words that come back are no news."""
        if received.retained and received.message is not None:
            self.cast.recall_mirror(received.identifier, received.message.values)

    def _event(self, kind: Kind, received: Received[Event]) -> None:
        """Whoever has asked in vain is shown again what holds."""
        known = self.cast.miners if kind is Kind.MINER else self.cast.groups
        if received.message is not None and received.message.code == REFUSED and received.identifier in known:
            name = self.cast.name(kind, received.identifier)
            self._told.pop(name, None)
            self._mark(name)

    def _status(self, arrival: Arrival) -> None:
        """In the link's thread."""
        if arrival.payload == b"online" and not arrival.retained:
            self._station.soon(partial(self._show_all_in, self._chance() * BIRTH_DELAY_SECONDS))

    # --- showing

    def _memory_arrived(self) -> None:
        """After each connection. The broker may have lost its memory, and nobody's silence meanwhile counts."""
        self.cast.doubt(self._station.clock.seconds())
        self._show_all_in(0.0)
        self._tick()

    def _show_all_in(self, seconds: float) -> None:
        due = self._station.clock.seconds() + seconds
        self._all_due_seconds = due if self._all_due_seconds is None else min(due, self._all_due_seconds)

    def _may_speak(self) -> bool:
        """Before the memory has arrived there is nothing to show; fenced, somebody else may be showing it."""
        return self._station.bus.is_synced() and not self._station.is_fenced()

    def _moment(self) -> Moment:
        clock = self._station.clock
        return Moment(clock.now(), clock.seconds(), self.cast.poll_seconds, self.cast.farm.roster)

    def _mark(self, *names: Name) -> None:
        """One pass follows all messages of a batch, at once after it."""
        self._dirty.update(names)
        if not self._pass_ordered:
            self._pass_ordered = True
            self._station.soon(self._ordered_pass)

    def _ordered_pass(self) -> None:
        self._pass_ordered = False
        if self._may_speak() and self._told:
            moment, dirty = self._moment(), self._dirty
            self._dirty = set()
            for name in dirty:
                self._show(name, moment)

    def _tick(self) -> None:
        if not self._may_speak():
            return
        moment = self._moment()
        if self._all_due_seconds is not None and moment.seconds >= self._all_due_seconds:
            self._show_all(moment)
            return
        if not self._told:
            return
        names = list(self.cast.names(moment))
        self._turn = (self._turn + 1) % _SHARES
        for place, name in enumerate(names):
            if place % _SHARES == self._turn or name.kind in {Kind.FARM, Kind.GROUP} or name in self._dirty:
                self._show(name, moment)
        self._dirty.clear()
        self._announce_news(names)
        if self._told.keys() - set(names):
            self._forget_others(names)

    def _show(self, name: Name, moment: Moment) -> None:
        fresh, told = self.cast.look(name, moment), self._told.get(name)
        due = first(fresh, moment.seconds) if told is None else next_told(told, fresh, moment.seconds)
        if due is None:
            return
        self._told[name] = due
        mirror = Mirror(
            at=moment.now, available=due.shown.available, values=dict(due.shown.values), why=dict(due.shown.why)
        )
        self._station.publish(MIRROR, name.mirror, mirror)

    def _show_all(self, moment: Moment) -> None:
        self._all_due_seconds = None
        names = list(self.cast.names(moment))
        self._announcer.take_in()
        for name in names:
            self.cast.recall(name, self._announcer.facts(name.device))
        self._told.clear()
        for name in names:
            self._announcer.say(self._paths(name), self.cast.announcement(name, self._station.bus.prefix), again=True)
        # The sums last: they are made of what each miner was just seen to be.
        for name in sorted(names, key=lambda each: each.kind in {Kind.FARM, Kind.GROUP}):
            self._show(name, moment)
        self._dirty.clear()
        self._unannounced.clear()
        self._forget_others(names)

    def _announce_news(self, names: Iterable[Name]) -> None:
        for name in [each for each in names if each in self._unannounced]:
            announcement = self.cast.announcement(name, self._station.bus.prefix)
            if self._announcer.say(self._paths(name), announcement, again=False):
                self._unannounced.discard(name)

    def _forget_others(self, names: Iterable[Name]) -> None:
        """What has left the farm, be it while nobody showed it, is taken back."""
        kept = set(names)
        self._announcer.withdraw_all_but({name.device for name in kept})
        self._told = {name: told for name, told in self._told.items() if name in kept}

    def _paths(self, name: Name) -> Paths:
        return Paths(self._station.bus.prefix, self._station.bus.instance, name)
