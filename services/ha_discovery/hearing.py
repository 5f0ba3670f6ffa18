"""How each message changes what is known. Pure: when it was heard is handed in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.ha_discovery.energy import after_reading, recalled
from services.ha_discovery.facts import miner_facts_after, plug_facts_after
from services.ha_discovery.known import FarmKnown, GroupKnown, MinerKnown, stop_after
from shared.bus import Received
from shared.membership import Roster
from shared.messages import (
    Choice,
    EmergencyStop,
    Message,
    MinerCommand,
    MinerTelemetry,
    Override,
    PlugTelemetry,
    PoolReading,
    Presence,
    SiteTelemetry,
)
from shared.topics import (
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_TELEMETRY,
    Topic,
)

MINER_TOPICS: tuple[Topic[Any], ...] = (
    MINER_TELEMETRY,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_CHOICE,
    MINER_POOL,
    PLUG_TELEMETRY,
)
_KEPT_IN: Mapping[Topic[Any], str] = {
    MINER_COMMAND: "command",
    MINER_OVERRIDE: "override",
    MINER_CHOICE: "choice",
    MINER_POOL: "pool",
}


def heard_seconds(message: Message, received: Received[Any], seconds: float) -> float:
    """When a message was said, in our real seconds: what the broker remembers is as old as its sender says."""
    if not received.retained:
        return seconds
    return seconds - max(0.0, (received.received_at - message.at).total_seconds())


def miner_after(
    known: MinerKnown, topic: Topic[Any], received: Received[Any], seconds: float, poll_seconds: float
) -> MinerKnown:
    """After a message about a miner or its outlet; one that was cleared is not known any more."""
    message = received.message
    if topic is MINER_TELEMETRY and isinstance(message, MinerTelemetry):
        return _told(known, message, heard_seconds(message, received, seconds), poll_seconds)
    if topic is MINER_TELEMETRY:
        return replace(known, telemetry=None, heard_seconds=None, silent_since_seconds=None)
    if topic is PLUG_TELEMETRY and isinstance(message, PlugTelemetry):
        heard = heard_seconds(message, received, seconds)
        facts = plug_facts_after(known.plug_facts, message)
        return replace(known, plug=message, plug_heard_seconds=heard, plug_facts=facts)
    if topic is PLUG_TELEMETRY:
        return replace(known, plug=None, plug_heard_seconds=None)
    if not isinstance(message, MinerCommand | Override | Choice | PoolReading | None):
        return known
    changes: dict[str, Any] = {_KEPT_IN[topic]: message}
    return replace(known, **changes)


def group_after(known: GroupKnown, message: Override | Choice | None, *, chosen: bool) -> GroupKnown:
    """After a word about a group. `chosen`: it is about what people have set, not about an override."""
    if chosen:
        return replace(known, choice=message if isinstance(message, Choice) else None)
    return replace(known, override=message if isinstance(message, Override) else None)


def farm_after(known: FarmKnown, received: Received[Any], seconds: float) -> FarmKnown:
    """After a word of the battery's, of the latch, or of a replica. A latch that was cleared away lifts nothing."""
    message = received.message
    if isinstance(message, SiteTelemetry):
        return replace(known, site=message, site_heard_seconds=heard_seconds(message, received, seconds))
    if isinstance(message, EmergencyStop):
        return replace(known, stop=stop_after(known.stop, message))
    if isinstance(message, Presence):
        return replace(known, roster=known.roster.heard(message, seconds, retained=received.retained))
    return known


def without(known: FarmKnown, instance: str) -> FarmKnown:
    """After the presence of a replica has been cleared away."""
    left = tuple(member for member in known.roster.members if member.presence.instance != instance)
    return replace(known, roster=Roster(left))


def miner_recalled(known: MinerKnown, values: Mapping[str, object]) -> MinerKnown:
    """Goes on from what was shown before."""
    return replace(
        known,
        meter=recalled(known.meter, values.get("energy")),
        last_seen_at=known.last_seen_at or _date(values.get("last_seen")),
    )


def _told(known: MinerKnown, message: MinerTelemetry, heard: float, poll_seconds: float) -> MinerKnown:
    power_w = message.power_w if message.reachable else None
    silent = None if message.reachable else known.silent_since_seconds
    return replace(
        known,
        telemetry=message,
        heard_seconds=heard,
        silent_since_seconds=heard if silent is None and not message.reachable else silent,
        last_seen_at=message.at if message.reachable else known.last_seen_at,
        meter=after_reading(known.meter, power_w, message.at, heard, poll_seconds),
        facts=miner_facts_after(known.facts, message),
    )


def _date(text: object) -> datetime | None:
    try:
        date = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return date if date is not None and date.tzinfo is not None else None
