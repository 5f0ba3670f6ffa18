"""The demo's farm as an owner has one: `farm.yaml` here, real time, a full battery."""

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from deploy.connection import STATE_DIRECTORY
from deploy.demo import SIMULATOR
from deploy.demo_farm import PORTS, write_farm
from deploy.embedded import SERVICES, Plan, alone_in, run_farm
from deploy.ports import is_free
from services.simulator.wiring import ORDERS_VARIABLE
from shared.clock import SystemClock
from shared.launch import set_up_log

HA_TOKEN = "demo-token"
MORE = """\
groups:
  garage: {members: [s19-20, s19-21], max_w: 6600}
home_assistant: {discovery: true}
"""


def main() -> int:
    """Runs it in this directory until Ctrl-C. The names are those that the pages use."""
    set_up_log("standing_farm")
    os.environ |= {"HA_TOKEN": HA_TOKEN, "SUNHERD_START_SOC": "97", ORDERS_VARIABLE: ""}
    here = Path().absolute()
    ports = free_ports(len(PORTS))
    farm_file = write_farm(here, 1.0, ports)
    farm_file.write_text(farm_file.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    (here / ".env").write_text(f"HA_TOKEN={HA_TOKEN}\n", encoding="utf-8")
    state = here / STATE_DIRECTORY
    with alone_in(state):
        plan = Plan(
            farm_file, state, (SIMULATOR, *SERVICES), SystemClock(), head_start=lambda: all(map(_answers, ports))
        )
        return run_farm(plan)


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    with ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _answers(port: int) -> bool:
    return not is_free("127.0.0.1", port)


if __name__ == "__main__":
    sys.exit(main())
