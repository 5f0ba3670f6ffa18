"""The engine's pure core, driven through a history by hand: what the shell would fold, decide and publish."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.policy_engine.choices import Choices, is_empty, rules_with
from services.policy_engine.decide import Book, book_of, decide_all
from services.policy_engine.explain import Term, is_worth_publishing
from services.policy_engine.rules import Rules
from services.policy_engine.state import empty_farm, fold, with_asked, with_commands, with_outlets
from services.policy_engine.view import Asked
from services.policy_engine.watchdog.outlet import is_outlet_news, outlet_command
from shared.messages import (
    PAUSE,
    Choice,
    EmergencyStop,
    Ladder,
    LastSeenKind,
    Limit,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    Override,
    OverrideKind,
    PlugCommand,
    PlugTelemetry,
    PoolReading,
    PoolVerdict,
    RequestKind,
    SiteTelemetry,
    UnknownReason,
)
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_CHOICE,
    GROUP_OVERRIDE,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_COMMAND,
    PLUG_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)

START = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
NORMAL = OperatingPoint(name="normal", power_w=3200)
ON_OFF = Ladder(points=(PAUSE, NORMAL), normal="normal")
DIMMABLE = Ladder(
    points=(PAUSE, OperatingPoint(name="1800", power_w=1800), OperatingPoint(name="2500", power_w=2500), NORMAL),
    normal="normal",
)


def site(now: datetime, soc: float | None, **rest: Any) -> SiteTelemetry:
    unknown = UnknownReason.UNAVAILABLE if soc is None else None
    confirmed = {"confirmed_at": now} if soc is not None else {}
    return SiteTelemetry(at=now, source="test", state_of_charge_percent=soc, unknown=unknown, **{**confirmed, **rest})


def reading(now: datetime, state: MinerState | None, ladder: Ladder | None = ON_OFF, **rest: Any) -> MinerTelemetry:
    """A miner's telemetry; `state` None: it cannot be reached."""
    if state is None:
        return MinerTelemetry(at=now, driver="test", reachable=False, state=MinerState.UNKNOWN, **rest)
    return MinerTelemetry(at=now, driver="test", reachable=True, state=state, ladder=ladder, **rest)


def pool_reading(now: datetime, seen_ago: float = 0.0, **rest: Any) -> PoolReading:
    """A good answer of the pool; the worker was last seen so many seconds ago."""
    known: dict[str, Any] = {
        "pool": "ckpool",
        "worker": "rig",
        "last_seen_at": now - timedelta(seconds=seen_ago),
        "last_seen_kind": LastSeenKind.SHARE,
        "confirmed_at": now,
        "offline_after_seconds": 600.0,
        "others_online": 1,
        "since": now,
        **rest,
    }
    offline = seen_ago >= known["offline_after_seconds"]
    known.setdefault("verdict", PoolVerdict.OFFLINE if offline else PoolVerdict.ONLINE)
    return PoolReading(at=now, **known)


