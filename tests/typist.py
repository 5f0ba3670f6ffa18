"""Somebody at a terminal who types answers to the questions of `sunherd`."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).parents[1]


def environment(**variables: str) -> dict[str, str]:
    """That of a shell in which nothing of a farm is set."""
    kept = {key: value for key, value in os.environ.items() if not re.match("SUNHERD|HA_|MQTT_|VNISH_", key)}
    return kept | {"PYTHONPATH": str(ROOT), "TERM": "dumb"} | variables


class Typist:
    """Somebody at a terminal: waits for a question, types an answer, and counts what was typed."""

    def __init__(self, directory: Path, *arguments: str, **variables: str) -> None:
        self.said = ""
        self.asked = self.typed = 0
        self._read = 0
        master, slave = pty.openpty()
        self._terminal = master
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.console", *arguments],
            cwd=directory,
            env=environment(**variables),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def answer(self, question: str, text: str = "") -> None:
        self.wait_for(question)
        self.asked += 1
        self.typed += bool(text)
        os.write(self._terminal, f"{text}\n".encode())

    def whisper(self, question: str, text: str) -> None:
        """As somebody does who waits until letters are no longer shown: what is typed before is thrown away."""
        self.wait_for(question)
        assert eventually(lambda: not termios.tcgetattr(self._terminal)[3] & termios.ECHO, 10)
        self.answer("", text)

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in self.said[self._read :]:
            if time.monotonic() > deadline or not self._hear():
                self.process.kill()
                self.process.wait(10)
                pytest.fail(f"{words!r} was not said:\n{self.said}")
        self._read = self.said.index(words, self._read) + len(words)

    def end(self) -> int:
        while self._hear():
            pass
        os.close(self._terminal)
        return self.process.wait(30)

    def _hear(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 20)
        try:
            heard = os.read(self._terminal, 65_536) if ready else b""
        except OSError:  # the other side has hung up
            return False
        self.said += heard.decode(errors="replace")
        return bool(heard)
