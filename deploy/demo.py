"""A living farm without hardware: one compressed day, with the real services and the simulator on one fast clock."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from deploy.broker import BrokerError
from deploy.connection import STATE_DIRECTORY
from deploy.demo_farm import DATE, DAY_SECONDS, MORNING, PORTS, orders, write_farm
from deploy.embedded import SERVICES, WATCH, AlreadyRunningError, Plan, alone_in, run_farm
from services.simulator.wiring import ORDERS_VARIABLE
from shared.clock import SystemClock
from shared.latch import LATCH_VARIABLE
from shared.launch import EXIT_BAD_INPUT, set_up_log
from shared.settings import FarmFileError

SIMULATOR = "services.simulator.__main__"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """`make demo`."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo",
        description="Shows a day of a simulated solar farm: real services, a broker, and stand-ins for the hardware.",
        epilog="Look at the topics meanwhile with `make topics` in a second terminal. SUNHERD_SIMULATED_ORDERS, such as"
        " '14:00 bitaxe-1 heat 74, 16:00 bitaxe-1 mend', says what befalls whom.",
    )
    parser.add_argument("--day", type=float, default=100.0, metavar="SECONDS", help="how long one day takes (100)")
    parser.add_argument("--days", type=float, default=1.0, help="how many days to show (1); 0: until Ctrl-C")
    parser.add_argument(
        "--from", dest="begins", type=time.fromisoformat, default=MORNING, metavar="HH:MM", help="when (04:00)"
    )
    parser.add_argument("--soc", type=float, default=76.0, metavar="PERCENT", help="state of charge then (76)")
    options = parser.parse_args(arguments)
    if not (10 <= options.day <= DAY_SECONDS and options.days >= 0 and 0 <= options.soc <= 100):  # noqa: PLR2004
        parser.error("--day takes 10 to 86400 seconds, --days at least 0, --soc 0 to 100")
    return show(options.day, options.days, options.begins, options.soc)


def show(day_seconds: float, days: float, begins: time, soc_percent: float) -> int:
    """Runs the demo; returns the exit code."""
    set_up_log("demo")
    clock = SystemClock(start=datetime.combine(DATE, begins, UTC), rate=DAY_SECONDS / day_seconds)
    state = Path(STATE_DIRECTORY, "demo").absolute()
    os.environ["HA_TOKEN"] = "demo-token"  # noqa: S105 - of the stand-in
    os.environ["SUNHERD_START_SOC"] = repr(soc_percent)
    os.environ.setdefault(ORDERS_VARIABLE, orders(clock.rate))
    settings = ("VNISH_PASSWORD", "SUNHERD_BROKER__URL", "SUNHERD_BROKER__USERNAME", "MQTT_PASSWORD", LATCH_VARIABLE)
    for variable in settings:
        os.environ.pop(variable, None)  # a real farm's settings have no business in the demo
    _say(f"One day of a simulated farm in {day_seconds:g} s. Ctrl-C ends it.")
    if clock.rate > 1:
        _say(f"Bitaxes ramp and rigs boot as slowly as ever: 10 s are {10 * clock.rate / 3600:.1f} h of this day.")
    ends_at = clock.seconds() + day_seconds * days if days else float("inf")
    try:
        with alone_in(state):
            ports = _free_ports(len(PORTS))
            modules = (SIMULATOR, *SERVICES, WATCH)
            farm_file = write_farm(state, clock.rate, ports)
            plan = Plan(farm_file, state, modules, clock, forget=True, head_start=lambda: all(map(_answers, ports)))
            code = run_farm(plan, until=lambda: clock.seconds() > ends_at)
    except (FarmFileError, BrokerError, AlreadyRunningError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    if code == 0:
        _say(
            "That was the day. Every reading and every decision with its reasons travels on topics:\n"
            "  make demo DAYS=0     keeps the farm running, and in a second terminal\n"
            "  make topics          shows what it says (make topics FILTER='sunherd/miner/+/command')\n"
            f"The farm file of the demo is {STATE_DIRECTORY}/demo/farm.yaml; for your own: make run"
        )
    return code


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
