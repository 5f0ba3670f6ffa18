"""The web server of a device with an account, asked by what is no honest client; the honest one is python-kasa."""

import hashlib
from collections.abc import Mapping

import pytest

from services.simulator.http import Request, Response, Wire
from services.simulator.kasa_klap import Account, KlapDevice
from services.simulator.kasa_machine import KasaMachine
from shared.clock import VirtualClock

SEED = bytes(range(16))
ACCOUNT = Account("owner@example.org", "Open Sesame")


@pytest.fixture
def device(clock: VirtualClock) -> KlapDevice:
    return KlapDevice(KasaMachine(clock=clock), ACCOUNT)


def post(device: KlapDevice, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    query = {"seq": "1"} if path == "request" else {}
    return device.handle(Request("POST", f"/app/{path}", query, headers or {}, body))


def greeted(device: KlapDevice) -> tuple[dict[str, str], bytes]:
    """The cookie, and the device's own seed."""
    answer = post(device, "handshake1", SEED)
    return {"cookie": answer.headers["Set-Cookie"].split(";")[0]}, answer.body[:16]


def test_it_proves_itself_first(device: KlapDevice) -> None:
    answer = post(device, "handshake1", SEED)
    assert answer.body[16:] == hashlib.sha256(SEED + answer.body[:16] + ACCOUNT.digest).digest()


def test_only_who_knows_the_account_gets_in(device: KlapDevice) -> None:
    cookie, seed = greeted(device)
    for guess in (b"", bytes(32), hashlib.sha256(SEED + seed + ACCOUNT.digest).digest()):
        assert post(device, "handshake2", guess, cookie).status == 403
    proof = hashlib.sha256(seed + SEED + ACCOUNT.digest).digest()
    assert post(device, "handshake2", proof).status == 403, "without its cookie"
    assert post(device, "handshake2", proof, cookie).status == 200


def test_nothing_is_told_before_the_proof(device: KlapDevice) -> None:
    cookie, seed = greeted(device)
    session = device._sessions[cookie["cookie"].partition("=")[2]]
    sealed = session.sealed(b'{"system":{"get_sysinfo":{}}}', 1)
    assert post(device, "request", sealed, cookie).status == 403
    post(device, "handshake2", hashlib.sha256(seed + SEED + ACCOUNT.digest).digest(), cookie)
    answer = post(device, "request", sealed, cookie)
    assert b"relay_state" in (session.opened(answer.body, 1) or b"")
    assert b"relay_state" not in answer.body
    for forged in (b"", sealed[:-1], bytes([sealed[0] ^ 1]) + sealed[1:]):
        assert post(device, "request", forged, cookie).status == 403


def test_what_is_silent_does_nothing_either(device: KlapDevice) -> None:
    device.machine.faults.wire = Wire.SILENCE
    assert post(device, "handshake1", SEED).wire is Wire.SILENCE
    assert device.greeted == 0


def test_what_is_no_part_of_it_is_not_found(device: KlapDevice) -> None:
    assert device.handle(Request("GET", "/")).status == 404
    assert post(device, "handshake1", b"short").status == 400


def test_sessions_are_few(device: KlapDevice) -> None:
    for _ in range(50):
        greeted(device)
    assert len(device._sessions) == 16


def test_the_password_is_not_shown() -> None:
    assert "Sesame" not in repr(ACCOUNT)
