"""How hot a miner is, against its limits. Pure."""

from dataclasses import dataclass

from services.policy_engine.rules import MinerRules
from services.policy_engine.wording import degrees
from shared.messages import MinerTelemetry


@dataclass(frozen=True)
class Heat:
    """The sensor that is nearest to its limit, or furthest above it."""

    sensor: str
    celsius: float
    limit_celsius: float

    @property
    def above_celsius(self) -> float:
        """Degrees above the limit; negative below it."""
        return self.celsius - self.limit_celsius

    @property
    def sentence(self) -> str:
        """Both as people read them."""
        return f"{self.sensor} {degrees(self.celsius, self.limit_celsius)} °C, limit {self.limit_celsius:g} °C"


def heat_of(telemetry: MinerTelemetry, rules: MinerRules, *, with_regulator: bool = False) -> Heat | None:
    """The heat of a reading; None is unknown: a sensor that there must be says nothing, and none is too hot.

    Not every board measures its regulator: `with_regulator` tells that this one has been seen to.
    """
    sensors = (
        ("chip", telemetry.chip_temperature_celsius, rules.max_chip_celsius, True),
        ("regulator", telemetry.regulator_temperature_celsius, rules.max_regulator_celsius, with_regulator),
    )
    found = [Heat(name, now, limit) for name, now, limit, _ in sensors if limit is not None and now is not None]
    is_missing = any(must and limit is not None and now is None for _, now, limit, must in sensors)
    hottest = max(found, key=lambda heat: heat.above_celsius, default=None)
    return None if is_missing and (hottest is None or hottest.above_celsius <= 0) else hottest


def is_too_hot(telemetry: MinerTelemetry | None, rules: MinerRules) -> bool:
    """Whether a reading has to be answered."""
    heat = None if telemetry is None or not telemetry.reachable else heat_of(telemetry, rules)
    return heat is not None and heat.above_celsius > 0
