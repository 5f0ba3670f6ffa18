"""One figure of the bench: what was measured, beside what it is meant to be and what the sequential loop takes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_SMALL = 0.1
_NUMBERS = range(1, 6)
"""The columns that stand to the right."""


@dataclass(frozen=True)
class Figure:
    """`value`, `target` and `sequential` have the same unit. A value of None was not measured; `note` says why."""

    what: str
    n: int | None
    value: float | None
    unit: str
    target: float | None
    """None: told beside the others, without a target."""
    sequential: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as long the one after another takes."""
        return None if self.value is None or self.sequential is None else self.sequential / self.value

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.value is None:
            return "NOT MEASURED"
        if self.target is None:
            return ""
        return "met" if self.value <= self.target else "MISSED"

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def table(figures: Sequence[Figure]) -> str:
    """One line for each."""
    head = ("what", "N", "Sunherd", "sequential", "ratio", "target", "", "")
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip() + "\n"


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        "" if figure.n is None else str(figure.n),
        _text(figure.value, figure.unit),
        _text(figure.sequential, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.0f}",
        "" if figure.target is None else f"<= {figure.target:g} {figure.unit}",
        figure.verdict,
        figure.note,
    )


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.3f} {unit}" if value < _SMALL else f"{value:.2f} {unit}"
