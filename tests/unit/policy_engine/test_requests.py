"""What people ask of the whole engine: each request is done once and answered, by the engine in charge alone."""

from datetime import timedelta
from typing import Any

import pytest

from services.policy_engine.rules import Rules
from shared.bus import Packet
from shared.messages import EngineEpoch, Following, MinerState, Override, OverrideKind, Request, RequestKind
from shared.topics import (
    ENGINE_EPOCH,
    GROUP_CHOICE,
    GROUP_OVERRIDE,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_OVERRIDE,
    MINER_REQUEST,
    MINER_TELEMETRY,
)
from tests.engine_asking import RULES, Asking
from tests.engine_core import DIMMABLE, reading
from tests.engine_whole import WholeRun


@pytest.fixture
def asking() -> Asking:
    return Asking()


# --- choices


def test_a_choice_is_answered_retained_and_in_force_at_once(asking: Asking) -> None:
    answer = asking.ask("s19", stop_soc=85, resume_soc=90)
    assert (answer.code, answer.sentence) == ("request_accepted", "Ana has chosen stop_soc 85, resume_soc 90")
    kept = asking.retained(MINER_CHOICE, "s19")
    assert kept is not None
    assert (kept.stop_soc, kept.resume_soc, kept.by) == (85, 90, "Ana")
    assert asking.run.settle().now_commanded.point.is_pause
    answer = asking.ask("s19", stop_soc=None, resume_soc=75)
    assert answer.sentence == "Ana has chosen stop_soc as in the farm file, resume_soc as in the farm file"
    assert asking.retained(MINER_CHOICE, "s19") is None
    assert asking.run.run(400).now_commanded.point.name == "normal"


def test_a_groups_cap_is_chosen_and_its_members_hear_of_it_at_once(asking: Asking) -> None:
    assert asking.ask("shed", max_w=5000).code == "request_accepted"
    last = asking.run.settle().last("s21")
    assert last is not None
    assert (last.point.name, "chosen by Ana" in last.sentence) == ("1800", True)
    assert asking.ask("shed", max_w=None).code == "request_accepted"
    assert asking.retained(GROUP_CHOICE, "shed") is None
    last = asking.run.run(30).last("s21")
    assert last is not None
    assert last.point.name == "normal"


def test_who_chose_is_said_at_once_also_where_nothing_else_changes(asking: Asking) -> None:
    asking.ask("s19", resume_soc=78)
    assert "chosen by Ana instead of 75 %" in asking.run.settle().now_commanded.sentence


@pytest.mark.parametrize(
    ("who", "choose", "said"),
    [
        ("s19", {"stop_soc": 80}, "choose refused: stop_soc 80 must be below resume_soc 75"),
        ("s19", {"point": "turbo"}, "no operating point 'turbo'"),
        ("s19", {}, "names nothing"),
        ("s21", {"stop_soc": 10}, "does not govern"),
        ("shed", {"point": "1800"}, "cannot be chosen here"),
        ("s99", {"max_w": 5}, "the farm file has no miner s99. Fix: ask one of s19, s21"),
    ],
)
def test_an_unsound_choice_is_refused_and_nothing_changes(
    asking: Asking, who: str, choose: dict[str, Any], said: str
) -> None:
    answer = asking.ask(who, **choose)
    assert answer.code == "request_refused"
    assert said in answer.sentence
    assert "Fix: " in answer.sentence
    assert asking.choices == []


def test_an_unknown_group_is_refused_too(asking: Asking) -> None:
    asking.run.say(
        GROUP_REQUEST, "barn", Request(at=asking.run.clock.now(), kind=RequestKind.CHOOSE, choose={"max_w": 5})
    )
    assert [(name, event.code) for name, event in asking.answers] == [("barn", "request_refused")]


# --- once, young, and by whom


def test_the_same_request_twice_is_done_and_answered_once(asking: Asking) -> None:
    request = Request(at=asking.run.clock.now(), kind=RequestKind.RESTART, by="Ana")
    assert asking.again("s19", request).code == "request_accepted"
    before, command = asking.codes(), asking.run.now_commanded
    asking.run.run(100).say(MINER_REQUEST, "s19", request)
    assert asking.codes() == before
    assert asking.run.now_commanded.restart_at == command.restart_at


@pytest.mark.parametrize(
    ("late", "code"),
    [(60, "request_accepted"), (61, "request_refused"), (-30, "request_accepted"), (-31, "request_refused")],
)
def test_only_what_was_asked_just_now_is_done(asking: Asking, late: float, code: str) -> None:
    assert asking.ask("s19", late=late, max_w=3000).code == code


