"""The one table from topic to model: `{prefix}/{noun}/{id}/{channel}`.

Access list, history, discovery and `docs/topics.md` are loops over `TOPICS`. Topic strings are made nowhere else.
"""

import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.messages import (
    Barrier,
    EmergencyStop,
    EngineEpoch,
    Event,
    Message,
    MinerCommand,
    MinerStatistics,
    MinerTelemetry,
    Override,
    PlugCommand,
    PlugTelemetry,
    PoolReading,
    Presence,
    SiteTelemetry,
)

M = TypeVar("M", bound=Message)

_ID = re.compile(r"[a-z0-9_-]{1,64}")
_PATH_LEVELS = 3


class BadIdError(ValueError):
    """An id that does not match `[a-z0-9_-]+`, so that it cannot stand in a topic."""


@dataclass(frozen=True)
class Topic(Generic[M]):
    """One kind of topic and the model that travels on it."""

    noun: str
    channel: str
    model: type[M]
    retain: bool
    qos: int
    purpose: str

    def path(self, prefix: str, identifier: str) -> str:
        """The topic of one id. Raises BadIdError."""
        if not _ID.fullmatch(identifier):
            raise BadIdError(identifier)
        return f"{prefix}/{self.noun}/{identifier}/{self.channel}"

    def filter(self, prefix: str, identifier: str = "+") -> str:
        """The subscription filter for one id, or for all of them."""
        return f"{prefix}/{self.noun}/+/{self.channel}" if identifier == "+" else self.path(prefix, identifier)


SITE_TELEMETRY = Topic("site", "telemetry", SiteTelemetry, True, 1, "battery and powers of the site")
EMERGENCY_STOP = Topic("site", "emergency_stop", EmergencyStop, True, 1, "latch that stops every miner")
ENGINE_EPOCH = Topic("site", "epoch", EngineEpoch, True, 1, "which engine is in charge")
MINER_TELEMETRY = Topic("miner", "telemetry", MinerTelemetry, True, 1, "what a miner reports")
MINER_COMMAND = Topic("miner", "command", MinerCommand, True, 1, "what a miner shall do, and why")
MINER_STATISTICS = Topic("miner", "statistics", MinerStatistics, True, 1, "what a miner did in each window")
MINER_OVERRIDE = Topic("miner", "override", Override, True, 1, "what a person wants of a miner")
MINER_EVENT = Topic("miner", "event", Event, False, 1, "something happened to a miner")
MINER_POOL = Topic("miner", "pool", PoolReading, True, 1, "what the pool says of a miner's worker")
PLUG_TELEMETRY = Topic("plug", "telemetry", PlugTelemetry, True, 1, "what the outlet of a miner reports")
PLUG_COMMAND = Topic("plug", "command", PlugCommand, True, 1, "what the outlet of a miner shall be, and why")
PLUG_EVENT = Topic("plug", "event", Event, False, 1, "something happened to the outlet of a miner")
GROUP_OVERRIDE = Topic("group", "override", Override, True, 1, "what a person wants of a group")
SERVICE_PRESENCE = Topic("service", "presence", Presence, True, 1, "heartbeat and last will of a replica")
SERVICE_BARRIER = Topic("service", "barrier", Barrier, False, 1, "a replica's message to itself after subscribing")
SERVICE_EVENT = Topic("service", "event", Event, False, 1, "something happened to a service")

TOPICS: tuple[Topic[Any], ...] = (
    SITE_TELEMETRY,
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    MINER_TELEMETRY,
    MINER_COMMAND,
    MINER_STATISTICS,
    MINER_OVERRIDE,
    MINER_EVENT,
    MINER_POOL,
    PLUG_TELEMETRY,
    PLUG_COMMAND,
    PLUG_EVENT,
    GROUP_OVERRIDE,
    SERVICE_PRESENCE,
    SERVICE_BARRIER,
    SERVICE_EVENT,
)

_BY_NAME = {(topic.noun, topic.channel): topic for topic in TOPICS}


def locate(prefix: str, path: str) -> tuple[Topic[Any], str] | None:
    """The topic and id behind a path, or None for a path that is not ours."""
    if not path.startswith(prefix + "/"):
        return None
    levels = path[len(prefix) + 1 :].split("/")
    if len(levels) != _PATH_LEVELS or not _ID.fullmatch(levels[1]):
        return None
    topic = _BY_NAME.get((levels[0], levels[2]))
    return None if topic is None else (topic, levels[1])
