"""Which devices Home Assistant is told of, when again, and what is taken back."""

import copy
import json
from typing import Any

import pytest

from services.ha_discovery.names import Kind, Name
from shared.bus import MemoryBroker, Packet
from shared.clock import VirtualClock
from shared.messages import Ladder, OperatingPoint
from shared.topics import SERVICE_PRESENCE
from tests.shown_farm import FARM, LADDER, ShownFarm

MINER = "sunherd_home_axe-1"


@pytest.fixture
def farm() -> ShownFarm:
    found = ShownFarm()
    found.pass_seconds(3)
    return found


def without(*miners: str) -> dict[str, Any]:
    left = copy.deepcopy(FARM)
    for miner in miners:
        del left["miners"][miner]
        left["groups"]["garage"]["members"] = [each for each in left["groups"]["garage"]["members"] if each != miner]
    return left


def announced(farm: ShownFarm, device: str) -> int:
    return sum(packet.path == f"homeassistant/device/{device}/config" for packet in farm.ear.packets)


def test_every_device_of_the_farm_is_announced_by_way_of_the_farm(farm: ShownFarm) -> None:
    of_farm = {
        "sunherd_home",
        MINER,
        "sunherd_home_s19-20",
        "sunherd_home_s19-20_plug",
        "sunherd_home_rig-7",
        "sunherd_home_rig-7_plug",
        "sunherd_home_garage",
    }
    assert of_farm <= farm.devices()
    assert "via_device" not in farm.device("sunherd_home")["device"]
    assert {farm.device(each)["device"]["via_device"] for each in of_farm - {"sunherd_home"}} == {"sunherd_home"}


def test_a_device_is_available_while_it_is_shown_and_answers(farm: ShownFarm) -> None:
    payload = farm.device(MINER)
    assert payload["availability_mode"] == "all"
    assert [each["topic"] for each in payload["availability"]] == [
        "sunherd/service/ha_discovery-test/presence",
        "sunherd/mirror/miner-axe-1/state",
    ]


def test_the_emergency_stop_needs_nobody_and_goes_straight_to_the_latch(farm: ShownFarm) -> None:
    assert "availability" not in farm.device("sunherd_home")
    for key in ("emergency_stop", "resume"):
        button = farm.component("sunherd_home", f"button_{key}")
        assert "availability" not in button
        assert (button["command_topic"], button["retain"]) == ("sunherd/site/home/emergency_stop", True)
    assert "availability" in farm.component("sunherd_home", "sensor_mode")


def test_only_what_a_miner_can_have_is_announced(farm: ShownFarm) -> None:
    axe, s19, rig = (set(farm.device(f"sunherd_home_{name}")["components"]) for name in ("axe-1", "s19-20", "rig-7"))
    assert "sensor_regulator_temperature" in axe
    assert "sensor_regulator_temperature" not in s19
    assert {"sensor_worker", "button_power_cycle"} <= s19
    assert not {"sensor_worker", "button_power_cycle"} & axe
    assert not {"sensor_hashrate", "number_stop_soc", "button_restart", "select_profile"} & rig


def test_the_profiles_follow_the_ladder(farm: ShownFarm) -> None:
    assert "select_profile" not in farm.device(MINER)["components"]
    farm.reading("axe-1")
    farm.pass_seconds(6)
    assert farm.component(MINER, "select_profile")["options"] == ["automatic", "quiet", "efficient", "performance"]
    assert farm.component(MINER, "number_max_w")["max"] == 28
    longer = Ladder(points=(*LADDER.points, OperatingPoint(name="silly", power_w=40)), normal="efficient")
    farm.reading("axe-1", ladder=longer)
    farm.pass_seconds(6)
    assert farm.component(MINER, "select_profile")["options"][-1] == "silly"
    assert farm.component(MINER, "number_max_w")["max"] == 40


def test_one_point_is_no_choice(farm: ShownFarm) -> None:
    farm.reading("axe-1", ladder=Ladder(points=LADDER.points[:2], normal="quiet"))
    farm.pass_seconds(6)
    assert "select_profile" not in farm.device(MINER)["components"]


