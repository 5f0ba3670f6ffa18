"""What the engine knows of the farm: immutable views, and how each message changes them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.policy_engine.altered import altered
from services.policy_engine.choices import Choices, choices_after
from services.policy_engine.rules import GroupId, MinerId
from services.policy_engine.view import Asked, MinerView, from_the_future, miner_after
from shared.messages import (
    EmergencyStop,
    Message,
    MinerCommand,
    Override,
    PlugCommand,
    SiteTelemetry,
    UnknownReason,
)
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_CHOICE,
    GROUP_OVERRIDE,
    MINER_CHOICE,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_TELEMETRY,
    SITE_TELEMETRY,
)
from shared.topics import Topic as TopicOf


@dataclass(frozen=True)
class SiteView:
    """Battery and grid. All times are on our own clock."""

    soc_percent: float | None = None
    unknown: UnknownReason | None = None
    """None while the state of charge is known, and before anything has been heard."""
    confirmed_at: datetime | None = None
    """When the last valid state of charge was confirmed."""
    grid_available: bool | None = None
    grid_known_at: datetime | None = None
    told_at: datetime | None = None
    """The date of the message itself, on its sender's clock."""

    def fresh_soc_percent(self, now: datetime, longest: timedelta) -> float | None:
        """The state of charge, if it is known and was confirmed less than `longest` ago."""
        if self.confirmed_at is None or now - self.confirmed_at >= longest:
            return None
        return self.soc_percent


_NOBODY = MinerView()


@dataclass(frozen=True)
class Farm:
    """Everything that a decision may depend on, apart from the rules and the time."""

    began_at: datetime
    """When this engine began to listen."""
    miners: Mapping[MinerId, MinerView]
    groups: Mapping[GroupId, Override | None] = field(default_factory=dict)
    site: SiteView = SiteView()
    emergency: EmergencyStop | None = None
    choices: Choices = field(default_factory=Choices)
    """What people have chosen instead of the farm file; another object only if any of it is another."""


def empty_farm(miners: Iterable[MinerId], groups: Iterable[GroupId], began_at: datetime) -> Farm:
    """A farm of which nothing has been heard."""
    return Farm(began_at, dict.fromkeys(miners, MinerView()), dict.fromkeys(groups))


def active_stop(farm: Farm) -> EmergencyStop | None:
    """The emergency stop that is in force."""
    return farm.emergency if farm.emergency is not None and farm.emergency.active else None


def fold(
    farm: Farm, topic: TopicOf[Any], identifier: str, message: Message | None, received_at: datetime, *, retained: bool
) -> Farm:
    """The farm after a message. `message` None: the topic was cleared. Ids that are not configured change nothing."""
    if retained and message is not None and _is_outdated(farm, topic, identifier, message):
        return farm
    return _folded(farm, topic, identifier, message, received_at, retained=retained)


def _folded(
    farm: Farm, topic: TopicOf[Any], identifier: str, message: Message | None, received_at: datetime, *, retained: bool
) -> Farm:
    # There is one object of each topic: to compare all its fields would take longer than the rest of this.
    if topic is SITE_TELEMETRY:
        return replace(farm, site=_site_after(farm.site, message, received_at, retained=retained))
    if topic is EMERGENCY_STOP:
        # An emptied topic is not a resume, nor is one that is older than the stop.
        if isinstance(message, EmergencyStop) and (message.active or message.ends(active_stop(farm))):
            return replace(farm, emergency=message)
        return farm
    if topic is GROUP_OVERRIDE or topic is MINER_CHOICE or topic is GROUP_CHOICE:
        return _by_people(farm, topic, identifier, message, received_at)
    if topic.noun in {"miner", "plug"} and identifier in farm.miners:
        before = farm.miners[identifier]
        after = miner_after(before, topic, message, received_at, retained=retained)
        return farm if after is before else altered(farm, miners={**farm.miners, identifier: after})
    return farm


