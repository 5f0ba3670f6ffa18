"""Everything that a chaos run needs, as processes of this machine: set up, and ended without a trace."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.broker import HOST, RunningBroker, start_broker
from shared.bus import BrokerAddress
from tests.chaos.middlemen import Manner
from tests.chaos.plan import AGENT, BRIDGE, ENGINE, Cast
from tests.chaos.replicas import Replica
from tests.chaos.times import TOKEN, Times, farm_text
from tests.embedded_farm import ROOT

_END_SECONDS = 10.0


def cast_of(replicas: int, miners: int) -> Cast:
    """`replicas`: of the agent; engine and bridge have two where the agent has several. One more agent may join."""
    pairs = min(2, replicas)
    counts = {ENGINE: pairs, AGENT: replicas, BRIDGE: pairs}
    named = {service: tuple(f"{service}-{number + 1}" for number in range(count)) for service, count in counts.items()}
    joiners = (f"{AGENT}-{replicas + 1}",) if replicas > 1 else ()
    return Cast(named, joiners, tuple(f"m{number}" for number in range(miners)))


class Partner:
    """A process of the harness that takes orders as lines of JSON, and whose first line tells its addresses."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the harness
        )
        self.addresses: dict[str, Any] = self._answer()

    def order(self, **what: object) -> None:
        """Without waiting for an answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def ask(self, **what: object) -> dict[str, Any]:
        self.order(**what)
        return self._answer()

    def end(self) -> None:
        """Closes its stdin, which ends it; kills it where it does not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(_END_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"a process of the harness has ended by itself: {self._module}"
            raise RuntimeError(message)
        found: dict[str, Any] = json.loads(line)
        return found


class Field:
    """Broker, stand-ins, men in the middle and replicas."""

    def __init__(
        self,
        directory: Path,
        broker: RunningBroker,
        stand_ins: Partner,
        middlemen: Partner,
        replicas: Sequence[Replica],
    ) -> None:
        self.directory = directory
        self.broker = broker
        self.stand_ins = stand_ins
        self.replicas = {one.instance: one for one in replicas}
        self._middlemen = middlemen

    def address(self) -> BrokerAddress:
        """The broker's own, with nobody in the middle."""
        return BrokerAddress(HOST, self.broker.port, self.broker.username, self.broker.password)

    def partition(self, whom: str, manner: Manner) -> None:
        self._middlemen.order(whom=whom, manner=str(manner))

    def forget(self) -> None:
        """What the broker has written down; to be called while it does not run."""
        (self.directory / "broker" / "mosquitto.db").unlink(missing_ok=True)

    def tracebacks(self) -> dict[str, int]:
        """How many exceptions each log tells of."""
        logs = [*self.directory.glob("*/log/*.log*"), *self.directory.glob("*/said")]
        counted = {
            str(log.relative_to(self.directory)): log.read_text(encoding="utf-8", errors="replace").count(
                "Traceback (m"
            )
            for log in logs
        }
        return {name: count for name, count in counted.items() if count}


@contextmanager
def laid_out(cast: Cast, times: Times, keep: Path | None = None) -> Iterator[Field]:
    """Everything but the joiners runs, until the end of the block. `keep`: where logs are to stay."""
    with ExitStack() as until:
        if keep is None:
            directory = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="sunherd-chaos-")))
        else:
            keep.mkdir(parents=True, exist_ok=True)
            directory = keep
        broker = start_broker(directory / "broker", port=0)
        until.callback(_end_broker, broker)
        if broker.kind != "mosquitto":
            message = (
                "mosquitto is not installed. Fix: apt-get install mosquitto; chaos is only worth it on a real broker."
            )
            raise RuntimeError(message)
        instances = [name for names in cast.replicas.values() for name in names] + list(cast.joiners)
        passwords = {name: _password(name) for name in instances}
        options = json.dumps({"miners": len(cast.miners), "passwords_of": passwords})
        stand_ins = Partner("tests.chaos.stand_ins", options)
        until.callback(stand_ins.end)
        middlemen = Partner("tests.chaos.middlemen", str(broker.port), *instances)
        until.callback(middlemen.end)
        addresses = stand_ins.addresses
        farm = farm_text(times, addresses["home_assistant"], addresses["ports"])
        (directory / "farm.yaml").write_text(farm, encoding="utf-8")
        replicas = [_replica(name, directory, broker, middlemen.addresses[name]) for name in instances]
        until.callback(_end_all, replicas)
        for one in replicas:
            if one.instance not in cast.joiners:
                one.start()
        yield Field(directory, broker, stand_ins, middlemen, replicas)


def _password(instance: str) -> str:
    """Each replica has its own, so that the miners know who speaks."""
    return f"chaos {instance}"


def _replica(instance: str, directory: Path, broker: RunningBroker, port: int) -> Replica:
    service, _, number = instance.rpartition("-")
    environment = {
        "SUNHERD_FARM": str(directory / "farm.yaml"),
        "SUNHERD_BROKER__URL": f"mqtt://{HOST}:{port}",
        "SUNHERD_BROKER__USERNAME": broker.username,
        "MQTT_PASSWORD": broker.password,
        "HA_TOKEN": TOKEN,
        "VNISH_PASSWORD": _password(instance),
    }
    return Replica(service, number, environment, directory / instance)


def _end_broker(broker: RunningBroker) -> None:
    with suppress(ProcessLookupError):
        os.kill(broker.pid, signal.SIGCONT)  # a frozen one could not end in order
    broker.stop()


def _end_all(replicas: Sequence[Replica]) -> None:
    """All at once, then each: so that ten of them do not take ten times as long."""
    for one in replicas:
        one.thaw()
        one.ask_to_leave()
    for one in replicas:
        one.end()
