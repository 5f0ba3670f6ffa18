"""The supervisor's end of the watchdog: one socket per child, and how long that child has been silent."""

import socket
from contextlib import suppress
from multiprocessing.util import register_after_fork
from pathlib import Path

LONGEST_LOOK_SECONDS = 1.0
_DATAGRAM_BYTES = 256


class Pulse:
    """Silence is counted only while the supervisor itself looks: a laptop that was asleep has frozen nobody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.silent_seconds = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        # A fork would keep the sockets of its brothers open for as long as it lives.
        register_after_fork(self._socket, socket.socket.close)

    def look(self, elapsed_seconds: float) -> None:
        """Takes in what has come since the last look, so many seconds ago."""
        self.silent_seconds += min(elapsed_seconds, LONGEST_LOOK_SECONDS)
        with suppress(BlockingIOError):
            while self._socket.recv(_DATAGRAM_BYTES):
                self.silent_seconds = 0.0

    def close(self) -> None:
        """Gives the socket and its name back."""
        self._socket.close()
        self.path.unlink(missing_ok=True)
