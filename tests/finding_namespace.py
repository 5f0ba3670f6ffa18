"""A farm in a network namespace of its own: run inside of it, it stands in for five devices and notes who is asked for.

`python -m tests.finding_namespace INTERFACE` says `up`; when its input ends it tells, as JSON, every address that
anybody asked for on the wire (ARP and IPv4), and which of the tempter's requests came.
"""

import json
import socket
import sys
from contextlib import ExitStack

from services.simulator.http import Request, Response
from services.simulator.http_server import HttpServer
from shared.loops import Loop, ThreadRunner
from tests.finding_farm import finding_farm

HOSTS = {
    "s19-20": "10.77.0.2",
    "s19-21": "10.77.0.130",
    "bitaxe-1": "10.77.0.3",
    "bitaxe-2": "10.77.0.254",
    "rig-7": "10.77.0.50",
}
TEMPTER, REFUSING, NEIGHBOUR = "10.77.0.60", "10.77.0.99", "10.77.1.5"
ADDRESSES = (*HOSTS.values(), TEMPTER, REFUSING, NEIGHBOUR)
_ALL_PROTOCOLS, _ARP, _IPV4 = 0x0003, 0x0806, 0x0800
_OUTGOING = 4


class Wiretap(Loop):
    """Notes the address that each packet coming in asks for."""

    def __init__(self, interface: str) -> None:
        self.asked: set[str] = set()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        self._socket.bind((interface, 0))
        self._socket.settimeout(0.2)

    def step(self) -> float:
        try:
            packet, (_interface, _protocol, kind, *_rest) = self._socket.recvfrom(65_536)
        except TimeoutError:
            return 0.0
        protocol = int.from_bytes(packet[12:14], "big")
        if kind != _OUTGOING and protocol == _ARP and packet[20:22] == b"\0\1":
            self.asked.add(socket.inet_ntoa(packet[38:42]))
        if kind != _OUTGOING and protocol == _IPV4:
            self.asked.add(socket.inet_ntoa(packet[30:34]))
        return 0.0

    def close(self) -> None:
        self._socket.close()


def main(interface: str) -> None:
    strayed: list[str] = []

    def neighbour(request: Request) -> Response:
        strayed.append(request.path)
        return Response()

    with ExitStack() as stack:
        runner, tap = ThreadRunner(), Wiretap(interface)
        runner.spawn("wiretap", tap)
        stack.callback(runner.stop)
        stack.enter_context(finding_farm(HOSTS, 80))
        target = f"http://{NEIGHBOUR}/api/v1/info"
        for host, handler in (
            (TEMPTER, lambda _request: Response(302, headers={"Location": target})),
            (NEIGHBOUR, neighbour),
        ):
            server = HttpServer(handler)
            server.start(host, 80)
            stack.callback(server.stop)
        sys.stdout.write("up\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"asked": sorted(tap.asked), "strayed": strayed}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
