"""The AxeOS stand-in on a real socket: one thread, few sockets, and what its faults look like to a client."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import Pace
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_server import AxeOsServer
from services.simulator.farm import SimulatedFarm, SimulationError
from services.simulator.http_in_process import InProcessSession
from services.simulator.orders import parse_orders
from services.simulator.wiring import orders_from
from shared.clock import SystemClock, VirtualClock
from shared.settings import FarmSettings
from tests.integration.test_simulated_farm import SECRETS, farm_settings, free_port
from tests.waiting import eventually

INFO = "/api/system/info"
QUICK = Pace(loop_seconds=0.05, starting_seconds=0.1, booting_seconds=1.0)


@pytest.fixture
def stand_in() -> AxeOsStandIn:
    return AxeOsStandIn("2.15", clock=SystemClock(), pace=QUICK)


@pytest.fixture
def base(stand_in: AxeOsStandIn) -> Iterator[str]:
    with AxeOsServer(stand_in) as server:
        yield f"http://127.0.0.1:{server.port}"


def get(url: str, seconds: float = 5.0) -> requests.Response:
    with requests.Session() as session:
        return session.get(url, timeout=seconds, headers={"Connection": "close"}, allow_redirects=False)


def asks(port: int, path: str = INFO) -> socket.socket:
    """A connection with a request on it."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def is_answered(client: socket.socket, seconds: float) -> bool:
    client.settimeout(seconds)
    try:
        return client.recv(4096).startswith(b"HTTP/1.1 200")
    except TimeoutError:
        return False


def test_it_is_read_set_paused_and_resumed(stand_in: AxeOsStandIn, base: str) -> None:
    with requests.Session() as session:
        told = session.get(base + INFO, timeout=5).json()
        assert (told["boardVersion"], told["miningPaused"]) == ("601", False)
        answer = session.patch(f"{base}/api/system", json={"frequency": 490, "coreVoltage": 1100}, timeout=5)
        assert (answer.status_code, answer.content, answer.headers["Transfer-Encoding"]) == (200, b"", "chunked")
        assert eventually(lambda: stand_in.point == (1100, 490))
        assert session.post(f"{base}/api/system/pause", timeout=5).json() == {"message": "Mining paused"}
        assert eventually(lambda: not stand_in.hashing)
        session.post(f"{base}/api/system/resume", timeout=5)
        assert eventually(lambda: stand_in.hashing)
        assert session.get(f"{base}/api/x", timeout=5).status_code == 404
    assert [heard.path for heard in stand_in.controls()] == [
        "/api/system",
        "/api/system/pause",
        "/api/system/resume",
    ]


def test_a_restart_hangs_up_and_comes_back(stand_in: AxeOsStandIn, base: str) -> None:
    stand_in.reboot()
    with pytest.raises(requests.ConnectionError):
        get(base + INFO)
    assert eventually(lambda: stand_in.hashing)
    assert get(base + INFO).json()["uptimeSeconds"] < 10


@pytest.mark.parametrize(
    ("ill", "error"),
    [
        (Ill.HALF, requests.exceptions.ChunkedEncodingError),
        (Ill.RESETS, requests.ConnectionError),
        (Ill.SILENT, requests.ReadTimeout),
        (Ill.OFF, requests.ReadTimeout),
        (Ill.SLOW, requests.ReadTimeout),
    ],
)
def test_ills_of_the_wire(stand_in: AxeOsStandIn, base: str, ill: Ill, error: type[Exception]) -> None:
    stand_in.begin(ill)
    with pytest.raises(error):
        get(base + INFO, 0.3)


def test_an_older_one_leaves_the_eighth_client_waiting_until_another_goes() -> None:
    stand_in = AxeOsStandIn("2.4", clock=SystemClock())
    with AxeOsServer(stand_in) as server, ExitStack() as clients:
        held = []
        for _ in range(7):
            held.append(clients.enter_context(asks(server.port)))
            assert is_answered(held[-1], 5)
        eighth = clients.enter_context(asks(server.port))
        assert not is_answered(eighth, 0.3)
        held[3].close()
        assert is_answered(eighth, 5)


