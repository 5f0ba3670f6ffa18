"""Many slow miners in a process of their own, with one thread for all: `python -m tests.bench.stand_ins`.

What is measured must not share its interpreter with what it is measured by, and a thread per connection would make a
thousand stand-ins cost more than the farm. Orders come as lines of JSON on stdin, and each is answered with one line.
"""

import argparse
import heapq
import itertools
import json
import os
import selectors
import socket
import sys
from dataclasses import dataclass, field
from typing import Any

from services.simulator.http import Request, Response
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock

_HEAD_END = b"\r\n\r\n"
_PIECE_BYTES = 65_536
_BACKLOG = 8


@dataclass
class SlowMiner:
    """One stand-in, and when its stop came in."""

    miner: VnishStandIn
    silent: bool = False
    stopped_at: float | None = None
    requests_before_stop: int = 0
    """Control and monitoring requests since the last order to forget."""
    refused_unlocks: int = 0
    readings: int = 0
    """How often `/summary` was asked for: once in each reading."""
    requests: int = 0


@dataclass(eq=False)
class Wire:
    """One open connection."""

    socket: socket.socket
    miner: SlowMiner
    heard: bytearray = field(default_factory=bytearray)


class StandIns:
    """All of them behind one selector. Answers leave when their time has come; receiving never waits for that."""

    def __init__(self, count: int, answer_seconds: float) -> None:
        self.clock = SystemClock()
        self.miners = [SlowMiner(VnishStandIn("1.2.6", clock=self.clock)) for _ in range(count)]
        self.ports: list[int] = []
        self._answer_seconds = answer_seconds
        self._selector = selectors.DefaultSelector()
        self._answers: list[tuple[float, int, Wire, bytes]] = []
        self._numbers = itertools.count()
        self._orders = bytearray()
        for one in self.miners:
            door = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
            door.setblocking(False)
            self.ports.append(int(door.getsockname()[1]))
            self._selector.register(door, selectors.EVENT_READ, one)
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)

    def run(self) -> None:
        """Serves until stdin ends."""
        _say({"ports": self.ports})
        while True:
            wait = max(0.0, self._answers[0][0] - self.clock.seconds()) if self._answers else None
            for key, _ in self._selector.select(wait):
                if key.data is None:
                    if not self._ordered():
                        return
                elif isinstance(key.data, Wire):
                    self._hear(key.data)
                else:
                    self._accept(key.fileobj, key.data)
            self._answer_due()

    # --- orders

    def _ordered(self) -> bool:
        piece = os.read(sys.stdin.fileno(), _PIECE_BYTES)
        self._orders += piece
        while b"\n" in self._orders:
            line, _, self._orders = self._orders.partition(b"\n")
            self._obey(json.loads(line))
        return bool(piece)

    def _obey(self, order: dict[str, Any]) -> None:
        """`forget` what was heard, make so many `silent`, and tell how things stand."""
        if order.get("forget"):
            for one in self.miners:
                one.stopped_at, one.requests_before_stop = None, 0
        silent = order.get("silent")
        if silent is not None:
            for index, one in enumerate(self.miners):
                one.silent = index < silent
        usage = os.times()
        _say(
            {
                "stopped_at": [one.stopped_at for one in self.miners],
                "requests_before_stop": [one.requests_before_stop for one in self.miners],
                "hashing": sum(one.miner.hashing for one in self.miners),
                "refused_unlocks": sum(one.refused_unlocks for one in self.miners),
                "readings": sum(one.readings for one in self.miners),
                "requests": sum(one.requests for one in self.miners),
                "cpu_seconds": usage.user + usage.system,
            }
        )

    # --- the wire

    def _accept(self, door: Any, miner: SlowMiner) -> None:
        accepted, _ = door.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(accepted, selectors.EVENT_READ, Wire(accepted, miner))

    def _hear(self, wire: Wire) -> None:
        try:
            piece = wire.socket.recv(_PIECE_BYTES)
        except ConnectionError:
            piece = b""
        if not piece:
            self._selector.unregister(wire.socket)
            wire.socket.close()
            return
        wire.heard += piece
        while (request := _request(wire.heard)) is not None:
            self._handle(wire, request)

    def _handle(self, wire: Wire, request: Request) -> None:
        one = wire.miner
        one.requests += 1
        one.readings += request.path.endswith("/summary")
        if one.stopped_at is None:
            if request.path.endswith("/mining/stop"):
                one.stopped_at = self.clock.seconds()
            else:
                one.requests_before_stop += 1
        if one.silent:
            return
        answer = one.miner.handle(request)
        one.refused_unlocks += request.path.endswith("/unlock") and answer.status != 200
        at = self.clock.seconds() + self._answer_seconds
        heapq.heappush(self._answers, (at, next(self._numbers), wire, _bytes(answer)))

    def _answer_due(self) -> None:
        now = self.clock.seconds()
        while self._answers and self._answers[0][0] <= now:
            _, _, wire, answer = heapq.heappop(self._answers)
            try:
                wire.socket.sendall(answer)
            except OSError:
                continue  # hung up; reading from it will tell


def _request(heard: bytearray) -> Request | None:
    """Takes the first whole request out of what was heard; None while it is not whole."""
    end = heard.find(_HEAD_END)
    if end < 0:
        return None
    first, *lines = heard[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body_end = end + len(_HEAD_END) + int(headers.get("content-length") or 0)
    if len(heard) < body_end:
        return None
    body = bytes(heard[end + len(_HEAD_END) : body_end])
    del heard[:body_end]
    method, path, _ = first.split(" ")
    return Request(method, path, headers=headers, body=body)


def _bytes(answer: Response) -> bytes:
    head = f"HTTP/1.1 {answer.status} -\r\nContent-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}"
    return head.encode() + _HEAD_END + answer.body


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stand_ins", description=__doc__)
    parser.add_argument("count", type=int, help="how many miners")
    parser.add_argument("answer_seconds", type=float, help="how long each takes for an answer")
    options = parser.parse_args()
    StandIns(options.count, options.answer_seconds).run()


if __name__ == "__main__":
    main()
