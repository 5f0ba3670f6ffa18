"""The rules of a hardened stack, for every service of docker-compose.yml; needs no Docker."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from shared.version import VERSION

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
# What each may know besides its own password at the broker.
SECRETS = {
    "soc-bridge": {"HA_TOKEN", "SOURCE_MQTT_PASSWORD"},
    "vnish-agent": {"VNISH_PASSWORD"},
    "kasa-power-agent": {"KASA_USERNAME", "KASA_PASSWORD"},
    "pool-poller": {"BRAIINS_KEY"},
}
ENV_FILES = {"vnish-agent": "miners.env", "kasa-power-agent": "plugs.env", "pool-poller": "pools.env"}
every_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def environment_of(name: str) -> dict[str, str | None]:
    found: dict[str, str | None] = SERVICES[name].get("environment", {})
    return found


def megabytes(text: str) -> int:
    matched = re.fullmatch(r"(\d+)m", text)
    assert matched is not None, text
    return int(matched[1])


def test_each_service_of_the_project_has_a_container() -> None:
    packages = {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}
    assert {name.replace("-", "_") for name in OURS} == packages
    assert set(SERVICES) - set(OURS) == {"mosquitto"}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"simulator"}


@every_service
def test_it_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    user, group = str(service["user"]).split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "network_mode", "userns_mode"} & service.keys()


@every_service
def test_whatever_it_takes_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert 32 <= megabytes(service["mem_limit"]) <= 512
    assert 0 < service["cpus"] <= 1
    assert 0 < service["pids_limit"] <= 2048
    assert service["logging"]["driver"] == "json-file"
    assert megabytes(service["logging"]["options"]["max-size"]) * int(service["logging"]["options"]["max-file"]) <= 20
    assert all("size=" in entry for entry in service["tmpfs"])


@every_service
def test_it_says_how_it_is_and_is_brought_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) >= 15
    health = service["healthcheck"]
    assert health["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= health.keys()


@every_service
def test_it_reaches_nothing_of_the_machine(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        assert "docker.sock" not in volume
        source = re.sub(r"\$\{[A-Z_]+:-([^}]*)}", r"\1", volume).split(":")[0]
        assert source in {"demo-farm", "broker-memory", "./mosquitto"}, volume
        if source.startswith("."):
            assert volume.endswith(":ro")


@every_service
def test_its_image_is_a_certain_one(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert tag not in {"", "latest"}
    if name in OURS:
        assert (image, tag) == (f"sunherd/{name}", VERSION)


@each_of_ours
def test_it_can_be_scaled_and_asks_what_the_image_asks(name: str) -> None:
    service = OURS[name]
    assert not {"ports", "container_name", "hostname", "expose"} & service.keys()
    assert service["build"]["args"] == {"SERVICE": name.replace("-", "_")}
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "shared.health", "ready"]
    assert service["user"] == "10001:10001"
    farm = [volume for volume in service["volumes"] if "/farm" in volume]
    assert farm == ["${SUNHERD_FARM_DIRECTORY:-demo-farm}:/farm" + ("" if name == "simulator" else ":ro")]


@each_of_ours
def test_it_knows_no_secret_but_its_own(name: str) -> None:
    environment = environment_of(name)
    assert environment["SUNHERD_BROKER__USERNAME"] == name
    own = "SUNHERD_BROKER_PASSWORD_" + name.upper().replace("-", "_")
    assert environment["MQTT_PASSWORD"] == f"${{{own}:-}}"
    secret = re.compile(r"(PASSWORD|TOKEN|KEY|USERNAME)$")
    others = {key for key in environment if secret.search(key)} - {"MQTT_PASSWORD", "SUNHERD_BROKER__USERNAME"}
    assert others == SECRETS.get(name, set())
    for key, value in environment.items():
        # Neither by another name: what a value takes from .env is of the same name, or its own password.
        taken = set(re.findall(r"\$\{([A-Z_]+)", value or ""))
        assert taken <= {key, own}, key
    files = OURS[name].get("env_file", [])
    assert [file["path"] for file in files] == ([ENV_FILES[name]] if name in ENV_FILES else [])
    assert all(file["required"] is False for file in files)


def test_the_broker_alone_knows_all_passwords_and_listens_to_this_machine_only() -> None:
    broker = SERVICES["mosquitto"]
    names = [*OURS, "people", "home-assistant", "fleet"]
    variables = {"SUNHERD_BROKER_PASSWORD_" + name.upper().replace("-", "_") for name in names}
    assert environment_of("mosquitto").keys() == variables
    assert all(value == f"${{{key}:-}}" for key, value in environment_of("mosquitto").items()), "and none is a default"
    assert broker["ports"] == [
        "${SUNHERD_BROKER_LISTEN:-127.0.0.1}:${SUNHERD_BROKER_PORT:-1883}:1883",
        "${SUNHERD_BROKER_TLS_LISTEN:-127.0.0.1}:${SUNHERD_BROKER_TLS_PORT:-8883}:8883",
    ]


def test_the_image_is_made_as_promised() -> None:
    assert f"ARG VERSION={VERSION}\n" in DOCKERFILE
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    assert "\nSTOPSIGNAL SIGTERM\n" in DOCKERFILE
    assert "SUNHERD_HANG_EXIT_SECONDS=60" in DOCKERFILE
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert {stage for stage in stages if "PYTHON" in stage} == {"${PYTHON_IMAGE}"}
    assert "ARG PYTHON_IMAGE=python:3.13-slim\n" in DOCKERFILE


def test_what_is_secret_or_heavy_never_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "nothing goes in that is not named"
    assert {rule for rule in rules if rule.startswith("!")} == {"!pyproject.toml", "!shared", "!services", "!deploy"}
    assert "**/.env" in rules


def test_an_owners_broker_takes_the_place_of_the_bundled_one() -> None:
    override = YAML(typ="safe").load(ROOT / "deploy/compose/own-broker.yml")
    assert override == {"services": {"mosquitto": {"profiles": ["bundled-broker"]}}}
    for service in OURS.values():
        assert service["depends_on"]["mosquitto"]["required"] is False
        assert service["environment"]["SUNHERD_BROKER__URL"] == "${SUNHERD_BROKER__URL:-mqtt://mosquitto:1883}"
