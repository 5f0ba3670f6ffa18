"""`scale`: how many containers of a service share its work."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from deploy.fleet.container import (
    BROKER_SERVICE,
    DIRECTORY_LABEL,
    ENVIRONMENT_FILE_LABEL,
    FILES_LABEL,
    SCALED_SERVICES,
    Container,
)
from deploy.fleet.needs import both_halves
from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.reach import BadInputError
from deploy.fleet.session import Session
from deploy.fleet.settling import Before, lost, wait
from deploy.fleet.snapshot import Snapshot

REPLICAS_MAX = 32
_COMPOSE_SECONDS = 300
_TOLD_LINES = 6


def wanted_of(words: Sequence[str]) -> dict[str, int]:
    """From `vnish-agent=3`. Raises BadInputError with the fix."""
    wanted = {}
    for word in words:
        name, equals, number = word.partition("=")
        service = name.replace("_", "-")
        if not equals or not number.isdecimal():
            message = f"{word!r}: write service and number, such as vnish-agent=3."
            raise BadInputError(message)
        _check(service, int(number))
        wanted[service] = int(number)
    return wanted


def _check(service: str, number: int) -> None:
    if service == BROKER_SERVICE:
        message = "There is one broker: several would not know of each other. docs/broker.md tells of clustered ones."
        raise BadInputError(message)
    if service not in SCALED_SERVICES:
        message = f"{service} cannot be scaled; these can: {', '.join(SCALED_SERVICES)}."
        raise BadInputError(message)
    if number < 1:
        message = f"{service}=0 would leave its devices to nobody. If that is meant: docker compose stop {service}."
        raise BadInputError(message)
    if number > REPLICAS_MAX:
        message = f"{service}={number}: at most {REPLICAS_MAX}; one agent tends a thousand miners."
        raise BadInputError(message)


def scale(session: Session, teller: Teller, wanted: Mapping[str, int], within_seconds: float) -> int:
    """Does it, and waits until every device has one owner and all replicas count one another."""
    snapshot = both_halves(session)
    if snapshot is None or snapshot.containers is None:
        return BAD_INPUT
    before, began = Before(snapshot), session.ear.seconds()
    for reason in sorted(before.amiss):
        teller.say(f"amiss already: {reason}")
    complaint = _compose(session, snapshot.containers[0], wanted)
    if complaint is not None:
        teller.say(complaint)
        teller.answer({"settled": False, "missing": [complaint]})
        return WRONG
    asked = ", ".join(f"{service}={number}" for service, number in wanted.items())
    teller.say(f"{asked}: made by compose; waiting until the replicas have settled")
    missing = wait(session, lambda now: _missing(now, wanted, before), within_seconds, teller)
    took = session.ear.seconds() - began
    teller.answer({"settled": not missing, "missing": missing, "took_seconds": round(took, 1), "scaled": dict(wanted)})
    if missing:
        teller.say(f"Not settled after {within_seconds:g} s: {'; '.join(missing)}")
        teller.say("Fix: `doctor` tells what it means. Nothing was taken back.")
        return WRONG
    teller.say(f"Settled after {took:.1f} s: each device has one owner.")
    return FINE


def _missing(snapshot: Snapshot, wanted: Mapping[str, int], before: Before) -> list[str]:
    found = lost(snapshot)
    if snapshot.containers is None or snapshot.heard is None:
        return found
    for service, number in wanted.items():
        ours = [each for each in snapshot.containers if each.service == service]
        if len(ours) != number:
            found.append(f"{service}: {len(ours)} of {number} containers")
        found += before.absent(ours, snapshot.heard, anew=False)
    return found + before.ownership(snapshot.heard)


def _compose(session: Session, any_container: Container, wanted: Mapping[str, int]) -> str | None:
    """Runs it; returns its complaint, if it has one."""
    program = shutil.which("docker")
    if program is None or session.engine is None:
        return "The program `docker` is not there. Fix: install Docker's command line with its compose plugin."
    labels = session.engine.labels(any_container)
    command = [program, *compose_arguments(session.engine.project, labels, wanted)]
    # Compose alone knows how a container of the file is made (networks, volumes, limits, secrets): the SDK would have
    # to be told all of it again, and compose would not know the container as its own.
    try:
        done = subprocess.run(  # noqa: S603 - docker itself; service names were checked
            command,
            cwd=labels.get(DIRECTORY_LABEL),
            capture_output=True,
            text=True,
            timeout=_COMPOSE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"docker compose has not ended within {_COMPOSE_SECONDS} s. Fix: look at `docker compose ps`."
    except OSError as error:
        where = labels.get(DIRECTORY_LABEL)
        return f"docker compose cannot be run in {where}: {error.strerror}. Is the folder still there?"
    if done.returncode == 0:
        return None
    said = [line for line in done.stderr.splitlines() if line.strip()][-_TOLD_LINES:]
    return "docker compose refuses:\n  " + "\n  ".join(said)


def compose_arguments(project: str, labels: Mapping[str, str], wanted: Mapping[str, int]) -> list[str]:
    """What follows `docker`. The very files by which the stack runs, as its containers remember them."""
    arguments = ["compose", "--project-name", project]
    for file in filter(None, labels.get(FILES_LABEL, "").split(",")):
        arguments += ["--file", file]
    for file in filter(None, labels.get(ENVIRONMENT_FILE_LABEL, "").split(",")):
        arguments += ["--env-file", file]
    arguments += ["up", "--detach", "--no-deps", "--no-recreate"]
    for service, number in wanted.items():
        arguments += ["--scale", f"{service}={number}"]
    return [*arguments, *wanted]
