"""Everything off, whatever is ill: by the broker, by the file, and at the devices themselves; and the end of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.simulator.http import Wire
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from shared.messages import EmergencyStop, Following
from shared.topics import EMERGENCY_STOP
from tests.console_farm import ConsoleFarm
from tests.waiting import eventually

NAMES = tuple(f"s19-{number}" for number in range(10))
MINERS = "miners:\n" + "".join(f'  {name}: {{{{driver: vnish, host: "127.0.0.1:{{{name}}}"}}}}\n' for name in NAMES)
MINERS += "groups:\n  garage: {{members: [s19-0, s19-1]}}\n"


@pytest.fixture
def miners() -> dict[str, VnishStandIn]:
    clock = SystemClock()
    return {name: VnishStandIn(clock=clock) for name in NAMES}


@pytest.fixture
def farm(miners: dict[str, VnishStandIn], tmp_path: Path) -> Iterator[ConsoleFarm]:
    """A broker and the miners."""
    with ConsoleFarm(tmp_path, {name: miner.handle for name, miner in miners.items()}, MINERS) as running:
        yield running


def tended(farm: ConsoleFarm, miners: dict[str, VnishStandIn], *, engine: bool = True) -> None:
    farm.agent()
    if engine:
        farm.engine()
        assert eventually(lambda: all(farm.decided(name) for name in miners), 20)
    assert eventually(lambda: len(farm.telemetry) == len(miners) and all(m.hashing for m in miners.values()), 20)


def hashing(miners: dict[str, VnishStandIn]) -> list[str]:
    return [name for name, miner in miners.items() if miner.hashing]


def passwords_asked(miners: dict[str, VnishStandIn]) -> int:
    """How many have been asked for a token by somebody."""
    return sum(any(heard.path == "/unlock" for heard in miner.heard) for miner in miners.values())


def test_agents_obey_the_latch_and_no_device_is_told_twice(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    tended(farm, miners)
    said = farm.say("stop", "--all", "--reason", "smoke")
    assert said.code == 0, said.out
    assert "10 of 10 confirmed" in said.out
    assert not hashing(miners)
    for miner in miners.values():
        assert miner.controls().count("/mining/stop") == 1
    said = farm.say("stop", "--all")
    assert said.code == 0, "once more is as well"

    said = farm.say("resume", "--reason", "it was toast")
    assert said.code == 0, said.out
    assert said.out.count("emergency stop by") == 2, "on the broker, and in the file"
    newest = max(stop.at for stop in farm.stops if stop.active)
    assert [stop.lifts for stop in farm.stops if not stop.active][-1] == newest, "it says which stop it means"
    assert not farm.latch.exists()
    assert eventually(lambda: len(hashing(miners)) == 10, 20), "the rules decide again"
    assert "No emergency stop stands" in farm.say("resume").out


def test_without_an_engine_the_agents_obey_by_themselves(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    tended(farm, miners, engine=False)
    said = farm.say("stop", "--all")
    assert said.code == 0, said.out
    assert not hashing(miners)


def test_without_agents_the_devices_are_told(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    said = farm.say("stop", "--all")
    assert said.code == 0, said.out
    assert not hashing(miners)
    assert farm.latch.exists()


def test_without_a_broker_the_devices_are_told_and_a_broker_is_missed(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn]
) -> None:
    farm.kill_broker()
    said = farm.say("stop", "--all")
    assert said.code == 1
    assert not hashing(miners)
    assert "10 of 10 confirmed" in said.out
    assert "The broker has not got the word: the broker at 127.0.0.1:" in said.out


def test_a_frozen_broker_delays_nothing_for_long(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    farm.broker.freeze()  # type: ignore[attr-defined] # a real one
    try:
        said = farm.say("stop", "--all")
    finally:
        farm.broker.thaw()  # type: ignore[attr-defined]
    assert said.code == 1
    assert not hashing(miners)


def test_two_silent_miners_are_named_and_delay_nobody(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.console.stopping.CONFIRM_SECONDS", 4.0)
    for name in ("s19-3", "s19-7"):
        miners[name].faults.wire = Wire.SILENCE
    miners["s19-5"].faults.yes_and_nothing = True
    said = farm.say("stop", "--all")
    assert said.code == 1
    assert "7 of 10 confirmed" in said.out
    assert "s19-3: NOT REACHED" in said.out
    assert "s19-7: NOT REACHED" in said.out
    assert "s19-5: SENT, NOT CONFIRMED: still hashing" in said.out
    assert hashing(miners) == ["s19-3", "s19-5", "s19-7"]


def test_a_frozen_agent_is_not_waited_for(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    """Its heartbeat is young, and still it does nothing."""
    tended(farm, miners)
    farm.end("policy_engine")
    farm.hang("vnish_agent")
    said = farm.say("stop", "--all")
    assert said.code == 0, said.out
    assert not hashing(miners)


def test_a_wrong_password_is_said(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    miners["s19-0"].password = "another"
    said = farm.say("stop", "s19-0", "s19-1")
    assert said.code == 1
    assert "s19-0: NOT REACHED: does not accept the password" in said.out
    assert "s19-1: stopped" in said.out


def test_some_by_name_are_paused_and_stay_so(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    tended(farm, miners)
    said = farm.say("stop", "garage", "s19-2")
    assert said.code == 0, said.out
    assert hashing(miners) == list(NAMES[3:])
    assert not farm.latch.exists(), "it is no emergency stop"
    assert not eventually(lambda: len(hashing(miners)) > 7, 2)


def test_some_by_name_are_told_directly_where_nobody_else_does(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn]
) -> None:
    said = farm.say("stop", "s19-2")
    assert said.code == 0, said.out
    assert hashing(miners) == [name for name in NAMES if name != "s19-2"]


def test_direct_waits_for_nobody(farm: ConsoleFarm, miners: dict[str, VnishStandIn]) -> None:
    tended(farm, miners)
    asked = passwords_asked(miners)
    assert asked == 10, "by the agent"
    before = {name: sum(heard.path == "/unlock" for heard in miner.heard) for name, miner in miners.items()}
    said = farm.say("stop", "--all", "--direct")
    assert said.code == 0, said.out
    for name, miner in miners.items():
        assert sum(heard.path == "/unlock" for heard in miner.heard) == before[name] + 1, "by us, besides"


@pytest.mark.parametrize("words", [[], ["--all", "s19-0"]])
def test_it_has_to_be_said_whom(farm: ConsoleFarm, miners: dict[str, VnishStandIn], words: list[str]) -> None:
    said = farm.say("stop", *words)
    assert said.code == 2
    assert "Fix: sunherd stop --all" in said.out
    assert len(hashing(miners)) == 10


def test_a_broken_farm_file_does_not_keep_the_latch_from_being_set(farm: ConsoleFarm) -> None:
    farm.file.write_text("miners: [", encoding="utf-8")
    said = farm.say("stop", "--all")
    assert said.code == 1
    assert farm.latch.exists()
    assert "Without it no device can be told directly" in said.out


def test_the_file_holds_through_a_restart_of_the_agent_and_a_broker_that_knows_of_no_stop(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNHERD_LATCH_FILE", str(farm.latch))
    long_ago = EmergencyStop(at=farm.clock.now(), active=False, by="eva")
    farm.bus.publish(EMERGENCY_STOP, "home", long_ago)
    tended(farm, miners)
    farm.kill_broker()
    assert farm.say("stop", "--all").code == 1
    assert not hashing(miners)
    farm.broker.restart()
    assert eventually(farm.bus.is_synced, 15)
    farm.end("vnish_agent")
    farm.agent()
    assert eventually(lambda: farm.telemetry["s19-0"].following is Following.EMERGENCY_STOP, 15)
    assert not eventually(lambda: hashing(miners), 3)
    said = farm.say("resume")
    assert said.code == 0, said.out
    assert "In " in said.out
    assert "On the broker" not in said.out
    assert eventually(lambda: len(hashing(miners)) == 10, 30)


def test_a_resume_that_no_broker_takes_is_not_called_done(farm: ConsoleFarm) -> None:
    assert farm.say("stop", "s19-0").code == 0
    farm.say("stop", "--all")
    farm.kill_broker()
    said = farm.say("resume")
    assert said.code == 1
    assert not farm.latch.exists()
    assert "If a stop stands on the broker, it stands on" in said.out


def test_an_agent_that_still_follows_a_stop_is_named(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.console.resuming.FOLLOW_SECONDS", 2.0)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a stop on another machine", encoding="utf-8")
    monkeypatch.setenv("SUNHERD_LATCH_FILE", str(elsewhere))
    tended(farm, {}, engine=False)
    assert eventually(lambda: not hashing(miners), 15)
    monkeypatch.delenv("SUNHERD_LATCH_FILE")
    said = farm.say("resume")
    assert said.code == 1
    assert "Not heard to be free of a stop: s19-0, s19-1" in said.out


def test_a_latch_file_that_cannot_be_written_is_said_and_the_rest_is_done(
    farm: ConsoleFarm, miners: dict[str, VnishStandIn]
) -> None:
    farm.latch.parent.write_text("not a directory", encoding="utf-8")
    said = farm.say("stop", "--all")
    assert "emergency_stop cannot be written: File exists" in said.out
    assert "10 of 10 confirmed" in said.out
    assert not hashing(miners)
