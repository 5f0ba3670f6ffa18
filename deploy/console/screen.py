"""What a command prints: colours and the terminal's width on a terminal, plain whole lines anywhere else."""

import os
import shutil
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from deploy.terminal import Terminal

_DUMB = {"", "dumb"}


def screen() -> Console:
    """Standard output. Without colours where NO_COLOR says so, or TERM."""
    return Console(
        file=sys.stdout,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def width_of_terminal() -> int | None:
    """How wide standard output is; None where it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def can_repaint() -> bool:
    """Whether a whole page can be written over."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in _DUMB


def show(console: Console, lines: Iterable[Text]) -> None:
    """Prints lines as they are."""
    for line in lines:
        console.print(line, soft_wrap=True)


class Progress:
    """One line on the terminal that is gone when it is over; nothing at all where errors go to a file."""

    def __init__(self) -> None:
        self._terminal = Terminal(sys.stderr)

    def tell(self, text: str) -> None:
        """How far it has come."""
        if self._terminal.writes_over:
            self._terminal.show(text)

    def end(self) -> None:
        """Erases it."""
        self.tell("")
