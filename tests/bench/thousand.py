"""A thousand VNish miners read every 5 s: what agent and broker take of the machine, with one replica and with more.

The stand-ins, the broker, the engine and each agent are processes of their own: only the agents' processor time is
counted as theirs. The replicas share the miners among themselves, as they do on any farm.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy.broker import RunningBroker
from shared.messages import MinerTelemetry, SiteTelemetry
from shared.topics import MINER_TELEMETRY, SITE_TELEMETRY
from tests.bench.lone_engine import GOOD_PERCENT, PREFIX, mosquitto
from tests.bench.park import Park, park
from tests.bench.service_process import service_process
from tests.bench.wire import Wire
from tests.footprint import footprint_of

POLL_SECONDS = 5.0
SHARE_THAT_COUNTS = 0.95
"""A run in which fewer polls came about than were due shows nothing."""
_ANSWER_SECONDS = 0.02
_PATIENCE_SECONDS = 180.0
_LOOKS = 12
_FIXED_TEXT = json.dumps({str(number): {"a": number, "b": [1.5 * number] * 4, "c": "x" * 20} for number in range(60)})
_FIXED_ROUNDS = 100
_QUIET_SECONDS = 15.0
"""After the last miner has settled: the round in which all are read for the first time is over."""

_FARM = """\
battery: {{home_assistant: {{url: "http://10.255.0.1", state_of_charge: sensor.never_asked}}}}
rules: {{stagger_w: 1000000, poll: {poll:g} s}}
miners:
"""
_MINER = '  m{index}: {{driver: vnish, nominal_w: 3250, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}\n'


@dataclass(frozen=True)
class Process:
    """What one process took while it was looked at. `cpu_share` 0.4 is 40 % of one core."""

    cpu_seconds: float
    cpu_share: float
    pss_mb: float
    rss_mb: float
    threads: int


@dataclass(frozen=True)
class Load:
    """One run."""

    miners: int
    seconds: float
    polls: int
    """Readings that came in at the stand-ins."""
    requests: int
    oldest_seconds: float
    """Of the telemetry in the broker's memory at the end, the one that was made first."""
    agents: tuple[Process, ...]
    broker: Process
    engine: Process
    fixed_work_ms: float
    """Processor time of a fixed piece of work meanwhile: how fast the machine was in this run."""
    stand_ins_cpu_share: float

    @property
    def reached(self) -> float:
        """The polls that came about, of those that were due."""
        return self.polls / (self.miners / POLL_SECONDS * self.seconds)

    @property
    def counts(self) -> bool:
        """Whether the machine kept up, so that the run shows something."""
        return self.reached >= SHARE_THAT_COUNTS

    @property
    def cpu_share(self) -> float:
        """Of one core, by all replicas together."""
        return sum(agent.cpu_share for agent in self.agents)

    @property
    def cpu_ms_a_poll(self) -> float:
        return 1000 * sum(agent.cpu_seconds for agent in self.agents) / self.polls

    @property
    def work_a_poll(self) -> float:
        """In pieces of fixed work, so that runs at different speeds of one machine can be compared."""
        return self.cpu_ms_a_poll / self.fixed_work_ms


def measure(miners: int = 1000, *, replicas: int = 1, seconds: float = 40.0) -> Load:
    """Runs the park until it is settled, and looks. Raises TimeoutError, FileNotFoundError without mosquitto."""
    with ExitStack() as until:
        stand_ins = until.enter_context(park(miners, _ANSWER_SECONDS))
        broker = until.enter_context(mosquitto())
        directory = Path(until.enter_context(tempfile.TemporaryDirectory()))
        farm = _farm(stand_ins.ports, range(miners))
        engine = until.enter_context(service_process("policy_engine", farm, broker, directory))
        _report_soc(broker)
        agents = [
            until.enter_context(service_process("vnish_agent", farm, broker, directory, instance=f"part-{part}"))
            for part in range(replicas)
        ]
        _await_settled(broker, miners)
        time.sleep(_QUIET_SECONDS)
        return _looked_at(stand_ins, broker, engine, agents, seconds)