def test_a_miner_that_does_not_answer_loses_none_of_its_entities_not_even_in_a_restart(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.outlet("s19-20")
    farm.pass_seconds(6)
    before, plug = farm.device(MINER), farm.device("sunherd_home_s19-20_plug")
    farm.reading("axe-1", reachable=False, mac=None)
    farm.outlet("s19-20", reachable=False, on=None, power_w=None)
    farm.pass_seconds(6)
    assert farm.device(MINER) == before
    again = farm.again()
    again.pass_seconds(6)
    assert again.device(MINER) == before
    assert again.device("sunherd_home_s19-20_plug") == plug


def test_an_entity_that_is_no_more_is_told_by_its_platform_alone(farm: ShownFarm) -> None:
    changed = copy.deepcopy(FARM)
    del changed["miners"]["axe-1"]["stop_soc"], changed["miners"]["axe-1"]["resume_soc"]
    again = farm.again(changed)
    again.pass_seconds(1)
    assert again.component(MINER, "number_stop_soc") == {"platform": "number"}
    assert len(again.component(MINER, "number_max_w")) > 1


def test_a_miner_that_left_while_nobody_was_looking_is_taken_back_with_its_mirror(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(1)
    again = farm.again(without("axe-1"))
    again.pass_seconds(1)
    assert MINER not in again.devices()
    assert "sunherd/mirror/miner-axe-1/state" not in again.broker.retained


def test_what_others_have_announced_is_not_touched() -> None:
    broker = MemoryBroker()
    ours = {"origin": {"name": "Sunherd"}, "device": {"via_device": "sunherd_home"}}
    shows = {"state_topic": "sunherd/mirror/miner-x/state"}
    others = {
        "of_another_prefix": {**ours, "state_topic": "other/mirror/miner-x/state"},
        "of_another_site": {**ours, **shows, "device": {"via_device": "sunherd_home_2"}},
        "another_site": {**ours, **shows, "device": {"identifiers": ["sunherd_home_2"]}},
        "zigbee": {**ours, **shows, "origin": {"name": "Zigbee2MQTT"}},
        "odd": [1, 2],
    }
    broker.publish(Packet("homeassistant/device/left/config", json.dumps({**ours, **shows}).encode(), retain=True))
    broker.publish(Packet("sunherd/mirror/miner-of-a-neighbour/state", b"{}", retain=True))
    for device, payload in others.items():
        broker.publish(Packet(f"homeassistant/device/{device}/config", json.dumps(payload).encode(), retain=True))
    broker.publish(Packet("homeassistant/device/broken/config", b"\xff{", retain=True))
    farm = ShownFarm(broker=broker)
    farm.pass_seconds(3)
    assert {*others, "broken"} <= farm.devices()
    assert "left" not in farm.devices()
    assert "sunherd/mirror/miner-of-a-neighbour/state" in farm.broker.retained


def test_a_replica_whose_presence_is_cleared_is_taken_back(farm: ShownFarm) -> None:
    assert "sunherd_home_pool_poller-test" in farm.devices()
    farm.write(SERVICE_PRESENCE, "pool_poller-test", None)
    farm.pass_seconds(4, alive=())
    assert "sunherd_home_pool_poller-test" not in farm.devices()
    assert "sunherd/mirror/service-pool_poller-test/state" not in farm.broker.retained


def test_home_assistant_that_has_started_is_told_everything_anew(farm: ShownFarm) -> None:
    told, shown = announced(farm, MINER), farm.said("miner-axe-1")
    farm.broker.publish(Packet("homeassistant/status", b"offline"))
    farm.pass_seconds(6)
    assert announced(farm, MINER) == told
    farm.broker.publish(Packet("homeassistant/status", b"online"))
    farm.pass_seconds(6)
    assert (announced(farm, MINER), farm.said("miner-axe-1")) == (told + 1, shown + 1)


def test_a_broker_that_has_lost_its_memory_is_told_everything_anew(farm: ShownFarm) -> None:
    farm.reading("axe-1")
    farm.pass_seconds(1)
    devices = farm.devices()
    farm.broker.kill(forget=True)
    farm.pass_seconds(6)
    farm.broker.revive()
    farm.pass_seconds(12)
    assert farm.devices() == devices
    assert "energy" in farm.values("miner-axe-1")


def test_one_change_after_the_other_is_told_apart(farm: ShownFarm) -> None:
    told = announced(farm, MINER)
    for number in range(12):
        farm.reading("axe-1", firmware=f"2.14.{number}")
        farm.pass_seconds(0.5)
    assert announced(farm, MINER) <= told + 2
    farm.pass_seconds(6)
    assert farm.device(MINER)["device"]["sw_version"] == "2.14.11"


def test_the_outlets_of_a_strip_stay_devices_of_their_own(farm: ShownFarm) -> None:
    for miner in ("rig-7", "s19-20"):
        farm.outlet(miner, mac="AA:BB:CC:00:00:01")
    farm.pass_seconds(6)
    assert "connections" not in farm.device("sunherd_home_rig-7_plug")["device"]
    plain = farm.device("sunherd_home_s19-20_plug")["device"]
    assert plain["connections"] == [["mac", "aa:bb:cc:00:00:01"]]


def test_two_miners_that_tell_one_address_stay_two_devices_also_after_a_restart(
    farm: ShownFarm, caplog: pytest.LogCaptureFixture
) -> None:
    """Control boards written from one image have one MAC address; Home Assistant would rename one device for ever."""

    def connections(shown: ShownFarm) -> list[Any]:
        names = ("sunherd_home_s19-20", MINER)
        return [shown.device(name)["device"].get("connections") for name in names]

    for miner in ("s19-20", "axe-1"):
        farm.reading(miner, mac="AA:BB:CC:00:00:02")
        farm.pass_seconds(6)
    assert connections(farm) == [[["mac", "aa:bb:cc:00:00:02"]], None]
    warnings = [record.message for record in caplog.records if "one MAC address" in record.message]
    assert len(warnings) == 1
    assert "sunherd_home_s19-20" in warnings[0]
    assert MINER in warnings[0]
    again = farm.again()
    again.pass_seconds(6)
    assert connections(again) == [[["mac", "aa:bb:cc:00:00:02"]], None], (
        "whoever had it before keeps it, also behind others in the file"
    )


def test_an_address_is_free_again_when_its_miner_has_left(farm: ShownFarm) -> None:
    farm.reading("s19-20", mac="AA:BB:CC:00:00:02")
    farm.pass_seconds(6)
    left = farm.again(without("s19-20"))
    left.pass_seconds(6)
    left.reading("axe-1", mac="AA:BB:CC:00:00:02")
    left.pass_seconds(6)
    assert left.device(MINER)["device"]["connections"] == [["mac", "aa:bb:cc:00:00:02"]]


def test_of_two_replicas_one_shows_and_the_other_follows() -> None:
    clock, broker = VirtualClock(), MemoryBroker()
    one = ShownFarm(broker=broker, clock=clock, name="ha_discovery-one", settle_seconds=2.0)
    one.pass_seconds(5)
    other = ShownFarm(broker=broker, clock=clock, name="ha_discovery-other", settle_seconds=2.0)

    def both(seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            one.service.step()
            other.service.step()
            clock.advance(0.25)

    both(10)
    shown_by = "sunherd/service/ha_discovery-{}/presence"
    assert one.device(MINER)["availability"][0]["topic"] == shown_by.format("one")
    one.link.cut()
    for _ in range(80):
        other.service.step()
        clock.advance(0.25)
    assert one.device(MINER)["availability"][0]["topic"] == shown_by.format("other")


def test_a_name_is_never_too_long_for_a_topic() -> None:
    long = Name(Kind.SERVICE, "home", "a" * 64)
    assert len(long.mirror) <= 64
    assert long.mirror != Name(Kind.SERVICE, "home", "a" * 63 + "b").mirror
