"""Follows the farm file while a service runs: what is written is looked at, judged, and lived by if it is sound."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shared.inputs import Inputs, content_of, read_inputs, stamp_of
from shared.messages import Event, Number, Severity
from shared.settings import FarmFileError

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""What has been the same at two looks in a row is whole: an editor, or a copy over the network, may write by pieces."""
WRONG, RIGHT = "farm_file_wrong", "farm_file_right"
_PROBLEMS_TOLD = 10
_LINE_TOLD = 400
_MENDED = "is sound again"
EMBEDDED_VARIABLE = "SUNHERD_EMBEDDED"
"""Set by an embedded farm: it starts what is needed, has one broker for as long as it runs, and complains for all."""
FOLLOW_VARIABLE = "SUNHERD_FOLLOW"
"""`off`: the farm file is read once, at the start."""

Objection = Callable[[Inputs, Inputs], str | None]


@dataclass(frozen=True)
class News:
    """What a look has shown. All empty is never told."""

    inputs: Inputs | None = None
    """Another farm file, and sound: these hold from now on."""
    problems: tuple[str, ...] = ()
    """Why the file as it is now is not lived by."""
    is_mended: bool = False
    """It was wrong, and is sound again."""


class Follower:
    """Looks at one farm file. In one thread; `inputs` are always the last that were sound."""

    def __init__(self, path: Path, inputs: Inputs, objection: Objection = lambda _before, _after: None) -> None:
        """`objection`: what speaks against going from one to the other, although the file is sound."""
        self.inputs = inputs
        self.problems: tuple[str, ...] = ()
        """Why the file as it is now is not lived by; empty while it is."""
        self._path = path
        self._objection = objection
        self._stamp: object = None
        self._judged = inputs.content
        self._pending: str | None = None

    def look(self) -> News | None:
        """What is new since the last look; None: nothing, or not for certain yet."""
        stamp = stamp_of(self._path)
        if stamp == self._stamp and self._pending is None:
            return None
        self._stamp = stamp
        content, pending = content_of(self._path), self._pending
        if content in {self._judged, pending}:
            self._pending = None
            return None if content == self._judged else self._judge(content)
        self._pending = content
        return None

    def _judge(self, content: str) -> News | None:
        if content == self.inputs.content:
            self._judged = content
            return self._sound(None)
        problems: tuple[str, ...]
        try:
            inputs = read_inputs(self._path)
            objection = self._objection(self.inputs, inputs)
            problems = () if objection is None else (f"{self._path.name}: {objection}",)
        except FarmFileError as error:
            problems = tuple(problem.render(self._path.name) for problem in error.problems)
        except OSError as error:
            problems = (
                f"{self._path.name}: {error.strerror}. Fix: put the farm file back, and let the services read it.",
            )
        except ValueError as error:  # a secret that is no text
            problems = (f"{self._path.name}: {error}. Fix: write .env and secret files as plain text.",)
        if content_of(self._path) != content:
            self._stamp = None  # written while it was read: what was read is nothing whole
            return None
        self._judged = content
        if problems:
            self.problems = problems
            return News(problems=problems)
        return self._sound(inputs)

    def _sound(self, inputs: Inputs | None) -> News | None:
        was_wrong, self.problems = bool(self.problems), ()
        if inputs is not None:
            self.inputs = inputs
        return News(inputs, is_mended=was_wrong) if inputs is not None or was_wrong else None


def report(news: News, file: Path, *, quietly: bool = False) -> None:
    """Writes the log's line for whoever looks after the farm. `quietly`: somebody else calls out for all."""
    if news.problems:
        log.log(logging.WARNING if quietly else logging.ERROR, "%s", _complaint(news, file))
    elif news.is_mended:
        log.info("%s %s", file.name, _MENDED)


def event_of(news: News, file: Path, now: datetime) -> Event | None:
    """What a service tells of it; None where there is nothing to tell."""
    if news.problems:
        numbers: dict[str, Number] = {"problems": len(news.problems)}
        sentence = _complaint(news, file)
        return Event(at=now, code=WRONG, severity=Severity.ERROR, sentence=sentence, numbers=numbers)
    if news.is_mended:
        return Event(at=now, code=RIGHT, sentence=f"{file.name} {_MENDED}")
    return None


def _complaint(news: News, file: Path) -> str:
    count = f"{len(news.problems)} problem{'s' if len(news.problems) > 1 else ''}"
    told = " ".join(each[:_LINE_TOLD] for each in news.problems[:_PROBLEMS_TOLD])
    return f"{file.name} has {count}; all goes on by what it said before. {told}"
