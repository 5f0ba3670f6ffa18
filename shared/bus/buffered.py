"""A socket that reads ahead: one call to the system for all that has come."""

import socket

from shared.bus.publish import Publish, puback_at, publish_at

_READ_BYTES = 65_536


class BufferedSocket(socket.socket):
    """Asks the system for all that has come, and hands it out piece by piece. One thread may read."""

    def __init__(self, opened: socket.socket) -> None:
        super().__init__(fileno=opened.detach())
        self._read = b""
        self._taken = 0

    def pending(self) -> int:
        """The bytes that have been read from the system and not yet taken; paho asks TLS sockets the same."""
        return len(self._read) - self._taken

    def recv(self, size: int, flags: int = 0) -> bytes:
        self._fill(flags)
        piece = self._read[self._taken : self._taken + size]
        self._taken += len(piece)
        return piece

    def take_publish(self, *, version_5: bool) -> Publish | None:
        """The next packet, if it is a whole PUBLISH. Raises OSError as `recv` does."""
        self._fill()
        found = publish_at(self._read, self._taken, version_5=version_5)
        if found is not None:
            self._taken = found.end
        return found

    def take_puback(self) -> int | None:
        """What the next packet acknowledges, if it is a whole PUBACK that has been read already."""
        found = puback_at(self._read, self._taken)
        if found is None:
            return None
        mid, self._taken = found
        return mid

    def _fill(self, flags: int = 0) -> None:
        if self._taken == len(self._read):
            self._read, self._taken = super().recv(_READ_BYTES, flags), 0
