"""From the moment at which a real Home Assistant changes its sensor to the stop at a stand-in without latency."""

import os
import random
import time
from datetime import datetime
from typing import Any

import requests

from shared.clock import SystemClock
from tests.bench.owners_farm import await_settled, await_true, owners_farm
from tests.bench.park import park

URL_VARIABLE, TOKEN_VARIABLE = "SUNHERD_E2E_HA_URL", "SUNHERD_E2E_HA_TOKEN"
_SENSOR = "sensor.solis_s6_eh1p_battery_soc"
_INPUT = "input_number.fake_battery_soc"
_HIGH, _LOW = 80, 60
_CALM_SECONDS = (2.0, 5.0)

_FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}}}}}
rules: {{minimum_off: 1 s, starts_per_day: 1000, stagger_w: 1000000}}
miners: {{m0: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}}}
"""


def is_there() -> bool:
    """Whether the environment says where one is."""
    return bool(os.environ.get(URL_VARIABLE) and os.environ.get(TOKEN_VARIABLE))


def change_to_stop(runs: int = 5) -> list[float]:
    """The seconds of each run. Home Assistant's own time of the change is where each begins."""
    url, token = os.environ[URL_VARIABLE], os.environ[TOKEN_VARIABLE]
    clock = SystemClock()
    took = []
    _set(url, token, _HIGH)
    with (
        park(1, 0.0) as miners,
        owners_farm(_FARM.format(url=url, sensor=_SENSOR, port=miners.ports[0]), HA_TOKEN=token) as directory,
    ):
        await_settled(directory, 1)
        for _ in range(runs):
            await_true(lambda: miners.report().hashing == 1, "the miner did not hash again")
            time.sleep(random.uniform(*_CALM_SECONDS))
            miners.report(forget=True)
            _set(url, token, _LOW)
            await_true(lambda: miners.report().last_stop() is not None, "the miner was not stopped")
            wall_ahead_seconds = clock.now().timestamp() - clock.seconds()
            took.append((miners.report().last_stop() or 0.0) + wall_ahead_seconds - _changed_at(url, token))
            _set(url, token, _HIGH)
    return took


def _changed_at(url: str, token: str) -> float:
    answer = requests.get(f"{url}/api/states/{_SENSOR}", headers=_headers(token), timeout=10)
    answer.raise_for_status()
    return datetime.fromisoformat(answer.json()["last_changed"]).timestamp()


def _set(url: str, token: str, percent: int) -> None:
    body: dict[str, Any] = {"entity_id": _INPUT, "value": percent}
    address = f"{url}/api/services/input_number/set_value"
    requests.post(address, json=body, headers=_headers(token), timeout=10).raise_for_status()


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
