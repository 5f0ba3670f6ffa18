"""What a command that changes something needs before it may begin."""

import sys

from deploy.fleet.session import Session
from deploy.fleet.snapshot import Snapshot


def both_halves(session: Session) -> Snapshot | None:
    """Everything as it is before; None, and said why, where containers or broker cannot be seen."""
    snapshot = session.look(usage=False)
    complaint = _complaint(session, snapshot)
    if complaint is not None:
        sys.stderr.write(f"{complaint}\n")
        return None
    session.hear_everybody()
    return session.look(usage=False)


def _complaint(session: Session, snapshot: Snapshot) -> str | None:
    if snapshot.containers is None:
        return snapshot.no_docker
    if not snapshot.containers:
        project = session.engine.project if session.engine else ""
        return (
            f"There are no containers of the project {project!r}. Fix: run this in the directory of the stack, or name "
            "it: --project; `docker compose up --detach` starts it."
        )
    if snapshot.no_broker is not None:
        found = snapshot.no_broker
        needed = "Without the broker nobody can tell when ownership has settled."
        return f"{needed} {found.sentence} Fix: {found.fix}."
    return None