@dataclass
class CoreRun:
    """One farm. `restart` forgets everything but what the broker retains, as JSON."""

    rules: Rules
    now: datetime = START
    epoch: int = 1
    book: Book = field(init=False)
    retained: dict[tuple[Topic[Any], str], str] = field(default_factory=dict)
    published: list[tuple[str, MinerCommand]] = field(default_factory=list)
    commands: dict[str, MinerCommand] = field(default_factory=dict)
    outlets: list[tuple[str, PlugCommand]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book, self._obeyed = book_of(self.rules), Choices()
        self.farm = empty_farm(self.rules.miners, self.rules.groups, self.now)

    def say(self, topic: Topic[Any], identifier: str, message: Message | None, *, retained: bool = False) -> None:
        if message is None:
            self.retained.pop((topic, identifier), None)
        else:
            self.retained[topic, identifier] = message.model_dump_json(exclude_none=True)
        self.farm = fold(self.farm, topic, identifier, message, self.now, retained=retained)

    def soc(self, percent: float | None, **rest: Any) -> "CoreRun":
        self.say(SITE_TELEMETRY, "home", site(self.now, percent, **rest))
        return self

    def miner(self, name: str, state: MinerState | None, ladder: Ladder | None = ON_OFF, **rest: Any) -> "CoreRun":
        self.say(MINER_TELEMETRY, name, reading(self.now, state, ladder, **rest))
        return self

    def same_readings(self) -> "CoreRun":
        """Each agent says again what it said last, as it does at every poll."""
        for name, view in self.farm.miners.items():
            if view.telemetry is not None:
                self.say(MINER_TELEMETRY, name, view.telemetry.model_copy(update={"at": self.now}))
            if view.plug is not None:
                self.say(PLUG_TELEMETRY, name, view.plug.model_copy(update={"at": self.now}))
            if view.pool is not None:
                self.say(MINER_POOL, name, view.pool.model_copy(update={"at": self.now, "confirmed_at": self.now}))
        return self

    def pool(self, name: str, seen_ago: float = 0.0, **rest: Any) -> "CoreRun":
        self.say(MINER_POOL, name, pool_reading(self.now, seen_ago, **rest))
        return self

    def plug(self, name: str, **rest: Any) -> "CoreRun":
        self.say(PLUG_TELEMETRY, name, PlugTelemetry(**{"at": self.now, "reachable": True, "on": True, **rest}))
        return self

    def override(self, name: str, kind: OverrideKind | None, **rest: Any) -> "CoreRun":
        if kind is OverrideKind.LIMIT:
            rest.setdefault("max_w", 2000.0)
        message = None if kind is None else Override(at=self.now, kind=kind, by="owner", **rest)
        self.say(GROUP_OVERRIDE if name in self.rules.groups else MINER_OVERRIDE, name, message)
        return self

    def choose(self, name: str, **values: Any) -> "CoreRun":
        """What a person has chosen from now on, and nothing else; nothing at all clears the topic."""
        choice = Choice(at=self.now, by="owner", **values)
        topic = GROUP_CHOICE if name in self.rules.groups else MINER_CHOICE
        self.say(topic, name, None if is_empty(choice) else choice)
        return self

    def ask(self, name: str, kind: RequestKind) -> MinerCommand:
        """Has it done in a decision of its own, as the shell does once it has been checked."""
        self.farm = with_asked(self.farm, name, Asked(kind, "owner"))
        command = self.decide()[name]
        self.farm = with_asked(self.farm, name, None)
        return command

    def emergency(self, *, active: bool) -> "CoreRun":
        self.say(EMERGENCY_STOP, "home", EmergencyStop(at=self.now, active=active, by="owner", reason="smoke"))
        return self

    def wait(self, seconds: float, *, silent: bool = False) -> "CoreRun":
        """Time passes. Unless they are silent, the agents go on telling what they told last."""
        self.now += timedelta(seconds=seconds)
        return self if silent else self.same_readings()

    def decide(self, *, force: bool = False) -> dict[str, MinerCommand]:
        term = Term("test", self.epoch, self.rules.lease)
        if self.farm.choices != self._obeyed:
            self._obeyed = self.farm.choices
            self.book = book_of(rules_with(self.rules, self._obeyed))
        self.commands = decide_all(self.book, self.farm, None, self.now, term)
        news = {
            name: command
            for name, command in self.commands.items()
            if force or is_worth_publishing(self.farm.miners[name].command, command, name)
        }
        self.farm = with_commands(self.farm, news)
        for name, command in news.items():
            self.retained[MINER_COMMAND, name] = command.model_dump_json(exclude_none=True)
        self._decide_outlets(term, force=force)
        self.published += news.items()
        return self.commands

    def decide_some(self, *names: str) -> dict[str, OperatingPoint]:
        """What a pass over these and all that share a cap with them would grant; nothing is published."""
        term = Term("test", self.epoch, self.rules.lease)
        commands = decide_all(self.book, self.farm, names, self.now, term)
        return {name: command.point for name, command in commands.items()}

    def _decide_outlets(self, term: Term, *, force: bool) -> None:
        for name, command in self.commands.items():
            view = self.farm.miners[name]
            outlet = outlet_command(view, name, command, self.book.rules, self.now, term)
            if outlet is not None and (force or is_outlet_news(view.outlet, outlet, name)):
                self.farm = with_outlets(self.farm, {name: outlet})
                self.retained[PLUG_COMMAND, name] = outlet.model_dump_json(exclude_none=True)
                self.outlets.append((name, outlet))

    def restart(self) -> "CoreRun":
        self.epoch += 1
        self.farm = empty_farm(self.rules.miners, self.rules.groups, self.now)
        for (topic, identifier), payload in self.retained.items():
            message = topic.model.model_validate_json(payload)
            self.farm = fold(self.farm, topic, identifier, message, self.now, retained=True)
        self.decide(force=True)
        return self


def limit_of(run: CoreRun, policy: str, miner: str = "s19") -> Limit:
    """What one policy or gate says of a miner now."""
    return next(limit for limit in run.decide()[miner].limits if limit.policy == policy)


def essence(command: MinerCommand) -> tuple[Any, ...]:
    """What a decision means: everything but who signed it, when, and the figures of the moment."""
    limits = [(limit.policy, limit.code, limit.ceiling_w, limit.since) for limit in command.limits]
    return (
        command.point,
        command.ceiling_w,
        command.code,
        command.action,
        command.since,
        command.paused_since,
        command.starts,
        command.outside_pause_over,
        command.suspended_until,
        command.hashing_since,
        command.restart_at,
        None if command.care is None else (command.care.code, command.care.tries, command.care.returned_at),
        limits,
    )
