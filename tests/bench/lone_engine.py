"""The engine in a process of its own, on a real mosquitto, in a farm whose miners exist only as their telemetry."""

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy.broker import RunningBroker, find_mosquitto, start_broker
from shared.messages import PAUSE, Following, Ladder, MinerState, MinerTelemetry, OperatingPoint, SiteTelemetry
from shared.topics import MINER_COMMAND, MINER_TELEMETRY, SITE_TELEMETRY
from tests.bench.service_process import service_process
from tests.bench.wire import Heard, Wire

PREFIX = "sunherd"
GOOD_PERCENT, LOW_PERCENT = 80.0, 60.0
_NORMAL = OperatingPoint(name="normal", power_w=3250)
_LADDER = Ladder(points=(PAUSE, _NORMAL), normal="normal")
_PATIENCE_SECONDS = 20.0
_QUIET_SECONDS = 2.0
_BATCH = 50

# Nothing but the measured message may change a decision: the band's command is the only one that an SoC brings about.
_FARM = """\
battery: {home_assistant: {url: "http://10.255.0.1", state_of_charge: sensor.never_asked}}
rules: {stagger_w: 1000000}
miners:
"""
_MINER = '  m{index}: {{driver: vnish, host: "10.{high}.{low}.1", stop_soc: 73, resume_soc: 75}}\n'


@contextmanager
def mosquitto() -> Iterator[RunningBroker]:
    """The embedded farm's broker in a directory of its own. Raises FileNotFoundError where it is not installed."""
    program = find_mosquitto()
    if program is None:
        message = "mosquitto is not installed: these figures are of a real broker"
        raise FileNotFoundError(message)
    with tempfile.TemporaryDirectory() as directory:
        broker = start_broker(Path(directory), port=0, mosquitto=program)
        try:
            yield broker
        finally:
            broker.stop()


@dataclass(frozen=True)
class LoneEngine:
    """A running engine whose miners have all reported, and a wire on which their commands come."""

    process: psutil.Process
    wire: Wire
    miners: Sequence[str]

    def report(self, miners: Sequence[str], **changed: object) -> None:
        """Publishes these miners' telemetry, as their agents do."""
        self.wire.publish((telemetry_path(name), telemetry(**changed)) for name in miners)

    def report_soc(self, percent: float) -> None:
        """Publishes the state of charge, as the bridge does."""
        now = datetime.now(UTC)
        message = SiteTelemetry(at=now, source="bench", state_of_charge_percent=percent, confirmed_at=now)
        payload = message.model_dump_json(exclude_none=True).encode()
        self.wire.publish([(SITE_TELEMETRY.path(PREFIX, "home"), payload)])

    def await_commands(self, miners: Sequence[str], code: str, seconds: float = _PATIENCE_SECONDS) -> None:
        """Returns with the last of these miners' first command of this code. Raises TimeoutError."""
        wanted = {MINER_COMMAND.path(PREFIX, name) for name in miners}
        for heard in self.wire.messages(seconds):
            if heard.path in wanted and _has_code(heard, code):
                wanted.discard(heard.path)
                if not wanted:
                    return
        message = f"{len(wanted)} of {len(miners)} commands with the code {code} did not come within {seconds:g} s"
        raise TimeoutError(message)


@contextmanager
def lone_engine(miners: int) -> Iterator[LoneEngine]:
    """Runs an engine for so many miners, which all hash on a good battery."""
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = [f"m{index}" for index in range(miners)]
        wire = stack.enter_context(Wire(broker, "bench"))
        process = stack.enter_context(service_process("policy_engine", _farm(miners), broker, directory))
        engine = LoneEngine(process, wire, names)
        wire.subscribe(MINER_COMMAND.filter(PREFIX))
        engine.await_commands(names, "not_read")
        engine.report_soc(GOOD_PERCENT)
        for first in range(0, miners, _BATCH):
            engine.report(names[first : first + _BATCH])
        engine.await_commands(names, "soc_ok")
        time.sleep(_QUIET_SECONDS)  # the second words of the beginning, such as `desired`, are none of ours
        wire.drain()
        yield engine


def telemetry_path(miner: str) -> str:
    """Where a miner's telemetry goes."""
    return MINER_TELEMETRY.path(PREFIX, miner)


def telemetry(**changed: object) -> bytes:
    """What an agent publishes of a hashing miner; only its measured figures are new."""
    told: dict[str, object] = {
        "at": datetime.now(UTC),
        "driver": "vnish",
        "reachable": True,
        "following": Following.COMMAND,
        "desired": "normal",
        "settled": True,
        "state": MinerState.HASHING,
        "power_w": round(random.uniform(3100, 3300), 1),
        "hashrate_ths": round(random.uniform(90, 100), 2),
        "chip_temperature_celsius": round(random.uniform(60, 70), 1),
        "point": "normal",
        "ladder": _LADDER,
        "model": "Antminer S19",
        "firmware": "vnish 1.2.6",
    }
    return MinerTelemetry.model_validate({**told, **changed}).model_dump_json(exclude_none=True).encode()


def _has_code(heard: Heard, code: str) -> bool:
    # The command's own code stands before those of its limits; a parser would cost as much as what is measured.
    return f'"code":"{code}"'.encode() in heard.payload.partition(b'"limits":')[0]


def _farm(miners: int) -> str:
    return _FARM + "".join(_MINER.format(index=index, high=index // 250, low=index % 250) for index in range(miners))