def _by_people(
    farm: Farm, topic: TopicOf[Any], identifier: str, message: Message | None, received_at: datetime
) -> Farm:
    """What people want of groups, and what they have chosen. A miner's override is a part of its view."""
    if identifier not in (farm.miners if topic is MINER_CHOICE else farm.groups):
        return farm
    if topic is GROUP_OVERRIDE:
        override = message if isinstance(message, Override) else None
        return replace(farm, groups={**farm.groups, identifier: override})
    after = choices_after(farm.choices, topic, identifier, message, received_at)
    return farm if after is farm.choices else replace(farm, choices=after)


def _is_outdated(farm: Farm, topic: TopicOf[Any], identifier: str, message: Message) -> bool:
    """Whether a broker that came back with an old memory tells what we know better."""
    miner = farm.miners.get(identifier, _NOBODY)
    known = {
        SITE_TELEMETRY: farm.site.told_at,
        EMERGENCY_STOP: _date(farm.emergency),
        GROUP_OVERRIDE: _date(farm.groups.get(identifier)),
        GROUP_CHOICE: _date(farm.choices.of(GROUP_CHOICE, identifier)),
        MINER_CHOICE: _date(farm.choices.of(MINER_CHOICE, identifier)),
        MINER_OVERRIDE: _date(miner.override),
        MINER_TELEMETRY: _date(miner.telemetry),
        MINER_POOL: _date(miner.pool),
        PLUG_TELEMETRY: _date(miner.plug),
    }.get(topic)
    return known is not None and message.at < known


def _date(message: Message | None) -> datetime | None:
    return None if message is None else message.at


def with_outlets(farm: Farm, commands: Mapping[MinerId, PlugCommand]) -> Farm:
    """The farm after these commands to outlets have been published."""
    if not commands:
        return farm
    fresh = {name: replace(farm.miners[name], outlet=command) for name, command in commands.items()}
    return replace(farm, miners={**farm.miners, **fresh})


def with_commands(farm: Farm, commands: Mapping[MinerId, MinerCommand]) -> Farm:
    """The farm after these commands have been published: they are the memory from now on."""
    if not commands:
        return farm
    fresh = {name: replace(farm.miners[name], command=command, asked=None) for name, command in commands.items()}
    return replace(farm, miners={**farm.miners, **fresh})


def with_asked(farm: Farm, miner: MinerId, asked: Asked | None) -> Farm:
    """The farm with what a person asks to be done to this miner in the next decision; None: nothing any more."""
    return replace(farm, miners={**farm.miners, miner: replace(farm.miners[miner], asked=asked)})


def _site_after(view: SiteView, message: Message | None, received_at: datetime, *, retained: bool) -> SiteView:
    if not isinstance(message, SiteTelemetry) or from_the_future(message, received_at):
        return view
    grid_known_at = view.grid_known_at
    if message.grid_available is not None:
        grid_known_at = _newest(grid_known_at, min(message.at, received_at) if retained else received_at)
    return SiteView(
        soc_percent=message.state_of_charge_percent,
        unknown=message.unknown,
        confirmed_at=_newest(view.confirmed_at, _confirmed_at(message, received_at, retained=retained)),
        grid_available=message.grid_available,
        grid_known_at=grid_known_at,
        told_at=message.at,
    )


def _confirmed_at(message: SiteTelemetry, received_at: datetime, *, retained: bool) -> datetime | None:
    """The time of the last confirmation, carried over from the sender's clock to ours."""
    known = message.state_of_charge_percent is not None
    confirmed = message.confirmed_at or (message.at if known else None)
    if confirmed is None:
        return None
    # A live message tells an age by one clock; how long one has lain in the broker's memory only its dates can tell.
    age = received_at - confirmed if retained else message.at - confirmed
    return received_at - max(age, timedelta())


def _newest(first: datetime | None, second: datetime | None) -> datetime | None:
    dates = [date for date in (first, second) if date is not None]
    return max(dates, default=None)
