"""How fast the bus and the engine are: real sockets, a real mosquitto, the engine in a process of its own."""

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.bus import BrokerAddress, Bus, MqttLink, Packet
from shared.clock import SystemClock
from shared.messages import MinerState
from tests.bench.lone_engine import (
    GOOD_PERCENT,
    LOW_PERCENT,
    LoneEngine,
    lone_engine,
    mosquitto,
    telemetry,
    telemetry_path,
)
from tests.waiting import eventually

_WARM_UP = 20
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = (0.005, 0.035)
_STEP_SECONDS = 0.0003
_VARIANTS = 4


@dataclass(frozen=True)
class Times:
    """Of many times, in seconds."""

    rounds: int
    p50_seconds: float
    p99_seconds: float
    worst_seconds: float


@dataclass(frozen=True)
class Explained:
    """From one message of the state of charge to the last miner's explained command, in seconds."""

    miners: int
    runs: int
    median_seconds: float
    worst_seconds: float


@dataclass(frozen=True)
class Intake:
    """What it costs the engine to take telemetry in that changes no decision."""

    miners: int
    per_second: float
    """As it was reached, not as it was asked for."""
    seconds: float
    cpu_share: float
    """Processor time of the engine's process by wall time: 0.3 is 30 % of one core."""
    idle_share: float
    """The same without any telemetry: renewals and the look at the whole farm, once a second."""


def round_trip(rounds: int = 2000) -> Times:
    """QoS 1 from a service's publish, over mosquitto, back to its own handler."""
    with mosquitto() as broker:
        link = MqttLink(BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password), "bench")
        bus, back = Bus(link, SystemClock(), instance="bench"), threading.Event()
        bus.subscribe_raw("echo/#", lambda _arrival: back.set())
        bus.start()
        try:
            _expect(eventually(bus.is_synced), "the bus did not connect")
            took = [_echo(bus, back) for _ in range(_WARM_UP + rounds)]
        finally:
            bus.stop()
    return _times(took[_WARM_UP:])


def telemetry_to_command(miners: int, rounds: int = 500) -> Times:
    """A telemetry that changes the decision (a pause from outside, or its end) -> the command at an observer.

    Rounds are due at random moments whatever the one before took, and each counts from when it was due: so the
    engine's own turns, such as its look at the whole farm, are met as often as a real message meets them.
    """
    took = []
    with lone_engine(miners) as engine:
        due = time.perf_counter()
        for number in range(_WARM_UP + rounds):
            due += random.uniform(*_PAUSE_SECONDS)
            payload, code = _turn(pauses=number // miners % 2 == 0)
            name = engine.miners[number % miners]
            time.sleep(max(0.0, due - time.perf_counter()))
            engine.wire.publish([(telemetry_path(name), payload)])
            engine.await_commands([name], code, _PATIENCE_SECONDS)
            took.append(time.perf_counter() - due)
    return _times(took[_WARM_UP:])


def explained_commands(miners: int = 1000, runs: int = 7) -> Explained:
    """One message of the state of charge -> the last of all miners' explained commands at an observer."""
    took = []
    with lone_engine(miners) as engine:
        for number in range(runs):
            time.sleep(random.uniform(0.5, 1.5))
            engine.wire.drain()
            percent, code = (LOW_PERCENT, "soc_low") if number % 2 == 0 else (GOOD_PERCENT, "minimum_off")
            began = time.perf_counter()
            engine.report_soc(percent)
            engine.await_commands(engine.miners, code)
            took.append(time.perf_counter() - began)
    return Explained(miners, runs, statistics.median(took), max(took))


def intake(miners: int = 1000, per_second: int = 2000, seconds: float = 12.0) -> Intake:
    """Telemetry with nothing new but its measured figures, one by one; the engine's processor time meanwhile."""
    with lone_engine(miners) as engine:
        told = [(telemetry_path(name), telemetry()) for _ in range(_VARIANTS) for name in engine.miners]
        idle = _cpu_share(engine, seconds, lambda _elapsed: None)
        sent = 0

        def send(elapsed_seconds: float) -> None:
            nonlocal sent
            while sent < int(elapsed_seconds * per_second):
                engine.wire.publish([told[sent % len(told)]])
                sent += 1
            engine.wire.drain()

        busy = _cpu_share(engine, seconds, send)
    return Intake(miners, sent / seconds, seconds, busy, idle)


def _cpu_share(engine: LoneEngine, seconds: float, act: Callable[[float], None]) -> float:
    before, began = engine.process.cpu_times(), time.perf_counter()
    while (elapsed_seconds := time.perf_counter() - began) < seconds:
        act(elapsed_seconds)
        time.sleep(_STEP_SECONDS)
    after, took = engine.process.cpu_times(), time.perf_counter() - began
    return (after.user + after.system - before.user - before.system) / took


def _echo(bus: Bus, back: threading.Event) -> float:
    back.clear()
    began = time.perf_counter()
    bus.publish_raw(Packet("echo/0", b"x" * 300, qos=1))
    _expect(back.wait(_PATIENCE_SECONDS), "an echo did not come back")
    return time.perf_counter() - began


def _turn(*, pauses: bool) -> tuple[bytes, str]:
    """Somebody pauses the miner in its own web page, or has taken that back: the payload, and the code that answers."""
    if pauses:
        return telemetry(state=MinerState.PAUSED, outside_pause_since=datetime.now(UTC)), "outside_pause"
    return telemetry(state=MinerState.PAUSED), "minimum_off"


def _times(took: Sequence[float]) -> Times:
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return Times(len(took), cuts[49], cuts[98], max(took))


def _expect(came: object, complaint: str) -> None:
    if not came:
        raise TimeoutError(complaint)
