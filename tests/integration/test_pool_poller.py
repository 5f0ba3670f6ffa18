"""The poller over real sockets: answers that never end, pools that hang, and the whole service as it is wired."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from services.pool_poller import punctual, wire
from services.pool_poller.provider import PoolRequest
from services.pool_poller.punctual import punctual_session
from services.pool_poller.trouble import TroubleError
from services.pool_poller.wire import PoolWire
from services.pool_poller.wiring import build
from services.simulator.axeos import AxeOsStandIn
from services.simulator.farm import SimulationError
from services.simulator.http import Wire
from services.simulator.http_server import HttpServer
from services.simulator.pool import PoolFaults, PoolStandIn
from services.simulator.pool_park import SimulatedPools
from services.simulator.pool_shares import ShareLoop
from shared.bus import Bus, MemoryBroker, Received
from shared.clock import SystemClock
from shared.launch import Context
from shared.loops import Loop, ThreadRunner
from shared.messages import PoolReading, PoolVerdict
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import MINER_POOL
from tests.sockets import ServiceLoop
from tests.waiting import eventually

CLOCK = SystemClock()


@pytest.fixture
def pool() -> PoolStandIn:
    pool = PoolStandIn(CLOCK)
    pool.share("rig7")
    return pool


@pytest.fixture
def server(pool: PoolStandIn) -> Iterator[HttpServer]:
    with HttpServer(pool.handle) as server:
        yield server


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a tenth of the patience, so that a test need not wait for it."""
    for module in (punctual, wire):
        monkeypatch.setattr(module, "READ_SECONDS", 0.6)
        monkeypatch.setattr(module, "WHOLE_ANSWER_SECONDS", 1.0)


def fetch(port: int, path: str = "/users/farm", scheme: str = "http") -> wire.Fetched:
    pool_wire = PoolWire(CLOCK, punctual_session(CLOCK))
    try:
        return pool_wire.fetch(PoolRequest("GET", f"{scheme}://127.0.0.1:{port}{path}?key=s3cr3t", {"Key": "s3cr3t"}))
    finally:
        pool_wire.close()


def trouble(port: int, scheme: str = "http") -> str:
    with pytest.raises(TroubleError) as raised:
        fetch(port, scheme=scheme)
    assert "s3cr3t" not in raised.value.sentence
    assert "0x" not in raised.value.sentence
    return raised.value.code


def test_a_whole_answer_and_the_pools_clock(server: HttpServer) -> None:
    fetched = fetch(server.port)
    assert fetched.answer.status == 200
    assert '"worker"' in fetched.answer.text
    assert fetched.pool_now is not None
    assert abs((fetched.pool_now - CLOCK.now()).total_seconds()) < 5


@pytest.mark.parametrize("faults", [PoolFaults(huge=True), PoolFaults(endless=True)])
def test_too_much_is_not_read_to_its_end(pool: PoolStandIn, server: HttpServer, faults: PoolFaults) -> None:
    pool.faults = faults
    assert trouble(server.port) == "bad_answer"


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "faults",
    [
        PoolFaults(trickles_seconds=0.05),
        PoolFaults(wire=Wire.SILENCE),
        PoolFaults(wire=Wire.RESET),
        PoolFaults(wire=Wire.HALF),
    ],
)
def test_what_does_not_end_in_time_or_breaks_off(pool: PoolStandIn, server: HttpServer, faults: PoolFaults) -> None:
    pool.faults = faults
    assert trouble(server.port) == "unreachable"
    pool.faults = PoolFaults()
    assert fetch(server.port).answer.status == 200


class Dripping(Loop):
    """A server that sends one letter of an endless header every so often."""

    def __init__(self, begins: bytes) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self._begins = begins
        self._connection: socket.socket | None = None
        self.letters = 0
        self.hung_up = False
        self.port = int(self._door.getsockname()[1])

    def step(self) -> float:
        try:
            if self._connection is None:
                self._connection, _ = self._door.accept()
                self._connection.sendall(self._begins)
            self._connection.sendall(b"x")
            self.letters += 1
        except OSError:
            self.hung_up = True
            return 3600.0
        return 0.05

    def close(self) -> None:
        self._door.close()
        if self._connection is not None:
            self._connection.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "begins",
    [
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["header", "status", "chunk", "body"],
)
def test_a_letter_now_and_then_does_not_hold_it_for_ever(begins: bytes) -> None:
    """Timeouts of sockets count from byte to byte."""
    dripping, runner = Dripping(begins), ThreadRunner()
    runner.spawn("dripping", dripping)
    assert trouble(dripping.port) == "unreachable"
    assert eventually(lambda: dripping.hung_up)
    assert dripping.letters > 5
    runner.stop()


