"""Who listens: one TCP connection to each address and nothing said. One thread, many sockets, bounded in time."""

import contextlib
import errno
import resource
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from shared.clock import Clock

KNOCK_SECONDS = 1.1
"""A lost first packet, or a lost question for its hardware address, is sent again by the system after 1 s."""
AT_ONCE_MAX = 256
"""The system looks for at most about 1,000 neighbours at a time, and gives up on one after 3 s."""
_LOOK_SECONDS = 0.01
_ON_THE_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}
_NOBODY = {
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.EHOSTDOWN,
    errno.ETIMEDOUT,
}
_TOO_MANY_OPEN = {errno.EMFILE, errno.ENFILE}


class Door(Enum):
    """What one address came to."""

    OPEN = "open"
    SHUT = "shut"
    SILENT = "silent"
    NOT_ASKED = "not asked"
    """This machine itself could not ask: nobody knows who is there."""


@dataclass
class _Knocking:
    address: IPv4Address
    until_seconds: float


class Knocker:
    """Knocks at each address once. `step` goes on with it; `opened` is called for each that listens."""

    def __init__(
        self,
        addresses: Iterable[IPv4Address],
        port: int,
        clock: Clock,
        opened: Callable[[IPv4Address], None],
        wait_seconds: float = KNOCK_SECONDS,
    ) -> None:
        """`wait_seconds`: how long each address has to answer."""
        self.doors: dict[IPv4Address, Door] = {}
        self._left = deque(addresses)
        self._port = port
        self._clock = clock
        self._opened = opened
        self._wait_seconds = wait_seconds
        self._selector = selectors.DefaultSelector()
        # The other half is for asking those who open.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        unlimited = files == resource.RLIM_INFINITY
        self._at_once = AT_ONCE_MAX if unlimited else min(AT_ONCE_MAX, max(1, files // 2))

    def step(self) -> bool:
        """Knocks where it may, and looks who has opened. Whether there is more to do."""
        while self._left and len(self._selector.get_map()) < self._at_once and self._knock(self._left[0]):
            self._left.popleft()
        for key, _events in self._selector.select(_LOOK_SECONDS):
            knocking, door = key.data, key.fileobj
            if isinstance(door, socket.socket):
                self._settle(door, knocking, _meaning(door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
        self._give_up()
        return bool(self._left) or bool(self._selector.get_map())

    def close(self) -> None:
        """Lets go of every socket."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _knock(self, address: IPv4Address) -> bool:
        """False where it has to wait until others are done with: this machine lets us open no more."""
        try:
            door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno in _TOO_MANY_OPEN and self._selector.get_map():
                return False
            self.doors[address] = Door.NOT_ASKED
            return True
        door.setblocking(False)
        knocking = _Knocking(address, self._clock.seconds() + self._wait_seconds)
        code = door.connect_ex((str(address), self._port))
        if code in _ON_THE_WAY:
            self._selector.register(door, selectors.EVENT_WRITE, knocking)
        else:
            self._tell(door, address, _meaning(code))
        return True

    def _settle(self, door: socket.socket, knocking: _Knocking, found: Door) -> None:
        self._selector.unregister(door)
        self._tell(door, knocking.address, found)

    def _tell(self, door: socket.socket, address: IPv4Address, found: Door) -> None:
        with contextlib.suppress(OSError):
            door.close()
        self.doors[address] = found
        if found is Door.OPEN:
            self._opened(address)

    def _give_up(self) -> None:
        now = self._clock.seconds()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket) and now >= key.data.until_seconds:
                self._settle(key.fileobj, key.data, Door.SILENT)


def _meaning(code: int) -> Door:
    if code == 0:
        return Door.OPEN
    return Door.SHUT if code in _NOBODY else Door.NOT_ASKED
