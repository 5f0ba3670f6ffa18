"""A man in the middle cuts, holds and slows for real, and lets through what was held."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.chaos.field import Partner
from tests.chaos.middlemen import HOST, Manner

PATIENCE_SECONDS = 20.0
MOMENT_SECONDS = 0.5


class Way:
    """A connection through the man in the middle, with both its ends."""

    def __init__(self) -> None:
        self.server = socket.create_server((HOST, 0))
        self.server.settimeout(PATIENCE_SECONDS)
        self.partner = Partner("tests.chaos.middlemen", str(self.server.getsockname()[1]), "one", "two")
        self.port = self.partner.addresses["one"]
        self.near, self.far = self.connect()

    def connect(self) -> tuple[socket.socket, socket.socket]:
        near = socket.create_connection((HOST, self.port), PATIENCE_SECONDS)
        far, _ = self.server.accept()
        far.settimeout(PATIENCE_SECONDS)
        return near, far

    def behave(self, manner: Manner) -> None:
        self.partner.order(whom="one", manner=str(manner))

    def passes(self, sender: socket.socket, receiver: socket.socket, what: bytes = b"x") -> bool:
        """Whether it comes through within a moment; what is held comes through later."""
        sender.sendall(what)
        return arrives(receiver, MOMENT_SECONDS) == what

    def close(self) -> None:
        for one in (self.near, self.far, self.server):
            one.close()
        self.partner.end()


def arrives(receiver: socket.socket, seconds: float = PATIENCE_SECONDS) -> bytes | None:
    """None: nothing in this time. Empty: it is over."""
    receiver.settimeout(seconds)
    try:
        return receiver.recv(100)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""
    finally:
        receiver.settimeout(PATIENCE_SECONDS)


@pytest.fixture
def way() -> Iterator[Way]:
    with closing(Way()) as found:
        yield found


def settled(way: Way, manner: Manner) -> None:
    """Behaves so from now on; the order has been obeyed when this returns."""
    way.behave(manner)
    # Orders and connections are served in one loop: one round trip through the other door comes after the order.
    with socket.create_connection((HOST, way.partner.addresses["two"]), PATIENCE_SECONDS):
        far, _ = way.server.accept()
        far.close()


def test_it_lets_everything_through(way: Way) -> None:
    assert way.near.send(b"up") == 2
    assert arrives(way.far) == b"up"
    assert way.far.send(b"down") == 4
    assert arrives(way.near) == b"down"


@pytest.mark.parametrize(
    ("manner", "up", "down"),
    [(Manner.HOLD, False, False), (Manner.HOLD_UP, False, True), (Manner.HOLD_DOWN, True, False)],
)
def test_a_black_hole_swallows_its_directions_without_a_word(way: Way, manner: Manner, up: bool, down: bool) -> None:
    settled(way, manner)
    assert way.passes(way.near, way.far, b"up") is up
    assert way.passes(way.far, way.near, b"down") is down
    settled(way, Manner.OPEN)
    assert up or arrives(way.far) == b"up"
    assert down or arrives(way.near) == b"down"


def test_a_black_hole_hides_the_end_of_the_other_side(way: Way) -> None:
    settled(way, Manner.HOLD)
    way.far.close()
    assert arrives(way.near, MOMENT_SECONDS) is None
    way.behave(Manner.OPEN)
    assert arrives(way.near) == b""


def test_a_cut_resets_what_stands_and_what_comes(way: Way) -> None:
    settled(way, Manner.CUT)
    assert arrives(way.near) == b""
    # The reset may come before, or after, the system has called it connected.
    with suppress(ConnectionResetError), socket.create_connection((HOST, way.port), PATIENCE_SECONDS) as late:
        assert arrives(late) == b""
    settled(way, Manner.OPEN)
    near, far = way.connect()
    with near, far:
        near.sendall(b"again")
        assert arrives(far) == b"again"


def test_the_other_door_stays_open(way: Way) -> None:
    settled(way, Manner.HOLD)
    with socket.create_connection((HOST, way.partner.addresses["two"]), PATIENCE_SECONDS) as near:
        far, _ = way.server.accept()
        with far:
            near.sendall(b"other")
            assert arrives(far) == b"other"
