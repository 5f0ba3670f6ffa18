"""Commands and points for tests: neutral ones, so that a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.messages import PAUSE, Ladder, MinerCommand, MinerState, MinerTelemetry, OperatingPoint

T0 = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
FULL = OperatingPoint(name="full", power_w=3000)
ECO = OperatingPoint(name="eco", power_w=1800)
LADDER = Ladder(points=(PAUSE, ECO, FULL), normal="full")


def command(point: OperatingPoint = FULL, *, at: datetime = T0, lease: float = 60, **changed: Any) -> MinerCommand:
    fields: dict[str, Any] = {
        "at": at,
        "engine": "engine",
        "epoch": 5,
        "expires_at": at + timedelta(seconds=lease),
        "point": point,
        "code": "test",
        "sentence": "test",
        "since": at,
    }
    return MinerCommand.model_validate(fields | changed)


def telemetry(state: MinerState, *, at: datetime = T0, **changed: Any) -> MinerTelemetry:
    fields: dict[str, Any] = {"at": at, "driver": "fake", "reachable": True, "state": state, "ladder": LADDER}
    return MinerTelemetry.model_validate(fields | changed)
