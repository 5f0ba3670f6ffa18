"""A Kasa device that asks for an account: its web server with the KLAP handshake, and its answer to those who look.

Both sides prove that they know the account by hashes over two random numbers; these give the keys of the session.
"""

import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from services.simulator.http import Request, Response, Wire
from services.simulator.http_server import HttpServer
from services.simulator.kasa_cipher import read_json
from services.simulator.kasa_legacy import answered
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_seekers import Ear, told_to_seekers
from services.simulator.kasa_smart import answered as smart_answered

_SEED_BYTES = 16
_TAG_BYTES = 32
_BLOCK_BYTES = 16
_SESSIONS_KEPT = 16
_COOKIE = "TP_SESSIONID"


@dataclass(frozen=True)
class Account:
    """Of the maker's cloud. Upper and lower case count."""

    username: str
    password: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What the second version of KLAP makes of it."""
        return _sha256(_sha1(self.username.encode()), _sha1(self.password.encode()))


@dataclass
class _Session:
    local_seed: bytes
    remote_seed: bytes
    digest: bytes
    proven: bool = False

    @property
    def answer(self) -> bytes:
        """The device's proof."""
        return _sha256(self.local_seed, self.remote_seed, self.digest)

    @property
    def challenge(self) -> bytes:
        """The proof that it asks for."""
        return _sha256(self.remote_seed, self.local_seed, self.digest)

    def opened(self, body: bytes, sequence: int) -> bytes | None:
        """The plain text of a request; None where it is not genuine."""
        tag, hidden = body[:_TAG_BYTES], body[_TAG_BYTES:]
        if not hidden or len(hidden) % _BLOCK_BYTES or tag != self._tag(hidden, sequence):
            return None
        plain = self._crypt(hidden, sequence, encrypts=False)
        return plain[: -plain[-1]]

    def sealed(self, plain: bytes, sequence: int) -> bytes:
        """A whole answer."""
        missing = _BLOCK_BYTES - len(plain) % _BLOCK_BYTES
        hidden = self._crypt(plain + bytes([missing]) * missing, sequence, encrypts=True)
        return self._tag(hidden, sequence) + hidden

    def _derived(self, label: bytes) -> bytes:
        return _sha256(label, self.local_seed, self.remote_seed, self.digest)

    def _tag(self, hidden: bytes, sequence: int) -> bytes:
        return _sha256(self._derived(b"ldk")[:28], _four(sequence), hidden)

    def _crypt(self, text: bytes, sequence: int, *, encrypts: bool) -> bytes:
        # Late, for this library is large and few simulations need it.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        key, start = self._derived(b"lsk")[:16], self._derived(b"iv")[:12] + _four(sequence)
        cipher = Cipher(algorithms.AES(key), modes.CBC(start))
        context = cipher.encryptor() if encrypts else cipher.decryptor()
        return bytes(context.update(text) + context.finalize())


class KlapDevice:
    """`handle` is the device's web server."""

    def __init__(self, machine: KasaMachine, account: Account) -> None:
        self.machine = machine
        self.account = account
        """May be changed: the owner has given it another password."""
        self.greeted = 0
        """How many handshakes were begun."""
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._routes: dict[str, Callable[[Request], Response]] = {
            "/app/handshake1": self._greet,
            "/app/handshake2": self._prove,
            "/app/request": self._request,
        }

    def forget_sessions(self) -> None:
        """As after a reboot."""
        with self.machine.lock:
            self._sessions.clear()

    def handle(self, request: Request) -> Response:
        """Answers one request."""
        with self.machine.lock:
            faults = self.machine.faults
            route = self._routes.get(request.path)
            if faults.wire in {Wire.SILENCE, Wire.RESET}:
                return Response(wire=faults.wire)
            if route is None or request.method != "POST":
                return Response(404)
            response = route(request)
            return (
                Response(
                    response.status,
                    response.body,
                    "application/octet-stream",
                    response.headers,
                    faults.wire,
                    faults.slow_seconds,
                )
                if response.wire is Wire.WHOLE
                else response
            )

    def _greet(self, request: Request) -> Response:
        self.greeted += 1
        if len(request.body) != _SEED_BYTES:
            return Response(400)
        session = _Session(request.body, secrets.token_bytes(_SEED_BYTES), self.account.digest)
        name = secrets.token_hex(16).upper()
        self._sessions[name] = session
        if len(self._sessions) > _SESSIONS_KEPT:
            self._sessions.popitem(last=False)
        headers = {"Set-Cookie": f"{_COOKIE}={name};TIMEOUT=86400"}
        return Response(200, session.remote_seed + session.answer, headers=headers)

    def _prove(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or request.body != session.challenge:
            return Response(403)
        session.proven = True
        return Response(200)

    def _request(self, request: Request) -> Response:
        session = self._session(request)
        number = request.query.get("seq", "")
        if session is None or not session.proven or not number.lstrip("-").isdigit():
            return Response(403)
        plain = session.opened(request.body, int(number))
        if plain is None:
            return Response(403)
        machine, asked = self.machine, read_json(plain)
        if machine.faults.garbage is not None:
            return Response(200, machine.faults.garbage)
        told = smart_answered(machine, asked) if machine.model.smart else answered(machine, asked)
        if machine.faults.mute_relay and switches(asked):
            return Response(wire=Wire.SILENCE)
        return Response(200, session.sealed(json.dumps(told).encode(), int(number)))

    def _session(self, request: Request) -> _Session | None:
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == _COOKIE:
                return self._sessions.get(value)
        return None


class KlapServer:
    """The device on a port of this computer, until `stop` or the end of the `with` block. It keeps its port.

    `discovery`: it also answers those who look for devices, at a port of UDP that only one at this address can have.
    """

    def __init__(
        self,
        machine: KasaMachine,
        account: Account,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        discovery: bool = False,
    ) -> None:
        self.device = KlapDevice(machine, account)
        self.host = host
        self.port = port
        """0: a free one is taken at the start, and kept."""
        self._server: HttpServer | None = None
        self._ear = Ear(self._told_to_seekers, host) if discovery else None

    def start(self) -> int:
        """Listens; returns the port. Raises OSError when the port is taken."""
        if self._server is None:
            server = HttpServer(self.device.handle)
            self.port = server.start(self.host, self.port)
            self._server = server
            if self._ear is not None:
                self._ear.start()
        return self.port

    def stop(self) -> None:
        """Ends every connection, also those that wait for ever."""
        if self._server is not None:
            server, self._server = self._server, None
            server.stop()
            if self._ear is not None:
                self._ear.stop()

    def _told_to_seekers(self) -> bytes | None:
        machine = self.device.machine
        return told_to_seekers(machine, self.host, self.port) if machine.faults.wire is Wire.WHOLE else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def switches(asked: Any) -> bool:
    """Whether a request is to move a relay."""
    return any(name in json.dumps(asked) for name in ("set_relay_state", "device_on"))


def _sha1(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _four(sequence: int) -> bytes:
    return sequence.to_bytes(4, "big", signed=True)
