"""`python -m deploy.fleet` beside real replicas on a real broker, without Docker."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.messages import Presence
from shared.topics import SERVICE_PRESENCE
from tests.fleet_farm import FleetFarm
from tests.waiting import eventually

SETTLED_SECONDS = 60


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetFarm]:
    with FleetFarm(tmp_path_factory.mktemp("fleet")) as farm:
        farm.add("policy_engine", "one")
        farm.add("vnish_agent", "one")
        farm.add("vnish_agent", "two")
        yield farm


def replicas(farm: FleetFarm) -> dict[str, dict[str, object]]:
    return {each["instance"]: each for each in farm.asked("status")["replicas"]}


def presence(farm: FleetFarm, instance: str, days_ago: float, status: str = "online") -> Presence:
    at = farm.clock.now() - timedelta(days=days_ago)
    return Presence.model_validate(
        {"at": at, "service": "vnish_agent", "instance": instance, "status": status, "version": "0.0.1", "tends": 3}
    )


SLOW = pytest.mark.skipif(
    os.environ.get("SUNHERD_E2E_DOCKER") != "1", reason="TWO MINUTES OF WAITING FOR SILENCES: make e2e-docker has them"
)


def _tended(answers: list[dict[str, Any]], answer: dict[str, Any]) -> int:
    answers.append(answer)
    return sum(len(labels) for labels in answer["devices"]["tended_by"].values())


def test_status_shows_who_tends_what(farm: FleetFarm) -> None:
    assert eventually(lambda: farm.asked("status")["wrong"] == [], SETTLED_SECONDS), farm.asked("status")
    # One look lasts a moment only; on a busy machine not every miner may have been read in it.
    answers: list[dict[str, Any]] = []
    assert eventually(lambda: _tended(answers, farm.asked("status")) == 6, SETTLED_SECONDS), answers[-1]
    answer = answers[-1]
    found = {each["instance"]: each for each in answer["replicas"]}
    assert set(found) == {"policy_engine-one", "vnish_agent-one", "vnish_agent-two"}
    assert {each["presence"] for each in found.values()} == {"live"}
    assert found["vnish_agent-one"]["tends"] + found["vnish_agent-two"]["tends"] == 6
    assert answer["devices"]["count"] == 6
    assert answer["missing"]["docker"].startswith("Docker does not answer")
    assert answer["containers"] is None

    code, text, _ = farm.fleet("status")
    assert code == 0
    assert "Without containers: Docker does not answer" in text
    assert "6 devices, 0 without a live owner" in text
    assert "engine-home (epoch " in text


def test_a_look_leaves_no_trace(farm: FleetFarm) -> None:
    seen: list[str] = []
    farm.bus.subscribe(SERVICE_PRESENCE, lambda got: seen.append(got.identifier))
    farm.fleet("status")
    assert eventually(lambda: "vnish_agent-one" in seen, 20)
    assert not [name for name in seen if name.startswith("fleet")]


@SLOW
def test_doctor_names_a_ghost_and_nothing_else_and_prune_lays_it(farm: FleetFarm) -> None:
    assert eventually(lambda: farm.asked("status")["wrong"] == [], SETTLED_SECONDS)
    farm.bus.publish(SERVICE_PRESENCE, "vnish_agent-dead", presence(farm, "vnish_agent-dead", days_ago=2))
    farm.bus.publish(SERVICE_PRESENCE, "vnish_agent-left", presence(farm, "vnish_agent-left", 2, "offline"))
    farm.bus.publish(SERVICE_PRESENCE, "vnish_agent-new", presence(farm, "vnish_agent-new", 0.5, "offline"))
    found = {(finding["code"], finding["about"]) for finding in farm.asked("doctor")["findings"]}
    # A farm without a battery is asked whether it has one.
    assert found == {("no_soc", "battery"), ("ghost", "vnish_agent-dead")}

    assert farm.asked("prune") == {"found": ["vnish_agent-dead", "vnish_agent-left"], "cleared": [], "refused": []}
    code, text, _ = farm.fleet("status")
    assert (code, "! vnish_agent-dead is a ghost" in text) == (1, True), "without --yes nothing changes"

    assert farm.asked("prune", "--yes")["cleared"] == ["vnish_agent-dead", "vnish_agent-left"]
    assert set(replicas(farm)) == {"policy_engine-one", "vnish_agent-one", "vnish_agent-two", "vnish_agent-new"}
    assert farm.asked("prune", "--older-than", "6h", "--yes")["cleared"] == ["vnish_agent-new"]


@SLOW
def test_a_dead_agent_leaves_devices_to_nobody_and_doctor_says_so(farm: FleetFarm) -> None:
    farm.end("vnish_agent-two")
    farm.end("vnish_agent-one")
    findings = farm.asked("doctor")["findings"]
    assert {finding["about"] for finding in findings if finding["code"] == "untended"} == {f"s19-{n}" for n in range(6)}
    farm.add("vnish_agent", "one")
    farm.add("vnish_agent", "two")
    assert eventually(lambda: farm.asked("status")["wrong"] == [], SETTLED_SECONDS)


def test_a_wrong_password_a_missing_broker_and_a_wrong_address_are_told_apart(farm: FleetFarm) -> None:
    port = farm.broker.running.port
    wrong = farm.fleet("doctor", "--json", broker=f"mqtt://127.0.0.1:{port}", SUNHERD_BROKER_PASSWORD_FLEET="no")
    assert wrong[0] == 2
    assert '"wrong_password"' in wrong[1]
    nobody = farm.fleet("status", broker="mqtt://127.0.0.1:1")
    assert nobody[0] == 2
    assert "no broker listens there" in nobody[1]
    assert "Fix:" in nobody[1]
    plain = farm.fleet("doctor", "--json", broker=f"mqtts://127.0.0.1:{port}")
    assert '"broker_tls"' in plain[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scale", "mosquitto=2"), "There is one broker"),
        (("scale", "vnish-agent"), "such as vnish-agent=3"),
        (("scale", "vnish-agent=0"), "docker compose stop vnish-agent"),
        (("restart",), "--rolling"),
        (("restart", "--rolling"), "Docker does not answer"),
        (("scale", "vnish-agent=2"), "Docker does not answer"),
        (("prune", "--older-than", "soon"), "is not a duration"),
    ],
)
def test_bad_input_is_refused_with_its_fix(farm: FleetFarm, words: tuple[str, ...], said: str) -> None:
    code, answer, complaints = farm.fleet(*words)
    assert (code, answer) == (2, "")
    assert said in complaints


def test_what_stands_in_the_env_file_needs_no_option(farm: FleetFarm) -> None:
    (farm.directory / ".env").write_text(f"SUNHERD_BROKER__URL={farm.url}\n", encoding="utf-8")
    try:
        code, text, _ = farm.fleet("status", broker="")
        assert (code, "policy_engine-one" in text) == (0, True), text
    finally:
        (farm.directory / ".env").unlink()
