"""What has been chosen outlives engines and brokers, and is overruled by nobody; what fits no more is said once."""

from datetime import timedelta

import pytest

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Choice
from shared.topics import (
    GROUP_CHOICE,
    MINER_CHOICE,
)
from tests.engine_asking import Asking
from tests.engine_core import DIMMABLE


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_a_restarted_engine_knows_the_choice(asking: Asking) -> None:
    asking.ask("s19", stop_soc=85, resume_soc=90)
    asking.run.run(20).kill().launch("policy_engine-2").run(20)
    command = asking.run.now_commanded
    assert (command.engine, command.code, command.point.is_pause) == ("policy_engine-2", "soc_low", True)


def test_a_broker_that_lost_its_memory_is_told_again(asking: Asking) -> None:
    asking.ask("s19", max_w=2000)
    asking.ask("shed", max_w=6000)
    asking.ask("s21", max_w=3000)
    asking.ask("s21", max_w=None, late=1)
    asking.run.broker.kill(forget=True)
    asking.run.broker.revive()
    asking.run.run(30)
    assert [bool(asking.retained(MINER_CHOICE, who)) for who in ("s19", "s21")] == [True, False]
    assert asking.retained(GROUP_CHOICE, "shed") is not None
    assert asking.run.now_commanded.point.name == "1800"


def test_a_broker_with_an_old_memory_is_put_right(asking: Asking) -> None:
    asking.ask("s19", max_w=2000)
    asking.ask("s21", max_w=2000)
    old = dict(asking.run.broker.retained)
    asking.run.run(20)
    asking.ask("s19", max_w=2600)
    asking.ask("s21", max_w=None)
    asking.run.broker.kill()
    asking.run.broker.retained = old
    asking.run.broker.revive()
    asking.run.run(30)
    kept = asking.retained(MINER_CHOICE, "s19")
    assert kept is not None
    assert (kept.max_w, asking.retained(MINER_CHOICE, "s21")) == (2600, None)
    assert asking.run.now_commanded.point.name == "2500"


def test_who_writes_over_a_choice_or_clears_it_is_overruled(asking: Asking) -> None:
    asking.ask("s19", max_w=2000)
    stale = Choice(at=asking.run.clock.now() - timedelta(hours=1), max_w=3000)
    asking.run.say(MINER_CHOICE, "s19", stale).settle()
    kept = asking.retained(MINER_CHOICE, "s19")
    assert kept is not None
    assert kept.max_w == 2000
    asking.run.world.clear(MINER_CHOICE, "s19")
    asking.run.settle()
    assert asking.retained(MINER_CHOICE, "s19") == kept


def test_a_choice_that_no_longer_fits_the_file_is_said_once_and_kept(asking: Asking) -> None:
    asking.ask("s19", max_w=3200)
    asking.run.kill()
    asking.run.rules = Rules(miners={"s19": MinerRules(73, 75, max_w=2000), "s21": MinerRules()})
    asking.run.launch("policy_engine-2").run(120)
    said = [event for _, event in asking.answers if event.code == "choice_not_applied"]
    assert [event.numbers for event in said] == [{"key": "max_w"}]
    assert "above the 2000 W of the farm file" in said[0].sentence
    assert asking.run.now_commanded.point.name == "1800"
    assert asking.retained(MINER_CHOICE, "s19") is not None


def test_a_point_that_is_gone_is_said_once_also_if_the_miner_is_silent_in_between(asking: Asking) -> None:
    asking.ask("s19", point="2500")
    smaller = DIMMABLE.model_copy(update={"points": (DIMMABLE.points[0], *DIMMABLE.points[2:])})
    for ladder in (smaller.model_copy(update={"points": (smaller.points[0], smaller.points[2])}), None):
        asking.run.ladder = ladder
        asking.run.run(60)
    asking.run.ladder = smaller.model_copy(update={"points": (smaller.points[0], smaller.points[2])})
    asking.run.run(60)
    assert asking.codes().count("choice_not_applied") == 1
    asking.run.ladder = DIMMABLE
    assert asking.run.run(60).now_commanded.point.name == "2500"
