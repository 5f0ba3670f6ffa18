"""What a Kasa device with an account answers to those who look for devices on UDP: where its web server is."""

import contextlib
import json
import select
import socket
import struct
import zlib
from collections.abc import Callable

from services.simulator.kasa_machine import KasaMachine
from shared.loops import Loop, ThreadRunner

DISCOVERY_PORT = 20_002
_HEADER = ">BBHHBBII"
_HEADER_BYTES = struct.calcsize(_HEADER)
_VERSION, _PROBE, _FLAGS = 2, 1, 17
_DATAGRAM_BYTES = 16_384
_NEVER_SECONDS = 3600.0

Answer = Callable[[], bytes | None]
"""What is told now; None: nothing."""


class Ear:
    """Listens for probes at one address, until `stop`."""

    def __init__(self, answer: Answer, host: str, port: int = DISCOVERY_PORT) -> None:
        self._answer = answer
        self._address = (host, port)
        self._listening: _Listening | None = None
        self._runner = ThreadRunner()

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._listening = _Listening(self._answer, self._address)
        self._runner = ThreadRunner()
        self._runner.spawn("kasa ear", self._listening)

    def stop(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.end()
            self._runner.stop()


class _Listening(Loop):
    def __init__(self, answer: Answer, address: tuple[str, int]) -> None:
        self._answer = answer
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._ear.bind(address)
        except OSError:
            self._ear.close()
            raise
        self._ender, self._ended = socket.socketpair()

    def end(self) -> None:
        self._ender.send(b".")

    def step(self) -> float:
        readable, _, _ = select.select([self._ended, self._ear], [], [], _NEVER_SECONDS)
        if self._ended in readable:
            return _NEVER_SECONDS
        with contextlib.suppress(OSError):
            datagram, seeker = self._ear.recvfrom(_DATAGRAM_BYTES)
            told = self._answer()
            if told is not None and _is_probe(datagram):
                self._ear.sendto(told, seeker)
        return 0.0

    def close(self) -> None:
        for one in (self._ear, self._ender, self._ended):
            one.close()


def told_to_seekers(machine: KasaMachine, host: str, port: int) -> bytes:
    """Its datagram: a header with a checksum, and JSON. It tells neither alias nor state: these need the account."""
    kind = "SMART.KASAPLUG" if machine.model.smart else "IOT.SMARTPLUGSWITCH"
    region = "" if machine.model.name.endswith(")") else "(US)"
    result = {
        "device_id": machine.device_id[:32],
        "device_model": machine.model.name + region,
        "device_type": kind,
        "factory_default": False,
        "ip": host,
        "is_support_iot_cloud": True,
        "mac": machine.mac.replace(":", "-"),
        "mgt_encrypt_schm": {"encrypt_type": "KLAP", "http_port": port, "is_support_https": False, "lv": 2},
        "obd_src": "tplink",
        "owner": machine.device_id[:32],
    }
    text = json.dumps({"error_code": 0, "result": result}).encode()
    without_sum = struct.pack(_HEADER, _VERSION, 0, _PROBE, len(text), _FLAGS, 0, 0, 0x5A6B_7C8D) + text
    checksum = zlib.crc32(without_sum).to_bytes(4, "big")
    return without_sum[: _HEADER_BYTES - len(checksum)] + checksum + text


def _is_probe(datagram: bytes) -> bool:
    return len(datagram) >= _HEADER_BYTES and datagram[0] == _VERSION
