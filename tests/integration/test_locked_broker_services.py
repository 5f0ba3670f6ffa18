"""The services themselves on the locked broker, each under its own name: nothing that they need is denied or lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from deploy.demo_farm import PORTS, write_farm
from shared.topics import EMERGENCY_STOP, Identity
from tests.locked_broker import AUDITOR, Client, LockedBroker, free_port, password_of
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
SERVICES = {
    identity: identity.replace("-", "_")
    for identity in Identity
    if (ROOT / "services" / identity.replace("-", "_")).is_dir()
}
MINERS = {"s19-20", "s19-21", "s19-22", "bitaxe-1", "bitaxe-2", "bitaxe-3", "rig-7", "rig-8"}
ON_PLUGS = {"s19-20", "rig-7", "rig-8"}
SECONDS = 90
"""Seven interpreters on a busy machine."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path_factory.mktemp("locked"), log_type="all", autosave_interval="1")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def farm(
    broker: LockedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """A farm of stand-ins, and every service in a process of its own."""
    directory = tmp_path_factory.mktemp("farm")
    farm_file = write_farm(directory, 1.0, [free_port() for _ in PORTS])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "HA_", "MQTT_"))}
    with ExitStack() as stack:
        processes = {}
        for identity, name in SERVICES.items():
            environment = kept | {
                "PYTHONPATH": str(ROOT),
                "SUNHERD_FARM": str(farm_file),
                "SUNHERD_INSTANCE": "one",
                "SUNHERD_BROKER__URL": f"mqtt://127.0.0.1:{broker.port}",
                "SUNHERD_BROKER__USERNAME": identity.value,
                "MQTT_PASSWORD": password_of(identity),
                "HA_TOKEN": "demo-token",
            }
            log = stack.enter_context((directory / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"], env=environment, stderr=log, cwd=directory
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            processes[name] = process
        yield processes


def memory(auditor: Client) -> dict[str, Any]:
    """What is retained, by topic."""
    return {topic.removeprefix("sunherd/"): json.loads(payload) for topic, payload in auditor.retained if payload}


def expected() -> set[str]:
    """What a farm like this retains once everybody has spoken."""
    return {
        "site/home/telemetry",
        "site/home/epoch",
        *(f"miner/{name}/{channel}" for name in MINERS for channel in ("telemetry", "command")),
        *(f"plug/{name}/{channel}" for name in ON_PLUGS for channel in ("telemetry", "command")),
        *(f"miner/{name}/pool" for name in ON_PLUGS),
        *(f"service/{name}-one/presence" for name in SERVICES.values()),
    }


def found(broker: LockedBroker, predicate: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What a new subscriber finds retained, once it is so."""
    seen: list[dict[str, Any]] = [{}]
    numbers = iter(range(10_000))

    def look() -> bool:
        with closing(broker.client(AUDITOR, f"auditor-{next(numbers)}")) as auditor:
            auditor.subscribe("sunherd/#")
            auditor.subscribe("sunherd/end")
            auditor.publish("sunherd/end")
            eventually(lambda: auditor.has_heard("sunherd/end", b"x"), 10)
            seen[0] = memory(auditor)
        return predicate(seen[0])

    eventually(look, SECONDS)
    return seen[0]


def all_said(retained: dict[str, Any]) -> bool:
    return expected() <= retained.keys() and all(
        retained[f"service/{name}-one/presence"]["status"] == "online" for name in SERVICES.values()
    )


def test_every_service_says_and_hears_what_it_must(
    broker: LockedBroker, farm: dict[str, subprocess.Popen[bytes]]
) -> None:
    retained = found(broker, all_said)
    assert expected() - retained.keys() == set()
    commanded = found(
        broker, lambda now: all(now.get(f"miner/{name}/telemetry", {}).get("following") == "command" for name in MINERS)
    )
    following = {name: commanded[f"miner/{name}/telemetry"].get("following") for name in MINERS}
    assert following == dict.fromkeys(MINERS, "command")
    assert [line for line in broker.said().splitlines() if "Denied" in line] == []


def test_a_broker_that_has_lost_its_memory_is_told_everything_again(
    broker: LockedBroker, farm: dict[str, subprocess.Popen[bytes]]
) -> None:
    assert all_said(found(broker, all_said))
    stop = {"at": "2026-11-21T12:00:00Z", "active": True, "by": "owner"}
    topic = EMERGENCY_STOP.path("sunherd", "home")
    with closing(broker.client(Identity.PEOPLE)) as person:
        stop["at"] = found(broker, all_said)["site/home/telemetry"]["at"]
        person.publish(topic, json.dumps(stop).encode(), retain=True)
        obeyed = found(
            broker,
            lambda now: all(
                now.get(f"miner/{name}/telemetry", {}).get("following") == "emergency_stop" for name in MINERS
            ),
        )
    assert obeyed["miner/s19-20/telemetry"]["following"] == "emergency_stop"
    broker.stop(SIGKILL)
    (broker.data / "mosquitto.db").unlink()
    broker.start()

    retained = found(broker, lambda now: all_said(now) and "site/home/emergency_stop" in now)

    assert expected() - retained.keys() == set()
    assert retained["site/home/emergency_stop"]["active"] is True
    assert all(process.poll() is None for process in farm.values())
    assert [line for line in broker.said().splitlines() if "Denied" in line] == []
