"""One process, one service after the other, on a broker in memory; tests/integration has the real ones."""

import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from shared.bus import Bus, MemoryBroker
from shared.clock import SystemClock
from shared.follow import Follower
from shared.inputs import Inputs, read_inputs
from shared.lives import Lives
from shared.messages import EmergencyStop
from shared.service import Service
from shared.settings.concern import EVERYTHING
from shared.topics import EMERGENCY_STOP, MINER_COMMAND

FARM = "miners:\n  a: {driver: vnish, host: 192.0.2.1}\n"
OTHER = FARM.replace("  a:", "  b:")


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    heeded = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in heeded.items():
        signal.signal(number, handler)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("shared.loops._JOIN_SECONDS", 0.05)
    monkeypatch.setattr("shared.lives.LOOK_SECONDS", 0.05)
    (tmp_path / "farm.yaml").write_text(FARM)
    return tmp_path / "farm.yaml"


def live(file: Path, begin: Callable[[Inputs], Service], name: str = "probe") -> None:
    follower = Follower(file, read_inputs(file))
    assert Lives(name, file, EVERYTHING, follower, lambda inputs: (begin(inputs), True)).run(follows=True, waits=True)


def service(broker: MemoryBroker) -> Service:
    clock = SystemClock()
    return Service("probe", Bus(broker.link(), clock, instance="probe"), clock)


class Hangs:
    """A device in the middle of a request, for longer than anybody waits at the end of a service."""

    def __init__(self, order: list[str]) -> None:
        self._order = order

    def step(self) -> float:
        self._order.append("asked")
        threading.Event().wait(1.0)
        self._order.append("answered")
        return 100.0

    def close(self) -> None:
        pass


def test_the_next_begins_when_the_last_request_of_the_one_before_has_ended(file: Path) -> None:
    order: list[str] = []

    def begin(_inputs: Inputs) -> Service:
        found = service(MemoryBroker())
        if order:
            signal.raise_signal(signal.SIGTERM)
        else:
            found.spawn("device", Hangs(order))
            file.write_text(OTHER)
        order.append("begun")
        return found

    live(file, begin)

    assert sorted(order[:2]) == ["asked", "begun"]
    assert order[2:] == ["answered", "begun"]


class HangsAgain:
    """One device hangs in every request, with a moment between two."""

    def step(self) -> float:
        threading.Event().wait(0.6)
        return 0.3

    def close(self) -> None:
        pass


def test_while_a_request_hangs_the_service_still_hears_and_it_leaves_in_the_moment_after(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emergency stop said then would else be heard when the next life has connected."""
    monkeypatch.setattr("shared.lives._CALM_SECONDS", 0.2)
    monkeypatch.setattr("shared.lives._CALM_LOOK_SECONDS", 0.02)
    heard: list[str] = []
    lives: list[Service] = []

    def begin(_inputs: Inputs) -> Service:
        broker = MemoryBroker()
        found = service(broker)
        lives.append(found)
        if len(lives) > 1:
            heard.append("next life")
            signal.raise_signal(signal.SIGTERM)
            return found
        found.spawn("device", HangsAgain())
        threading.Timer(0.95, lambda: file.write_text(OTHER)).start()  # it has just begun to hang once more
        found.on(EMERGENCY_STOP, lambda _received: heard.append("stop"), "home")
        said = EmergencyStop(at=found.clock.now(), active=True, by="test", reason="smoke")
        threading.Timer(1.3, lambda: found.bus.publish(EMERGENCY_STOP, "home", said)).start()
        return found

    live(file, begin)

    assert heard == ["stop", "next life"]
    assert lives[0].is_over(), "no request was under way when it left"


def test_a_change_that_is_taken_back_while_a_request_hangs_ends_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.lives._CALM_SECONDS", 0.2)
    monkeypatch.setattr("shared.lives._CALM_LOOK_SECONDS", 0.02)
    lives: list[Service] = []

    def begin(_inputs: Inputs) -> Service:
        lives.append(service(MemoryBroker()))
        lives[-1].spawn("device", HangsAgain())
        for seconds, text in ((0.95, OTHER), (1.2, FARM)):
            threading.Timer(seconds, partial(file.write_text, text)).start()
        threading.Timer(2.2, partial(signal.raise_signal, signal.SIGTERM)).start()
        return lives[-1]

    live(file, begin)

    assert len(lives) == 1


def test_a_service_whose_devices_always_hang_does_not_wait_for_ever(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.lives._CALM_SECONDS", 0.2)
    monkeypatch.setattr("shared.lives.LEAVING_SECONDS_MAX", 0.4)
    lives: list[Service] = []
    answered: list[str] = []
    answer = threading.Event()

    class Never(HangsAgain):
        def step(self) -> float:
            answer.wait(20)
            answered.append("late")
            return 1.0

    def begin(_inputs: Inputs) -> Service:
        lives.append(service(MemoryBroker()))
        if len(lives) > 1:
            signal.raise_signal(signal.SIGTERM)
        else:
            lives[0].spawn("device", Never())
            threading.Timer(0.5, partial(file.write_text, OTHER)).start()
        return lives[-1]

    live(file, begin)

    assert (len(lives), answered) == (2, [])
    answer.set()


def test_what_is_owed_to_a_broker_that_is_away_is_paid_when_it_is_back(file: Path) -> None:
    broker, path = MemoryBroker(), MINER_COMMAND.path("sunherd", "a")
    texts = iter([OTHER, OTHER.replace("192.0.2.1", "192.0.2.2"), ""])
    broker.retained[path] = b"{}"
    broker.kill()

    def begin(_inputs: Inputs) -> Service:
        text = next(texts)
        if text:
            file.write_text(text)
        else:
            broker.revive()
        found = service(broker)
        if not text:
            found.on_ready(lambda: signal.raise_signal(signal.SIGTERM))
        return found

    live(file, begin, "policy_engine")

    assert path not in broker.retained
