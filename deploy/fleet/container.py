"""A container of the stack, as Docker describes it. Pure: from Docker's JSON to what is looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.launch import INSTANCE_VARIABLE

BROKER_SERVICE = "mosquitto"
SCALED_SERVICES = (
    "vnish-agent",
    "bitaxe-agent",
    "kasa-power-agent",
    "pool-poller",
    "soc-bridge",
    "policy-engine",
    "ha-discovery",
)
"""Those whose replicas share the work. In the order of a rolling restart: whoever alone acts for a site comes last."""
PROJECT_LABEL = "com.docker.compose.project"
DIRECTORY_LABEL = f"{PROJECT_LABEL}.working_dir"
FILES_LABEL = f"{PROJECT_LABEL}.config_files"
ENVIRONMENT_FILE_LABEL = f"{PROJECT_LABEL}.environment_file"
_SERVICE_LABEL = "com.docker.compose.service"
_NUMBER_LABEL = "com.docker.compose.container-number"
_VERSION_LABEL = "org.opencontainers.image.version"


@dataclass(frozen=True)
class Usage:
    """What it takes of the machine. None: not known, such as of a container that stands still."""

    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    cpu_percent: float | None = None
    """Of one core."""


@dataclass(frozen=True)
class Container:
    """One container. Of its variables only names are kept, never a value: they hold secrets."""

    identifier: str
    name: str
    service: str
    """The service's name in the compose file."""
    host: str
    """Its own host name, which is part of its replica's instance."""
    state: str
    health: str | None = None
    """healthy, unhealthy or starting; None where nobody asks it."""
    health_says: str = ""
    restarts: int = 0
    oom_killed: bool = False
    exit_code: int = 0
    image: str = ""
    image_id: str = ""
    version: str | None = None
    number: int = 1
    empty_variables: frozenset[str] = frozenset()
    farm_file: str | None = None
    usage: Usage = Usage()

    @property
    def instance(self) -> str:
        """The instance that its replica is on MQTT: as `shared.launch.instance_name` makes it inside."""
        return re.sub(r"[^a-z0-9_-]", "-", f"{self.service.replace('-', '_')}-{self.host}".lower())[:64]

    @property
    def is_running(self) -> bool:
        """Whether its process runs, and is not frozen."""
        return self.state == "running"


def container_of(told: Mapping[str, Any], usage: Usage = Usage()) -> Container:
    """From the answer to `inspect`. What an older engine leaves out is empty."""
    state, config = told.get("State") or {}, told.get("Config") or {}
    labels: Mapping[str, str] = config.get("Labels") or {}
    health = state.get("Health") or {}
    log = health.get("Log") or []
    variables = dict(_split(line) for line in config.get("Env") or [])
    return Container(
        identifier=str(told.get("Id", "")),
        name=str(told.get("Name", "")).removeprefix("/"),
        service=labels.get(_SERVICE_LABEL, ""),
        host=variables.get(INSTANCE_VARIABLE) or str(config.get("Hostname", "")),
        state=str(state.get("Status", "unknown")),
        health=health.get("Status"),
        health_says=_one_line(log[-1].get("Output", "")) if log else "",
        restarts=int(told.get("RestartCount", 0)),
        oom_killed=bool(state.get("OOMKilled")),
        exit_code=int(state.get("ExitCode", 0)),
        image=str(config.get("Image", "")),
        image_id=str(told.get("Image", "")),
        version=labels.get(_VERSION_LABEL),
        number=int(labels.get(_NUMBER_LABEL, "1")),
        empty_variables=frozenset(name for name, value in variables.items() if not value),
        farm_file=variables.get("SUNHERD_FARM"),
        usage=usage,
    )


def usage_of(now: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Usage:
    """From two answers to `stats` some seconds apart; from a single one the processor's part is not known."""
    memory, limit = now.get("memory_stats") or {}, None
    used = memory.get("usage")
    if used is not None:
        # As `docker stats` counts: what the kernel keeps of files and gives up at once is nobody's need.
        details = memory.get("stats") or {}
        used = max(0, int(used) - int(details.get("total_inactive_file", details.get("inactive_file", 0))))
        limit = memory.get("limit")
    return Usage(used, None if limit is None else int(limit), None if before is None else _cpu_percent(now, before))


def _cpu_percent(now: Mapping[str, Any], before: Mapping[str, Any]) -> float | None:
    new, old = now.get("cpu_stats") or {}, before.get("cpu_stats") or {}
    try:
        used = new["cpu_usage"]["total_usage"] - old["cpu_usage"]["total_usage"]
        passed = new["system_cpu_usage"] - old["system_cpu_usage"]
    except KeyError:  # it does not run
        return None
    cores = new.get("online_cpus") or len(new["cpu_usage"].get("percpu_usage") or [0])
    # Less than before: it has been restarted between the two.
    return None if passed <= 0 or used < 0 else 100.0 * used / passed * int(cores)


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
