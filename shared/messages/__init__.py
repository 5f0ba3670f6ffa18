"""The wire contract: one frozen pydantic model per topic.

Payloads are JSON. Unknown fields are ignored, so that services one version apart understand each other; a wrong type
or a number that is not finite is refused. Units stand last in each name. Times are UTC with a zone.
"""

from shared.messages.care import Care
from shared.messages.device import Action, Command, Following, Reported
from shared.messages.miner import (
    PAUSE,
    RESTART_YOUNG_SECONDS,
    Ladder,
    Limit,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
)
from shared.messages.mirror import Mirror
from shared.messages.part import Code, Identifier, Message, Number, Part, Percent, Watts
from shared.messages.people import Choice, EmergencyStop, Override, OverrideKind, Request, RequestKind
from shared.messages.plug import CYCLE_YOUNG_SECONDS, PlugCommand, PlugTelemetry
from shared.messages.pool import LastSeenKind, PoolReading, PoolVerdict
from shared.messages.service import Barrier, EngineEpoch, Event, Presence, Severity
from shared.messages.site import SiteTelemetry, UnknownReason
from shared.messages.statistics import MinerStatistics, WindowFigures, WindowStatistics

__all__ = [
    "CYCLE_YOUNG_SECONDS",
    "PAUSE",
    "RESTART_YOUNG_SECONDS",
    "Action",
    "Barrier",
    "Care",
    "Choice",
    "Code",
    "Command",
    "EmergencyStop",
    "EngineEpoch",
    "Event",
    "Following",
    "Identifier",
    "Ladder",
    "LastSeenKind",
    "Limit",
    "Message",
    "MinerCommand",
    "MinerState",
    "MinerStatistics",
    "MinerTelemetry",
    "Mirror",
    "Number",
    "OperatingPoint",
    "Override",
    "OverrideKind",
    "Part",
    "Percent",
    "PlugCommand",
    "PlugTelemetry",
    "PoolReading",
    "PoolVerdict",
    "Presence",
    "Reported",
    "Request",
    "RequestKind",
    "Severity",
    "SiteTelemetry",
    "UnknownReason",
    "Watts",
    "WindowFigures",
    "WindowStatistics",
]
