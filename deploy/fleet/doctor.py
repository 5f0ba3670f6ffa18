"""`doctor`: gathers evidence, changes nothing, and says what is wrong, what it means, and what mends it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from deploy.fleet.container import BROKER_SERVICE, SCALED_SERVICES, Container
from deploy.fleet.engine import Engine, NoEngineError
from deploy.fleet.faults_of_containers import Premises, faults_of_containers
from deploy.fleet.faults_of_replicas import faults_of_replicas
from deploy.fleet.faults_of_site import faults_of_site
from deploy.fleet.finding import ERROR, WARNING, Finding
from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.ownership import unsettled
from deploy.fleet.reach import ENVIRONMENT_FILE
from deploy.fleet.session import PATIENCE_SECONDS, Session
from deploy.fleet.snapshot import Snapshot

_MORE_SECONDS = 20.0


def doctor(session: Session, teller: Teller) -> int:
    """Listens for three beats, and for longer while something is changing hands."""
    if session.ear.is_ready() and not teller.as_json:
        teller.say(f"Listening for {PATIENCE_SECONDS:.0f} s ...")
    _listen(session)
    snapshot = session.look()
    if snapshot.heard is None and not snapshot.containers:
        found = [_no_docker(snapshot), *([snapshot.no_broker] if snapshot.no_broker else [])]
        _tell(found, snapshot, teller)
        return BAD_INPUT
    found = diagnose(snapshot, premises_of(session, snapshot))
    _tell(found, snapshot, teller)
    return WRONG if found else FINE


def _listen(session: Session) -> None:
    if session.ear.is_ready():
        session.ear.listen(PATIENCE_SECONDS)
        session.ear.listen(_MORE_SECONDS, lambda: not unsettled(session.ear.heard()))


def diagnose(snapshot: Snapshot, premises: Premises) -> list[Finding]:
    """Pure. What is an error comes first."""
    found = [snapshot.no_broker] if snapshot.no_broker else []
    if snapshot.containers:
        found += faults_of_containers(snapshot.containers, premises)
    if snapshot.heard is not None:
        found += faults_of_replicas(snapshot.heard)
        has_battery = ("battery" in premises.farm) if premises.farm else None
        found += faults_of_site(snapshot.heard, has_battery=has_battery)
    return sorted(found, key=lambda finding: (ERROR, WARNING).index(finding.severity))


def premises_of(session: Session, snapshot: Snapshot) -> Premises:
    """Reads what is needed besides: files as the containers see them, images, the broker's log."""
    there = (session.directory / ENVIRONMENT_FILE).is_file()
    engine, containers = session.engine, snapshot.containers or ()
    if engine is None or not containers:
        return Premises(session.variables, there)
    try:
        files = {each.name: engine.file(each, each.farm_file) for each in _readers(containers) if each.farm_file}
        text = next((content for content in files.values() if content), b"")
        return Premises(
            variables=session.variables,
            environment_file_there=there,
            farm_digests={name: sha256(content).hexdigest() if content else None for name, content in files.items()},
            farm=_farm(text),
            newest_images={each.image: engine.image_of_tag(each.image) for each in containers if each.image},
            broker_log=_broker_log(engine, containers),
            live=frozenset(snapshot.heard.live) if snapshot.heard else None,
        )
    except NoEngineError:  # it went away while we looked: what is known already still counts
        return Premises(session.variables, there)


def _readers(containers: Sequence[Container]) -> list[Container]:
    return [each for each in containers if each.service in SCALED_SERVICES and each.is_running]


def _broker_log(engine: Engine, containers: Sequence[Container]) -> list[str]:
    return [line for each in containers if each.service == BROKER_SERVICE for line in engine.last_lines(each)]


def _farm(text: bytes) -> Mapping[str, Any]:
    """Only to see what it asks for: whether it is right is for the services to say."""
    try:
        found = YAML(typ="safe").load(text)
    except (YAMLError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _no_docker(snapshot: Snapshot) -> Finding:
    sentence = snapshot.no_docker or "There are no containers of this project."
    fix = "run this in the directory of the stack, or name it: --project; `docker compose up --detach` starts it"
    return Finding("no_containers", "Docker", sentence, fix)


def _tell(found: Sequence[Finding], snapshot: Snapshot, teller: Teller) -> None:
    halves = {"containers": bool(snapshot.containers), "mqtt": snapshot.heard is not None}
    if teller.as_json:
        teller.answer({"findings": [finding.as_json() for finding in found], "looked_at": halves})
        return
    if not halves["containers"]:
        teller.say(f"Without containers: {snapshot.no_docker or 'there are none of this project'}")
    for finding in found:
        for line in finding.lines():
            teller.say(line)
    if not halves["mqtt"]:
        teller.say("Replicas, devices, clocks and battery could not be looked at.")
    teller.say(f"{len(found)} found." if found else "Nothing found: all is as it should be.")
