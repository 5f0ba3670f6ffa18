"""One look at a miner's heat: the reading, and what was said at the look before. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.policy_engine.heat import Heat, heat_of
from services.policy_engine.policy import Numbers
from services.policy_engine.rules import MinerRules, Rules
from services.policy_engine.view import MinerView
from shared.ladder import lowest_point, normal_point, reported_point
from shared.messages import Limit, MinerState, MinerTelemetry

NAME = "overheat"
HELD, STEPPED_AT, READING_AT = "held", "stepped_at", "reading_at"
PROTECTED_SINCE, PROTECTED_W, REGULATOR = "protected_since", "protected_w", "regulator_measured"
_KEPT = (HELD, STEPPED_AT, READING_AT, PROTECTED_SINCE, PROTECTED_W, REGULATOR)
_ONLY_WHILE_HELD = {HELD, STEPPED_AT, READING_AT, PROTECTED_W}


@dataclass(frozen=True)
class Look:
    """`numbers` is what the next limit will remember; the policy fills it in."""

    view: MinerView
    telemetry: MinerTelemetry
    heat: Heat | None
    last: Limit | None
    numbers: Numbers
    rules: Rules
    now: datetime

    @property
    def ceiling_w(self) -> float | None:
        return None if self.last is None else self.last.ceiling_w

    @property
    def is_held(self) -> bool:
        """Whether it was too hot and is not yet restored."""
        return self.ceiling_w is not None and self.numbers.get(HELD) is True

    @property
    def lowest_w(self) -> float | None:
        ladder = self.telemetry.ladder
        return None if ladder is None else lowest_point(ladder).power_w

    @property
    def drawn_w(self) -> float:
        """What it is set to, at most; unknown counts as its normal point."""
        if self.telemetry.state is MinerState.PAUSED or self.telemetry.ladder is None:
            return 0.0
        point = reported_point(self.telemetry)
        if point is None and self.view.command is not None and not self.view.command.point.is_pause:
            point = self.view.command.point
        return (point or normal_point(self.telemetry.ladder)).power_w

    @property
    def wanted_w(self) -> float:
        """What it would draw if it had always been cool: an exact point may be above the normal one."""
        limits = () if self.view.command is None else self.view.command.limits
        exact = [limit.point.power_w for limit in limits if limit.point is not None]
        normal = [] if self.telemetry.ladder is None else [normal_point(self.telemetry.ladder).power_w]
        return max([*exact, *normal], default=0.0)

    @property
    def most_w(self) -> float:
        """Up to where it may be restored for now: not above where its firmware had to protect it."""
        protected_w = self.numbers.get(PROTECTED_W)
        if self.telemetry.protected_since is None or not isinstance(protected_w, int | float):
            return self.wanted_w
        return min(self.wanted_w, protected_w)

    def has_lasted(self, code: str, time: timedelta) -> bool:
        """Whether the last limit said this, at this ceiling, for so long."""
        return self.last is not None and self.last.code == code and self.now - self.last.since >= time

    def limit(self, code: str, ceiling_w: float | None, sentence: str, changes_when: str = "") -> Limit:
        """The policy's word."""
        return Limit(
            policy=NAME,
            ceiling_w=ceiling_w,
            code=code,
            sentence=sentence,
            numbers=self.numbers if ceiling_w is not None else passing(self.numbers),
            since=self.now,
            changes_when=changes_when,
        )


def look_at(
    view: MinerView, telemetry: MinerTelemetry, miner: MinerRules, last: Limit | None, rules: Rules, now: datetime
) -> Look:
    """The look at a reading."""
    numbers: Numbers = {} if last is None else {key: last.numbers[key] for key in _KEPT if key in last.numbers}
    if telemetry.regulator_temperature_celsius is not None:
        numbers[REGULATOR] = True
    heat = heat_of(telemetry, miner, with_regulator=numbers.get(REGULATOR) is True)
    if heat is not None:
        numbers |= {"sensor": heat.sensor, "celsius": heat.celsius, "limit_celsius": heat.limit_celsius}
    return Look(view, telemetry, heat, last, numbers, rules, now)


def passing(numbers: Numbers) -> Numbers:
    """What stays to be known of a miner that is not held back."""
    return {key: value for key, value in numbers.items() if key not in _ONLY_WHILE_HELD}
