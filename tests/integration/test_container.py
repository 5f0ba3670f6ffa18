"""The process in a service's container: it waits where there is nothing to do, and never makes Docker go round."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, start_broker
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
BITAXE = "bitaxe-1: {driver: bitaxe, host: 127.0.0.1:9}"
VNISH = "s19-20: {driver: vnish, host: 127.0.0.1:9}"
PATIENT_SECONDS = 40


class Container:
    """`python -m deploy.container SERVICE`, as the image runs it."""

    def __init__(self, directory: Path, process: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
        self.farm = directory / "farm.yaml"
        self.process = process
        self._log = directory / "log"
        self._environment = environment

    def health(self) -> str:
        command = [sys.executable, "-m", "shared.health", "ready"]
        asked = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        return f"{asked.returncode} {asked.stdout.strip()}"

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def says(self, text: str) -> bool:
        return eventually(lambda: text in self.log() or self.process.poll() is not None, PATIENT_SECONDS)

    def is_ready(self) -> bool:
        return eventually(lambda: self.health().startswith("0 "), PATIENT_SECONDS)

    def replace_farm(self, text: str) -> None:
        fresh = self.farm.with_name("fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.farm)


@contextmanager
def container(directory: Path, service: str, farm: str | None = None, **variables: str) -> Iterator[Container]:
    if farm is not None:
        (directory / "farm.yaml").write_text(farm, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "HA_", "MQTT_"))}
    environment = kept | {
        "PYTHONPATH": str(ROOT),
        "SUNHERD_SERVICE": service,
        "SUNHERD_FARM": str(directory / "farm.yaml"),
        "SUNHERD_HEALTH_FILE": str(directory / "health"),
        **variables,
    }
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.container"], cwd=directory, env=environment, stdout=log, stderr=log
        )
    try:
        yield Container(directory, process, environment)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path / "broker", port=0)
    yield running
    running.stop()


def of(broker: RunningBroker) -> dict[str, str]:
    return {
        "SUNHERD_BROKER__URL": broker.url,
        "SUNHERD_BROKER__USERNAME": broker.username,
        "MQTT_PASSWORD": broker.password,
    }


def test_with_nothing_to_do_it_is_well_and_begins_when_the_farm_file_gives_it_something(
    tmp_path: Path, broker: RunningBroker
) -> None:
    with container(tmp_path, "bitaxe_agent", f"miners:\n  {VNISH}\n", **of(broker)) as idle:
        assert idle.is_ready(), idle.log()
        assert idle.says("nothing in the farm file calls for it")
        assert "talks to" not in idle.log()

        idle.replace_farm(f"miners:\n  {VNISH.replace(':9', ':7')}\n")  # read anew, but still nothing for it
        idle.replace_farm(f"miners:\n  {VNISH}\n  {BITAXE.replace(':9', ':8')}\n")
        assert idle.says("talks to mqtt://"), idle.log()
        assert idle.is_ready(), idle.log()
        assert idle.log().count("calls for it") == 1, "said once"


def test_one_that_runs_follows_the_farm_file_as_any_other(tmp_path: Path, broker: RunningBroker) -> None:
    with container(tmp_path, "bitaxe_agent", f"miners:\n  {BITAXE}\n", **of(broker)) as agent:
        assert agent.says("talks to mqtt://"), agent.log()
        agent.replace_farm(f"miners:\n  {VNISH}\n")
        assert agent.says("it waits for a farm file that calls for it"), agent.log()
        assert agent.is_ready(), agent.log()
        agent.replace_farm(f"miners:\n  {BITAXE.replace(':9', ':8')}\n")
        assert eventually(lambda: agent.log().count("talks to mqtt://") == 2, PATIENT_SECONDS), agent.log()
        assert agent.is_ready(), agent.log()
        assert agent.process.poll() is None


def test_a_missing_and_a_wrong_farm_file_are_explained_once_and_waited_for(
    tmp_path: Path, broker: RunningBroker
) -> None:
    with container(tmp_path, "bitaxe_agent", **of(broker)) as waiting:
        assert waiting.says("SUNHERD_FARM_DIRECTORY=./farm in .env"), waiting.log()
        assert eventually(lambda: "there is no farm file" in waiting.health(), PATIENT_SECONDS)

        waiting.replace_farm("miners:\n  b: {driver: bitax, host: 127.0.0.1:9}\n")
        assert waiting.says('did you mean "bitaxe"?'), waiting.log()
        assert eventually(lambda: waiting.health().startswith("1 not ready"), PATIENT_SECONDS)
        assert "driver" in waiting.health()
        assert waiting.log().count("did you mean") == 1
        assert "Traceback" not in waiting.log()

        waiting.replace_farm(f"miners:\n  {BITAXE}\n")
        assert waiting.says("talks to mqtt://"), waiting.log()


def test_a_folder_in_place_of_the_farm_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").mkdir()  # what a bind mount makes of a file that is not there
    with container(tmp_path, "bitaxe_agent") as waiting:
        assert waiting.says("There is no farm file"), waiting.log()


def test_it_ends_at_once_when_told_to_while_it_waits(tmp_path: Path) -> None:
    with container(tmp_path, "bitaxe_agent") as waiting:
        assert waiting.says("There is no farm file"), waiting.log()
        waiting.process.send_signal(signal.SIGTERM)
        assert waiting.process.wait(20) == 0


FARM_WITH_SECRETS = f"""\
battery:
  home_assistant: {{url: "http://127.0.0.1:9", state_of_charge: sensor.soc}}
miners:
  {VNISH[:-1]}, stop_soc: 50, resume_soc: 60, worker: braiins/me/s19-20}}
"""


def test_each_is_given_its_own_secrets_and_does_not_miss_those_of_others(tmp_path: Path, broker: RunningBroker) -> None:
    with container(tmp_path, "vnish_agent", FARM_WITH_SECRETS, **of(broker)) as agent:
        assert agent.is_ready(), agent.log()
    with container(tmp_path, "soc_bridge", FARM_WITH_SECRETS, **of(broker)) as bridge:
        assert bridge.says("the secret HA_TOKEN is missing"), bridge.log()
        assert "BRAIINS_KEY" not in bridge.log()
    with container(tmp_path, "pool_poller", FARM_WITH_SECRETS, **of(broker)) as poller:
        assert poller.says("the secret BRAIINS_KEY is missing"), poller.log()
        assert "HA_TOKEN" not in poller.log()
