"""A table of text, as wide as what stands in it. Pure."""

from collections.abc import Iterable, Sequence

_GAP = "  "


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines; what is empty shows as a dash, and nothing in it can steer a terminal."""
    cells = [tuple(head), *(tuple(_plain(cell) or "-" for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
