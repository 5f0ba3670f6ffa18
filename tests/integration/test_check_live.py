"""`sunherd check`: what it says of a farm whose file is sound, and with --live of all that the file names."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.broker import RunningBroker, start_broker
from deploy.console.app import build
from shared.bus import BrokerAddress, Bus, MqttLink, Packet
from shared.clock import SystemClock
from tests.checked_farm import World, checked_farm
from tests.finding_farm import PASSWORD, SOC, TOKEN
from tests.waiting import eventually


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path_factory.mktemp("broker"), port=0)
    yield running
    running.stop()


@pytest.fixture
def world(tmp_path: Path, broker: RunningBroker) -> Iterator[World]:
    with checked_farm(tmp_path, broker) as checked:
        yield checked


def test_where_all_is_well_each_thing_is_named_with_what_it_says(world: World) -> None:
    done = world.check("--live")
    assert done.exit_code == 0, done.output
    lines = done.stdout
    assert f"ok     broker mqtt://127.0.0.1:{world.broker.port}: logged in" in lines
    assert f"ok     battery state_of_charge {SOC}: 76.2 %, told " in lines
    assert (
        f"ok     miner s19-20: 127.0.0.1:{world.farm.ports['s19-20']}: Antminer S19 1.2.6, 02:00:00:00:00:20" in lines
    )
    assert "Gamma 601 (BM1370) v2.15.0" in lines
    assert "ok     plug rig-7:" in lines
    assert "ok     pool ckpool/bc1qowner/s19-20: at work, for s19-20" in lines
    assert "all fine. Next: sunherd up" in lines
    assert PASSWORD not in done.output
    assert TOKEN not in done.output


def test_nothing_is_changed_by_looking(world: World) -> None:
    assert world.live()[0] == 0
    for miner in world.farm.vnish.values():
        assert miner.controls() == []
    for bitaxe in world.farm.bitaxes.values():
        assert bitaxe.controls() == []
        assert len(bitaxe.heard) <= 2, "its web server bears little"
    assert len(world.farm.pool.heard) == 1
    assert all("set_relay_state" not in str(heard) for heard in world.farm.machines["rig-7"].heard)


def test_two_accounts_at_one_pool_take_turns_and_each_is_asked_once(world: World) -> None:
    world.written["s19-21"] = f'{world.farm.ports["s19-21"]}", worker: "ckpool/bc1qother/s19-20'
    code, found = world.live()
    assert code == 0, found
    assert {key for key in found if key.startswith("pool")} == {
        "pool ckpool/bc1qowner/s19-20",
        "pool ckpool/bc1qother/s19-20",
    }
    assert len(world.farm.pool.heard) == 2
    assert world.farm.pool.closest_requests_seconds() >= 0.9, "both at once some pools would ban"


def test_an_account_of_many_pages_is_asked_for_one(world: World) -> None:
    for number in range(250):
        world.farm.pool.share(f"rig-{number}")
    world.write()
    file = world.directory / "farm.yaml"
    text = file.read_text(encoding="utf-8").replace("ckpool", "nicehash")
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(build(), ["--farm", str(file), "check", "--live"], env=world.variables)
    assert done.exit_code == 0, done.output
    assert "pool nicehash/bc1qowner: it answers, and has further pages, which are not asked for here" in done.stdout
    assert len(world.farm.pool.heard) == 1


@pytest.mark.parametrize(
    ("payload", "said"),
    [(b"76.5", "76.5 %"), (b"battery", "says 'battery', which is no number"), (b"", "nothing has come on solar/soc")],
)
def test_a_state_of_charge_on_a_topic_is_heard(payload: bytes, said: str, world: World) -> None:
    address = BrokerAddress("127.0.0.1", world.broker.port, world.broker.username, world.broker.password)
    bus = Bus(MqttLink(address, "inverter"), world.farm.clock, instance="inverter")
    bus.start()
    bus.publish_raw(Packet("solar/soc", payload, retain=True))
    assert eventually(bus.is_synced)
    bus.stop()
    source = f'{{mqtt: {{url: "mqtt://127.0.0.1:{world.broker.port}", username: sunherd, state_of_charge: solar/soc}}}}'
    world.variables["SOURCE_MQTT_PASSWORD"] = world.broker.password
    (world.directory / "farm.yaml").write_text(f"battery: {source}\n", encoding="utf-8")
    file = str(world.directory / "farm.yaml")
    done = CliRunner().invoke(build(), ["--farm", file, "check", "--live"], env=world.variables)
    assert done.exit_code == (0 if payload == b"76.5" else 1), done.output
    assert said in done.stdout


def test_a_source_on_a_broker_that_does_not_run_is_not_taken_for_fine(world: World) -> None:
    (world.directory / "farm.yaml").write_text("battery: {mqtt: {state_of_charge: solar/soc}}\n", encoding="utf-8")
    file = str(world.directory / "farm.yaml")
    done = CliRunner().invoke(build(), ["--farm", file, "check", "--live"], env={"MQTT_PASSWORD": ""})
    assert done.exit_code == 1
    assert "nobody knows what is told there" in done.stdout


def test_two_clocks_that_disagree_are_told(tmp_path: Path, world: World) -> None:
    ahead = SystemClock(start=SystemClock().now() + timedelta(minutes=3))
    world.farm.pool.clock = ahead
    world.farm.pool.workers["s19-20"].last_share_at = ahead.now()
    code, found = world.live()
    assert code == 1
    # The pool tells whole seconds.
    assert re.search(r"1(79|80) s ahead of this machine's", found["clock ckpool/bc1qowner"]["said"])
    assert "NTP" in found["clock ckpool/bc1qowner"]["fix"]


def test_a_password_that_is_not_set_is_the_factorys_and_that_is_said(world: World) -> None:
    del world.variables["VNISH_PASSWORD"]
    code, found = world.live()
    assert code == 1
    assert "does not accept the factory's password" in found["miner s19-20"]["said"]
    done = world.check()
    assert "no password is set for s19-20, s19-21: the factory's is used" in done.stdout


def test_without_live_nobody_is_asked(world: World) -> None:
    done = world.check()
    assert done.exit_code == 0
    assert "farm.yaml is fine." in done.stdout
    assert "miners    5: 2 vnish, 2 bitaxe, 1 plug" in done.stdout
    assert world.farm.home_assistant.requests == 0
    assert all(not world.farm.requests(name) for name in world.farm.servers)


def test_every_error_of_the_file_is_told_at_once_and_nobody_is_asked(world: World) -> None:
    world.written |= {"outlet": "[]", "soc": "nonsense"}
    done = world.check("--live", "--json")
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    assert answer["fine"] is False
    assert {problem["place"] for problem in answer["problems"]} == {
        "battery.home_assistant.state_of_charge",
        "miners.rig-7.plug.outlet",
    }
    assert all(problem["line"] > 0 and problem["fix"] for problem in answer["problems"])
    assert world.farm.home_assistant.requests == 0