def test_nobody_there_and_no_secure_connection(server: HttpServer) -> None:
    assert trouble(server.port, scheme="https") == "unreachable"
    server.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert trouble(port) == "unreachable"


class SocketPools:
    """The service in real threads, wired as in production but for the broker."""

    def __init__(self, pools: dict[str, PoolStandIn], workers: dict[str, str], **loops: Loop) -> None:
        self.readings: dict[str, PoolReading] = {}
        self._stack = ExitStack()
        ports = {name: self._stack.enter_context(HttpServer(pool.handle)).port for name, pool in pools.items()}
        farm: dict[str, Any] = {
            "miners": {
                name: {"driver": "plug", "nominal_w": 1000, "plug": {"host": "10.0.0.9"}, "worker": worker}
                for name, worker in workers.items()
            },
            "pools": {name: {"provider": "ckpool", "url": f"http://127.0.0.1:{port}"} for name, port in ports.items()},
        }
        broker = MemoryBroker()
        self._watcher = Bus(broker.link(), CLOCK, instance="watcher")
        self._watcher.subscribe(MINER_POOL, self._heard)
        self._watcher.start()
        self._runner = ThreadRunner()
        service = Service("pool_poller", Bus(broker.link(), CLOCK, instance="poller"), CLOCK)
        assert build(Context(service, FarmSettings.model_validate(farm), Secrets({}, {}, Path("no-such-directory"))))
        for name, loop in loops.items():
            self._runner.spawn(name, loop)
        self._runner.spawn("service", ServiceLoop(service))

    def _heard(self, got: Received[PoolReading]) -> None:
        if got.message is not None:
            self.readings[got.identifier] = got.message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()  # first: it ends the requests that wait for a silent stand-in
        self._runner.stop()
        self._watcher.stop()


def test_a_pool_that_hangs_delays_no_other(pool: PoolStandIn) -> None:
    silent, workers = PoolStandIn(CLOCK), {"a": "silent/farm/rig7", "b": "well/farm/rig7", "c": "well/farm/rig9"}
    silent.faults.wire = Wire.SILENCE
    with SocketPools({"silent": silent, "well": pool}, workers) as rig:
        assert eventually(lambda: {"b", "c"} <= set(rig.readings))
        assert rig.readings["b"].verdict is PoolVerdict.ONLINE
        assert rig.readings["c"].problem == "worker_never_seen"
        assert len(silent.heard) == 1
        assert "a" not in rig.readings


def test_simulated_machines_are_workers_of_a_pool() -> None:
    miner, idle, pool = AxeOsStandIn(clock=CLOCK), AxeOsStandIn(clock=CLOCK), PoolStandIn(CLOCK)
    idle.cut_power()
    shares = ShareLoop(pool, {"bitaxe-1": miner, "bitaxe-2": idle})
    shares.step()
    with SocketPools({"mine": pool}, {"b1": "mine/farm/bitaxe-1", "b2": "mine/farm/bitaxe-2"}, shares=shares) as rig:
        assert eventually(lambda: {"b1", "b2"} <= set(rig.readings))
        assert rig.readings["b1"].verdict is PoolVerdict.ONLINE
        assert rig.readings["b2"].verdict is PoolVerdict.UNKNOWN


def test_a_simulated_farm_has_its_pools_on_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = farm_at(f"http://127.0.0.1:{port}")
        with pytest.raises(SimulationError, match=f"port {port} is in use"):
            SimulatedPools(settings, {"b1": AxeOsStandIn(clock=CLOCK)}, CLOCK).start()
    park = SimulatedPools(settings, {"b1": AxeOsStandIn(clock=CLOCK)}, CLOCK)
    park.start()
    # Already the very first request finds them: a worker that is not listed would be told to a person.
    assert "farm.bitaxe-1" in fetch(port).answer.text
    park.close()
    for url in ("https://127.0.0.1", "http://10.0.0.5:3334"):
        with pytest.raises(SimulationError, match="stands in for addresses such as"):
            SimulatedPools(farm_at(url), {"b1": AxeOsStandIn(clock=CLOCK)}, CLOCK)


def farm_at(url: str) -> FarmSettings:
    miner = {"driver": "bitaxe", "host": "10.0.0.7", "worker": "mine/farm/bitaxe-1"}
    return FarmSettings.model_validate({"miners": {"b1": miner}, "pools": {"mine": {"provider": "ckpool", "url": url}}})


def test_nobodys_worker_starts_nothing() -> None:
    service = Service("pool_poller", Bus(MemoryBroker().link(), CLOCK), CLOCK)
    assert not build(Context(service, FarmSettings(), Secrets({}, {}, Path("no-such-directory"))))
