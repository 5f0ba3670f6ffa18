"""The whole farm on one machine, without Docker: finds or starts a broker, runs every service, restarts what dies."""

import argparse
import fcntl
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.broker import BrokerError, RunningBroker, start_broker
from deploy.connection import STATE_DIRECTORY, Connection
from deploy.following import FarmFollower
from deploy.keep import PID_FILE_VARIABLE
from deploy.supervise import Supervisor
from deploy.watch import STARTED_VARIABLE
from services.bitaxe_agent import needed as bitaxe_agent
from services.ha_discovery import needed as ha_discovery
from services.kasa_power_agent import needed as kasa_power_agent
from services.policy_engine import needed as policy_engine
from services.pool_poller import needed as pool_poller
from services.soc_bridge import needed as soc_bridge
from services.vnish_agent import needed as vnish_agent
from shared.clock import CLOCK_VARIABLE, SystemClock
from shared.follow import EMBEDDED_VARIABLE, FOLLOW_VARIABLE
from shared.inputs import Inputs, forget_inputs, inputs_of
from shared.latch import LATCH_FILE, LATCH_VARIABLE
from shared.launch import EXIT_BAD_INPUT, LOG_DIRECTORY_VARIABLE, set_up_log
from shared.replicas import SETTLE_VARIABLE
from shared.settings import FarmFileError, FarmSettings, load_farm
from shared.settings.enabled import ONLY_VARIABLE
from shared.settings.load import FARM_VARIABLE, farm_path

log = logging.getLogger(__name__)

_NEEDED: dict[str, Callable[[FarmSettings], bool]] = {
    "services.policy_engine.__main__": policy_engine.is_needed,
    "services.soc_bridge.__main__": soc_bridge.is_needed,
    "services.vnish_agent.__main__": vnish_agent.is_needed,
    "services.bitaxe_agent.__main__": bitaxe_agent.is_needed,
    "services.pool_poller.__main__": pool_poller.is_needed,
    "services.kasa_power_agent.__main__": kasa_power_agent.is_needed,
    "services.ha_discovery.__main__": ha_discovery.is_needed,
}
SERVICES = tuple(_NEEDED)
WATCH = "deploy.watch"

NO_FARM = """\
There is no {path} yet. `sunherd init` makes one: it finds your miners and asks the rest. By hand:
  1. cp farm.example.yaml {path}
  2. put in your battery's sensor, and each miner's address with stop_soc and resume_soc
  3. export HA_TOKEN=...   (Home Assistant: your profile, Security, long-lived access tokens)
  4. sunherd check         (make run ARGS=--check; `observe: true` watches it decide without touching a miner)
"""


@dataclass(frozen=True)
class Plan:
    """What is to be run, and where its state, logs and broker memory live."""

    farm_file: Path
    state: Path
    modules: Sequence[str]
    clock: SystemClock
    forget: bool = False
    """Begin without the memory and logs of the last run."""
    head_start: Callable[[], bool] | None = None
    """The first module runs alone until this is true."""


class AlreadyRunningError(Exception):
    """Another process runs the same farm: two engines would fight over its miners."""


@contextmanager
def alone_in(state: Path) -> Iterator[None]:
    """Holds the directory's lock, which ends with the last process of the farm. Raises AlreadyRunningError."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"A farm is already running from {state}. Fix: stop it first, or run the other one elsewhere."
            raise AlreadyRunningError(message) from error
        yield


def run_farm(plan: Plan, until: Callable[[], bool] = lambda: False) -> int:
    """Runs a farm until Ctrl-C or `until()`; returns the exit code. Raises FarmFileError and BrokerError.

    To be called inside `alone_in(plan.state)`.
    """
    started_seconds = plan.clock.seconds()
    farm = load_farm(plan.farm_file)
    if plan.forget:
        shutil.rmtree(plan.state / "broker", ignore_errors=True)
        shutil.rmtree(plan.state / "log", ignore_errors=True)
        (plan.state / LATCH_FILE).unlink(missing_ok=True)
    (plan.state / "log").mkdir(exist_ok=True)
    broker = None if farm.broker.url else start_broker(plan.state / "broker")
    try:
        _tell_children(plan, broker, started_seconds)
        forget_inputs(plan.farm_file)
        inputs = inputs_of(plan.farm_file)  # with the broker in the environment, and before the first fork
        leave_connection(plan, inputs)
        supervisor = Supervisor(needed(plan.modules, farm), plan.clock, broker, head_start=plan.head_start)
        return supervisor.run(_following(plan, supervisor, until, own_broker=broker is not None))
    finally:
        if broker is not None:
            broker.stop()


def _following(
    plan: Plan, supervisor: Supervisor, until: Callable[[], bool], *, own_broker: bool
) -> Callable[[], bool]:
    """`until`, asked as often as ever, with a look at the farm file before it."""
    if os.environ.get(FOLLOW_VARIABLE) == "off":
        return until
    follower = FarmFollower(
        plan.farm_file,
        plan.clock,
        lambda farm: needed(plan.modules, _as_written(farm) if own_broker else farm),
        partial(leave_connection, plan),
        own_broker=own_broker,
    )

    def look_and_ask() -> bool:
        follower.look(supervisor)
        return until()

    return look_and_ask


def _as_written(farm: FarmSettings) -> FarmSettings:
    """Without the farm's own broker, which stands in the environment: what is for brokers of others asks for those."""
    return farm.model_copy(update={"broker": farm.broker.model_copy(update={"url": None})})


