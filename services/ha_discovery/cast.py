"""All that is shown: what is known of each thing, which devices there are, and how each is announced and shown."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from services.ha_discovery.facts import Facts, filled
from services.ha_discovery.farm_shown import farm_shown, group_shown, is_shown, service_shown
from services.ha_discovery.hearing import miner_recalled
from services.ha_discovery.known import FarmKnown, GroupKnown, MinerKnown, Moment, replicas
from services.ha_discovery.miner_entities import miner_announcement
from services.ha_discovery.miner_sheet import MinerSheet
from services.ha_discovery.miner_shown import miner_shown, plug_shown
from services.ha_discovery.names import Kind, Name
from services.ha_discovery.names import farm as farm_name
from services.ha_discovery.other_entities import (
    farm_announcement,
    group_announcement,
    plug_announcement,
    service_announcement,
)
from services.ha_discovery.payload import Announcement
from services.ha_discovery.shown import Shown, Values
from shared.settings import FarmSettings


@dataclass
class Cast:
    """The newest immutable views. In the service's thread."""

    settings: FarmSettings
    miners: dict[str, MinerKnown] = field(default_factory=dict)
    groups: dict[str, GroupKnown] = field(default_factory=dict)
    farm: FarmKnown = field(default_factory=FarmKnown)
    shown: dict[str, Shown] = field(default_factory=dict)
    """Each miner as it was last looked at: what the sums are made of."""
    _by_mirror: dict[str, str] = field(default_factory=dict)
    """The miners, by the ids of their Mirrors."""

    def __post_init__(self) -> None:
        self.miners = {name: MinerKnown() for name in self.settings.miners}
        self.groups = {name: GroupKnown() for name in self.settings.groups}
        self.shown = {name: Shown(available=False, values={}) for name in self.settings.miners}
        self._by_mirror = {self.name(Kind.MINER, name).mirror: name for name in self.settings.miners}

    @property
    def poll_seconds(self) -> float:
        return self.settings.rules.poll.total_seconds()

    def name(self, kind: Kind, identifier: str) -> Name:
        return Name(kind, self.settings.site.id, identifier)

    def names(self, moment: Moment) -> Iterator[Name]:
        """All devices, the farm first: the others name it as what they are reached by."""
        yield farm_name(self.settings.site.id)
        for miner, settings in self.settings.miners.items():
            yield self.name(Kind.MINER, miner)
            if settings.plug is not None:
                yield self.name(Kind.PLUG, miner)
        for group in self.settings.groups:
            yield self.name(Kind.GROUP, group)
        for instance, presence in replicas(moment.roster).items():
            if is_shown(presence, moment):
                yield self.name(Kind.SERVICE, instance)

    def announcement(self, name: Name, prefix: str) -> Announcement:
        """What Home Assistant is told of a device."""
        match name.kind:
            case Kind.MINER:
                known, settings = self.miners[name.id], self.settings.miners[name.id]
                chosen_w = None if known.choice is None else known.choice.max_w
                return miner_announcement(MinerSheet(name, prefix, settings, known.facts, chosen_w))
            case Kind.PLUG:
                plug = self.settings.miners[name.id].plug
                of_strip = plug is not None and plug.outlet is not None
                return plug_announcement(name, self.miners[name.id].plug_facts, of_strip=of_strip)
            case Kind.GROUP:
                return group_announcement(name, prefix, self._top_w(name.id))
            case Kind.SERVICE:
                return service_announcement(name, replicas(self.farm.roster)[name.id].service)
            case Kind.FARM:
                return farm_announcement(name, prefix, battery=self.settings.battery is not None)

    def look(self, name: Name, moment: Moment) -> Shown:
        """What a device is to be shown to be at this moment."""
        match name.kind:
            case Kind.MINER:
                shown = miner_shown(self.settings.miners[name.id], self.miners[name.id], moment)
                self.shown[name.id] = shown
                return shown
            case Kind.PLUG:
                plug = self.settings.miners[name.id].plug
                poll_seconds = self.poll_seconds if plug is None else plug.poll.total_seconds()
                return plug_shown(self.miners[name.id], moment, poll_seconds)
            case Kind.GROUP:
                group = self.settings.groups[name.id]
                members = [self.shown[miner] for miner in group.members]
                return group_shown(group.max_w, self.groups[name.id], members, moment)
            case Kind.SERVICE:
                return service_shown(replicas(moment.roster)[name.id], moment)
            case Kind.FARM:
                return farm_shown(
                    self.farm,
                    self.shown,
                    moment,
                    battery=self.settings.battery is not None,
                    observed=self.settings.observed() >= self.settings.miners.keys(),
                )

    def recall(self, name: Name, facts: Facts) -> None:
        """What was known of a device before counts where nothing newer is."""
        if name.kind is Kind.MINER:
            known = self.miners[name.id]
            self.miners[name.id] = replace(known, facts=filled(known.facts, facts))
        elif name.kind is Kind.PLUG:
            known = self.miners[name.id]
            self.miners[name.id] = replace(known, plug_facts=filled(known.plug_facts, facts))

    def recall_mirror(self, mirror: str, values: Values) -> None:
        """What was shown of a miner before: its counters go on from there."""
        miner = self._by_mirror.get(mirror)
        if miner is not None:
            self.miners[miner] = miner_recalled(self.miners[miner], values)

    def doubt(self, seconds: float) -> None:
        """After a time in which nobody could be heard, everybody who was there may still be."""
        self.farm = replace(self.farm, roster=self.farm.roster.doubted(seconds))

    def _top_w(self, group: str) -> float:
        members = self.settings.groups[group].members
        sheets = (
            MinerSheet(self.name(Kind.MINER, each), "", self.settings.miners[each], self.miners[each].facts)
            for each in members
        )
        choice = self.groups[group].choice
        chosen_w = 0.0 if choice is None else choice.max_w or 0.0
        return max(sum(sheet.top_w for sheet in sheets), self.settings.groups[group].max_w or 0.0, chosen_w)
