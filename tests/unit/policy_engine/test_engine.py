"""The shell: when it decides, when it publishes, what it tells, on a broker in memory."""

import itertools
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.bus import MemoryBroker, Packet
from shared.clock import VirtualClock
from shared.messages import Action, EmergencyStop, MinerCommand, MinerState, Override, OverrideKind, Severity
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH, GROUP_OVERRIDE, MINER_COMMAND, MINER_TELEMETRY, SITE_TELEMETRY
from tests.engine_core import ON_OFF, reading, site
from tests.engine_whole import ONE, WholeRun, engine_service, hashing


def test_it_decides_only_when_the_brokers_memory_has_arrived() -> None:
    run = WholeRun()
    run.soc(80).miner("s19", MinerState.HASHING)
    run.broker.running = False
    run.launch().run(30)
    assert run.commands == []
    run.broker.revive()
    run.run(10)
    assert [command.point.name for _, command in run.commands] == ["normal"]


def test_a_message_is_answered_without_waiting_for_a_tick() -> None:
    run = hashing()
    run.soc(70)
    assert run.now_commanded.code == "soc_low"


def test_a_batch_of_messages_makes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    run = hashing()
    passes: list[list[str] | None] = []
    decide = run.engine.decide

    def counted(miners: list[str] | None) -> None:
        passes.append(miners)
        decide(miners)

    monkeypatch.setattr(run.engine, "decide", counted)
    for soc in (79, 78, 77):
        run.world.publish(SITE_TELEMETRY, "home", site(run.clock.now(), soc))
    run.world.publish(MINER_TELEMETRY, "s19", reading(run.clock.now(), MinerState.RAMPING))
    run.settle()
    assert passes == [None], "one pass, over the whole farm"


def test_figures_alone_are_not_published_before_half_of_the_lease() -> None:
    run = hashing().run(60)
    sent = len(run.commands)
    for seconds in range(20):
        run.soc(80 + seconds / 10)
        run.run(1, step_seconds=1)
    assert len(run.commands) - sent <= 1


def test_a_command_is_renewed_by_half_of_its_lease() -> None:
    run = hashing()
    ats = [command.at for _, command in run.run(600, step_seconds=1).commands]
    gaps = [later - earlier for earlier, later in itertools.pairwise(ats[2:])]
    assert len(gaps) > 15
    assert max(gaps) <= ONE.lease / 2 + timedelta(seconds=1)
    assert run.now_commanded.expires_at - run.now_commanded.at == ONE.lease


def test_one_line_per_change_says_why(caplog: pytest.LogCaptureFixture) -> None:
    run = hashing()
    with caplog.at_level(logging.INFO):
        caplog.clear()
        run.soc(72.9).run(90)
    assert [record.message for record in caplog.records] == ["[s19] SoC 72.9 % < 73 % → pause"]


def test_what_is_only_watched_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        hashing(Rules(miners={"s19": MinerRules(73, 75, observe=True)})).soc(60)
    assert "[s19] SoC 60.0 % < 73 % → pause (only watching)" in caplog.messages


def test_a_sender_whose_clock_is_ahead_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    run = hashing()
    run.bridge = False
    for _ in range(3):
        run.say(SITE_TELEMETRY, "home", site(run.clock.now() + timedelta(hours=3), 60))
    assert run.now_commanded.point.name == "normal"
    assert run.service is not None
    assert run.service.counts["refused_from_the_future"] == 3
    assert len([line for line in caplog.messages if "ahead" in line]) == 1


def test_a_groups_override_reaches_its_members() -> None:
    rules = Rules(miners={"s19": MinerRules(), "s21": MinerRules()}, groups={"shed": GroupRules(("s21",))})
    run = hashing(rules)
    pause = Override(at=run.clock.now(), kind=OverrideKind.PAUSE, by="owner")
    run.say(GROUP_OVERRIDE, "shed", pause).say(GROUP_OVERRIDE, "stranger", pause)
    told = [command.code for name in rules.miners if (command := run.last(name))]
    assert told == ["no_limit", "paused_by_person"]


def test_a_miners_override_and_its_clearing() -> None:
    run = hashing().override("s19", OverrideKind.MAINTENANCE).override("stranger", OverrideKind.PAUSE)
    assert run.now_commanded.action is Action.MAINTENANCE
    run.world.clear(MINER_COMMAND, "stranger")
    run.world.publish_raw(Packet("sunherd/miner/s19/override", b"", 1, retain=True))
    assert run.settle().now_commanded.action is Action.APPLY


def test_miners_that_are_not_configured_are_ignored() -> None:
    run = hashing()
    sent = len(run.commands)
    run.say(MINER_TELEMETRY, "stranger", reading(run.clock.now(), MinerState.HASHING, ON_OFF))
    run.say(MINER_COMMAND, "stranger", run.now_commanded)
    assert len(run.commands) == sent + 1


# --- emergency stop


def stop_topic(run: WholeRun) -> bytes | None:
    return run.broker.retained.get("sunherd/site/home/emergency_stop")


def late(run: WholeRun) -> EmergencyStop:
    """A resume of an earlier stop, which has been under way for long."""
    earlier = run.clock.now() - timedelta(hours=1)
    return EmergencyStop(at=run.clock.now(), active=False, by="telephone", lifts=earlier)


def test_a_late_resume_lifts_no_newer_stop() -> None:
    run = hashing().emergency(active=True)
    run.say(EMERGENCY_STOP, "home", late(run))
    assert run.now_commanded.code == "emergency_stop"
    assert b'"active":true' in (stop_topic(run) or b""), "the stop stands on its topic again"
    stop_at = run.now_commanded.since
    run.say(EMERGENCY_STOP, "home", EmergencyStop(at=stop_at, active=False, lifts=stop_at))
    assert run.now_commanded.code != "emergency_stop"