def test_on_a_fast_clock_it_is_young_for_a_lease() -> None:
    asking = Asking()
    fast = WholeRun(Rules(miners=RULES.miners, groups=RULES.groups, lease=timedelta(hours=1))).launch()
    at = fast.clock.now() - timedelta(minutes=50)
    fast.say(MINER_REQUEST, "s19", Request(at=at, kind=RequestKind.CHOOSE, choose={"max_w": 3000}))
    assert fast.codes == ["request_accepted"]
    assert asking.ask("s19", late=50 * 60, max_w=3000).code == "request_refused"


def test_what_is_of_a_miner_only_is_refused_of_a_group(asking: Asking) -> None:
    for kind in (RequestKind.RESTART, RequestKind.CYCLE, RequestKind.CLEAR_UNSTABLE, RequestKind.IDENTIFY):
        assert "ask it of each member" in asking.ask("shed", kind).sentence


def test_to_identify_a_miner_is_its_agents_business(asking: Asking) -> None:
    before = asking.codes()
    asking.run.say(MINER_REQUEST, "s19", Request(at=asking.run.clock.now(), kind=RequestKind.IDENTIFY))
    assert asking.codes() == before
    assert asking.ask("s99", RequestKind.IDENTIFY).code == "request_refused"


def test_an_engine_that_is_not_in_charge_is_silent(asking: Asking) -> None:
    now = asking.run.clock.now()
    epoch = (asking.run.engine.reign.epoch or 0) + 1
    asking.run.say(ENGINE_EPOCH, "home", EngineEpoch(at=now, engine="another", epoch=epoch))
    before = asking.codes()
    for kind in RequestKind:
        asking.run.say(MINER_REQUEST, "s19", Request(at=now, kind=kind, choose={"max_w": 3000}))
    assert asking.codes() == before
    assert asking.choices == []


def test_a_request_that_somebody_left_in_the_brokers_memory_is_none(asking: Asking) -> None:
    request = Request(at=asking.run.clock.now(), kind=RequestKind.CHOOSE, choose={"max_w": 3000})
    asking.run.kill()
    path = MINER_REQUEST.path("sunherd", "s19")
    asking.run.world.publish_raw(Packet(path, request.model_dump_json(exclude_none=True).encode(), 1, retain=True))
    before = len(asking.codes())
    asking.run.launch("policy_engine-2").run(10)
    assert asking.codes()[before:] == []


# --- restart and the rest


def test_a_restart_is_ordered_by_the_command_and_a_second_one_waits(asking: Asking) -> None:
    assert asking.ask("s19", RequestKind.RESTART).sentence == "Ana has asked for it: its software is restarted"
    command = asking.run.now_commanded
    assert command.restart_at == asking.run.clock.now()
    assert "its time to come back" in asking.ask("s19", RequestKind.RESTART, late=1).sentence
    assert asking.run.now_commanded.restart_at == command.restart_at
    assert "restarting" in asking.codes()


def test_what_cannot_be_done_says_why(asking: Asking) -> None:
    assert "cannot be restarted" in asking.ask("s21", RequestKind.RESTART).sentence
    assert "no outlet" in asking.ask("s19", RequestKind.CYCLE).sentence
    assert "nothing to clear" in asking.ask("s19", RequestKind.CLEAR_UNSTABLE).sentence
    asking.run.override("s19", OverrideKind.PAUSE).run(20)
    assert "it is paused: paused by owner" in asking.ask("s19", RequestKind.RESTART).sentence


# --- overrides are heard as before


def test_a_limit_of_a_miner_and_of_a_group_is_heard(asking: Asking) -> None:
    now = asking.run.clock.now()
    limit = Override(at=now, kind=OverrideKind.LIMIT, max_w=2000, by="Ana")
    asking.run.say(MINER_OVERRIDE, "s19", limit)
    assert asking.run.settle().now_commanded.code == "limited_by_person"
    asking.run.say(GROUP_OVERRIDE, "shed", limit).say(GROUP_OVERRIDE, "barn", limit)
    last = asking.run.settle().last("s21")
    assert last is not None
    assert last.code == "limited_by_person"


def test_a_request_robs_no_other_miner_of_its_turn(asking: Asking) -> None:
    now = asking.run.clock.now()
    told = reading(now, MinerState.PAUSED, DIMMABLE, outside_pause_since=now, following=Following.COMMAND)
    asking.run.world.publish(MINER_TELEMETRY, "s21", told)
    assert asking.ask("s19", RequestKind.RESTART).code == "request_accepted"
    last = asking.run.last("s21")
    assert last is not None
    assert last.code == "outside_pause"
