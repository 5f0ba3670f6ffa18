"""`sunherd check --live` with one thing broken at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, start_broker
from services.simulator.home_assistant import Fault
from services.simulator.http import Wire
from tests.checked_farm import World, checked_farm
from tests.finding_farm import SOC


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path_factory.mktemp("broker"), port=0)
    yield running
    running.stop()


@pytest.fixture
def world(tmp_path: Path, broker: RunningBroker) -> Iterator[World]:
    with checked_farm(tmp_path, broker) as checked:
        yield checked


Break = Callable[[World], object]


def _another(world: World, **changed: object) -> None:
    world.written |= changed


def _set(world: World, **variables: str) -> None:
    world.variables |= variables


def _other_machine(world: World) -> None:
    world.farm.vnish["s19-20"].mac = "02:00:00:00:00:99"


def _silent(world: World) -> None:
    faults = world.farm.vnish["s19-21"].faults
    faults.wire = Wire.SILENCE


BROKEN: list[tuple[str, Break, str, str, str]] = [
    ("broker gone", lambda w: _another(w, broker=1), "broker mqtt://127.0.0.1:1", "cannot be reached", "broker.url"),
    ("broker password", lambda w: _set(w, MQTT_PASSWORD="wrong"), "broker ", "refuses the connection", "MQTT_PASSWORD"),
    ("token", lambda w: _set(w, HA_TOKEN="wrong"), "battery home_assistant", "does not accept the token", "HA_TOKEN"),
    (
        "home assistant restarts",
        lambda w: w.farm.home_assistant.order(Fault.RESTARTING),
        "battery home_assistant",
        "cannot be reached",
        "browser",
    ),
    (
        "home assistant broken",
        lambda w: w.farm.home_assistant.order(Fault.BROKEN),
        "battery home_assistant",
        "answers 500",
        "browser",
    ),
    (
        "no such sensor",
        lambda w: _another(w, soc="sensor.batery_soc"),
        "battery state_of_charge sensor.batery_soc",
        "does not exist in Home Assistant",
        "battery.home_assistant.state_of_charge",
    ),
    (
        "sensor unavailable",
        lambda w: w.farm.home_assistant.order(Fault.UNAVAILABLE),
        f"battery state_of_charge {SOC}",
        "is unavailable",
        "battery.home_assistant.state_of_charge",
    ),
    (
        "sensor of watts",
        lambda w: _another(w, soc="sensor.solar_power"),
        "battery state_of_charge sensor.solar_power",
        "says 2100, outside 0 to 100",
        "battery.home_assistant.state_of_charge",
    ),
    ("miner off", lambda w: w.farm.stop("s19-20"), "miner s19-20", "connection refused", "is it on"),
    ("bitaxe off", lambda w: w.farm.stop("bitaxe-2"), "miner bitaxe-2", "connection refused", "is it on"),
    ("miner silent", _silent, "miner s19-21", "no answer within", "is it on"),
    (
        "password",
        lambda w: _set(w, S19_21_PASSWORD="wrong"),
        "miner s19-21",
        "does not accept the password that is set",
        "S19_21_PASSWORD",
    ),
    ("another miner", _other_machine, "miner s19-20", "another miner answers", "new MAC"),
    (
        "another bitaxe",
        lambda w: _another(w, mac="02:00:00:AA:AA:AA"),
        "miner bitaxe-1",
        "another device answers",
        "new MAC",
    ),
    (
        "a bitaxe where an antminer should be",
        lambda w: _another(w, **{"s19-21": w.farm.ports["pool"]}),
        "miner s19-21",
        "answers neither /status nor /summary",
        "driver",
    ),
    ("plug gone", lambda w: w.farm.plugs["rig-7"].stop(), "plug rig-7", "nothing is at this address", "plugged in"),
    ("no such outlet", lambda w: _another(w, outlet="Rig 9"), "plug rig-7", "no outlet 'Rig 9'", "outlet"),
    (
        "worker",
        lambda w: _another(w, worker="s19-99"),
        "pool ckpool/bc1qowner/s19-99",
        "does not list it; it lists",
        "worker of s19-20",
    ),
    (
        "pool broken",
        lambda w: setattr(w.farm.pool.faults, "status", 500),
        "pool ckpool/bc1qowner",
        "status 500",
        "try again",
    ),
    ("pool gone", lambda w: _another(w, pool=1), "pool ckpool/bc1qowner", "connection refused", "internet"),
]


@pytest.mark.parametrize(("what", "break_it", "name", "said", "fix"), BROKEN, ids=[row[0] for row in BROKEN])
def test_one_broken_thing_is_named_with_what_to_do_and_the_others_stay_fine(
    what: str, break_it: Break, name: str, said: str, fix: str, world: World
) -> None:
    break_it(world)
    code, found = world.live()
    wrong = [key for key, each in found.items() if not each["fine"]]
    assert code == 1
    assert len(wrong) == 1, wrong
    assert wrong[0].startswith(name)
    assert said in found[wrong[0]]["said"]
    assert fix in found[wrong[0]]["fix"]
    assert {kind.split()[0] for kind in found} >= {"broker", "battery", "miner", "plug", "pool"}
    assert sum(key.startswith("miner") for key in found) == 4