def test_a_late_resume_that_came_while_no_engine_ran_lifts_nothing() -> None:
    run = hashing().emergency(active=True).kill()
    run.say(EMERGENCY_STOP, "home", late(run))
    run.launch("policy_engine-2")
    assert run.now_commanded.code == "emergency_stop"
    assert b'"active":true' in (stop_topic(run) or b"")


def test_a_resume_that_came_while_no_engine_ran_is_heard() -> None:
    run = hashing().emergency(active=True)
    stop_at = run.clock.now()
    run.kill().say(EMERGENCY_STOP, "home", EmergencyStop(at=stop_at, active=False, lifts=stop_at))
    run.launch("policy_engine-2")
    assert run.now_commanded.code != "emergency_stop"


def test_the_stop_is_told_for_each_miner_and_so_is_its_end() -> None:
    run = hashing().emergency(active=True)
    assert run.now_commanded.code == "emergency_stop"
    assert [(event.code, event.severity) for _, event in run.events] == [("emergency_stop", Severity.ERROR)]
    run.emergency(active=False)
    assert run.codes == ["emergency_stop", "emergency_stop_over"]


def test_an_emptied_stop_is_written_again() -> None:
    run = hashing().emergency(active=True)
    run.world.publish_raw(Packet("sunherd/site/home/emergency_stop", b"", 1, retain=True))
    run.settle()
    assert run.now_commanded.code == "emergency_stop"
    assert b'"active":true' in (stop_topic(run) or b"")


def test_a_broker_that_lost_the_stop_is_given_it_back() -> None:
    run = hashing().emergency(active=True)
    run.broker.kill(forget=True)
    run.broker.revive()
    run.run(20)
    assert b'"active":true' in (stop_topic(run) or b"")


def test_a_stop_that_only_the_commands_remember_comes_back_after_a_restart() -> None:
    run = hashing().emergency(active=True).kill()
    run.broker.retained.pop("sunherd/site/home/emergency_stop")
    run.launch()
    assert run.now_commanded.code == "emergency_stop"
    assert b'"active":true' in (stop_topic(run) or b"")


# --- a broker that goes and comes


def test_without_a_broker_nothing_is_decided_and_afterwards_everything_is_said_again() -> None:
    run = hashing()
    before = run.now_commanded
    run.broker.kill(forget=True)
    run.run(60)
    run.broker.revive()
    run.run(10)
    assert run.now_commanded.at > before.at
    assert run.now_commanded.epoch == before.epoch
    assert {path.split("/")[-1] for path in run.broker.retained} >= {"command", "epoch"}


def test_after_a_long_outage_latches_are_void() -> None:
    run = hashing().soc(74)
    run.broker.kill()
    run.run(ONE.memory_lasts.total_seconds() + 60)
    run.broker.revive()
    run.run(20)
    assert run.now_commanded.code == "soc_no_memory"


# --- rivals


def test_a_cleared_or_older_epoch_is_written_again() -> None:
    run = hashing()
    mine = run.now_commanded.epoch
    path = ENGINE_EPOCH.path("sunherd", "home")
    run.world.clear(ENGINE_EPOCH, "home")
    assert str(mine).encode() in run.settle().broker.retained[path]
    run.world.clear(MINER_COMMAND, "s19")
    run.settle()
    assert MinerCommand.model_validate_json(run.broker.retained[MINER_COMMAND.path("sunherd", "s19")]).epoch == mine


def test_it_stands_down_for_a_higher_epoch_and_takes_over_when_that_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = hashing()
    mine = run.now_commanded
    for _ in range(4):
        rival = replace_command(run, mine.epoch + 10**9)
        run.say(MINER_COMMAND, "s19", rival).soc(60).run(50)
    assert run.now_commanded.engine == "rival"
    assert len([line for line in caplog.messages if "standing down" in line]) == 1
    run.run(150)
    assert run.now_commanded.engine == "policy_engine-1"
    assert run.now_commanded.epoch > mine.epoch + 10**9
    assert run.now_commanded.code == "soc_low"


def replace_command(run: WholeRun, epoch: int) -> MinerCommand:
    now = run.clock.now()
    update = {"engine": "rival", "epoch": epoch, "at": now, "expires_at": now + ONE.lease}
    return run.now_commanded.model_copy(update=update)


def test_a_second_engine_takes_over_and_the_first_stands_down() -> None:
    run = hashing()
    second = engine_service(run.broker, run.clock, "policy_engine-2")
    other = type(run.engine)(second, ONE, "home")
    second.start()
    second.step()
    run.settle()
    assert run.engine.reign.epoch is None
    assert other.reign.epoch is not None
    assert run.now_commanded.engine == "policy_engine-2"


def test_a_reconnection_while_stood_down_does_not_take_over() -> None:
    run = hashing()
    run.say(MINER_COMMAND, "s19", replace_command(run, run.now_commanded.epoch + 5))
    run.broker.kill()
    run.broker.revive()
    run.run(20)
    assert run.now_commanded.engine == "rival"


def test_a_thousand_miners_are_commanded_in_one_step() -> None:
    rules = replace(ONE, miners={f"m{index}": MinerRules(73, 75) for index in range(1000)})
    run = WholeRun(rules, VirtualClock(), MemoryBroker()).launch().soc(80)
    for name in rules.miners:
        run.miner(name, MinerState.HASHING)
    run.commands.clear()
    run.soc(70)
    assert {command.code for _, command in run.commands} == {"soc_low"}
    assert len(run.commands) == 1000
