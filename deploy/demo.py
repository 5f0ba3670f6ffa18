"""A living farm without hardware: one compressed day, with the real services and the simulator on one fast clock."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from deploy.broker import BrokerError
from deploy.connection import STATE_DIRECTORY
from deploy.embedded import SERVICES, WATCH, AlreadyRunningError, Plan, alone_in, run_farm
from services.simulator.wiring import ORDERS_VARIABLE
from shared.clock import SystemClock
from shared.launch import EXIT_BAD_INPUT, set_up_log
from shared.settings import FarmFileError

SIMULATOR = "services.simulator.__main__"
DAY_SECONDS = 86_400.0
DATE, MORNING = date(2026, 6, 21), time(4)
# Leases and stale times are lengthened to these real seconds: a laptop that hiccups must trip no failsafe.
_LEASE_REAL_SECONDS = 20
_STALE_REAL_SECONDS = 20
# A Bitaxe takes its own time whatever the clock: it warms and ramps in real seconds, and is read every 10 s. A second
# step down waits for the reading after the first.
_HEAT_STEP_REAL_SECONDS = 14
_HEAT_RESTORE_REAL_SECONDS = 2
_WARMING_REAL_SECONDS = 8
_HOT_REAL_SECONDS = 7.6
# Sockets, relays and boots take their own time, too: a power cycle with the boot after it about 8 s, until the pool has
# seen it. A hiccup of the laptop must look like nobody's death.
_OFFLINE_REAL_SECONDS = 7
_COOLDOWN_REAL_SECONDS = 13
_RELAPSE_REAL_SECONDS = 0.5
"""After each power cycle; a rig takes 2 s to boot, so it does not come so far as to find a share."""

FARM = """\
# The demo's farm, written anew at each start. Ports are free ones of this machine.
site: {{time_zone: UTC, latitude: 38.7, longitude: -9.1}}
battery:
  home_assistant:
    url: http://127.0.0.1:{home_assistant}
    state_of_charge: sensor.battery_soc
    pv_power: sensor.pv_power
    load_power: sensor.load_power
    battery_power: sensor.battery_power
    grid_available: binary_sensor.grid
    poll: 2 s
  unconfirmed_after: {stale} s
miners:
  s19-20: {{driver: vnish, host: 127.0.0.1:{miner_0}, stop_soc: 73, resume_soc: 75, worker: demo-pool/farm/s19-20,
           plug: {{host: 127.0.0.1:{plug}, protocol: legacy, poll: 0.5 s}}, {patience}}}
  s19-21: {{driver: vnish, host: 127.0.0.1:{miner_1}, stop_soc: 95, resume_soc: 99}}
  s19-22: {{driver: vnish, host: 127.0.0.1:{miner_2}, stop_soc: 95, resume_soc: 99}}
  bitaxe-1: {{driver: bitaxe, host: 127.0.0.1:{miner_3}, schedule: day-and-night, delay: 1 s}}
  bitaxe-2: {{driver: bitaxe, host: 127.0.0.1:{miner_4}, schedule: day-and-night, delay: 1 s}}
  bitaxe-3: {{driver: bitaxe, host: 127.0.0.1:{miner_5}, schedule: day-and-night, delay: 1 s}}
  rig-7: {{driver: plug, nominal_w: 500, worker: demo-pool/farm/rig-7, power_cycle_on_delay: 3 s,
          plug: {{host: 127.0.0.1:{strip}, outlet: Rig 7, protocol: legacy, poll: 0.5 s}}, {patience}}}
  rig-8: {{driver: plug, nominal_w: 400, worker: demo-pool/farm/rig-8, power_cycle_on_delay: 3 s,
          plug: {{host: 127.0.0.1:{strip}, outlet: Rig 8, protocol: legacy, poll: 0.5 s}}, {patience}}}
pools:
  demo-pool:
    url: "http://127.0.0.1:{pool}/api/user/{{account}}"
    workers: workerData
    last_seen: lastSubmission
    poll: 1 s
schedules:
  day-and-night:
    - {{from: "07:30", to: "20:00", voltage_mv: 1150, frequency_mhz: 450}}
    - {{from: "20:00", to: "07:30", voltage_mv: 1250, frequency_mhz: 550}}
# On the fast clock a real second is {rate:.0f} farm seconds: what guards against a hiccup of the laptop is lengthened.
rules: {{lease: {lease} s, grace: {lease} s, stale_no_start: {stale} s, stale_pause: {stale} s, poll: 0.5 s,
        heat_step: {heat_step} s, heat_restore: {heat_restore} s}}
"""


PORTS = ("home_assistant", "pool", "plug", "strip", *(f"miner_{number}" for number in range(6)))
"""What listens."""


def write_farm(directory: Path, rate: float, ports: Sequence[int]) -> Path:
    """Writes the demo's farm file, with a port for each of `PORTS`; returns its path."""
    offline = max(300, round(_OFFLINE_REAL_SECONDS * rate))
    cooldown = max(600, round(_COOLDOWN_REAL_SECONDS * rate))
    text = FARM.format(
        **dict(zip(PORTS, ports, strict=True)),
        patience=f"time_until_offline: {offline} s, status_check_cooldown: {cooldown} s",
        rate=rate,
        lease=round(_LEASE_REAL_SECONDS * rate),
        stale=round(_STALE_REAL_SECONDS * rate),
        heat_step=max(30, round(_HEAT_STEP_REAL_SECONDS * rate)),
        heat_restore=max(300, round(_HEAT_RESTORE_REAL_SECONDS * rate)),
    )
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "farm.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def orders(rate: float) -> str:
    """What befalls whom: one rig hangs once, one after each power cycle, too; the room of one Bitaxe warms, and cools.

    The Bitaxe's chip exceeds its limit from noon on.
    """
    midnight = datetime.combine(DATE, time(), UTC)
    noon = midnight + timedelta(hours=12)
    begins = max(midnight, noon - timedelta(seconds=_WARMING_REAL_SECONDS * rate))
    ends = min(noon + timedelta(seconds=_HOT_REAL_SECONDS * rate), midnight + timedelta(hours=23))
    relapse_minutes = _RELAPSE_REAL_SECONDS * rate / 60
    return (
        f"05:45 rig-8 unstable {relapse_minutes:.3f}, 08:30 rig-7 hang, "
        f"{begins:%H:%M:%S} bitaxe-1 heat 74, {ends:%H:%M:%S} bitaxe-1 mend"
    )


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
    for variable in ("VNISH_PASSWORD", "SUNHERD_BROKER__URL", "SUNHERD_BROKER__USERNAME", "MQTT_PASSWORD"):
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
