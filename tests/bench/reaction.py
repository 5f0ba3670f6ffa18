"""From Home Assistant's change to the last healthy miner's stop, beside a loop that visits one after another."""

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from services.simulator.home_assistant import HomeAssistantStandIn
from shared.clock import SystemClock
from tests.bench.owners_farm import await_settled, await_true, owners_farm
from tests.bench.park import Park, park

ANSWER_SECONDS = 0.1
_SEQUENTIAL_TIMEOUT_SECONDS = 5.0
_SENSOR = "sensor.battery_soc"
_TOKEN = "bench"
_HIGH, _LOW = "80", "60"
_MANY = 500
_CALM_SECONDS = (2.0, 7.0)
_CALM_MANY_SECONDS = (20.0, 30.0)
"""Runs begin at any moment between two polls, when the starts of the run before have been read back."""

_FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}}}}}
rules: {{minimum_off: 1 s, starts_per_day: 1000, stagger_w: 1000000{poll}}}
miners:
"""
_MINER = '  m{index}: {{driver: vnish, nominal_w: 900, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}\n'


@dataclass(frozen=True)
class Reaction:
    """Several runs in one farm, in seconds."""

    miners: int
    silent: int
    seconds: tuple[float, ...]
    requests_before_stop: int
    """The most that any healthy miner was asked between the change and its stop."""

    @property
    def median_seconds(self) -> float:
        return statistics.median(self.seconds)


def measure(count: int, *, silent: int = 0, runs: int = 3) -> Reaction:
    """The embedded farm: real processes, a real broker, real sockets. `silent` ones fall silent just before."""
    took: list[float] = []
    asked = 0
    with (
        _home_assistant() as home_assistant,
        park(count, ANSWER_SECONDS) as miners,
        owners_farm(_farm(home_assistant.url, miners.ports), HA_TOKEN=_TOKEN) as directory,
    ):
        await_settled(directory, count)
        for _ in range(runs):
            _calm(miners, count)
            miners.report(forget=True, silent=silent)
            took.append(_one_run(home_assistant, miners, silent))
            asked = max(asked, *miners.report().requests_before_stop[silent:])
            miners.report(silent=0)
            home_assistant.set_state(_SENSOR, _HIGH, {"unit_of_measurement": "%"})
    return Reaction(count, silent, tuple(took), asked)


def sequential(count: int, *, silent: int = 0) -> float:
    """Unlock, look, stop; one miner after another, each request on a connection of its own."""
    clock = SystemClock()
    with park(count, ANSWER_SECONDS) as miners:
        miners.report(silent=silent)
        began = clock.seconds()
        for port in miners.ports:
            _visit(f"http://127.0.0.1:{port}/api/v1")
        return clock.seconds() - began


def _visit(base: str) -> None:
    patience = _SEQUENTIAL_TIMEOUT_SECONDS
    try:
        token = requests.post(f"{base}/unlock", json={"pw": "admin"}, timeout=patience).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        requests.get(f"{base}/status", headers=headers, timeout=patience)
        requests.post(f"{base}/mining/stop", json={}, headers=headers, timeout=patience)
    except requests.Timeout:
        return


def _one_run(home_assistant: HomeAssistantStandIn, miners: Park, silent: int) -> float:
    began = SystemClock().seconds()
    home_assistant.set_state(_SENSOR, _LOW, {"unit_of_measurement": "%"})
    time.sleep(0.3 if len(miners.ports) < _MANY else 2.0)  # asking costs the stand-ins time, too
    await_true(lambda: miners.report().last_stop(silent) is not None, "not every miner was stopped")
    return (miners.report().last_stop(silent) or 0.0) - began


def _calm(miners: Park, count: int) -> None:
    await_true(lambda: miners.report().hashing == count, "not every miner hashed again")
    time.sleep(random.uniform(*(_CALM_SECONDS if count < _MANY else _CALM_MANY_SECONDS)))


@contextmanager
def _home_assistant() -> Iterator[HomeAssistantStandIn]:
    stand_in = HomeAssistantStandIn(token=_TOKEN, clock=SystemClock())
    stand_in.start()
    stand_in.set_state(_SENSOR, _HIGH, {"unit_of_measurement": "%"})
    try:
        yield stand_in
    finally:
        stand_in.stop()


def _farm(url: str, ports: list[int]) -> str:
    poll = ", poll: 30 s" if len(ports) >= _MANY else ""
    head = _FARM.format(url=url, sensor=_SENSOR, poll=poll)
    return head + "".join(_MINER.format(index=index, port=port) for index, port in enumerate(ports))
