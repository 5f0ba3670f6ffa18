"""`restart --rolling`: one container at a time, and never the next before the last is back at work."""

from collections.abc import Sequence

from deploy.fleet.container import SCALED_SERVICES, Container
from deploy.fleet.engine import NoEngineError
from deploy.fleet.heard import Heard
from deploy.fleet.needs import both_halves
from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.reach import BadInputError
from deploy.fleet.session import Session
from deploy.fleet.settling import Before, lost, wait
from deploy.fleet.snapshot import Snapshot

GRACE_SECONDS = 20
"""As `stop_grace_period` of the compose file."""


def chosen(containers: Sequence[Container], services: Sequence[str], heard: Heard) -> list[Container]:
    """Which, in their order: whoever acts for the whole site at present comes last. Raises BadInputError.

    Unless they are named, only those that share work: a broker's or a simulator's restart is felt by all others.
    """
    names = [service.replace("_", "-") for service in services] or list(SCALED_SERVICES)
    known = {container.service for container in containers}
    unknown = sorted(set(names) - known) if services else []
    if unknown:
        message = f"There is no container of {', '.join(unknown)}; there are: {', '.join(sorted(known))}."
        raise BadInputError(message)
    found = [each for each in containers if each.service in names]
    return sorted(found, key=lambda each: (_holds(each, heard), _place(each), each.number))


def _holds(container: Container, heard: Heard) -> bool:
    presence = heard.live.get(container.instance)
    return presence is not None and bool(presence.holds)


def _place(container: Container) -> int:
    return SCALED_SERVICES.index(container.service) if container.service in SCALED_SERVICES else -1


def restart_rolling(session: Session, teller: Teller, services: Sequence[str], within_seconds: float) -> int:
    """Stops and starts each; ends at the first that does not come back."""
    snapshot = both_halves(session)
    if snapshot is None or snapshot.containers is None or snapshot.heard is None:
        return BAD_INPUT
    began = session.ear.seconds()
    done: list[str] = []
    queue = chosen(snapshot.containers, services, snapshot.heard)
    for reason in sorted(Before(snapshot).amiss):
        teller.say(f"amiss already: {reason}")
    while queue:
        container = queue.pop(0)
        teller.say(f"{container.name}: restarting")
        missing = _restart(session, teller, container, within_seconds)
        if missing:
            teller.say(f"{container.name} is not back after {within_seconds:g} s: {'; '.join(missing)}")
            left = ", ".join(each.name for each in queue) or "none"
            teller.say(f"Fix: docker logs --tail 50 {container.name}; `doctor`. Not touched: {left}.")
            names = [each.name for each in queue]
            teller.answer({"restarted": done, "failed": container.name, "missing": missing, "not_touched": names})
            return WRONG
        done.append(container.name)
        if queue:
            # Who acts for the site may have changed by this very restart.
            queue = _in_order(session, queue)
    took = session.ear.seconds() - began
    teller.say(f"{len(done)} restarted one after the other in {took:.0f} s; each device has one owner.")
    teller.answer({"restarted": done, "failed": None, "missing": [], "not_touched": [], "took_seconds": round(took, 1)})
    return FINE


def _in_order(session: Session, queue: Sequence[Container]) -> list[Container]:
    heard = session.ear.heard()
    return sorted(queue, key=lambda each: (_holds(each, heard), _place(each), each.number))


def _restart(session: Session, teller: Teller, container: Container, within_seconds: float) -> list[str]:
    """What is missing afterwards; nothing when it is back."""
    if session.engine is None:
        return ["Docker is not there"]
    session.hear_everybody()
    before = Before(session.look(usage=False))
    try:
        session.engine.stop(container, GRACE_SECONDS)
        session.engine.start(container)
    except NoEngineError as error:
        return [str(error)]
    return wait(session, lambda now: _missing(now, container, before), within_seconds, teller)


def _missing(snapshot: Snapshot, container: Container, before: Before) -> list[str]:
    found = lost(snapshot)
    if snapshot.containers is None or snapshot.heard is None:
        return found
    now = [each for each in snapshot.containers if each.identifier == container.identifier]
    if not now:
        return [f"{container.name} is gone: somebody has removed it"]
    return found + before.absent(now, snapshot.heard, anew=True) + before.ownership(snapshot.heard)
