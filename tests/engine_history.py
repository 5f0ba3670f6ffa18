"""Random histories of a small farm for property tests: events, and miners that follow their commands with a lag."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import Ladder, MinerCommand, MinerState, OverrideKind
from shared.schedule import ByClock, Window
from shared.topics import EMERGENCY_STOP
from tests.bitaxe_ladder import LADDER, timetable
from tests.engine_core import DIMMABLE, ON_OFF, CoreRun

PROPERTY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
TICK_SECONDS = 30
CAP_W = 5500.0
LADDERS: dict[str, Ladder] = {"a": ON_OFF, "b": DIMMABLE, "c": ON_OFF, "d": DIMMABLE, "e": LADDER}
WINDOWS = (
    Window(ByClock(12 * 60 + 10), ByClock(12 * 60 + 40), voltage_mv=1250, frequency_mhz=550),
    Window(ByClock(12 * 60 + 40), ByClock(13 * 60), pause=True),
    Window(ByClock(13 * 60), ByClock(13 * 60 + 30), profile="quiet"),
)
RULES = Rules(
    miners={
        "a": MinerRules(73, 75),
        "b": MinerRules(60, 75, require_grid=True),
        "c": MinerRules(73, 80, nominal_w=3200),
        "d": MinerRules(max_w=2600),
        "e": MinerRules(max_chip_celsius=70.0, timetable=timetable(*WINDOWS)),
    },
    groups={"garage": GroupRules(("a", "b", "c"), CAP_W), "all": GroupRules(("a", "b", "c", "d", "e"))},
    latitude=38.7,
    longitude=-9.1,
    # Renewed every third tick: a restart must find commands older than itself.
    lease=timedelta(seconds=200),
)

_names = st.sampled_from(sorted(LADDERS))
_socs = st.one_of(st.none(), st.sampled_from([50.0, 65.0, 72.9, 73.0, 74.0, 75.0, 76.0, 81.0, 100.0]))
EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([30, 30, 60, 300, 330, 930, 3600])),
    st.tuples(st.just("wait"), st.sampled_from([30, 300, 330])),
    st.tuples(st.just("soc"), _socs),
    st.tuples(st.just("soc"), _socs),
    st.tuples(st.just("bridge"), st.booleans()),
    st.tuples(st.just("grid"), st.sampled_from([None, True, True, False])),
    st.tuples(st.just("reach"), _names, st.booleans()),
    st.tuples(st.just("follow"), _names, st.booleans()),
    st.tuples(st.just("outside"), _names),
    st.tuples(st.just("heat"), st.sampled_from([None, 50.0, 66.0, 71.0, 71.0, 80.0])),
    st.tuples(
        st.just("override"),
        st.sampled_from([*sorted(LADDERS), "garage", "all"]),
        st.sampled_from([None, *OverrideKind]),
        st.sampled_from([60, 600, 4000]),
    ),
    st.tuples(st.just("emergency"), st.sampled_from([True, False, None])),
    st.tuples(
        st.just("choose"),
        st.sampled_from([*sorted(LADDERS), "garage", "all"]),
        st.sampled_from(
            [
                {},
                {"stop_soc": 64.0},
                {"stop_soc": 78.0},
                {"stop_soc": 40.0, "resume_soc": 50.0},
                {"resume_soc": 99.0},
                {"max_w": 1900.0},
                {"max_w": 90_000.0},
                {"point": "2500"},
                {"point": "performance", "max_w": 14.0},
                {"point": "gone"},
            ]
        ),
    ),
)
_BEGINNINGS: st.SearchStrategy[list[tuple[Any, ...]]] = st.sampled_from(
    [
        [],
        [("soc", 76.0), ("grid", True), ("wait", 300)],
        [("soc", 100.0), ("grid", True), ("wait", 330)],
        [("soc", 100.0), ("grid", True), ("wait", 330), ("soc", None), ("wait", 600)],
        [("soc", 100.0), ("grid", True), ("wait", 330), ("bridge", False), ("wait", 330)],
    ]
)
HISTORIES = st.builds(list.__add__, _BEGINNINGS, st.lists(EVENTS, min_size=3, max_size=14))


@dataclass
class Machine:
    """A miner and its agent: does what it is told at the next tick, unless it lags or cannot be reached."""

    name: str
    doing: str = "pause"
    reachable: bool = True
    follows: bool = True
    outside_since: Any = None
    celsius: float | None = 50.0

    @property
    def power_w(self) -> float:
        return next(point.power_w for point in LADDERS[self.name].points if point.name == self.doing)

    def obey(self, command: MinerCommand | None) -> None:
        if command is None or not (self.reachable and self.follows) or command.action != "apply":
            return
        if self.outside_since and not command.point.is_pause and command.outside_pause_over != self.outside_since:
            return
        self.doing = command.point.name
        if not command.point.is_pause:
            self.outside_since = None

    def report(self, run: CoreRun, command: MinerCommand | None) -> None:
        if not self.reachable:
            run.miner(self.name, None, outside_pause_since=self.outside_since)
            return
        state = MinerState.PAUSED if self.doing == "pause" else MinerState.HASHING
        desired = None if command is None else command.point.name
        ladder = LADDERS[self.name]
        rest = {"outside_pause_since": self.outside_since}
        if state is MinerState.HASHING:
            rest["chip_temperature_celsius"] = self.celsius
        run.miner(self.name, state, ladder, point=self.doing, desired=desired, **rest)


@dataclass
class History:
    """Plays events on a run. After each tick `ticks` holds what was decided."""

    run: CoreRun
    soc: float | None = None
    grid: bool | None = None
    bridge: bool = True
    confirmed: dict[str, Any] = field(default_factory=dict)
    ticks: list[dict[str, MinerCommand]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machines = {name: Machine(name) for name in self.run.rules.miners}
        self.tick()

    def tick(self) -> dict[str, MinerCommand]:
        self.run.wait(TICK_SECONDS)
        for name, machine in self.machines.items():
            machine.obey(self.run.farm.miners[name].command)
            machine.report(self.run, self.run.farm.miners[name].command)
        if self.bridge:
            if self.soc is not None:
                self.confirmed = {"confirmed_at": self.run.now}
            self.run.soc(self.soc, grid_available=self.grid, **self.confirmed)
        self.ticks.append(self._decide_until_quiet())
        return self.ticks[-1]

    def _decide_until_quiet(self) -> dict[str, MinerCommand]:
        """A decision may bring about the next one; the shell comes to it within a second, a history at once."""
        for _ in range(4):
            told = len(self.run.published)
            commands = self.run.decide()
            if len(self.run.published) == told:
                return commands
        message = "four passes at one moment and still no rest"
        raise AssertionError(message)

    def play(self, event: tuple[Any, ...]) -> None:
        """One event; waiting takes its ticks, anything else the next one."""
        kind, rest = event[0], event[1:]
        if kind == "wait":
            for _ in range(rest[0] // TICK_SECONDS):
                self.tick()
            return
        getattr(self, f"_{kind}")(*rest)
        self.tick()

    def _soc(self, soc: float | None) -> None:
        self.soc = soc

    def _grid(self, available: bool | None) -> None:
        self.grid = available

    def _bridge(self, alive: bool) -> None:
        self.bridge = alive

    def _reach(self, name: str, reachable: bool) -> None:
        self.machines[name].reachable = reachable

    def _follow(self, name: str, follows: bool) -> None:
        self.machines[name].follows = follows

    def _heat(self, celsius: float | None) -> None:
        self.machines["e"].celsius = celsius

    def _outside(self, name: str) -> None:
        machine = self.machines[name]
        if machine.doing != "pause" and machine.reachable:
            machine.doing, machine.outside_since = "pause", self.run.now

    def _override(self, name: str, kind: OverrideKind | None, seconds: int) -> None:
        until = {} if kind is None else {"until": self.run.now + timedelta(seconds=seconds)}
        self.run.override(name, kind, **until)

    def _choose(self, name: str, values: dict[str, Any]) -> None:
        """Sound or not: the engine's core must bear what lies in the broker's memory."""
        self.run.choose(name, **values)

    def _emergency(self, active: bool | None) -> None:
        if active is None:
            # The shell writes an emptied latch again; the core must not take it for a resume.
            kept = self.run.retained.get((EMERGENCY_STOP, "home"))
            self.run.say(EMERGENCY_STOP, "home", None)
            if kept is not None:
                self.run.retained[EMERGENCY_STOP, "home"] = kept
        else:
            self.run.emergency(active=active)
