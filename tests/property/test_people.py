"""Whatever people ask, choose and order: no command goes above the farm file's caps, or runs what must be paused."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.policy_engine.rules import GroupRules, MinerRules, Rules, WatchRules
from shared.bus import Received
from shared.messages import (
    Choice,
    Event,
    MinerCommand,
    MinerState,
    Override,
    OverrideKind,
    Request,
    RequestKind,
)
from shared.topics import (
    GROUP_EVENT,
    GROUP_OVERRIDE,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_REQUEST,
)
from tests.engine_core import DIMMABLE
from tests.engine_history import PROPERTY
from tests.engine_whole import WholeRun

GROUP_W = 4500.0
RULES = Rules(
    miners={
        "a": MinerRules(60, 70, watch=WatchRules(can_restart=True)),
        "b": MinerRules(60, 70, max_w=2600),
        "c": MinerRules(),
    },
    groups={"shed": GroupRules(("a", "b"), GROUP_W), "all": GroupRules(("a", "b", "c"))},
    minimum_off=timedelta(seconds=60),
)
EVERYBODY = ("a", "b", "c", "shed", "all", "nobody")
_nonsense = st.sampled_from([None, -1, 0, 101, 1e9, True, "7", "x"])
_percents = st.sampled_from([50, 55.5, 65, 80, 99])
_watts = st.sampled_from([1, 1800, 2500, 2600, 2700, 4000, 9000])
_points = st.sampled_from(["1800", "2500", "normal", "pause", "gone"])
_chosen = st.one_of(
    *[st.fixed_dictionaries({"max_w": _watts})] * 3,
    st.fixed_dictionaries({}, optional={"stop_soc": _percents, "resume_soc": _percents, "point": _points}),
    st.dictionaries(st.sampled_from(["stop_soc", "resume_soc", "max_w", "point", "speed"]), _nonsense, max_size=3),
)
_EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([10, 70, 400])),
    st.tuples(st.just("soc"), st.sampled_from([None, 30.0, 52.0, 65.0, 90.0])),
    st.tuples(st.just("emergency"), st.booleans()),
    st.tuples(
        st.just("override"),
        st.sampled_from(EVERYBODY),
        st.sampled_from(OverrideKind),
        st.sampled_from([0.0, 1000.0, 2000.0, 9000.0]),
    ),
    st.tuples(
        st.just("request"),
        st.sampled_from(EVERYBODY),
        st.sampled_from([*[RequestKind.CHOOSE] * 6, *RequestKind]),
        _chosen,
        st.sampled_from([0, 0, 0, 59, 61, -31]),
        st.integers(1, 2),
    ),
    st.tuples(
        st.just("request"),
        st.sampled_from(["a", "b", "b", "shed", "shed"]),
        st.just(RequestKind.CHOOSE),
        _chosen,
        st.just(0),
        st.just(1),
    ),
    st.tuples(st.just("restart")),
    st.tuples(st.just("forgetful broker")),
)


class Farm:
    """Plays what people do, and looks at each command as it leaves the engine."""

    def __init__(self) -> None:
        self.run = WholeRun(RULES, ladder=DIMMABLE)
        self.wrong: list[str] = []
        self.answers: list[Event] = []
        self.engines = 1
        self.run.world.subscribe(GROUP_EVENT, self._told)
        self.run.world.subscribe(MINER_EVENT, self._told)
        self.run.launch().soc(90.0)
        for name in RULES.miners:
            self.run.miner(name, MinerState.HASHING)
        self.run.run(400)

    def play(self, event: tuple[Any, ...]) -> None:
        getattr(self, "_" + event[0].replace(" ", "_"))(*event[1:])
        self.look()

    def look(self) -> None:
        """What holds once all that was said has been heard: by the file, and by what stands on the broker's topics."""
        self.run.settle()
        assert self.run.service is not None
        assert self.run.service.counts["handler_failed"] == 0
        for name, rules in RULES.miners.items():
            self._look_at_choice(name, rules)
            command = self.run.last(name)
            if command is None or command.action != "apply":
                continue
            limit_w = self._limit_w(self.run.engine.farm.miners[name].override)
            assert command.point.power_w <= min(rules.max_w or 1e9, limit_w), command.sentence
            assert command.point.is_pause or not self._must_pause(name, rules, command), command.sentence
        shed = [self.run.last(name) for name in RULES.groups["shed"].members]
        cap_w = min(GROUP_W, self._limit_w(self.run.engine.farm.groups["shed"]))
        assert sum(command.point.power_w for command in shed if command is not None) <= cap_w

    def _look_at_choice(self, name: str, rules: MinerRules) -> None:
        """What the engine has let pass."""
        choice = self._choice(name)
        if choice is None:
            return
        assert (choice.max_w or 0) <= (rules.max_w or 1e9)
        if rules.stop_percent is None or rules.resume_percent is None:
            assert (choice.stop_soc, choice.resume_soc) == (None, None)
        else:
            resume = rules.resume_percent if choice.resume_soc is None else choice.resume_soc
            assert (rules.stop_percent if choice.stop_soc is None else choice.stop_soc) < resume

    def _limit_w(self, one: Override | None) -> float:
        """What a person allows, by what the engine has heard."""
        if one is None or one.max_w is None or (one.until is not None and self.run.clock.now() >= one.until):
            return 1e9
        return one.max_w

    def _must_pause(self, name: str, rules: MinerRules, command: MinerCommand) -> bool:
        farm, now = self.run.engine.farm, self.run.clock.now()
        orders = [farm.miners[name].override, *(farm.groups[group] for group in RULES.groups_of[name])]
        standing = [one for one in orders if one is not None and (one.until is None or now < one.until)]
        forced = any(one.kind is OverrideKind.FORCE_ON for one in standing)
        if farm.emergency is not None and farm.emergency.active:
            return True
        if any(one.kind is OverrideKind.PAUSE or one.max_w == 0 for one in standing):
            return True
        soc, stop = self.run.soc_percent, self._stop(name, rules)
        return soc is not None and stop is not None and soc < stop and not forced

    def _stop(self, name: str, rules: MinerRules) -> float | None:
        """The threshold that holds by what the broker remembers: only the engine writes there."""
        choice = self._choice(name)
        return rules.stop_percent if choice is None or choice.stop_soc is None else choice.stop_soc

    def _choice(self, name: str) -> Choice | None:
        payload = self.run.broker.retained.get(MINER_CHOICE.path("sunherd", name))
        return None if payload is None else Choice.model_validate_json(payload)

    # --- what happens

    def _wait(self, seconds: int) -> None:
        self.run.run(seconds)

    def _soc(self, soc: float | None) -> None:
        self.run.soc(soc)

    def _emergency(self, active: bool) -> None:
        self.run.emergency(active=active)

    def _override(self, who: str, kind: OverrideKind, max_w: float) -> None:
        now = self.run.clock.now()
        limit_w = max_w if kind is OverrideKind.LIMIT else None
        message = Override(at=now, kind=kind, until=now + timedelta(minutes=3), max_w=limit_w)
        self.run.say(GROUP_OVERRIDE if who in RULES.groups else MINER_OVERRIDE, who, message)

    def _request(self, who: str, kind: RequestKind, chosen: dict[str, Any], late: int, times: int) -> None:
        at = self.run.clock.now() - timedelta(seconds=late)
        request = Request(at=at, kind=kind, by="Ana", choose=chosen)
        before = len(self.answers)
        for _ in range(times):
            self.run.say(GROUP_REQUEST if who in RULES.groups else MINER_REQUEST, who, request)
        answers = [event for event in self.answers[before:] if "request" in event.numbers]
        is_for_the_agent = kind is RequestKind.IDENTIFY and who in RULES.miners
        # The clock may have stood still since the very same request was made: then it is known already.
        assert len(answers) <= 1
        assert not (is_for_the_agent and answers)
        assert all("Fix: " in event.sentence for event in answers if event.code == "request_refused")
        assert all(event.code == "request_refused" for event in answers if late not in {0, 59})

    def _restart(self) -> None:
        self.engines += 1
        self.run.kill().launch(f"engine-{self.engines}").run(10)

    def _forgetful_broker(self) -> None:
        self.run.broker.kill(forget=True)
        self.run.broker.revive()
        self.run.run(20)

    def _told(self, received: Received[Event]) -> None:
        if received.message is not None:
            self.answers.append(received.message)


@PROPERTY
@given(st.lists(_EVENTS, min_size=3, max_size=14))
def test_no_command_is_above_the_files_caps_or_runs_what_must_be_paused(events: list[tuple[Any, ...]]) -> None:
    farm = Farm()
    for event in events:
        farm.play(event)
