"""The demo's farm file, and what befalls its miners: for a day of any length, on this machine or in containers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

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
# The demo's farm, written anew at each start.
site: {{time_zone: UTC, latitude: 38.7, longitude: -9.1}}
battery:
  home_assistant:
    url: http://{host}:{home_assistant}
    state_of_charge: sensor.battery_soc
    pv_power: sensor.pv_power
    load_power: sensor.load_power
    battery_power: sensor.battery_power
    grid_available: binary_sensor.grid
    poll: 2 s
  unconfirmed_after: {stale} s
miners:
  s19-20: {{driver: vnish, host: {host}:{miner_0}, stop_soc: 73, resume_soc: 75, worker: demo-pool/farm/s19-20,
           plug: {{host: {host}:{plug}, protocol: legacy, poll: 0.5 s}}, {patience}}}
  s19-21: {{driver: vnish, host: {host}:{miner_1}, stop_soc: 95, resume_soc: 99}}
  s19-22: {{driver: vnish, host: {host}:{miner_2}, stop_soc: 95, resume_soc: 99}}
  bitaxe-1: {{driver: bitaxe, host: {host}:{miner_3}, schedule: day-and-night, delay: 1 s}}
  bitaxe-2: {{driver: bitaxe, host: {host}:{miner_4}, schedule: day-and-night, delay: 1 s}}
  bitaxe-3: {{driver: bitaxe, host: {host}:{miner_5}, schedule: day-and-night, delay: 1 s}}
  rig-7: {{driver: plug, nominal_w: 500, worker: demo-pool/farm/rig-7, power_cycle_on_delay: 3 s,
          plug: {{host: {host}:{strip}, outlet: Rig 7, protocol: legacy, poll: 0.5 s}}, {patience}}}
  rig-8: {{driver: plug, nominal_w: 400, worker: demo-pool/farm/rig-8, power_cycle_on_delay: 3 s,
          plug: {{host: {host}:{strip}, outlet: Rig 8, protocol: legacy, poll: 0.5 s}}, {patience}}}
pools:
  demo-pool:
    url: "http://{host}:{pool}/api/user/{{account}}"
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


def write_farm(directory: Path, rate: float, ports: Sequence[int], host: str = "127.0.0.1") -> Path:
    """Writes the demo's farm file, with a port for each of `PORTS`; returns its path. `host`: of the stand-ins."""
    offline = max(300, round(_OFFLINE_REAL_SECONDS * rate))
    cooldown = max(600, round(_COOLDOWN_REAL_SECONDS * rate))
    text = FARM.format(
        **dict(zip(PORTS, ports, strict=True)),
        host=host,
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
