"""Which services an embedded farm runs: those for which its farm file has something to do."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded import SERVICES, WATCH, needed
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.service import Service
from shared.settings import FarmSettings, Secrets

BATTERY = {"home_assistant": {"url": "http://127.0.0.1:9", "state_of_charge": "sensor.soc"}}
VNISH = {"driver": "vnish", "host": "192.0.2.1"}
BITAXE = {"driver": "bitaxe", "host": "192.0.2.2"}
RIG = {"driver": "plug", "nominal_w": 1000, "plug": {"host": "192.0.2.3"}}
WORKER = {"worker": "ckpool/account/rig7"}

FARMS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"battery": BATTERY}, {"soc_bridge"}),
    ({"miners": {"a": VNISH}}, {"policy_engine", "vnish_agent"}),
    ({"miners": {"a": BITAXE}}, {"policy_engine", "bitaxe_agent"}),
    ({"miners": {"a": RIG}}, {"policy_engine", "kasa_power_agent"}),
    ({"miners": {"a": VNISH | {"plug": RIG["plug"]}}}, {"policy_engine", "vnish_agent", "kasa_power_agent"}),
    ({"miners": {"a": VNISH | WORKER}}, {"policy_engine", "vnish_agent", "pool_poller"}),
]


@pytest.mark.parametrize(("farm", "services"), FARMS)
def test_a_service_runs_where_the_farm_has_something_for_it(
    farm: dict[str, Any], services: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test of this process may have had older plugs alone, for which a part of the library is left out.
    monkeypatch.setattr("services.kasa_power_agent.wiring.is_left_out", lambda _package: False)
    settings = FarmSettings.model_validate(farm)
    names = [f"services.{service}.__main__" for service in services]
    assert set(needed((*SERVICES, WATCH), settings)) == {*names, WATCH}
    # What the service itself does when it is started all the same.
    for module in SERVICES:
        assert _builds(module, settings) == (module in names), module


def test_what_is_not_in_the_table_always_runs() -> None:
    simulated = needed(("services.simulator.__main__", WATCH), FarmSettings.model_validate({}))
    assert simulated == ["services.simulator.__main__", WATCH]


def test_asking_imports_none_of_the_services() -> None:
    heavy = "{'services.policy_engine.engine', 'services.vnish_agent.wiring', 'requests', 'kasa', 'websockets'}"
    script = f"import sys, deploy.embedded; print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _builds(module: str, farm: FarmSettings) -> bool:
    clock = VirtualClock()
    bus = Bus(MemoryBroker().link(), clock, instance="service")
    service = Service("service", bus, clock, runner=SteppedRunner())
    return bool(importlib.import_module(module).build(Context(service, farm, Secrets({}, {}, Path("nowhere")))))