def test_a_newer_one_hangs_up_on_who_has_been_quiet_longest() -> None:
    stand_in = AxeOsStandIn("2.12", clock=SystemClock())
    with AxeOsServer(stand_in) as server, ExitStack() as clients:
        held = []
        for _ in range(20):
            held.append(clients.enter_context(asks(server.port)))
            assert is_answered(held[-1], 5)
        held[0].sendall(f"GET {INFO} HTTP/1.1\r\n\r\n".encode())
        assert eventually(lambda: len(stand_in.heard) == 21)
        assert is_answered(clients.enter_context(asks(server.port)), 5)
        held[1].settimeout(5)
        while held[1].recv(65_536):
            pass  # what was still on the way; then the end
        held[2].sendall(f"GET {INFO} HTTP/1.1\r\n\r\n".encode())
        assert eventually(lambda: len(stand_in.heard) == 23), "the others are still served"


def test_one_thread_serves_all_so_that_a_second_client_waits_for_the_first() -> None:
    stand_in = AxeOsStandIn("2.15", clock=SystemClock(), pace=Pace(answer_seconds=0.15))
    with AxeOsServer(stand_in) as server, ExitStack() as clients:
        began = time.monotonic()
        held = [clients.enter_context(asks(server.port)) for _ in range(3)]
        assert all(is_answered(client, 5) for client in held)
        assert time.monotonic() - began >= 0.45


def test_who_asks_without_end_is_left_without_an_answer_and_the_end_comes_quickly() -> None:
    stand_in = AxeOsStandIn("2.4", clock=SystemClock(), pace=Pace(burst_requests=20))
    with AxeOsServer(stand_in) as server:
        base = f"http://127.0.0.1:{server.port}"
        for _ in range(20):
            assert get(base + INFO).status_code == 200
        with pytest.raises(requests.ReadTimeout):
            get(base + INFO, 0.2)
        assert (stand_in.server_dead, stand_in.hashing) == (True, True)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_both_doors_tell_the_same() -> None:
    clock = VirtualClock()
    stand_in = AxeOsStandIn("2.15", clock=clock)
    clock.advance(100)
    in_process = InProcessSession({"axe.test:80": stand_in.handle}, clock.advance)
    with AxeOsServer(stand_in) as server, in_process:
        for path in (INFO, "/api/system/asic", "/api/system/statistics", "/api/nothing", "/nothing"):
            over_socket = get(f"http://127.0.0.1:{server.port}{path}")
            inside = in_process.get(f"http://axe.test{path}")
            assert (over_socket.status_code, over_socket.content) == (inside.status_code, inside.content), path


# --- in the simulated farm


def mixed_settings() -> FarmSettings:
    base = farm_settings()
    miners = {name: {"driver": "vnish", "host": f"127.0.0.1:{free_port()}"} for name in ("s19-20",)}
    miners |= {f"axe-{n}": {"driver": "bitaxe", "host": f"127.0.0.1:{free_port()}"} for n in (1, 2, 3)}
    battery = base.battery.model_dump(exclude_unset=True) if base.battery is not None else {}
    return FarmSettings.model_validate({"battery": battery, "miners": miners})


def test_bitaxes_of_the_farm_file_answer_and_their_watts_count() -> None:
    settings, clock = mixed_settings(), VirtualClock()
    farm = SimulatedFarm(settings, SECRETS, clock, orders=parse_orders("05:00 axe-1 heat 73, 06:00 axe-1 mend"))
    farm.start()
    try:
        versions = set()
        for name in ("axe-1", "axe-2", "axe-3"):
            told = get(f"http://{settings.miners[name].host}{INFO}").json()
            assert told["boardVersion"] == "601"
            versions.add((told["version"], told["macAddr"]))
        assert len(versions) == 3, "different generations, and each its own address"
        axe = farm.miners["axe-1"]
        assert isinstance(axe, AxeOsStandIn)
        clock.advance(4)
        farm.step()
        everything_w = sum(miner.power_w for miner in farm.miners.values())
        clock.advance(60)
        farm.step()
        assert farm.site.flows.miners_w == pytest.approx(everything_w)
        warmth = []
        for _ in range(2):
            clock.advance(3600)
            farm.step()
            clock.advance(600)
            warmth.append(axe.chip_celsius)
        assert warmth == pytest.approx([73, 54.3], abs=0.3)
    finally:
        farm.close()


def test_orders_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SimulationError, match="no miner is called 'axe-9'"):
        SimulatedFarm(mixed_settings(), SECRETS, SystemClock(), orders=parse_orders("05:00 axe-9 heat"))
    with pytest.raises(SimulationError, match="SUNHERD_SIMULATED_ORDERS: 'nonsense' is no order"):
        orders_from({"SUNHERD_SIMULATED_ORDERS": "nonsense"})
    assert orders_from({}) == ()
