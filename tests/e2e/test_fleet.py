"""`python -m deploy.fleet` beside the stack of containers on a real Docker engine.

Needs SUNHERD_E2E_DOCKER=1 and a Docker engine; says so loudly where it is skipped.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import compose_stack
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("SUNHERD_E2E_DOCKER") != "1", reason="NO DOCKER ENGINE: set SUNHERD_E2E_DOCKER=1"
    ),
    pytest.mark.timeout(900),
]

SHARED = (
    "bitaxe-agent",
    "ha-discovery",
    "kasa-power-agent",
    "policy-engine",
    "pool-poller",
    "soc-bridge",
    "vnish-agent",
)
MINERS = 3
"""VNish miners of the demo."""
PATIENT_SECONDS = 400
OWN_IMAGES = f"sunherd-fleet-{os.getpid()}"


class Fleet:
    """The command in the stack's own directory, with nothing but its `.env` to go by."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack

    def run(self, *words: str, **variables: str) -> tuple[int, str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SUNHERD", "COMPOSE"))}
        done = subprocess.run(
            [sys.executable, "-m", "deploy.fleet", *words],
            cwd=self.stack.directory,
            env={**inherited, **self.stack.variables, **variables},
            capture_output=True,
            text=True,
            timeout=PATIENT_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def asked(self, *words: str, **variables: str) -> dict[str, Any]:
        _code, answer, complaints = self.run(*words, "--json", **variables)
        assert answer, complaints
        found: dict[str, Any] = json.loads(answer)
        return found

    def codes(self, **variables: str) -> set[str]:
        return {finding["code"] for finding in self.asked("doctor", **variables)["findings"]}

    def tends(self, service: str) -> dict[str, int]:
        """By instance, of the live replicas."""
        replicas = self.asked("status")["replicas"]
        return {
            each["instance"]: each["tends"]
            for each in replicas
            if each["service"] == service and each["presence"] == "live"
        }

    def settled(self) -> bool:
        return eventually(lambda: self.asked("status")["wrong"] == [], 90)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with compose_stack.fresh_stack(tmp_path_factory.mktemp("fleet"), "fleet") as stack:
        # Names of our own: somebody who builds the stack meanwhile would make our images old ones, and doctor says so.
        file = Path(stack.directory) / "docker-compose.yml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("image: sunherd/", f"image: {OWN_IMAGES}/"), encoding="utf-8"
        )
        try:
            stack.compose("--profile", "demo", "build", "--quiet")
            stack.compose("--profile", "demo", "up", "--detach", "--wait", "--wait-timeout", "180")
            yield Fleet(stack)
        finally:
            stack.compose("--profile", "*", "down", "--volumes", "--rmi", "local", check=False)
            found = compose_stack.docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{OWN_IMAGES}/*").split()
            compose_stack.docker("image", "rm", *found, check=False)


def started_at(container: str) -> datetime:
    return datetime.fromisoformat(
        compose_stack.docker("inspect", "--format", "{{.State.StartedAt}}", container).strip()
    )


def test_a_stack_that_is_well_is_shown_whole_and_doctor_finds_nothing(fleet: Fleet) -> None:
    assert fleet.settled(), fleet.asked("status")
    answer = fleet.asked("status")
    assert {each["service"] for each in answer["containers"]} == {*SHARED, "mosquitto", "simulator"}
    for container in answer["containers"]:
        assert (container["state"], container["health"], container["oom_killed"]) == ("running", "healthy", False)
        assert 0 < container["memory_bytes"] < container["memory_limit_bytes"]
        assert container["cpu_percent"] >= 0
    beside = {each["container"] for each in answer["replicas"] if each["presence"] == "live"}
    assert beside == {each["name"] for each in answer["containers"] if each["service"] != "mosquitto"}
    assert answer["devices"]["untended"] == []
    assert fleet.codes() == set()
    assert fleet.run("status")[0] == 0
    for name, password in compose_stack.passwords(Path(fleet.stack.directory)).items():
        assert "PASSWORD" not in name or password not in json.dumps(answer)


def test_scaling_waits_until_each_device_has_one_owner(fleet: Fleet) -> None:
    code, text, complaints = fleet.run("scale", "vnish-agent=3", "policy-engine=2")
    assert code == 0, text + complaints
    assert "Settled after" in text
    tends = fleet.tends("vnish_agent")
    assert (len(tends), sum(tends.values())) == (3, MINERS)
    assert sum(fleet.tends("policy_engine").values()) == 1, "one engine decides, the other stands by"
    assert len(fleet.stack.containers("vnish-agent")) == 3
    assert fleet.codes() == set()


def test_a_rolling_restart_takes_one_after_the_other_and_the_active_engine_last(fleet: Fleet) -> None:
    replicas = {each["container"]: each for each in fleet.asked("status")["replicas"] if each["container"]}
    engines = fleet.stack.containers("policy-engine")
    [active] = [name for name in engines if replicas[name]["holds"]]
    answer = fleet.asked("restart", "vnish-agent", "policy-engine", "--rolling")
    assert answer["failed"] is None, answer
    assert sorted(answer["restarted"]) == sorted([*fleet.stack.containers("vnish-agent"), *engines])
    assert answer["restarted"][-1] == active
    starts = [started_at(name) for name in answer["restarted"]]
    assert starts == sorted(starts)
    assert all((later - earlier).total_seconds() > 3 for earlier, later in pairwise(starts))
    assert fleet.settled()


def test_a_rolling_restart_goes_no_further_than_one_that_does_not_come_back(fleet: Fleet) -> None:
    [simulator] = fleet.stack.containers("simulator")
    vnish = sorted(fleet.stack.containers("vnish-agent"))
    before = {name: started_at(name) for name in vnish}
    place = compose_stack.docker(
        "exec", simulator, "sh", "-c", "ls $SUNHERD_FARM 2>/dev/null || ls /farm/farm.yaml"
    ).strip()
    compose_stack.docker("exec", simulator, "sh", "-c", f"cp {place} {place}.kept; echo 'miners: 7' >{place}")
    try:
        code, text, _ = fleet.run("restart", "vnish-agent", "--rolling", "--within", "25s")
    finally:
        compose_stack.docker("exec", simulator, "sh", "-c", f"cp {place}.kept {place}; rm {place}.kept")
    assert code == 1
    assert f"{vnish[0]} is not back" in text
    assert f"Not touched: {', '.join(vnish[1:])}" in text
    assert started_at(vnish[0]) > before[vnish[0]]
    assert [started_at(name) for name in vnish[1:]] == [before[name] for name in vnish[1:]]
    assert fleet.settled(), "it goes on by itself once the farm file is mended"


def test_scaling_down_leaves_every_device_tended_and_the_gone_can_be_forgotten(fleet: Fleet) -> None:
    code, text, complaints = fleet.run("scale", "vnish-agent=1", "policy-engine=1")
    assert code == 0, text + complaints
    tends = fleet.tends("vnish_agent")
    assert list(tends.values()) == [MINERS]
    gone = [each["instance"] for each in fleet.asked("status")["replicas"] if each["presence"] == "gone"]
    assert len(gone) == 3
    cleared = fleet.asked("prune", "--older-than", "0s", "--yes")["cleared"]
    assert sorted(cleared) == sorted(gone)
    assert not [each for each in fleet.asked("status")["replicas"] if each["presence"] == "gone"]


def test_doctor_names_each_fault(fleet: Fleet) -> None:
    assert fleet.codes(SUNHERD_BROKER_PASSWORD_FLEET="wrong") == {"wrong_password"}
    [agent] = fleet.stack.containers("vnish-agent")
    image = f"{OWN_IMAGES}/vnish-agent:0.1.0"
    kept = compose_stack.docker("image", "inspect", "--format", "{{.Id}}", image).strip()
    compose_stack.docker("tag", f"{OWN_IMAGES}/pool-poller:0.1.0", image)  # as after a build
    try:
        assert fleet.codes() == {"old_image"}
    finally:
        compose_stack.docker("tag", kept, image)
    compose_stack.docker("kill", "--signal", "KILL", agent)
    compose_stack.docker("stop", agent, check=False)
    assert {"not_running", "untended"} <= fleet.codes()
    compose_stack.docker("start", agent)
    compose_stack.docker("pause", agent)
    try:
        assert "frozen" in fleet.codes()
    finally:
        compose_stack.docker("unpause", agent)
    [broker] = fleet.stack.containers("mosquitto")
    compose_stack.docker("stop", broker)
    try:
        assert {"broker_unreachable", "not_running"} <= fleet.codes()
        code, _, complaints = fleet.run("scale", "vnish-agent=2")
        assert (code, "Fix:" in complaints) == (2, True)
        assert len(fleet.stack.containers("vnish-agent")) == 1, "nothing is begun that could not be watched"
    finally:
        compose_stack.docker("start", broker)
    assert fleet.settled()
