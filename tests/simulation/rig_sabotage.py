"""How the code is broken for each invariant of rigs that hang; see `sabotage.py`."""

from dataclasses import dataclass

_CARE = "services/policy_engine/watchdog/care.py"
_PLUGS = "services/kasa_power_agent"


@dataclass(frozen=True)
class Change:
    """A text of the code and what stands there once it is broken."""

    file: str
    sound: str
    broken: str


RIG_SABOTAGES: dict[str, tuple[Change, ...]] = {
    "no_needless_cycle": (
        Change(_CARE, "if opinion.finding is not Finding.FAILED:", "if opinion.finding is Finding.UNKNOWN:"),
    ),
    "cycle_budget": (
        Change(_CARE, "if vain >= patient.watch.tries:", "if vain >= 99:"),
        Change(_CARE, "len(past.tries) >= patient.rules.starts_per_day:", "len(past.tries) >= 99:"),
    ),
    "one_cycle_for_one_cause": (
        Change(_CARE, " + max(patient.watch.cooldown, _unseen_by_pool(patient))", ""),
        Change(_CARE, "return _pool_knows_no_better(past, patient)", "return None"),
    ),
    "outlet_as_desired": (
        Change(
            f"{_PLUGS}/driver.py",
            "command.code not in {CYCLE_OFF, CYCLE_WAIT} and reading.on is command.on",
            "command.code not in {CYCLE_OFF, CYCLE_WAIT}",
        ),
    ),
    "power_comes_back": (
        Change(f"{_PLUGS}/cycle.py", "waited >= cycle.off_seconds:", "waited >= 1e6 * cycle.off_seconds:"),
    ),
    "rescued": (Change(_CARE, "return Remedy.CYCLE if watch.has_plug else None", "return None"),),
    "never_the_parent": (
        Change(
            f"{_PLUGS}/unit.py",
            "self._link.switch(outlet.outlet_id, on=on)",
            "[self._link.switch(f'{outlet.outlet_id[:-2]}0{each}', on=on) for each in range(6)]",
        ),
    ),
}
