"""Whom a command is about, as people write it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from deploy.connection import Connection
from deploy.console.trouble import TroubleError
from shared.duration import parse_duration
from shared.settings.problems import did_you_mean


@dataclass(frozen=True)
class Target:
    """A miner, or a group of them."""

    name: str
    is_group: bool = False


def targets_of(names: Sequence[str], farm: Connection, *, groups: bool = True) -> list[Target]:
    """Each once, in the order in which they were said. Raises TroubleError, which names all that are unknown."""
    known = [*farm.miners, *(farm.groups if groups else ())]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    kind = "neither a miner nor a group" if groups else "no miner"
    if unknown:
        complaints = [f"{name} is {kind}{did_you_mean(name, known)}." for name in unknown]
        message = f"{' '.join(complaints)} Fix: name one of {', '.join(known) or 'none: the farm file has no miners'}."
        raise TroubleError(message)
    if not names:
        message = f"Nobody was named. Fix: name one or more of {', '.join(known)}."
        raise TroubleError(message)
    return [Target(name, name in farm.groups) for name in dict.fromkeys(names)]


def last_word(words: Sequence[str], allowed: Collection[str], what: str) -> tuple[list[str], str]:
    """Names, and the one word that stands after them. Raises TroubleError."""
    *names, word = words
    if word not in allowed:
        message = f"{word} is no {what}{did_you_mean(word, allowed)}. Fix: end with one of {', '.join(allowed)}."
        raise TroubleError(message)
    return names, word


def lasting(text: str | None) -> timedelta | None:
    """A duration above 0 as people write it; None where none was said. Raises TroubleError."""
    if text is None:
        return None
    try:
        duration = parse_duration(text)
    except ValueError as error:
        message = f"--for {text}: {error}. Fix: write it like --for 2h."
        raise TroubleError(message) from error
    if not duration:
        message = f"--for {text} is no time at all. Fix: write how long, such as --for 2h; leave it out for no end."
        raise TroubleError(message)
    return duration
