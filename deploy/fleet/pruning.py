"""`prune`: lets the broker forget replicas that have been gone for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.fleet.container import Container
from deploy.fleet.heard import Heard, Standing
from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.session import Session

_ECHO_SECONDS = 5.0


@dataclass(frozen=True)
class Dead:
    """A replica that is remembered, and was last known alive at that time."""

    instance: str
    last_sign: datetime


def dead(heard: Heard, containers: Sequence[Container], older_than: timedelta) -> list[Dead]:
    """Gone or silent, without a container, and without a sign of life for so long.

    A last will is as old as the connection: its time proves nothing. What a replica last told of a device may be newer.
    """
    kept = {container.instance for container in containers}
    found = []
    for member in heard.of(Standing.GONE, Standing.GHOST):
        instance = member.presence.instance
        told = [device.told_at for device in heard.devices.values() if device.by == instance and device.told_at]
        last_sign = max([member.presence.at, *told])
        if instance not in kept and heard.now - last_sign >= older_than:
            found.append(Dead(instance, last_sign))
    return found


def prune(session: Session, teller: Teller, older_than: timedelta, *, sure: bool) -> int:
    """Lists them; with `sure` clears them, and looks whether the broker has done it."""
    session.hear_everybody()
    snapshot = session.look(usage=False)
    if snapshot.heard is None:
        found = snapshot.no_broker
        teller.say(f"{found.sentence} Fix: {found.fix}." if found else "There is no broker.")
        return BAD_INPUT
    names = [each.instance for each in _listed(dead(snapshot.heard, snapshot.containers or (), older_than), teller)]
    refused: list[str] = []
    if sure and names:
        for name in names:
            session.ear.forget_presence(name)
        session.ear.listen(_ECHO_SECONDS, lambda: not _left(session, names))
        refused = _left(session, names)
    cleared = [name for name in names if name not in refused] if sure else []
    teller.answer({"found": names, "cleared": cleared, "refused": refused})
    if refused:
        teller.say(
            f"The broker still remembers {', '.join(refused)}. Fix: may user fleet write presence? (access list)"
        )
        return WRONG
    if names:
        teller.say(f"Forgotten: {len(cleared)}." if sure else "Nothing was changed. To have them forgotten, say --yes.")
    else:
        teller.say("Nothing to forget.")
    return FINE


def _listed(found: list[Dead], teller: Teller) -> list[Dead]:
    for each in found:
        teller.say(f"{each.instance}: no sign of life since {each.last_sign:%Y-%m-%d %H:%M} UTC")
    return found


def _left(session: Session, names: Sequence[str]) -> list[str]:
    known = {member.presence.instance for member in session.ear.heard().roster.members}
    return [name for name in names if name in known]
