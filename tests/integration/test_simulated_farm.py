"""The simulator: the stand-in for Home Assistant over its two doors, and a whole farm from its file."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import connect

from services.simulator.farm import SimulatedFarm, SimulationError, Weather
from services.simulator.home_assistant import Fault, HomeAssistantStandIn
from services.simulator.vnish import VnishStandIn
from services.simulator.wiring import weather_from
from shared.clock import SystemClock, VirtualClock
from shared.settings import FarmSettings, Secrets
from tests.integration.bridge_farm import PERCENT, SOC, TOKEN, home_assistant

SECRETS = Secrets({"HA_TOKEN": TOKEN, "S19_21_PASSWORD": "own"}, {}, Path("/nonexistent"))


@pytest.fixture
def stand_in() -> Iterator[HomeAssistantStandIn]:
    served = home_assistant()
    yield served
    served.order(None)
    served.stop()


def get(stand_in: HomeAssistantStandIn, path: str, token: str = TOKEN) -> requests.Response:
    with requests.Session() as session:
        return session.get(stand_in.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=2)


def test_rest_answers_as_the_real_one(stand_in: HomeAssistantStandIn) -> None:
    assert get(stand_in, "/api/").json() == {"message": "API running."}
    state = get(stand_in, f"/api/states/{SOC}").json()
    assert (state["entity_id"], state["state"], state["attributes"]) == (SOC, "80.0", PERCENT)
    assert [each["entity_id"] for each in get(stand_in, "/api/states").json()] == [SOC]
    missing = get(stand_in, "/api/states/sensor.missing")
    assert (missing.status_code, missing.json()) == (404, {"message": "Entity not found."})
    assert get(stand_in, "/api/states", token="wrong").status_code == 401
    assert get(stand_in, "/nothing").status_code == 404


def test_faults_show_at_the_rest_door(stand_in: HomeAssistantStandIn) -> None:
    stand_in.order(Fault.UNAVAILABLE)
    assert get(stand_in, f"/api/states/{SOC}").json()["state"] == "unavailable"
    stand_in.order(Fault.BROKEN)
    assert get(stand_in, f"/api/states/{SOC}").status_code == 500
    stand_in.order(Fault.NONSENSE)
    assert get(stand_in, f"/api/states/{SOC}").text.startswith("<html>")
    stand_in.order(Fault.RESTARTING)
    with pytest.raises(requests.ConnectionError):
        get(stand_in, "/api/")
    stand_in.order(None)
    assert get(stand_in, f"/api/states/{SOC}").json()["state"] == "80.0"


def test_the_push_speaks_as_the_real_one(stand_in: HomeAssistantStandIn) -> None:
    with connect(stand_in.url.replace("http", "ws") + "/api/websocket", proxy=None, close_timeout=0.5) as push:

        def heard() -> dict[str, Any]:
            message = json.loads(push.recv(timeout=2))
            assert isinstance(message, dict)
            return message

        assert heard()["type"] == "auth_required"
        push.send(json.dumps({"type": "auth", "access_token": TOKEN}))
        assert heard()["type"] == "auth_ok"
        push.send(json.dumps({"id": 1, "type": "subscribe_entities", "entity_ids": [SOC]}))
        assert heard() == {"id": 1, "type": "result", "success": True, "result": None}
        assert heard()["event"]["a"][SOC]["s"] == "80.0"
        stand_in.set_state("sensor.other", "1", {})
        stand_in.set_state(SOC, "79")
        changed = heard()
        assert (changed["id"], changed["event"]["c"][SOC]["+"]["s"]) == (1, "79")
        push.send(json.dumps({"id": 2, "type": "ping"}))
        assert heard() == {"id": 2, "type": "pong"}
        push.send(json.dumps({"id": 3, "type": "turn_the_sun_on"}))
        assert heard()["error"]["code"] == "unknown_command"


def test_the_push_refuses_a_wrong_token(stand_in: HomeAssistantStandIn) -> None:
    with connect(stand_in.url.replace("http", "ws") + "/api/websocket", proxy=None, close_timeout=0.5) as push:
        push.recv(timeout=2)
        push.send(json.dumps({"type": "auth", "access_token": "wrong"}))
        assert json.loads(push.recv(timeout=2))["type"] == "auth_invalid"


# --- a whole farm


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def farm_settings(host: str = "127.0.0.1", **home_assistant: object) -> FarmSettings:
    section = {
        "url": f"http://127.0.0.1:{free_port()}",
        "state_of_charge": SOC,
        "battery_power": "sensor.battery",
        "battery_power_sign": "discharging_positive",
        "pv_power": "sensor.pv",
        "grid_available": "binary_sensor.grid",
        **home_assistant,
    }
    miners = {name: {"driver": "vnish", "host": f"{host}:{free_port()}"} for name in ("s19-20", "s19-21")}
    return FarmSettings.model_validate({"battery": {"home_assistant": section}, "miners": miners})


@pytest.fixture
def farm() -> Iterator[SimulatedFarm]:
    simulated = SimulatedFarm(farm_settings(), SECRETS, VirtualClock(), Weather(state_of_charge_percent=60))
    simulated.start()
    yield simulated
    simulated.close()


def test_everything_of_the_file_answers(farm: SimulatedFarm) -> None:
    assert get(farm.home_assistant, f"/api/states/{SOC}").json()["state"] == "60.0"
    assert get(farm.home_assistant, "/api/states/binary_sensor.grid").json()["state"] == "off"
    firmwares = set()
    for server in farm._servers:
        with requests.Session() as session:
            info = session.get(f"http://127.0.0.1:{server.port}/api/v1/info", timeout=2).json()
        firmwares.add(info["fw_version"])
    assert len(firmwares) == 2, "different generations in turn"
    s19_21 = farm.miners["s19-21"]
    assert isinstance(s19_21, VnishStandIn)
    assert s19_21.password == "own"


def test_the_battery_feels_the_miners_once_somebody_looks(farm: SimulatedFarm) -> None:
    clock = farm._clock
    assert isinstance(clock, VirtualClock)
    clock.advance(2)
    farm.step()
    assert farm.site.state_of_charge_percent == 60, "nobody has looked yet: the services are still starting"
    clock.advance(2)
    farm.step()
    clock.advance(1800)
    farm.step()
    assert farm.site.state_of_charge_percent < 57, "half an hour of 4850 W"
    assert farm.site.now == clock.now()
    shown = get(farm.home_assistant, f"/api/states/{SOC}").json()["state"]
    assert float(shown) == pytest.approx(farm.site.state_of_charge_percent, abs=0.06)
    drawn = get(farm.home_assistant, "/api/states/sensor.battery").json()
    assert float(drawn["state"]) > 4850, "as this source counts, discharging is positive"
    assert drawn["attributes"]["unit_of_measurement"] == "W"


def test_another_machines_address_is_refused() -> None:
    with pytest.raises(SimulationError, match=r"miners\.s19-20\.host: 192\.168\.1\.20 is not this machine"):
        SimulatedFarm(farm_settings("192.168.1.20"), SECRETS, SystemClock())
    with pytest.raises(SimulationError, match=r"battery\.home_assistant\.url: ha\.lan is not this machine"):
        SimulatedFarm(farm_settings(url="http://ha.lan:8123"), SECRETS, SystemClock())
    with pytest.raises(SimulationError, match="http only"):
        SimulatedFarm(farm_settings(url="https://127.0.0.1:8123"), SECRETS, SystemClock())


def test_a_farm_without_home_assistant_is_refused() -> None:
    with pytest.raises(SimulationError, match="home_assistant is missing"):
        SimulatedFarm(FarmSettings.model_validate({}), SECRETS, SystemClock())


def test_a_port_in_use_is_named_and_nothing_stays_open() -> None:
    settings = farm_settings()
    taken = settings.miners["s19-21"].host
    assert taken is not None
    with socket.create_server((taken.host, taken.port)):
        simulated = SimulatedFarm(settings, SECRETS, SystemClock())
        with pytest.raises(SimulationError, match=rf"miners\.s19-21: port {taken.port} is in use"):
            simulated.start()
    with pytest.raises(requests.ConnectionError):
        get(simulated.home_assistant, "/api/")


def test_the_start_can_be_set_from_the_environment() -> None:
    assert weather_from({}).state_of_charge_percent == 76
    assert weather_from({"SUNHERD_START_SOC": "12.5"}).state_of_charge_percent == 12.5
    assert weather_from({"SUNHERD_SIMULATED_GRID": "on"}).shape.grid_available
    for text in ("many", "-1", "101", "nan"):
        with pytest.raises(SimulationError, match="SUNHERD_START_SOC"):
            weather_from({"SUNHERD_START_SOC": text})
