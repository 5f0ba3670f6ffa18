"""A look at the other end of a connection: the socket that a broker, another process, has accepted."""

import ctypes
import os
import socket
from contextlib import closing
from pathlib import Path

_PIDFD_GETFD = 438
"""The number of the system call on every architecture since Linux 5.6; Python has no name for it."""


class KernelForbidsError(OSError):
    """This kernel, or the container we are in, does not let us duplicate another process's sockets."""


def accepted_option(broker_pid: int, client: socket.socket, level: int, option: int) -> int:
    """An option of the socket by which a process talks to `client`. Raises KernelForbidsError and LookupError."""
    wanted = client.getsockname()
    for number in _sockets_of(broker_pid):
        with closing(_duplicate(broker_pid, number)) as other:
            try:
                found = other.getpeername() == wanted
            except OSError:  # it listens, or is of another kind
                continue
            if found:
                return other.getsockopt(level, option)
    message = f"process {broker_pid} has no socket to {wanted}"
    raise LookupError(message)


def _sockets_of(pid: int) -> list[int]:
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError as error:
        raise KernelForbidsError(error.errno, f"{error.filename}: {error.strerror}") from error
    return [int(link.name) for link in links if str(link.readlink()).startswith("socket:")]


def _duplicate(pid: int, number: int) -> socket.socket:
    if not hasattr(os, "pidfd_open"):
        message = "only Linux can duplicate another process's socket"
        raise KernelForbidsError(message)
    try:
        process = os.pidfd_open(pid)
    except OSError as error:
        raise KernelForbidsError(error.errno, f"pidfd_open: {error.strerror}") from error
    try:
        system = ctypes.CDLL(None, use_errno=True)
        found = system.syscall(_PIDFD_GETFD, process, number, 0)
    finally:
        os.close(process)
    if found < 0:
        raise KernelForbidsError(ctypes.get_errno(), f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=found)
