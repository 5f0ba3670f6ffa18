"""The terminal of an embedded farm: lines that stay, and below them one that is written over."""

import os
import shutil
from typing import TextIO

_BEGINNING = "\r\x1b[2K"  # back to the first column, and the line erased (ECMA-48)
_DUMB = {"", "dumb"}


class Terminal:
    """Where nobody can write over a line (a file, a pipe), everything is a line of its own."""

    def __init__(self, out: TextIO) -> None:
        self.writes_over = out.isatty() and os.environ.get("TERM", "") not in _DUMB
        self._out = out
        self._status = ""

    def say(self, line: str) -> None:
        """A line that stays."""
        self._write(f"{_plain(line)}\n")

    def show(self, status: str) -> None:
        """The line that is written over by the next one."""
        if self.writes_over:
            self._status = _clipped(_plain(status))
            self._write("")
        else:
            self.say(status)

    def _write(self, text: str) -> None:
        self._out.write(f"{_BEGINNING}{text}{self._status}" if self.writes_over else text)
        self._out.flush()

    def close(self) -> None:
        """Lets the last status stand."""
        if self._status:
            self._status = ""
            self._out.write("\n")
            self._out.flush()


def _plain(text: str) -> str:
    """What devices say must not steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _clipped(text: str) -> str:
    """As much as fits into one line: what is wrapped could not be erased."""
    columns = shutil.get_terminal_size().columns
    return text if len(text) < columns else f"{text[: columns - 2]}…"
