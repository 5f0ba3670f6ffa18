"""Tells whoever watches over this process that its main thread still turns: the protocol of sd_notify(3).

systemd (`WatchdogSec=`) and the embedded supervisor both name their socket in NOTIFY_SOCKET.
"""

import os
import socket
from contextlib import suppress

SOCKET_VARIABLE = "NOTIFY_SOCKET"
ALIVE = b"WATCHDOG=1"


def notify_watchdog() -> None:
    """Sends one sign of life; does nothing where nobody watches. Never waits, never raises."""
    path = os.environ.get(SOCKET_VARIABLE)
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(ALIVE, address)
