"""The one table from topic to model: `{prefix}/{noun}/{id}/{channel}`.

Access list, history, discovery and `docs/topics.md` are loops over `TOPICS`. Topic strings are made nowhere else.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from shared.messages import (
    Barrier,
    Choice,
    EmergencyStop,
    EngineEpoch,
    Event,
    Message,
    MinerCommand,
    MinerStatistics,
    MinerTelemetry,
    Mirror,
    Override,
    PlugCommand,
    PlugTelemetry,
    PoolReading,
    Presence,
    Request,
    SiteTelemetry,
)

M = TypeVar("M", bound=Message)

_ID = re.compile(r"[a-z0-9_-]{1,64}")
_PATH_LEVELS = 3


class Identity(StrEnum):
    """Who somebody is to the broker: its user name there, and the name of its container."""

    POLICY_ENGINE = "policy-engine"
    SOC_BRIDGE = "soc-bridge"
    VNISH_AGENT = "vnish-agent"
    BITAXE_AGENT = "bitaxe-agent"
    KASA_POWER_AGENT = "kasa-power-agent"
    POOL_POLLER = "pool-poller"
    SIMULATOR = "simulator"
    PEOPLE = "people"
    """Whoever tells the farm what a person wants: the command `sunherd`, for example."""
    HOME_ASSISTANT = "home-assistant"
    HA_DISCOVERY = "ha-discovery"
    """Whoever shows the farm to Home Assistant: sees all, and orders nothing."""
    FLEET = "fleet"
    """Whoever looks after the services themselves: sees all, and clears away what dead replicas leave behind."""


_ENGINE = (Identity.POLICY_ENGINE,)
_BRIDGE = (Identity.SOC_BRIDGE,)
_POLLER = (Identity.POOL_POLLER,)
_PLUG_AGENT = (Identity.KASA_POWER_AGENT,)
# The last one: machines without an interface, known by their outlet alone.
_MINER_AGENTS = (Identity.VNISH_AGENT, Identity.BITAXE_AGENT, Identity.KASA_POWER_AGENT)
_PERSONS = (Identity.PEOPLE, Identity.HOME_ASSISTANT)
_WATCHERS = (*_PERSONS, Identity.HA_DISCOVERY, Identity.FLEET)


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
    # Not compared: topics are keys of dictionaries that are asked for each message.
    writers: tuple[Identity, ...] = field(default=(), compare=False)
    """Who may write it, whatever the id."""
    readers: tuple[Identity, ...] = field(default=(), compare=False)
    """Who may read it besides its writers and those who may read everything."""
    own: bool = field(default=False, compare=False)
    """The id is a client's own: each writes and reads its own, besides whoever is named above."""

    def may_write(self, identity: Identity) -> bool:
        """Whether somebody may write it for every id."""
        return identity in self.writers

    def may_read(self, identity: Identity) -> bool:
        """Whether somebody may read it for every id. What one has written is one's memory: it may be read back."""
        return identity in {*self.writers, *self.readers, *_WATCHERS}

    def path(self, prefix: str, identifier: str) -> str:
        """The topic of one id. Raises BadIdError."""
        if not _ID.fullmatch(identifier):
            raise BadIdError(identifier)
        return f"{prefix}/{self.noun}/{identifier}/{self.channel}"

    def filter(self, prefix: str, identifier: str = "+") -> str:
        """The subscription filter for one id, or for all of them."""
        return f"{prefix}/{self.noun}/+/{self.channel}" if identifier == "+" else self.path(prefix, identifier)


# Then who may write it, and who else reads it.
SITE_TELEMETRY = Topic("site", "telemetry", SiteTelemetry, True, 1, "battery and powers of the site", _BRIDGE, _ENGINE)
EMERGENCY_STOP = Topic(
    "site", "emergency_stop", EmergencyStop, True, 1, "latch that stops every miner", _PERSONS + _ENGINE, _MINER_AGENTS
)
ENGINE_EPOCH = Topic("site", "epoch", EngineEpoch, True, 1, "which engine is in charge", _ENGINE, _MINER_AGENTS)
MINER_TELEMETRY = Topic("miner", "telemetry", MinerTelemetry, True, 1, "what a miner reports", _MINER_AGENTS, _ENGINE)
MINER_COMMAND = Topic(
    "miner", "command", MinerCommand, True, 1, "what a miner shall do, and why", _ENGINE, _MINER_AGENTS
)
MINER_STATISTICS = Topic(
    "miner", "statistics", MinerStatistics, True, 1, "what a miner did in each window", _MINER_AGENTS
)
# The engine writes no override: it clears those of who has left the farm file.
MINER_OVERRIDE = Topic("miner", "override", Override, True, 1, "what a person wants of a miner", _PERSONS + _ENGINE)
MINER_REQUEST = Topic(
    "miner", "request", Request, False, 1, "what a person asks of a miner once", _PERSONS, _ENGINE + _MINER_AGENTS
)
MINER_CHOICE = Topic("miner", "choice", Choice, True, 1, "what a person has set otherwise than the farm file", _ENGINE)
MINER_EVENT = Topic(
    "miner", "event", Event, False, 1, "something happened to a miner", _MINER_AGENTS + _ENGINE + _POLLER
)
MINER_POOL = Topic("miner", "pool", PoolReading, True, 1, "what the pool says of a miner's worker", _POLLER, _ENGINE)
PLUG_TELEMETRY = Topic(
    "plug", "telemetry", PlugTelemetry, True, 1, "what the outlet of a miner reports", _PLUG_AGENT, _ENGINE
)
PLUG_COMMAND = Topic(
    "plug", "command", PlugCommand, True, 1, "what the outlet of a miner shall be, and why", _ENGINE, _PLUG_AGENT
)
PLUG_EVENT = Topic("plug", "event", Event, False, 1, "something happened to the outlet of a miner", _PLUG_AGENT)
GROUP_OVERRIDE = Topic("group", "override", Override, True, 1, "what a person wants of a group", _PERSONS + _ENGINE)
GROUP_REQUEST = Topic("group", "request", Request, False, 1, "what a person asks of a group once", _PERSONS, _ENGINE)
GROUP_CHOICE = Topic("group", "choice", Choice, True, 1, "what a person has set otherwise than the farm file", _ENGINE)
GROUP_EVENT = Topic("group", "event", Event, False, 1, "something happened to a group", _ENGINE)
MIRROR = Topic("mirror", "state", Mirror, True, 1, "what Home Assistant is shown of a device", (Identity.HA_DISCOVERY,))
SERVICE_PRESENCE = Topic(
    "service",
    "presence",
    Presence,
    True,
    1,
    "heartbeat and last will of a replica",
    (Identity.FLEET,),
    tuple(Identity),
    own=True,
)
SERVICE_BARRIER = Topic(
    "service", "barrier", Barrier, False, 1, "a replica's message to itself after subscribing", own=True
)
SERVICE_EVENT = Topic("service", "event", Event, False, 1, "something happened to a service", own=True)

TOPICS: tuple[Topic[Any], ...] = (
    SITE_TELEMETRY,
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    MINER_TELEMETRY,
    MINER_COMMAND,
    MINER_STATISTICS,
    MINER_OVERRIDE,
    MINER_REQUEST,
    MINER_CHOICE,
    MINER_EVENT,
    MINER_POOL,
    PLUG_TELEMETRY,
    PLUG_COMMAND,
    PLUG_EVENT,
    GROUP_OVERRIDE,
    GROUP_REQUEST,
    GROUP_CHOICE,
    GROUP_EVENT,
    MIRROR,
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
