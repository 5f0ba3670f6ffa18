"""Runs `sunherd watch`: a line for each thing that happens, until Ctrl-C."""

import sys
from datetime import timedelta
from typing import Any

from rich.text import Text

from deploy.console.ear import STATUS_TOPICS, Ear
from deploy.console.given import Given
from deploy.console.names import checked
from deploy.console.said import write_down
from deploy.console.screen import screen, show
from deploy.console.trouble import TroubleError
from deploy.console.view.facts import FarmFacts
from deploy.console.view.happening import Happening, Kind, line_of, sentence_of, tone_of
from deploy.console.view.happenings import HEARD, REMEMBERED, Happenings, Tally
from deploy.console.view.look import farm_seen
from deploy.console.view.silences import Silences
from deploy.console.view.totals import total_line
from services.policy_engine.wording import span
from shared.bus import Received
from shared.duration import parse_duration
from shared.messages import Severity
from shared.topics import Topic

_LOOK_SECONDS = 1.0
_SHORTEST_SECONDS = 1.0
_BROKER = "broker"
_BIT_BY_BIT = {Kind.DECISION, Kind.CHANGE}
"""What --events leaves out."""


def run_watch(given: Given, names: list[str] | None, *, as_json: bool, only_events: bool, total_every: str) -> int:
    """The exit code. Raises TroubleError, FarmFileError, and OSError for a farm file that cannot be read."""
    watcher = Watcher(_seconds(total_every), as_json=as_json, only_events=only_events)
    ear = Ear(given, (*STATUS_TOPICS, *REMEMBERED, *HEARD), watcher.heard)
    watcher.attend(ear, checked(names, ear.facts.miners, tuple(ear.facts.groups)))
    with ear:
        watcher.begin()
        try:
            while True:
                ear.line.listen(_LOOK_SECONDS)
                watcher.look()
        except KeyboardInterrupt:
            watcher.end()
    return 0


class Watcher:
    """Prints what happens to those who are watched."""

    def __init__(self, total_every_seconds: float, *, as_json: bool, only_events: bool) -> None:
        self._total_every_seconds = total_every_seconds
        self._as_json = as_json
        self._only_events = only_events
        self._screen = screen()
        self._tally = Tally()
        self._silences = Silences()
        self._has_begun = False
        self._was_up = True
        self._total_at_seconds = 0.0
        self._began_seconds = 0.0

    def attend(self, ear: Ear, names: tuple[str, ...]) -> None:
        """Whose words these are, and who is watched; nobody named: everything."""
        self._ear = ear
        self._names = names
        self._watched = _watched(ear.facts, names)
        self._happenings = Happenings(ear.facts)

    def heard(self, topic: Topic[Any], received: Received[Any]) -> None:
        """A word. What the broker remembers at the beginning has not happened now."""
        if not self._has_begun and received.retained:
            self._happenings.remember(topic, received)
            return
        seconds = None if received.retained else self._ear.line.clock.seconds()
        for happening in self._happenings.take(topic, received, seconds):
            self._tell(happening)

    def begin(self) -> None:
        """The memory has arrived: from now on things happen."""
        self._has_begun = True
        self._began_seconds = self._total_at_seconds = self._ear.line.clock.seconds()
        if not self._as_json:
            who = ", ".join(self._names) if self._names else f"{len(self._ear.facts.miners)} miners"
            self._print(Text(f"Watching {who}; Ctrl-C ends it.", style="dim"))

    def look(self) -> None:
        """What silence tells: of services, and of the broker."""
        picture = self._ear.picture()
        if picture.is_connected != self._was_up:
            self._was_up = picture.is_connected
            told = ("is reached again", Severity.INFO) if self._was_up else ("is lost; trying on", Severity.ERROR)
            self._tell(Happening(at=picture.now, name=_BROKER, kind=Kind.PRESENCE, sentence=told[0], severity=told[1]))
        for happening in self._silences.look(picture):
            self._tell(happening)
        if picture.seconds - self._total_at_seconds >= self._total_every_seconds:
            self._total_at_seconds = picture.seconds
            write_down(total_line(farm_seen(picture, self._names).total))

    def end(self) -> None:
        """The summary."""
        lasted = span(timedelta(seconds=self._ear.line.clock.seconds() - self._began_seconds))
        summary = self._tally.summary(lasted)
        write_down(total_line(farm_seen(self._ear.picture(), self._names).total))
        write_down(summary)
        if not self._as_json:
            self._print(Text(f"\n{summary}", style="dim"))

    def _tell(self, happening: Happening) -> None:
        if self._watched is not None and happening.name not in self._watched:
            return
        if self._only_events and happening.kind in _BIT_BY_BIT:
            return
        self._tally.count(happening)
        write_down(sentence_of(happening), happening.name)
        if self._as_json:
            sys.stdout.write(f"{happening.model_dump_json()}\n")
            sys.stdout.flush()
        else:
            line = line_of(happening, self._ear.facts.zone)
            self._print(Text(line, style=tone_of(happening).value))

    def _print(self, line: Text) -> None:
        show(self._screen, [line])
        sys.stdout.flush()


def _watched(facts: FarmFacts, names: tuple[str, ...]) -> frozenset[str] | None:
    """Whose lines are shown: those named, their groups and plugs, and what concerns the whole site. None: all."""
    if not names:
        return None
    miners = facts.members_of(names)
    groups = [group for miner in miners for group in facts.groups_of(miner)]
    return frozenset({*names, *miners, *groups, *(f"plug of {miner}" for miner in miners), _BROKER, "site"})


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text).total_seconds()
    except ValueError as error:
        message = f"--total-every: {error}. Fix: such as 5min."
        raise TroubleError(message) from error
    if seconds < _SHORTEST_SECONDS:
        message = f"--total-every {text} is too short. Fix: give at least {_SHORTEST_SECONDS:g} s, such as 5min."
        raise TroubleError(message)
    return seconds
