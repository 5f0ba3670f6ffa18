"""Running services live by a changed farm file within seconds, and no miner notices the change itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shared.messages import Override, OverrideKind
from shared.topics import MINER_OVERRIDE
from tests.followed_farm import PATIENT_SECONDS, FollowedFarm, followed_farm
from tests.waiting import eventually

ALL = ("policy_engine", "vnish_agent", "soc_bridge")


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[FollowedFarm]:
    with followed_farm(tmp_path, miners=3, listed=(0, 1)) as running:
        running.start(*ALL)
        assert eventually(lambda: all(_is_led(running, name) for name in ("m0", "m1")), PATIENT_SECONDS)
        assert eventually(lambda: running.born("soc_bridge") and running.ear.site, PATIENT_SECONDS)
        yield running


def test_a_miner_that_is_added_is_tended_and_the_others_notice_nothing(farm: FollowedFarm) -> None:
    before, bridge = farm.orders(), farm.born("soc_bridge")

    farm.replace(farm.text(*(farm.section(index) for index in (0, 1, 2))))

    assert eventually(lambda: _is_led(farm, "m2"), PATIENT_SECONDS), farm.log("vnish_agent")
    assert farm.orders()[:2] == before[:2]
    assert farm.was_led(), "leases go on"
    assert farm.born("soc_bridge") == bridge, "whom it does not concern does not go round"
    farm.soc(60)
    assert eventually(lambda: not any(miner.hashing for miner in farm.miners), PATIENT_SECONDS)


def test_a_miner_that_leaves_is_left_as_it_is_and_nothing_is_remembered_of_it(farm: FollowedFarm) -> None:
    now = farm.ear.bus._clock.now()
    farm.ear.bus.publish(MINER_OVERRIDE, "m1", Override(at=now, kind=OverrideKind.MAINTENANCE, by="test"))
    assert eventually(lambda: farm.retained("m1") == {"miner/command", "miner/telemetry", "miner/override"})
    before, others = farm.orders(), farm.retained("m0")

    farm.write(farm.text(farm.section(0)))

    assert eventually(lambda: not farm.retained("m1"), PATIENT_SECONDS), farm.retained("m1")
    assert farm.retained("m0") == others
    farm.soc(60)
    assert eventually(lambda: not farm.miners[0].hashing, PATIENT_SECONDS)
    assert farm.orders()[1] == before[1]
    assert farm.miners[1].hashing
    assert not farm.retained("m1"), "nobody speaks of it any more"


def test_a_changed_band_holds_from_the_next_decision_on_and_no_agent_begins_anew(farm: FollowedFarm) -> None:
    agent, engine = farm.born("vnish_agent"), farm.born("policy_engine")
    farm.soc(78)
    assert all(miner.hashing for miner in farm.miners)

    farm.write(farm.text(farm.section(0, stop_soc=79, resume_soc=90), farm.section(1)))

    assert eventually(lambda: not farm.miners[0].hashing, PATIENT_SECONDS)
    assert farm.miners[1].hashing
    assert farm.born("vnish_agent") == agent
    assert farm.born("policy_engine") not in {None, engine}


def test_a_broken_file_is_told_once_and_the_farm_goes_on_by_the_old_one(farm: FollowedFarm) -> None:
    good, lives = farm.file.read_text(), [farm.born(service) for service in ALL]

    farm.replace(good.replace("stop_soc: 73", "stop_soc: 99").replace("driver", "drivr"))

    assert eventually(lambda: all("farm_file_wrong" in farm.codes(service) for service in ALL), PATIENT_SECONDS)
    told = next(event for _, event in farm.told)
    assert "farm.yaml:3: miners.m0.drivr: unknown key" in told.sentence
    assert told.numbers["problems"] == 6
    farm.soc(60)
    assert eventually(lambda: not farm.miners[0].hashing, PATIENT_SECONDS)
    farm.soc(80)
    assert eventually(lambda: farm.miners[0].hashing, PATIENT_SECONDS), "at 80 %, by the old band"

    farm.write(good)

    assert eventually(lambda: all(farm.codes(service)[-1:] == ["farm_file_right"] for service in ALL), PATIENT_SECONDS)
    assert [farm.codes(service) for service in ALL] == [["farm_file_wrong", "farm_file_right"]] * 3, "each said once"
    assert farm.log("policy_engine").count(" ERROR ") == 1
    assert [farm.born(service) for service in ALL] == lives, "and nothing was begun anew"


def test_a_remark_in_the_file_changes_nothing(farm: FollowedFarm) -> None:
    lives, text = [farm.born(service) for service in ALL], farm.file.read_text()
    farm.write("# my farm\n" + text)
    farm.replace("# my farm\n" + text.replace("minimum_off: 0 s", "minimum_off: 1 s"))
    assert eventually(lambda: farm.born("policy_engine") not in {None, lives[0]}, PATIENT_SECONDS)
    farm.write("# my old farm\n" + text.replace("minimum_off: 0 s", "minimum_off: 1000 ms"))
    engine = farm.born("policy_engine")
    assert not eventually(lambda: farm.born("policy_engine") != engine, 6)


def test_a_service_without_work_waits_for_a_farm_file_that_calls_for_it(farm: FollowedFarm) -> None:
    farm.write(farm.text())
    assert eventually(lambda: "waits for a farm file" in farm.log("vnish_agent"), PATIENT_SECONDS)
    assert eventually(lambda: not farm.retained("m0") and not farm.retained("m1"), PATIENT_SECONDS)
    assert all(process.poll() is None for process in farm.processes)

    farm.write(farm.text(farm.section(2)))

    assert eventually(lambda: _is_led(farm, "m2"), PATIENT_SECONDS), farm.log("vnish_agent")


def test_replicas_that_all_begin_anew_share_the_miners_as_before(tmp_path: Path) -> None:
    with followed_farm(tmp_path, miners=6, listed=range(5)) as farm:
        replicas = ("a", "b", "c")
        for instance in replicas:
            farm.start("vnish_agent", instance=instance, settle="1")
        for instance in replicas[:2]:
            farm.start("policy_engine", instance=instance, settle="1")
        farm.start("soc_bridge")
        assert eventually(lambda: all(_is_led(farm, f"m{index}") for index in range(5)), PATIENT_SECONDS)
        assert eventually(lambda: _tended(farm) == 5, PATIENT_SECONDS)
        before, lives = farm.orders(), [farm.born("vnish_agent", instance) for instance in replicas]

        farm.replace(farm.text(*(farm.section(index) for index in range(6))))

        assert eventually(lambda: _is_led(farm, "m5"), PATIENT_SECONDS), farm.log("vnish_agent", "a")
        # On a busy machine the others tend all six before the last one has begun.
        assert eventually(lambda: _are_other_lives(farm, replicas, lives), PATIENT_SECONDS), farm.instances
        assert eventually(lambda: _tended(farm) == 6, PATIENT_SECONDS), farm.instances
        assert farm.orders()[:5] == before[:5]
        assert farm.was_led()
        farm.listened.clear()
        assert eventually(lambda: len(farm.listened) > 60, PATIENT_SECONDS)
        assert len({(name, told.by) for name, told in farm.listened}) == 6, "each is read by one"
        farm.soc(60)
        assert eventually(lambda: not any(miner.hashing for miner in farm.miners), PATIENT_SECONDS)


def _are_other_lives(farm: FollowedFarm, replicas: Sequence[str], before: Sequence[object]) -> bool:
    now = [farm.born("vnish_agent", each) for each in replicas]
    return None not in now and all(life != old for life, old in zip(now, before, strict=True))


def _is_led(farm: FollowedFarm, name: str) -> bool:
    told = farm.ear.telemetry.get(name)
    return told is not None and told.following == "command" and bool(told.settled)


def _tended(farm: FollowedFarm) -> int:
    return sum(
        each.tends or 0
        for each in list(farm.instances.values())
        if each.service == "vnish_agent" and each.status == "online" and not each.leaving
    )
