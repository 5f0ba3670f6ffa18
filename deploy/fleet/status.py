"""`status`: containers, and beside them what their replicas say."""

import sys

from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.session import Session
from deploy.fleet.snapshot import Snapshot
from deploy.fleet.status_view import as_json, text, wrong

_WATCH_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[2J"  # home, and the screen erased (ECMA-48)


def status(session: Session, teller: Teller, *, watch: bool) -> int:
    """Shows it once, or over and over until Ctrl-C."""
    if not watch:
        session.hear_everybody()
        snapshot = session.look()
        _show(snapshot, teller)
        return verdict(snapshot)
    while True:
        snapshot = session.look()
        if not teller.as_json and sys.stdout.isatty():
            sys.stdout.write(_CLEAR)
        _show(snapshot, teller)
        session.ear.listen(_WATCH_SECONDS)


def _show(snapshot: Snapshot, teller: Teller) -> None:
    if teller.as_json:
        teller.answer(as_json(snapshot))
        return
    for line in text(snapshot):
        teller.say(line)


def verdict(snapshot: Snapshot) -> int:
    """2 where neither half can be seen."""
    if snapshot.heard is None and not snapshot.containers:
        return BAD_INPUT
    return WRONG if wrong(snapshot) else FINE
