"""Why one miner is as it is: the keys of `sunherd explain --json`. Null is unknown: never 0, never as before."""

from pydantic import AwareDatetime

from deploy.console.view.seen import BatterySeen, EngineSeen, MinerSeen, Mode, Shown, StopSeen
from shared.messages import Action, Care, OverrideKind


class LimitSeen(Shown):
    """What one policy or gate allows, and why."""

    policy: str
    gate: bool
    """Gates come after the policies, and only lower."""
    binds: bool
    ceiling_w: float | None = None
    """Null is no ceiling."""
    point: str | None = None
    code: str
    sentence: str
    since: AwareDatetime
    changes_when: str = ""


class Decision(Shown):
    """The newest command."""

    point: str
    power_w: float
    """Nominal."""
    ceiling_w: float | None = None
    code: str
    sentence: str
    changes_when: str = ""
    since: AwareDatetime
    decided_at: AwareDatetime
    lease_ends_at: AwareDatetime
    lease_is_live: bool
    action: Action
    suspended_until: AwareDatetime | None = None
    engine: str
    epoch: int
    starts_within_24_h: int
    paused_since: AwareDatetime | None = None
    hashing_since: AwareDatetime | None = None


class OverrideSeen(Shown):
    """What a person wants of the miner, or of one of its groups."""

    of: str
    kind: OverrideKind
    by: str
    at: AwareDatetime
    until: AwareDatetime | None = None
    reason: str = ""
    max_w: float | None = None
    in_force: bool


class SettingSeen(Shown):
    """A value of the farm file, and what a person has chosen instead."""

    of: str
    key: str
    unit: str
    in_file: float | str | None = None
    chosen: float | str | None = None
    """Null: as in the file."""
    by: str | None = None
    at: AwareDatetime | None = None


class OutletSeen(Shown):
    """The outlet that feeds it."""

    on: bool | None = None
    power_w: float | None = None
    live: bool
    """Whether its agent is heard."""


class PoolSeen(Shown):
    """What its pool says of its worker."""

    pool: str
    verdict: str
    """`unknown`, too, once the pool has not answered well for twice the time after which unseen is offline."""
    since: AwareDatetime
    confirmed_at: AwareDatetime | None = None
    """When the pool last answered well."""
    last_seen_at: AwareDatetime | None = None
    hashrate_ths: float | None = None


class Explanation(Shown):
    """Everything that makes a miner what it is at present."""

    at: AwareDatetime
    mode: Mode
    miner: MinerSeen
    uptime_seconds: float | None = None
    decision: Decision | None = None
    limits: tuple[LimitSeen, ...] = ()
    gates_passed: tuple[str, ...] = ()
    overrides: tuple[OverrideSeen, ...] = ()
    settings: tuple[SettingSeen, ...] = ()
    care: Care | None = None
    """What is done about a miner that ought to hash and does not."""
    agent_live: bool = False
    desired: str | None = None
    """What its agent tries to reach."""
    outlet: OutletSeen | None = None
    worker: PoolSeen | None = None
    engine: EngineSeen
    battery: BatterySeen | None = None
    emergency_stop: StopSeen | None = None
