"""A container as Docker describes it."""

import os

import pytest

from deploy.fleet.container import Usage, container_of, usage_of
from shared.launch import instance_name

TOLD = {
    "Id": "abc",
    "Name": "/sunherd-vnish-agent-2",
    "Image": "sha256:def",
    "RestartCount": 4,
    "State": {
        "Status": "running",
        "OOMKilled": False,
        "ExitCode": 0,
        "Health": {"Status": "unhealthy", "Log": [{"Output": "ready\n"}, {"Output": "no connection\nto the broker\n"}]},
    },
    "Config": {
        "Hostname": "1E9a.37086c66",
        "Image": "sunherd/vnish-agent:0.1.0",
        "Env": ["MQTT_PASSWORD=very-secret", "VNISH_PASSWORD=", "SUNHERD_FARM=/farm/farm.yaml", "ALONE"],
        "Labels": {
            "com.docker.compose.service": "vnish-agent",
            "com.docker.compose.container-number": "2",
            "org.opencontainers.image.version": "0.1.0",
        },
    },
}


def test_it_is_read_from_what_docker_tells() -> None:
    found = container_of(TOLD)
    assert (found.name, found.service, found.number, found.state) == (
        "sunherd-vnish-agent-2",
        "vnish-agent",
        2,
        "running",
    )
    assert (found.health, found.health_says, found.restarts) == ("unhealthy", "no connection to the broker", 4)
    assert (found.image_id, found.version, found.farm_file) == ("sha256:def", "0.1.0", "/farm/farm.yaml")
    assert found.empty_variables == {"VNISH_PASSWORD", "ALONE"}
    assert "very-secret" not in repr(found)


def test_what_docker_leaves_out_is_no_reason_to_fail() -> None:
    found = container_of({})
    assert (found.state, found.health, found.version, found.is_running) == ("unknown", None, None, False)


def test_its_instance_is_the_one_that_its_replica_gives_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_INSTANCE", "1E9a.37086c66")
    assert container_of(TOLD).instance == instance_name("vnish_agent") == "vnish_agent-1e9a-37086c66"
    monkeypatch.delenv("SUNHERD_INSTANCE")
    named = {**TOLD, "Config": {"Env": ["SUNHERD_INSTANCE=mine"], "Hostname": "h", "Labels": TOLD["Config"]["Labels"]}}  # type: ignore[index]
    assert container_of(named).instance == "vnish_agent-mine"
    assert "SUNHERD_INSTANCE" not in os.environ


def stats(total: int, system: int) -> dict[str, object]:
    memory = {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 100}}
    return {
        "memory_stats": memory,
        "cpu_stats": {"cpu_usage": {"total_usage": total}, "system_cpu_usage": system, "online_cpus": 2},
    }


def test_usage_is_the_difference_of_two_looks() -> None:
    assert usage_of(stats(50, 1000)) == Usage(900, 5000, None)
    assert usage_of(stats(150, 2000), stats(50, 1000)) == Usage(900, 5000, 20.0)
    assert usage_of(stats(10, 2000), stats(50, 1000)).cpu_percent is None, "it was restarted in between"
    assert usage_of({}) == Usage()
    assert usage_of({"cpu_stats": {}, "memory_stats": {}}, stats(50, 1000)) == Usage()
