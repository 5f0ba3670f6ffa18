"""A man in the middle for each replica, between it and the broker: `python -m tests.chaos.middlemen`.

The argument is the broker's port and the names of the replicas; the first line on stdout tells the port of each. A line
of JSON on stdin says how one of them behaves from now on, `{"whom": ..., "manner": ...}`. Ends with stdin. All on
loopback.
"""

import asyncio
import json
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

HOST = "127.0.0.1"
_PIECE_BYTES = 16_384
_SLOW_SECONDS = 0.4
_RESET = struct.pack("ii", 1, 0)
"""Lingering for 0 s makes closing send a reset in place of an orderly end."""


class Manner(StrEnum):
    """How a man in the middle behaves."""

    OPEN = "open"
    CUT = "cut"
    HOLD = "hold"
    HOLD_UP = "hold_up"
    """Nothing from the replica to the broker."""
    HOLD_DOWN = "hold_down"
    SLOW = "slow"


_HELD = {"up": {Manner.HOLD, Manner.HOLD_UP}, "down": {Manner.HOLD, Manner.HOLD_DOWN}}


@dataclass
class Middleman:
    """One replica's way to the broker. Bytes that are held come through at the end, as TCP sends them again."""

    broker_port: int
    manner: Manner = Manner.OPEN
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def behave(self, manner: Manner) -> None:
        self.manner = manner
        self._changed.set()
        self._changed = asyncio.Event()
        if manner is Manner.CUT:
            for writer in list(self._writers):
                _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the replica, until either side ends it."""
        self._writers.add(writer)
        try:
            if self.manner is Manner.CUT:
                _reset(writer)
                return
            await self._passable("up")
            there_reader, there_writer = await asyncio.open_connection(HOST, self.broker_port)
            self._writers.add(there_writer)
            try:
                await self._both(reader, writer, there_reader, there_writer)
            finally:
                self._writers.discard(there_writer)
                _reset(there_writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side is gone; the other is told by the reset below
        finally:
            self._writers.discard(writer)
            _reset(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there_reader: asyncio.StreamReader,
        there_writer: asyncio.StreamWriter,
    ) -> None:
        ways = {
            asyncio.create_task(self._pump("up", reader, there_writer)),
            asyncio.create_task(self._pump("down", there_reader, writer)),
        }
        _done, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in left:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(_PIECE_BYTES):
            # In a black hole the end of one side does not come through either: it is looked for only afterwards.
            await self._passable(way)
            if self.manner is Manner.SLOW:
                await asyncio.sleep(_SLOW_SECONDS)
            sink.write(piece)
            await sink.drain()
        await self._passable(way)

    async def _passable(self, way: str) -> None:
        while self.manner in _HELD[way]:
            await self._changed.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    opened = writer.get_extra_info("socket")
    if opened is not None:
        with suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError, RuntimeError):
        writer.transport.abort()


async def _main(broker_port: int, names: list[str]) -> None:
    middlemen = {name: Middleman(broker_port) for name in names}
    servers = [await asyncio.start_server(one.serve, HOST, 0) for one in middlemen.values()]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(json.dumps(dict(zip(names, ports, strict=True))) + "\n")
    sys.stdout.flush()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        middlemen[order["whom"]].behave(Manner(order["manner"]))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2:]))
