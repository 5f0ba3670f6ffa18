"""Museum 29. Seen in proto-fleet PR 336: a debounced value was lost across a restart, and the old one delivered again.

Must happen: a command has an id, an epoch and an expiry. An agent refuses what is older than what it knows; the engine
writes its own again over what an older engine has left or sends late.
"""

from datetime import timedelta

from shared.clock import VirtualClock
from shared.lease import Lease
from shared.messages import PAUSE, Following, MinerCommand
from shared.topics import MINER_COMMAND
from tests.engine_core import NORMAL
from tests.engine_whole import hashing


def lease_of(clock: VirtualClock) -> Lease[MinerCommand]:
    return Lease(clock.now(), timedelta(seconds=120))


def test_an_agent_refuses_the_command_of_an_epoch_that_is_over() -> None:
    run = hashing()
    old = run.now_commanded
    run.kill().launch("policy_engine-2").soc(70)
    lease = lease_of(run.clock)
    assert lease.offer(run.now_commanded, run.clock.now(), retained=False) is None
    assert lease.offer(old, run.clock.now(), retained=False) == "lower_epoch"
    following, held = lease.follow(run.clock.now(), emergency=False)
    assert following is Following.COMMAND
    assert held is not None
    assert held.point == PAUSE


def test_a_command_redelivered_within_its_epoch_is_overtaken() -> None:
    run = hashing()
    old = run.now_commanded
    run.soc(70)
    lease = lease_of(run.clock)
    lease.offer(run.now_commanded, run.clock.now(), retained=False)
    assert lease.offer(old, run.clock.now(), retained=False) == "overtaken"


def test_a_command_that_lay_around_is_not_followed_when_it_comes_back() -> None:
    run = hashing()
    old = run.now_commanded
    run.clock.advance(old.expires_at.timestamp() - old.at.timestamp() + 31)
    lease = lease_of(run.clock)
    assert lease.offer(old, run.clock.now(), retained=False) == "too_old"
    assert lease.offer(old, run.clock.now(), retained=True) is None  # from the broker's memory: taken, but run out
    assert lease.follow(run.clock.now(), emergency=False)[0] is not Following.COMMAND


def test_the_engine_writes_its_command_again_over_a_late_one() -> None:
    run = hashing().soc(70).run(10)
    before = run.now_commanded
    late = before.model_copy(update={"engine": "policy_engine-0", "epoch": before.epoch - 1, "point": NORMAL})
    run.say(MINER_COMMAND, "s19", late)
    assert run.now_commanded.point == PAUSE
    assert run.now_commanded.epoch == before.epoch


def test_every_launch_has_a_higher_epoch_even_if_the_clock_went_back() -> None:
    run = hashing()
    first = run.now_commanded.epoch
    run.kill()
    run.clock.advance(-3600)
    run.launch()
    assert run.now_commanded.epoch > first
