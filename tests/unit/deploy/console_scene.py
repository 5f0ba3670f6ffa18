"""A farm to look at: facts, words and heartbeats, with neutral defaults that a test alters."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.console.view.facts import FarmFacts
from deploy.console.view.picture import Hearing, Picture
from shared.bus import Received
from shared.messages import (
    PAUSE,
    EngineEpoch,
    Following,
    Ladder,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    Presence,
    SiteTelemetry,
)
from shared.settings import FarmSettings
from shared.topics import (
    ENGINE_EPOCH,
    MINER_COMMAND,
    MINER_TELEMETRY,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)

NOON = datetime(2025, 1, 21, 14, 30, tzinfo=UTC)
BEGAN_SECONDS = 1000.0
DAY_POINT = OperatingPoint(name="day", power_w=12, voltage_mv=1150, frequency_mhz=450)
LADDER = Ladder(points=(PAUSE, DAY_POINT), normal="day")
ENGINE, AGENT = "policy_engine-pi", "bitaxe_agent-pi"


def reading(**changed: Any) -> MinerTelemetry:
    values: dict[str, Any] = {
        "at": NOON,
        "driver": "bitaxe",
        "reachable": True,
        "state": MinerState.HASHING,
        "hashrate_ths": 0.4505,
        "power_w": 11.5,
        "chip_temperature_celsius": 65.2,
        "voltage_mv": 1150,
        "frequency_mhz": 450.0,
        "point": "day",
        "ladder": LADDER,
        "following": Following.COMMAND,
        "desired": "day",
        "settled": True,
        "by": AGENT,
    }
    return MinerTelemetry(**{**values, **changed})


def command(**changed: Any) -> MinerCommand:
    values: dict[str, Any] = {
        "at": NOON,
        "engine": ENGINE,
        "epoch": 7,
        "expires_at": NOON + timedelta(seconds=60),
        "point": DAY_POINT,
        "code": "no_limit",
        "sentence": "nothing holds it back",
        "since": NOON - timedelta(hours=1),
    }
    return MinerCommand(**{**values, **changed})


def battery(**changed: Any) -> SiteTelemetry:
    confirmed_at = NOON - timedelta(seconds=12)
    values: dict[str, Any] = {
        "at": NOON,
        "source": "test",
        "state_of_charge_percent": 78.4,
        "confirmed_at": confirmed_at,
    }
    return SiteTelemetry(**{**values, **changed})


def facts(*miners: str, groups: dict[str, tuple[str, ...]] | None = None, **farm: Any) -> FarmFacts:
    """Facts of a farm file with these miners and whatever else is given."""
    sections = {name: {"driver": "bitaxe", "host": "192.168.1.10"} for name in miners}
    given = {name: {"members": list(members)} for name, members in (groups or {}).items()}
    settings = FarmSettings(**{"miners": sections, "groups": given, "battery": {"mqtt": {"preset": "evcc"}}, **farm})
    return FarmFacts("home", tuple(settings.miners), groups or {}, settings)


class Scene:
    """What has been heard, word by word; `seconds` is the real time."""

    def __init__(self, of: FarmFacts) -> None:
        self.seconds = BEGAN_SECONDS
        self.now = NOON
        self.hearing = Hearing(of)

    def hear(self, topic: Topic[Any], who: str, message: Message | None, *, retained: bool = False) -> "Scene":
        self.hearing.take(topic, Received(who, message, retained, self.now), self.seconds)
        return self

    def beat(self, instance: str, *, retained: bool = False, **changed: Any) -> "Scene":
        service = instance.partition("-")[0]
        values: dict[str, Any] = {"at": self.now, "service": service, "instance": instance, "status": "online"}
        return self.hear(SERVICE_PRESENCE, instance, Presence(**{**values, **changed}), retained=retained)

    def led(self) -> "Scene":
        """An engine in charge, an agent, and a battery that is known."""
        self.beat(ENGINE).beat(AGENT)
        self.hear(ENGINE_EPOCH, "home", EngineEpoch(at=NOON, engine=ENGINE, epoch=7), retained=True)
        return self.hear(SITE_TELEMETRY, "home", battery(), retained=True)

    def miner(
        self, name: str, told: MinerTelemetry | None = None, order: MinerCommand | None = None, *, retained: bool = True
    ) -> "Scene":
        self.hear(MINER_TELEMETRY, name, told or reading(), retained=retained)
        return self.hear(MINER_COMMAND, name, order or command(), retained=retained)

    def later(self, seconds: float) -> "Scene":
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)
        return self

    def picture(self) -> Picture:
        return self.hearing.picture(self.now, self.seconds)
