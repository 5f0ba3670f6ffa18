"""Small pieces of which a farm as it is heard is made, for tests of what is concluded from it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.fleet.container import Container, Usage
from deploy.fleet.heard import Heard, Hearing
from shared.bus import Received
from shared.messages import (
    PAUSE,
    EngineEpoch,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    Presence,
    SiteTelemetry,
    UnknownReason,
)
from shared.topics import (
    ENGINE_EPOCH,
    MINER_COMMAND,
    MINER_TELEMETRY,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)

NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
AGENT, ENGINE = "vnish_agent", "policy_engine"


def held(*units: str) -> Any:
    """What a presence says of units that it keeps."""
    return dict.fromkeys(units, 1)


class Scene:
    """A farm that is listened to. Time stands still until `wait`."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.hearing = Hearing(self.seconds)

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1000.0)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def take(self, topic: Topic[Any], identifier: str, message: Message | None, *, retained: bool = False) -> None:
        self.hearing.take(topic, Received(identifier, message, retained, self.now), self.seconds)

    def presence(self, service: str, host: str, *, retained: bool = False, ahead: float = 0.0, **fields: Any) -> str:
        """A replica that says that it is there; returns its instance."""
        instance = f"{service}-{host}"
        told = {
            "at": self.now + timedelta(seconds=ahead),
            "service": service,
            "instance": instance,
            "status": "online",
            "version": "0.1.0",
            **fields,
        }
        self.take(SERVICE_PRESENCE, instance, Presence.model_validate(told), retained=retained)
        return instance

    def agents(self, *hosts: str, **fields: Any) -> None:
        """Replicas of an agent that agree, with one unit each."""
        knows = tuple(sorted(f"{AGENT}-{host}" for host in hosts))
        for host in hosts:
            self.presence(AGENT, host, **{"knows": knows, "tends": 1, **fields})

    def engine(self, host: str = "one", **fields: Any) -> None:
        given = {"holds": held("engine-home"), "knows": (f"{ENGINE}-{host}",), "tends": 1, **fields}
        self.presence(ENGINE, host, **given)

    def device(self, name: str, by: str | None, *, retained: bool = False) -> None:
        telemetry = MinerTelemetry(at=self.now, driver="vnish", reachable=True, state=MinerState.HASHING, by=by)
        self.take(MINER_TELEMETRY, name, telemetry, retained=retained)

    def command(self, name: str, engine: str = f"{ENGINE}-one", *, lease: float = 60, retained: bool = False) -> None:
        message = MinerCommand(
            at=self.now,
            engine=engine,
            epoch=1,
            expires_at=self.now + timedelta(seconds=lease),
            point=PAUSE,
            code="code",
            sentence="sentence",
            since=self.now,
        )
        self.take(MINER_COMMAND, name, message, retained=retained)

    def epoch(self, engine: str, epoch: int = 1) -> None:
        self.take(ENGINE_EPOCH, "home", EngineEpoch(at=self.now, engine=engine, epoch=epoch))

    def battery(
        self,
        percent: float | None = 80.0,
        *,
        confirmed_ago: float = 0,
        unknown: UnknownReason | None = None,
        **how: bool,
    ) -> None:
        telemetry = SiteTelemetry(
            at=self.now,
            source="test",
            state_of_charge_percent=percent,
            unknown=unknown,
            confirmed_at=self.now - timedelta(seconds=confirmed_ago),
        )
        self.take(SITE_TELEMETRY, "home", telemetry, **how)

    def heard(self) -> Heard:
        return self.hearing.heard(self.seconds, self.now)


def whole() -> Scene:
    """A farm with nothing wrong: an engine, two agents, two devices, a battery."""
    scene = Scene()
    scene.engine()
    scene.agents("one", "two")
    scene.presence("soc_bridge", "one", holds=held("battery-home"), knows=("soc_bridge-one",), tends=1)
    scene.device("s19-1", f"{AGENT}-one")
    scene.device("s19-2", f"{AGENT}-two")
    scene.command("s19-1")
    scene.command("s19-2")
    scene.epoch(f"{ENGINE}-one")
    scene.battery()
    return scene


def container(service: str = "vnish-agent", number: int = 1, **fields: Any) -> Container:
    """One that is as it should be."""
    name = f"sunherd-{service}-{number}"
    given = {"identifier": name, "name": name, "service": service, "number": number, "host": f"host{number}"}
    fine = {"state": "running", "health": "healthy", "version": "0.1.0", "image": f"sunherd/{service}:0.1.0"}
    return Container(**{**given, **fine, "image_id": "sha256:1", "usage": Usage(10, 100, 1.0), **fields})


def codes(findings: Iterable[Any]) -> list[str]:
    """What was found, by its codes."""
    return [finding.code for finding in findings]
