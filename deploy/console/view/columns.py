"""A table that fits: columns give way by their rank, and the last one takes what is left. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rich.cells import cell_len, set_cell_size
from rich.text import Text

_GAP = "  "
_ELLIPSIS = "…"
_LAST_AT_LEAST = 24
"""Columns give way until the last one has so much or all that it needs, or there are none left that may."""


class Tone(StrEnum):
    """How something is coloured where there are colours. Words say the same."""

    PLAIN = ""
    GOOD = "green"
    QUIET = "dim"
    CARE = "yellow"
    BAD = "bold red"
    HEAD = "bold"


@dataclass(frozen=True)
class Cell:
    """What stands in one place."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Column:
    """One column, the last of a table excepted: as wide as what stands in it."""

    title: str
    cells: Sequence[Cell]
    is_number: bool = False
    gives_way: int = 0
    """The one with the highest rank goes first; 0 stays."""

    @cached_property
    def width(self) -> int:
        """In columns of the terminal."""
        return max(cell_len(text) for text in (self.title, *(cell.text for cell in self.cells)))


def fitting(columns: Sequence[Column], last: Column, width: int | None) -> list[Text]:
    """Head and rows. `width` None: nothing gives way and nothing is cut, as for a file or a pipe."""
    kept = list(columns)
    needed = min(last.width, _LAST_AT_LEAST)
    while width is not None and _left(kept, width) < needed:
        willing = max(kept, key=lambda column: column.gives_way, default=None)
        if willing is None or not willing.gives_way:
            break
        kept.remove(willing)
    room = None if width is None else _left(kept, width)
    head = _row([(column, Cell(column.title, Tone.HEAD)) for column in kept], Cell(last.title, Tone.HEAD), room)
    rows = [
        _row([(column, column.cells[index]) for column in kept], cell, room) for index, cell in enumerate(last.cells)
    ]
    return [line if width is None else clipped(line, width) for line in (head, *rows)]


def clipped(line: Text, width: int) -> Text:
    """As much of a line as fits."""
    if cell_len(line.plain) <= width:
        return line
    short = line.copy()
    short.truncate(max(1, width), overflow="ellipsis")
    return short


def _left(kept: Sequence[Column], width: int) -> int:
    return width - sum(column.width + len(_GAP) for column in kept)


def _row(cells: Sequence[tuple[Column, Cell]], last: Cell, room: int | None) -> Text:
    line = Text()
    for column, cell in cells:
        filler = " " * (column.width - cell_len(cell.text))
        before, after = (filler, "") if column.is_number else ("", filler)
        line.append(before).append(cell.text, style=cell.tone.value).append(after + _GAP)
    if room is None or room > 0:
        line.append(_cut(last.text, room), style=last.tone.value)
    line.rstrip()
    return line


def _cut(text: str, room: int | None) -> str:
    if room is None or cell_len(text) <= room:
        return text
    return set_cell_size(text, room - 1).rstrip() + _ELLIPSIS
