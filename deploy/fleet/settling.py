"""Waits until a farm is as it should be after its containers were changed."""

from collections.abc import Callable, Collection, Mapping

from deploy.fleet.container import SCALED_SERVICES, Container
from deploy.fleet.heard import Heard
from deploy.fleet.outcome import Teller
from deploy.fleet.ownership import care, unsettled
from deploy.fleet.session import Session
from deploy.fleet.snapshot import Snapshot

_LOOK_SECONDS = 0.5
_STAYS_SECONDS = 3.0
"""For so long it must stay so: between giving up and taking up nobody has said anything yet."""
_NAMED = 3

Judge = Callable[[Snapshot], list[str]]
"""What is still to be waited for; empty when nothing is."""


def wait(session: Session, judge: Judge, seconds: float, teller: Teller) -> list[str]:
    """Tells of each change. Returns what is still missing when the time is over: nothing when all is well."""
    began = session.ear.seconds()
    well_since: float | None = None
    said = ""
    while True:
        missing = judge(session.look(usage=False))
        now = session.ear.seconds()
        if missing:
            well_since = None
        elif well_since is None:
            well_since = now
        elif now - well_since >= _STAYS_SECONDS:
            return []
        if now - began >= seconds:
            return missing or ["it has been well for too short a time"]
        line = _brief(missing)
        if line != said:
            said = line
            teller.say(f"  {now - began:5.1f} s  {line}")
        session.ear.listen(_LOOK_SECONDS)


def _brief(missing: list[str]) -> str:
    more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return "; ".join(missing[:_NAMED]) + more if missing else "settled; does it stay so?"


class Before:
    """How the farm stood before anything was done: what was amiss then is not waited for."""

    def __init__(self, snapshot: Snapshot) -> None:
        heard = snapshot.heard
        self.amiss: frozenset[str] = frozenset(unsettled(heard) if heard else ())
        # Of a farm that was on the move nobody can tell how much is in whose care when it has come to rest.
        self._care: Mapping[str, int] = care(heard) if heard and not self.amiss else {}
        self._services = frozenset(presence.service for presence in heard.live.values()) if heard else frozenset()
        self._started = {name: presence.started_at for name, presence in (heard.live if heard else {}).items()}

    def ownership(self, heard: Heard) -> list[str]:
        """What has not settled since."""
        return [reason for reason in unsettled(heard, self._care) if reason not in self.amiss]

    def absent(self, containers: Collection[Container], heard: Heard, *, anew: bool) -> list[str]:
        """Which of these are not back: running, healthy, and heard. `anew`: their process must be another one.

        Who has nothing to do by the farm file says nothing: its health must do, if no replica of its service spoke.
        """
        found = []
        for container in containers:
            presence = heard.live.get(container.instance)
            if not container.is_running:
                found.append(f"{container.name} is {container.state}")
            elif container.health not in {None, "healthy"}:
                says = f": {container.health_says}" if container.health == "unhealthy" else ""
                found.append(f"{container.name} is {container.health}{says}")
            elif self._is_expected(container, anew=anew) and presence is None:
                found.append(f"{container.name} is not heard yet")
            elif anew and presence is not None and presence.started_at == self._started.get(container.instance):
                found.append(f"{container.name} has not begun anew")
        return found

    def _is_expected(self, container: Container, *, anew: bool) -> bool:
        if container.service not in SCALED_SERVICES:
            return False
        return container.instance in self._started if anew else container.service.replace("-", "_") in self._services


def lost(snapshot: Snapshot) -> list[str]:
    """Which half cannot be seen at present: without it nothing can be said to have settled."""
    found = [snapshot.no_docker] if snapshot.containers is None else []
    return found + ([snapshot.no_broker.sentence] if snapshot.no_broker else [])
