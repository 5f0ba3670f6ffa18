"""One thing that happened, as `sunherd watch` tells it: the keys of `--json`, and the line for people. Pure."""

from datetime import datetime, tzinfo
from enum import StrEnum

from pydantic import AwareDatetime

from deploy.console.view.columns import Tone
from deploy.console.view.figures import printable
from deploy.console.view.seen import Shown
from shared.messages import Severity


class Kind(StrEnum):
    """What sort of thing it is."""

    DECISION = "decision"
    """The engine has decided otherwise."""
    CHANGE = "change"
    """A device, or the battery, is read to be otherwise."""
    EVENT = "event"
    """A service has told it."""
    PERSON = "person"
    """Somebody wants something."""
    PRESENCE = "presence"
    """A service has come, gone, or fallen silent; or the broker."""


class Happening(Shown):
    """One line."""

    at: AwareDatetime
    name: str
    """Of whom: a miner, a group, a service, the battery, the site."""
    kind: Kind
    sentence: str
    code: str | None = None
    severity: Severity = Severity.INFO
    by: str | None = None
    """Who wanted it, where that was a person."""


def line_of(happening: Happening, zone: tzinfo) -> str:
    """`[2026-06-21 12:00:00] [s19-20] SoC 72.9 % < 73 % → mining stopped`."""
    return f"[{_time(happening.at, zone)}] [{happening.name}] {sentence_of(happening)}"


def sentence_of(happening: Happening) -> str:
    """Its sentence, with a word for how grave it is."""
    mark = {Severity.INFO: "", Severity.WARNING: "WARNING ", Severity.ERROR: "ERROR "}[happening.severity]
    return f"{mark}{printable(happening.sentence)}"


def tone_of(happening: Happening) -> Tone:
    """The colour, where there are any."""
    if happening.severity is not Severity.INFO:
        return Tone.BAD if happening.severity is Severity.ERROR else Tone.CARE
    return {Kind.PERSON: Tone.HEAD, Kind.PRESENCE: Tone.QUIET}.get(happening.kind, Tone.PLAIN)


def _time(at: datetime, zone: tzinfo) -> str:
    try:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except OverflowError:  # at the very ends of the calendar
        return at.isoformat()
