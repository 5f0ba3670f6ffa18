"""An older Kasa device on real sockets: requests on TCP, and its answer to those who look for devices on UDP."""

import contextlib
import json
import select
import socket
import struct
from types import TracebackType
from typing import Any, Self

from services.simulator.http import Wire
from services.simulator.kasa_cipher import LENGTH_BYTES, framed, hidden, read_json, shown
from services.simulator.kasa_legacy import answered
from services.simulator.kasa_machine import KasaMachine
from shared.loops import Loop, ThreadRunner

_PIECE_BYTES = 16_384
_MESSAGE_BYTES_MAX = 100_000
_NEVER_SECONDS = 3600.0
_RESETS = struct.pack("ii", 1, 0)  # lingering for 0 s makes closing send a reset in place of an orderly end
_TRIES = 20


class KasaServer:
    """The machine on a port of this computer, for TCP and UDP, until `stop` or the end of the `with` block.

    Once started it keeps its port: `stop` and `start` are a device that dies and comes back.
    """

    def __init__(self, machine: KasaMachine, host: str = "127.0.0.1", port: int = 0) -> None:
        self._machine = machine
        self._serving: _Serving | None = None
        self._runner = ThreadRunner()
        self.host = host
        self.port = port
        """0: a free one is taken at the start, and kept."""

    def start(self) -> int:
        """Listens; returns the port. Raises OSError when the port is taken."""
        if self._serving is None:
            self._serving = _Serving(self._machine, *_doors(self.host, self.port))
            self.port = self._serving.port
            self._runner = ThreadRunner()
            self._runner.spawn(f"kasa {self.port}", self._serving)
        return self.port

    def stop(self) -> None:
        """Ends every connection, also those that wait for ever."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            serving.end()
            self._runner.stop()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return 0 if self._serving is None else self._serving.connections

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _doors(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """One for TCP and one for UDP, of the same number."""
    for tries_left in reversed(range(1 if port else _TRIES)):
        door = socket.create_server((host, port))
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            ear.bind((host, door.getsockname()[1]))
        except OSError:
            door.close()
            ear.close()
            if not tries_left:
                raise
        else:
            return door, ear
    raise AssertionError


class _Serving(Loop):
    def __init__(self, machine: KasaMachine, door: socket.socket, ear: socket.socket) -> None:
        self._machine = machine
        self._door, self._ear = door, ear
        self._ender, self._ended = socket.socketpair()
        self._heard: dict[socket.socket, bytearray] = {}
        self.port = int(door.getsockname()[1])

    @property
    def connections(self) -> int:
        return len(self._heard)

    def end(self) -> None:
        self._ender.send(b".")

    def step(self) -> float:
        """Whatever has come in meanwhile."""
        readable, _, _ = select.select([self._ended, self._door, self._ear, *self._heard], [], [], _NEVER_SECONDS)
        if self._ended in readable:
            return _NEVER_SECONDS
        for one in readable:
            if one is self._door:
                self._accept()
            elif one is self._ear:
                self._tell_seeker()
            else:
                self._hear(one)
        return 0.0

    def close(self) -> None:
        for one in [*self._heard, self._door, self._ear, self._ender, self._ended]:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._door.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._heard[connection] = bytearray()

    def _hear(self, connection: socket.socket) -> None:
        try:
            piece = connection.recv(_PIECE_BYTES)
            heard = self._heard[connection]
            heard += piece
            if not piece or len(heard) > _MESSAGE_BYTES_MAX:
                self._hang_up(connection)
                return
            while connection in self._heard and (plain := _message(heard)) is not None:
                self._answer(connection, read_json(plain))
        except OSError:
            self._hang_up(connection)

    def _answer(self, connection: socket.socket, asked: Any) -> None:
        with self._machine.lock:
            faults = self._machine.faults
            if faults.wire is Wire.SILENCE:
                return
            if faults.wire is Wire.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                self._hang_up(connection)
                return
            told = json.dumps(answered(self._machine, asked)).encode() if faults.garbage is None else faults.garbage
            half, seconds = faults.wire is Wire.HALF, faults.slow_seconds
            if faults.mute_relay and "set_relay_state" in str(asked):
                return
        if seconds:
            select.select([self._ended], [], [], seconds)
        whole = framed(told)
        connection.sendall(whole[: LENGTH_BYTES + len(told) // 2] if half else whole)
        if half:
            self._hang_up(connection)

    def _tell_seeker(self) -> None:
        with contextlib.suppress(OSError):
            datagram, seeker = self._ear.recvfrom(_PIECE_BYTES)
            with self._machine.lock:
                if self._machine.faults.wire is not Wire.WHOLE:
                    return
                asked = read_json(shown(datagram))
                if isinstance(asked, dict):
                    told = json.dumps(answered(self._machine, asked)).encode()
                    self._ear.sendto(hidden(told), seeker)

    def _hang_up(self, connection: socket.socket) -> None:
        self._heard.pop(connection, None)
        connection.close()


def _message(heard: bytearray) -> bytes | None:
    """Takes one message out of what was heard; None while it is not whole."""
    if len(heard) < LENGTH_BYTES:
        return None
    end = LENGTH_BYTES + int.from_bytes(heard[:LENGTH_BYTES], "big")
    if len(heard) < end:
        return None
    plain = shown(bytes(heard[LENGTH_BYTES:end]))
    del heard[:end]
    return plain
