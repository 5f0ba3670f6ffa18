"""What is wrong with the containers of a stack. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.fleet.container import BROKER_SERVICE, SCALED_SERVICES, Container
from deploy.fleet.finding import WARNING, Finding

_MEMORY_SHORT = 0.9
_RESTARTS_MANY = 3
_MIB = 1024 * 1024
_DISK_SIGNS = ("No space left on device", "Error saving in-memory database", "damaged (was the disk full?)")


@dataclass(frozen=True)
class Premises:
    """What is known of a stack besides its containers: files, variables, images."""

    variables: Mapping[str, str] = field(default_factory=dict)
    environment_file_there: bool = True
    farm_digests: Mapping[str, str | None] = field(default_factory=dict)
    """By container: the digest of the farm file as it sees it; None: it sees none."""
    farm: Mapping[str, Any] = field(default_factory=dict)
    """The farm file as far as it can be read."""
    newest_images: Mapping[str, str | None] = field(default_factory=dict)
    """By image name: the id that it means at present."""
    broker_log: Sequence[str] = ()
    live: frozenset[str] | None = None
    """The instances that are heard; None: not known."""


def faults_of_containers(containers: Sequence[Container], premises: Premises) -> list[Finding]:
    """All of them, the gravest kind first."""
    found: list[Finding] = []
    for container in containers:
        found += _state(container)
    found += _images(containers, premises)
    found += _farm_files(premises)
    found += _broker_disk(containers, premises)
    return found + list(_secrets(containers, premises))


def _state(container: Container) -> Iterator[Finding]:
    about, logs = container.name, f"docker logs --tail 50 {container.name}"
    if container.oom_killed:
        sentence = "The kernel has killed it, because it took more memory than its limit."
        yield Finding(
            "out_of_memory", about, sentence, f"raise mem_limit of {container.service} in a compose override; {logs}"
        )
    if container.state == "restarting":
        yield Finding("restarting", about, f"It ends again and again ({container.restarts} times).", logs)
    elif container.state == "paused":
        yield Finding("frozen", about, "Docker has frozen it: it does nothing.", f"docker unpause {container.name}")
    elif not container.is_running:
        ended = f"It is {container.state} (exit code {container.exit_code}): nobody does its work here."
        yield Finding("not_running", about, ended, f"docker compose up --detach {container.service}; why: {logs}")
    elif container.health == "unhealthy":
        says = f": {container.health_says}" if container.health_says else ""
        yield Finding("unhealthy", about, f"Its health check fails{says}", logs)
    elif container.restarts >= _RESTARTS_MANY:
        sentence = f"It runs, and Docker has had to start it again {container.restarts} times."
        yield Finding("restarted_often", about, sentence, logs, WARNING)
    usage = container.usage
    if (
        usage.memory_bytes
        and usage.memory_limit_bytes
        and usage.memory_bytes > _MEMORY_SHORT * usage.memory_limit_bytes
    ):
        used, limit = usage.memory_bytes // _MIB, usage.memory_limit_bytes // _MIB
        sentence = f"It takes {used} of {limit} MiB: at the limit it is killed."
        yield Finding("memory_short", about, sentence, f"raise mem_limit of {container.service}", WARNING)


def _images(containers: Sequence[Container], premises: Premises) -> Iterator[Finding]:
    for container in containers:
        newest = premises.newest_images.get(container.image)
        if newest and container.image_id and newest != container.image_id:
            sentence = f"It runs an older image than {container.image} is by now."
            yield Finding("old_image", container.name, sentence, "docker compose up --detach (makes it anew)", WARNING)
    ours = [each for each in containers if each.service in SCALED_SERVICES and each.version and each.is_running]
    versions = sorted({each.version or "" for each in ours}, key=_version_key)
    for container in ours:
        if container.version != versions[-1]:
            sentence = f"Its image is version {container.version}, others are {versions[-1]}."
            fix = "docker compose build, then docker compose up --detach; versions one apart understand each other"
            yield Finding("version_older", container.name, sentence, fix, WARNING)


def _version_key(version: str) -> tuple[tuple[int, str], ...]:
    """1.10 is newer than 1.9."""
    parts = version.replace("-", ".").split(".")
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def _farm_files(premises: Premises) -> Iterator[Finding]:
    for name, digest in sorted(premises.farm_digests.items()):
        if digest is None:
            fix = "SUNHERD_FARM_DIRECTORY in .env: the folder with farm.yaml"
            yield Finding("no_farm_file", name, "It sees no farm file, so it has nothing to do.", fix)
    groups: dict[str, list[str]] = {}
    for name, digest in premises.farm_digests.items():
        if digest is not None:
            groups.setdefault(digest, []).append(name)
    if len(groups) > 1:
        said = "; ".join(f"{digest[:8]}: {', '.join(sorted(names))}" for digest, names in sorted(groups.items()))
        fix = "give all the same folder (SUNHERD_FARM_DIRECTORY), then restart: make fleet ARGS='restart --rolling'"
        yield Finding("farm_files_differ", "farm.yaml", f"The containers live by different farm files ({said}).", fix)


def _broker_disk(containers: Sequence[Container], premises: Premises) -> Iterator[Finding]:
    signs = [line for line in premises.broker_log if any(sign in line for sign in _DISK_SIGNS)]
    if signs:
        about = next((each.name for each in containers if each.service == BROKER_SERVICE), BROKER_SERVICE)
        sentence = f"The broker could not write down what it remembers: {signs[-1].strip()[:160]}"
        fix = "make room (df -h; docker system df); then restart the broker, and look at pauses and stops"
        yield Finding("broker_disk", about, sentence, fix)


def _secrets(containers: Sequence[Container], premises: Premises) -> Iterator[Finding]:
    if containers and not premises.environment_file_there:
        yield Finding("no_env_file", ".env", "There is no .env here: nobody has a password.", "make env", WARNING)
    for service in sorted({each.service for each in containers}):
        variable = f"SUNHERD_BROKER_PASSWORD_{service.upper().replace('-', '_')}"
        if service in SCALED_SERVICES and _is_bundled(containers) and not premises.variables.get(variable):
            fix = "make env, then docker compose up --detach (makes broker and service anew)"
            yield Finding("secret_missing", variable, f"It is empty: {service} cannot log in at the broker.", fix)
    for container in containers:
        for variable, need in _NEEDED.get(container.service, {}).items():
            if variable in container.empty_variables and need(premises.farm) and _is_silent(container, premises):
                fix = f"set {variable} in .env, then docker compose up --detach {container.service}"
                sentence = f"{container.service} has no {variable}, which the farm file asks for."
                yield Finding("secret_missing", f"{variable} ({container.name})", sentence, fix)


def _is_silent(container: Container, premises: Premises) -> bool:
    """Whoever speaks has all that it needs: a secret may as well come from a file."""
    if premises.live is None:
        return container.health == "unhealthy"
    return container.instance not in premises.live


def _is_bundled(containers: Sequence[Container]) -> bool:
    return any(container.service == BROKER_SERVICE for container in containers)


def _reads_home_assistant(farm: Mapping[str, Any]) -> bool:
    battery = farm.get("battery")
    return isinstance(battery, Mapping) and "home_assistant" in battery


_NEEDED = {"soc-bridge": {"HA_TOKEN": _reads_home_assistant}}
"""Only what nothing works without: a VNish without a password has the maker's."""
