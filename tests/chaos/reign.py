"""The rules of being in charge: one engine writes, no device obeys an old one, and the next one is quick. Pure."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.causes import Broken, Causes, told_of
from tests.chaos.plan import ENGINE

OBEYED, ONE_WRITER, REWRITTEN = (
    "no device obeys an epoch below the one that it obeyed before",
    "exactly one engine writes commands at a time",
    "what an engine of the past writes is overwritten",
)
LED = "no lease runs out while there is an engine"
TAKEOVER = "another engine is active soon after the presence of the active one ends"
_LED = "command"


@dataclass(frozen=True)
class Takeover:
    """From one engine to the next. `ended`: when the presence of the old one did."""

    old: str
    ended: float
    new: str
    began: float

    @property
    def seconds(self) -> float:
        return self.began - self.ended


def obeyed(causes: Causes) -> Iterator[Broken]:
    """Per device, the epoch that it follows never goes back, unless lease and grace have passed without a word."""
    forgets = causes.times.alone
    for device in causes.history.cast.miners:
        highest, by, heard_at = -1, "", float("-inf")
        for told in causes.fresh[device]:
            if told.following != _LED or told.epoch is None:
                continue
            if told.epoch < highest and told.at - heard_at <= forgets:
                sentence = (
                    f"{device} follows epoch {told.epoch} (told by {told.by} at {told.at:.1f} s) after epoch {highest} "
                    f"(told by {by} until {heard_at:.1f} s)"
                )
                yield Broken(OBEYED, told.at, device, sentence)
            if told.epoch >= highest or told.at - heard_at > forgets:
                highest, by, heard_at = told.epoch, told.by, told.at


def writers(causes: Causes) -> Iterator[Broken]:
    """A command below the highest epoch needs a cause, and does not stand for long."""
    times, highest, of = causes.times, -1, ""
    live = [one for one in causes.history.ordered if not one.retained]
    higher_at: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for one in live:
        higher_at[one.device].append((one.at, one.epoch))
    for one in live:
        if (one.epoch, one.engine) == (highest, of) or one.epoch > highest:
            highest, of = one.epoch, one.engine
            continue
        if one.at < 0:
            continue
        said = f"{one.engine} commands {one.device} under epoch {one.epoch} at {one.at:.1f} s, while {of} has {highest}"
        troubles = causes.near(one.at - times.untended, one.at, causes.history.cast.replicas[ENGINE])
        if not troubles:
            yield Broken(ONE_WRITER, one.at, one.device, f"{said}; nothing that happened explains it")
            continue
        until = one.at + times.takeover + times.margin
        if any(one.at < at <= until and epoch >= highest for at, epoch in higher_at[one.device]):
            continue
        later = causes.near(one.at, until, causes.history.cast.replicas[ENGINE])
        if not [trouble for trouble in later if trouble.begins <= until and trouble.ends >= one.at]:
            yield Broken(REWRITTEN, one.at, one.device, f"{said}, and this stands until {until:.1f} s")


def led(causes: Causes) -> Iterator[Broken]:
    """From the first moment at which an engine and the broker are well, each miner has a command within one lease."""
    lease, ended = causes.times.lease, causes.history.ended
    heard: dict[str, list[float]] = {device: [0.0] for device in causes.history.cast.miners}
    for one in causes.history.ordered:
        if not one.retained and 0 < one.at < ended and one.device in heard:
            heard[one.device].append(one.at)
    for device, times in heard.items():
        for before, after in itertools.pairwise([*times, ended]):
            if after - before <= lease + causes.times.margin:
                continue
            by = causes.first_calm(before, lease, causes.of_engine) + lease + causes.times.margin
            if after > by:
                troubles = told_of(causes.near(before, after, causes.history.cast.replicas[ENGINE]))
                sentence = f"{device} gets no command from {before:.1f} to {after:.1f} s; by {by:.1f} s one was due"
                yield Broken(LED, before, device, f"{sentence} ({troubles})")


def takeovers(causes: Causes) -> list[Takeover]:
    """Every time that another engine has come into charge."""
    found: list[Takeover] = []
    epoch, engine = -1, ""
    for one in causes.history.proclaimed:
        if one.retained or one.epoch <= epoch:
            continue
        if engine not in {"", one.engine} and one.at >= 0:
            found.append(Takeover(engine, presence_ended(causes, engine, one.at), one.engine, one.at))
        epoch, engine = one.epoch, one.engine
    return found


def presence_ended(causes: Causes, engine: str, before: float) -> float:
    """When the presence of an engine ended: its will or farewell, else three beats after its last beat.

    Who was killed may be there again before another has taken over: its end of a moment ago is what counts.
    """
    patience = causes.times.beat * causes.times.beats
    last_online, ended, was_online = before - patience, float("-inf"), True
    for beat in causes.history.beats:
        if beat.instance != engine or beat.at >= before or beat.retained:
            continue
        if beat.online:
            last_online = beat.at
        elif was_online:  # the first of a row: a will may be followed by the farewell of the same end
            ended = beat.at
        was_online = beat.online
    recent = ended >= before - patience - causes.times.takeover
    return ended if recent or not was_online else last_online + patience


def late_takeovers(causes: Causes) -> Iterator[Broken]:
    """Within the bound, where another engine was there and well."""
    engines = causes.history.cast.replicas[ENGINE]
    if len(engines) == 1:
        return
    bound = causes.times.takeover + 1.0
    for one in takeovers(causes):
        others = [name for name in engines if name != one.old]
        troubles = causes.near(one.ended, one.began, others)
        if one.seconds > bound and not troubles:
            sentence = (
                f"{one.new} is active at {one.began:.1f} s, {one.seconds:.1f} s after the presence of {one.old} ended"
            )
            yield Broken(TAKEOVER, one.began, one.new, sentence)
        own = causes.near(one.ended, one.began, engines)
        if one.seconds < 0 and not own:
            sentence = f"{one.new} takes over from {one.old} at {one.began:.1f} s, which is there ({told_of(own)})"
            yield Broken(TAKEOVER, one.began, one.new, sentence)
    yield from _nobody(causes)


def _nobody(causes: Causes) -> Iterator[Broken]:
    """At the end somebody is in charge, and is there."""
    ended = causes.history.ended
    live = [one for one in causes.history.proclaimed if not one.retained]
    last = max(live, key=lambda one: one.epoch, default=None)
    if last is None or presence_ended(causes, last.engine, ended) < ended - causes.times.takeover:
        yield Broken(TAKEOVER, ended, last.engine if last else "", "at the end no engine is in charge")
