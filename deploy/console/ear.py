"""Listens to a farm for a command that only shows: who it is, how to reach it, and when enough has been heard."""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from deploy.connection import Connection, newest_state
from deploy.console.given import Given
from deploy.console.line import Line
from deploy.console.reach import connection_to, owners_farm
from deploy.console.screen import Progress
from deploy.console.view.facts import FarmFacts
from deploy.console.view.picture import Hearing, Picture
from shared.bus import Received
from shared.membership import BEATS_TOLERATED
from shared.service import BEAT_SECONDS
from shared.settings import FarmFileError, FarmSettings
from shared.topics import (
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    MINER_COMMAND,
    MINER_TELEMETRY,
    PLUG_COMMAND,
    PLUG_TELEMETRY,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)

STATUS_TOPICS: tuple[Topic[Any], ...] = (
    SITE_TELEMETRY,
    EMERGENCY_STOP,
    ENGINE_EPOCH,
    MINER_TELEMETRY,
    MINER_COMMAND,
    PLUG_TELEMETRY,
    PLUG_COMMAND,
    SERVICE_PRESENCE,
)
_LOOK_SECONDS = 0.2
PATIENCE_SECONDS = BEATS_TOLERATED * BEAT_SECONDS + 0.5
"""Whoever has not been heard by then is not there."""


class Ear:
    """A line to the farm, and all that was heard on it. `on_word` is told each word as it comes."""

    def __init__(
        self,
        given: Given,
        topics: Iterable[Topic[Any]] = STATUS_TOPICS,
        on_word: Callable[[Topic[Any], Received[Any]], None] = lambda _topic, _received: None,
    ) -> None:
        """Raises TroubleError, FarmFileError, and OSError for a farm file that cannot be read."""
        connection = connection_to(given)
        self.facts = facts_of(connection, _settings(given))
        self.line = Line(connection, topics, self._heard)
        self._on_word = on_word
        self._hearing = Hearing(self.facts, self.line.clock.rate)
        self._was_up = True

    def __enter__(self) -> Self:
        """Connects. Raises TroubleError."""
        self.line.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.line.__exit__(kind, error, trace)

    def picture(self) -> Picture:
        """What has been heard up to now."""
        is_up, seconds = self.line.is_up(), self.line.clock.seconds()
        if is_up and not self._was_up:
            self._hearing.doubt(seconds)
        self._was_up = is_up
        return self._hearing.picture(self.line.clock.now(), seconds, is_connected=is_up)

    def hear_everybody(self, miners: tuple[str, ...]) -> Picture:
        """Listens until the engine and whoever tends these miners have been heard, or three beats have passed."""
        progress, began_seconds = Progress(), self.line.clock.seconds()
        looked_at_seconds = 0.0

        def is_enough() -> bool:
            nonlocal looked_at_seconds
            if self.line.clock.seconds() - looked_at_seconds < _LOOK_SECONDS:
                return False  # a large farm speaks hundreds of times a second
            picture = self.picture()
            looked_at_seconds = picture.seconds
            doubted = sum(bool(picture.doubt_of(it)) or picture.is_outlet_doubtful(it) for it in miners)
            seconds = picture.seconds - began_seconds
            if seconds > 1:
                progress.tell(
                    f"listening: {len(miners) - doubted} of {len(miners)} miners heard, "
                    f"{'an' if picture.has_engine() else 'no'} engine; {seconds:.0f} of {PATIENCE_SECONDS:.0f} s"
                )
            return doubted == 0 and picture.has_engine()

        self.line.listen(PATIENCE_SECONDS, is_enough)
        progress.end()
        return self.picture()

    def _heard(self, topic: Topic[Any], received: Received[Any]) -> None:
        self._hearing.take(topic, received, self.line.clock.seconds())
        self._on_word(topic, received)


def facts_of(connection: Connection, settings: FarmSettings | None) -> FarmFacts:
    """What is known of the farm beforehand."""
    if settings is None:
        groups: dict[str, tuple[str, ...]] = dict.fromkeys(connection.groups, ())
        return FarmFacts(connection.site, tuple(connection.miners), groups)
    return FarmFacts(
        site=connection.site,
        miners=tuple(settings.miners),
        groups={name: tuple(group.members) for name, group in settings.groups.items()},
        settings=settings,
        zone=ZoneInfo(settings.site.time_zone),
    )


def _settings(given: Given) -> FarmSettings | None:
    """The farm file's; None, and said so, where it cannot be used at present: the farm runs all the same."""
    file = _file(given)
    if file is None:
        return None
    try:
        return owners_farm(file)
    except FarmFileError as error:
        sys.stderr.write(f"{error}\nShown without what it says: groups, limits and the time zone ({UTC}).\n")
        return None


def _file(given: Given) -> Path | None:
    if given.farm is not None or given.farm_file.exists():
        return given.farm_file.absolute()
    state = newest_state()
    if state is None:
        return None
    return next((found for found in (state / "farm.yaml", state.parent / "farm.yaml") if found.is_file()), None)
