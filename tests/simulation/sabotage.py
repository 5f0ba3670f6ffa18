"""`make sabotage`: breaks the code once for each invariant, and sees whether a simulated day notices.

An invariant that no broken code has ever violated proves nothing. Each sabotage is made in a copy of the checkout.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from services.policy_engine.invariants import INVARIANTS
from tests.simulation.rig_sabotage import RIG_SABOTAGES, Change

_HERE = Path(__file__).resolve().parents[2]
_COPIED = ("services", "shared", "deploy", "tests", "pyproject.toml")
_DAYS = 1500
_FIRST_SEED = 1
_RARE = 10


_ENGINE = "services/policy_engine"
_BITAXE = "services/bitaxe_agent"
_STEP = """\
    def step(self) -> float:
        self._recall()
"""
_ONE_AFTER_ANOTHER = """\
    _busy = False

    def step(self) -> float:
        if Tender._busy:
            return 1.0
        Tender._busy = True
        try:
            return self._step()
        finally:
            Tender._busy = False

    def _step(self) -> float:
        self._recall()
"""
_NEXT_READING = "if settled is False else self._manner.poll_seconds"
_UNKNOWN_IS_FINE = (
    Change(f"{_ENGINE}/policies/stale_input.py", "if may_continue(farm, miner, rules, now):", "if age:"),
    Change(
        f"{_ENGINE}/policies/soc_hysteresis.py",
        "fresh_soc_percent(now, rules.stale_no_start)",
        "fresh_soc_percent(now, rules.stale_no_start) or 100.0",
    ),
)
_HEAT_IS_FINE = Change(
    f"{_ENGINE}/heat.py", "return self.celsius - self.limit_celsius", "return self.celsius - self.limit_celsius - 90"
)

SABOTAGES: dict[str, tuple[Change, ...]] = {
    "battery_floor": (Change(f"{_ENGINE}/policies/soc_hysteresis.py", "if soc < stop:", "if soc < stop - 50:"),),
    "failsafe_in_time": (
        Change(
            "shared/lease.py",
            "        return Following.FAILSAFE, None\n\n    def age",
            "        return Following.GRACE, held.command\n\n    def age",
        ),
    ),
    "stale_pauses": (
        Change(
            f"{_ENGINE}/policies/stale_input.py", "if age >= rules.stale_pause:", "if age >= 9 * rules.stale_pause:"
        ),
    ),
    "no_blind_start": _UNKNOWN_IS_FINE,
    "no_start_on_unknown": _UNKNOWN_IS_FINE,
    "minimum_off": (
        Change(f"{_ENGINE}/gates.py", "now - since >= rules.minimum_off:", "now - since >= rules.minimum_off / 9:"),
    ),
    "starts_per_day": (
        Change(f"{_ENGINE}/gates.py", "len(starts) < rules.starts_per_day:", "len(starts) < 9 * rules.starts_per_day:"),
    ),
    "stagger": (
        Change(f"{_ENGINE}/gates.py", "begun_w + own_w <= rules.stagger_w:", "begun_w + own_w <= 9 * rules.stagger_w:"),
    ),
    "miner_cap": (Change(f"{_ENGINE}/policies/miner_cap.py", "ceiling_w=own.max_w,", "ceiling_w=9 * own.max_w,"),),
    "group_cap": (
        Change(
            f"{_ENGINE}/gates.py", "allowed_w = room.allowed_w(holding_w)", "allowed_w = 9 * room.allowed_w(holding_w)"
        ),
    ),
    "heat_limits": (Change(f"{_ENGINE}/policies/overheat.py", "_step_below(look, look.drawn_w)", "look.drawn_w"),),
    "heat_answered": (_HEAT_IS_FINE,),
    "heat_alone": (
        # While the engine answers too, what an agent leaves undone hardly shows.
        _HEAT_IS_FINE,
        Change(f"{_BITAXE}/protection.py", "LOCAL_MARGIN_CELSIUS = 5.0", "LOCAL_MARGIN_CELSIUS = 50.0"),
    ),
    "set_with_care": (
        Change(
            f"{_BITAXE}/ramp.py",
            "if here.frequency_mhz >= target.frequency_mhz + SAME_MHZ:",
            "if here.voltage_mv <= target.voltage_mv and here.frequency_mhz >= target.frequency_mhz + SAME_MHZ:",
        ),
    ),
    "clamps": (
        Change(
            f"{_BITAXE}/wiring.py",
            'frequency_mhz=miner.max_frequency_mhz if "max_frequency_mhz" in said else None,',
            "frequency_mhz=None,",
        ),
    ),
    "schedule": (Change(f"{_ENGINE}/policies/schedule.py", "if timetable is None:", "if timetable is None or now:"),),
    "epoch_order": (
        Change(
            "shared/lease.py", "if command.epoch < self._fence and now < self._fenced_until:", "if not command.epoch:"
        ),
    ),
    "one_writer": (
        Change(
            f"{_ENGINE}/reign.py",
            "        if word is Word.HIGHER:\n            return",
            "        if False:\n            return",
        ),
    ),
    "emergency_stop_wins": (Change("shared/agent.py", "orders.stopped, pace)", "lambda: False, pace)"),),
    "outside_pause": (
        Change("shared/miner_role.py", "self._respects_outside_pause(command) or ", ""),
        Change(f"{_ENGINE}/policies/outside_pause.py", "if now >= until or", "if now >= since or"),
    ),
    "person_pauses": (
        Change(f"{_ENGINE}/policies/override.py", "if one.kind is OverrideKind.PAUSE:", "if not one.kind:"),
    ),
    "hands_off": (Change("shared/tender.py", "if self.name in self._manner.observe or", "if"),),
    "reasoned": (Change(f"{_ENGINE}/explain.py", "limits=verdict.limits,", "limits=(),"),),
    "converged": (
        Change(
            "services/vnish_agent/controls.py",
            "            self._start(view, point)\n",
            "            view.state.draws_power\n",
        ),
    ),
    "silence_delays_nobody": (Change("shared/tender.py", _STEP, _ONE_AFTER_ANOTHER),),
    "heard_of": (Change("shared/tender.py", _NEXT_READING, _NEXT_READING.replace("else ", "else 9 * ")),),
    "nobody_home": (Change(f"{_ENGINE}/memory.py", "now - view.heard_at > rules.heard_within", "now < view.heard_at"),),
    "restart_changes_nothing": (
        Change(f"{_ENGINE}/engine.py", "elif word in {Word.MEMORY, Word.HIGHER}:", "elif word in {Word.HIGHER}:"),
    ),
    "unknown_stays_unknown": (
        Change(
            "shared/tender.py",
            "            reading = self._unread(error)\n        except Exception",
            "            reading = getattr(self, '_kept', None) or self._unread(error)\n        except Exception",
        ),
        Change(
            "shared/tender.py",
            "        self._unread_in_row = 0 if",
            "        self._kept = reading\n        self._unread_in_row = 0 if",
        ),
    ),
    "right_device": (
        Change("services/vnish_agent/book.py", "if found.is_other_than(self.identity):", "if not found:"),
    ),
    "nothing_crashes": (
        Change(
            "services/soc_bridge/bridge.py",
            "        reason = trouble.reason if trouble else None\n",
            "        reason = None if trouble is None else trouble.reasons\n",
        ),
    ),
    **RIG_SABOTAGES,
}

HAVING = {"epoch_order": "rival", "heat_limits": "heat", "heat_answered": "heat", "heat_alone": "heat"} | dict.fromkeys(
    RIG_SABOTAGES, "hangs"
)
"""What shows only on rare days is looked for on days that have the incidents for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when a sabotage went unnoticed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.sabotage",
        description="Breaks the code on purpose, once for each invariant, in a copy of this checkout, and plays "
        "simulated days until that invariant says so.",
    )
    parser.add_argument("--only", choices=sorted(SABOTAGES), nargs="+", help="these invariants (all)")
    parser.add_argument("--days", type=int, default=_DAYS, help="how many to play before giving up (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    options = parser.parse_args(arguments)
    names = options.only or [invariant.name for invariant in INVARIANTS]
    sys.stdout.write(f"{'invariant':26} {'seed':>6} {'days':>6}   what it said\n")
    missed = sum(not _noticed(name, options.days, options.jobs) for name in names)
    sys.stdout.write(f"{len(names) - missed} of {len(names)} noticed\n")
    return 1 if missed else 0


def _noticed(name: str, days: int, jobs: int) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for part in _COPIED:
            source = _HERE / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        for change in SABOTAGES[name]:
            _make(copy, change)
        seeds = f"{_FIRST_SEED}-{_FIRST_SEED + days * (_RARE if name in HAVING else 1) - 1}"
        command = [sys.executable, "-m", "tests.simulation", "--seeds", seeds, "--only", name, "--jobs", str(jobs)]
        command += ["--having", HAVING[name]] if name in HAVING else []
        played = subprocess.run(
            [*command, "--until-broken", "--no-shrink", "--json"], cwd=copy, capture_output=True, text=True, check=False
        )
    try:
        summary = json.loads(played.stdout)
    except ValueError:
        sys.stdout.write(f"{name:26} did not run: {played.stderr[-300:]}\n")
        return False
    broken = summary["broken"]
    seed, said = (broken[0]["seed"], broken[0]["sentence"]) if broken else ("-", "NOT NOTICED")
    sys.stdout.write(f"{name:26} {seed:>6} {summary['site_days']:>6}   {said[:90]}\n")
    sys.stdout.flush()
    return bool(broken)


def _make(copy: Path, change: Change) -> None:
    file = copy / change.file
    text = file.read_text(encoding="utf-8")
    if text.count(change.sound) != 1:
        message = f"{change.file} holds {text.count(change.sound)} times what was to be broken: {change.sound!r}"
        raise ValueError(message)
    file.write_text(text.replace(change.sound, change.broken), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