def needed(modules: Iterable[str], farm: FarmSettings) -> list[str]:
    """Those for which the farm has something to do; the others are not even imported."""
    return [module for module in modules if module not in _NEEDED or _NEEDED[module](farm)]


def _tell_children(plan: Plan, broker: RunningBroker | None, started_seconds: float) -> None:
    """The environment is what forked and spawned children have in common."""
    os.environ[FARM_VARIABLE] = str(plan.farm_file)
    os.environ[LOG_DIRECTORY_VARIABLE] = str(plan.state / "log")
    os.environ[EMBEDDED_VARIABLE] = "1"
    os.environ[STARTED_VARIABLE] = repr(started_seconds)
    os.environ.setdefault(LATCH_VARIABLE, str(plan.state / LATCH_FILE))
    if plan.clock.rate != 1.0:
        os.environ[CLOCK_VARIABLE] = plan.clock.to_variable()
    if broker is not None:
        os.environ["SUNHERD_BROKER__URL"] = broker.url
        os.environ["SUNHERD_BROKER__USERNAME"] = broker.username
        os.environ["MQTT_PASSWORD"] = broker.password
        os.environ.setdefault(SETTLE_VARIABLE, "0")  # nobody else is on this broker: there are no replicas to wait for
        if broker.kind == "mosquitto":
            os.environ[PID_FILE_VARIABLE] = str(broker.pid_file)
        sys.stdout.write(f"Broker: {broker.kind} on {broker.url}\n")
        sys.stdout.flush()


def leave_connection(plan: Plan, inputs: Inputs) -> None:
    """Says how other terminals reach the farm, and whom it knows. A broker of its own stands in the environment."""
    farm = inputs.farm
    Connection(
        url=farm.broker.url or "",
        username=farm.broker.username,
        password=inputs.secrets.get("MQTT_PASSWORD"),
        ca_file=farm.broker.ca_file,
        prefix=farm.broker.prefix,
        clock=plan.clock.to_variable(),
        site=farm.site.id,
        miners=list(farm.miners),
        groups=list(farm.groups),
    ).leave(plan.state)


def main(arguments: Sequence[str] | None = None) -> int:
    """`make run`."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.embedded",
        description="Runs your farm on this machine: a broker if none is configured, and all services. Ctrl-C ends it.",
        epilog="Logs and the memory of the broker live in .sunherd beside the farm file. A restart is safe.",
    )
    parser.add_argument("--farm", type=Path, default=farm_path(), help="the farm file (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="only read the farm file and say what is wrong with it")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run this miner alone; may be said several times"
    )
    options = parser.parse_args(arguments)
    if options.only:
        os.environ[ONLY_VARIABLE] = ",".join(options.only)
    farm_file: Path = options.farm.absolute()
    set_up_log("embedded")
    try:
        farm = load_farm(farm_file)  # before anything is written
        if options.check:
            count = len(farm.miners)
            sys.stdout.write(f"{options.farm} is fine: {count} miner{'' if count == 1 else 's'}\n")
            return 0
        state = farm_file.parent / STATE_DIRECTORY
        with alone_in(state):
            code = run_farm(Plan(farm_file, state, (*SERVICES, WATCH), SystemClock()))
    except FileNotFoundError:
        sys.stderr.write(NO_FARM.format(path=options.farm))
        return EXIT_BAD_INPUT
    except (FarmFileError, BrokerError, AlreadyRunningError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    sys.stdout.write("Stopped. The miners stay as they are, and nobody watches the battery until the next start.\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