def _looked_at(
    stand_ins: Park, broker: RunningBroker, engine: psutil.Process, agents: Sequence[psutil.Process], seconds: float
) -> Load:
    processes = [psutil.Process(broker.pid), engine, *agents]
    _report_soc(broker)
    before, began = stand_ins.report(), time.monotonic()
    used = [_cpu_seconds(process) for process in processes]
    looks: list[list[tuple[float, float, int]]] = []
    speeds: list[float] = []
    for _ in range(_LOOKS):
        time.sleep(seconds / _LOOKS)
        looks.append([_memory(process) for process in processes])
        speeds.append(_fixed_work_ms())
    took = time.monotonic() - began
    after = stand_ins.report()
    spent = [_cpu_seconds(process) - earlier for process, earlier in zip(processes, used, strict=True)]
    found = [
        Process(cpu, cpu / took, *(statistics.median(column) for column in zip(*rows, strict=True)))
        for cpu, rows in zip(spent, zip(*looks, strict=True), strict=True)
    ]
    return Load(
        miners=len(stand_ins.ports),
        seconds=took,
        polls=after.readings - before.readings,
        requests=after.requests - before.requests,
        oldest_seconds=_oldest_seconds(broker, len(stand_ins.ports)),
        agents=tuple(found[2:]),
        broker=found[0],
        engine=found[1],
        fixed_work_ms=statistics.median(speeds),
        stand_ins_cpu_share=(after.cpu_seconds - before.cpu_seconds) / took,
    )


def _fixed_work_ms() -> float:
    began = time.thread_time()
    for _ in range(_FIXED_ROUNDS):
        json.loads(_FIXED_TEXT)
    return 1000 * (time.thread_time() - began) / _FIXED_ROUNDS


def _cpu_seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _memory(process: psutil.Process) -> tuple[float, float, int]:
    found = footprint_of(process.pid)
    if found is None:
        message = f"process {process.pid} has ended while it was measured"
        raise RuntimeError(message)
    return found.pss_mb, found.rss_mb, found.threads


def _report_soc(broker: RunningBroker) -> None:
    now = datetime.now(UTC)
    message = SiteTelemetry(at=now, source="bench", state_of_charge_percent=GOOD_PERCENT, confirmed_at=now)
    with Wire(broker, "bench-soc") as wire:
        wire.publish([(SITE_TELEMETRY.path(PREFIX, "home"), message.model_dump_json(exclude_none=True).encode())])
        time.sleep(0.1)  # the acknowledgement; nothing else is awaited here


def _await_settled(broker: RunningBroker, miners: int) -> None:
    settled: set[str] = set()
    with _listening(broker) as wire:
        for heard in wire.messages(_PATIENCE_SECONDS):
            if b'"settled":true' in heard.payload:
                settled.add(heard.path)
                if len(settled) == miners:
                    return
    message = f"{len(settled)} of {miners} miners settled within {_PATIENCE_SECONDS:g} s"
    raise TimeoutError(message)


def _oldest_seconds(broker: RunningBroker, miners: int) -> float:
    found: dict[str, datetime] = {}
    now = datetime.now(UTC)
    with _listening(broker) as wire:
        for heard in wire.messages(_PATIENCE_SECONDS):
            if heard.retained:
                telemetry = MinerTelemetry.model_validate_json(heard.payload)
                if not telemetry.reachable or not telemetry.settled:
                    message = f"{heard.path} is not settled any more: {telemetry.problem} {telemetry.detail}"
                    raise RuntimeError(message)
                found[heard.path] = telemetry.at
                if len(found) == miners:
                    return max((now - at).total_seconds() for at in found.values())
    message = f"only {len(found)} of {miners} miners have a telemetry"
    raise TimeoutError(message)


@contextmanager
def _listening(broker: RunningBroker) -> Iterator[Wire]:
    with Wire(broker, "bench-ear") as wire:
        wire.subscribe(MINER_TELEMETRY.filter(PREFIX))
        yield wire


def _farm(ports: Sequence[int], numbers: range) -> str:
    rows = (_MINER.format(index=number, port=ports[number]) for number in numbers)
    return _FARM.format(poll=POLL_SECONDS) + "".join(rows)
