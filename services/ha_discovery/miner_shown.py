"""What a miner and its outlet are shown to be. Pure."""

import re
from math import floor

from services.ha_discovery.health import health_of, is_available, problem_of
from services.ha_discovery.known import MinerKnown, Moment
from services.ha_discovery.people import automatic, forced_for, profile, setting
from services.ha_discovery.shown import WHY, Shown, Values, rounded
from shared.messages import Limit, MinerCommand, MinerState, MinerTelemetry, PoolVerdict
from shared.settings import MinerSettings

SENTENCE_LENGTH_MAX = 255
"""Of a state of Home Assistant."""
_CELSIUS, _THS, _WATTS, _KWH = 0.5, 0.01, 1.0, 0.001
_J_PER_TH, _VOLTS, _AMPERES = 0.1, 0.1, 0.01
_WH_PER_KWH = 1000.0
_KEY = re.compile(r"[a-z0-9_]{1,64}")
_HAIR = 1e-6
"""What a number that was whole may have lost on its way."""
POLLERS = "pool_poller"


def miner_shown(settings: MinerSettings, known: MinerKnown, moment: Moment) -> Shown:
    """A miner. What is measured is unknown as soon as it does not answer."""
    available = is_available(known, moment)
    told = known.telemetry if available else None
    needs, problem = problem_of(known, moment)
    health, override, choice = health_of(known, moment), known.override, known.choice
    values: Values = {
        **_measured(told),
        "state": None if told is None or told.state is MinerState.UNKNOWN else told.state.value,
        "health": None if health is None else health.value,
        "problem": needs,
        "problem_sentence": _short(problem),
        "energy": _whole_wh(known.meter.kwh),
        "last_seen": None if known.last_seen_at is None else known.last_seen_at.isoformat(timespec="seconds"),
        WHY: None if known.command is None else _short(known.command.sentence),
        **automatic(override, moment.now),
        "force_on": forced_for(override, moment.now),
        "stop_soc": setting(None if choice is None else choice.stop_soc, settings.stop_soc),
        "resume_soc": setting(None if choice is None else choice.resume_soc, settings.resume_soc),
        "max_w": setting(None if choice is None else choice.max_w, settings.max_w),
        "profile": profile(None if choice is None else choice.point, known.facts.profiles),
        **_worker(known, moment),
    }
    return Shown(available, values, _why(known.command), _gist(known.command))


def plug_shown(known: MinerKnown, moment: Moment, poll_seconds: float) -> Shown:
    """The outlet of a miner."""
    plug = known.plug
    fresh = plug is not None and moment.is_there(plug.by) and moment.is_fresh(known.plug_heard_seconds, poll_seconds)
    available = fresh and plug is not None and plug.reachable
    told = plug if available else None
    energy_wh = None if told is None else told.energy_today_wh
    return Shown(
        available,
        {
            "plug_on": None if told is None else told.on,
            "plug_power": None if told is None else rounded(told.power_w, _WATTS),
            "plug_energy_today": None if energy_wh is None else rounded(energy_wh / _WH_PER_KWH, _KWH),
            "plug_voltage": None if told is None else rounded(told.voltage_v, _VOLTS),
            "plug_current": None if told is None else rounded(told.current_a, _AMPERES),
        },
    )


def _measured(told: MinerTelemetry | None) -> Values:
    if told is None:
        keys = ("hashrate", "power", "efficiency", "chip_temperature", "regulator_temperature", "shares", "uptime")
        return dict.fromkeys(keys)
    return {
        "hashrate": rounded(told.hashrate_ths, _THS),
        "power": rounded(told.power_w, _WATTS),
        "efficiency": _efficiency(told),
        "chip_temperature": rounded(told.chip_temperature_celsius, _CELSIUS),
        "regulator_temperature": rounded(told.regulator_temperature_celsius, _CELSIUS),
        "shares": told.shares_accepted,
        "uptime": None if told.uptime_seconds is None else int(told.uptime_seconds),
    }


def _whole_wh(kwh: float) -> float:
    """Never above what was counted: whoever goes on from it would count the rounding, too."""
    return floor(kwh * _WH_PER_KWH + _HAIR) / _WH_PER_KWH


def _efficiency(told: MinerTelemetry) -> float | None:
    """J/TH, while it hashes and both figures are known; next to no hashrate has none."""
    power_w, hashrate_ths = told.power_w, told.hashrate_ths
    if told.state is not MinerState.HASHING or power_w is None or hashrate_ths is None or hashrate_ths < _THS:
        return None
    return rounded(power_w / hashrate_ths, _J_PER_TH)


def _worker(known: MinerKnown, moment: Moment) -> Values:
    """What its pool says, while anybody asks the pool. When it was last seen stays a fact."""
    pool = known.pool
    if pool is None:
        return {"worker": None, "worker_hashrate": None, "worker_last_seen": None}
    asked = moment.has_service(POLLERS) and pool.verdict is not PoolVerdict.UNKNOWN
    seen = pool.last_seen_at
    return {
        "worker": pool.verdict.value if asked else None,
        "worker_hashrate": rounded(pool.hashrate_ths, _THS) if asked else None,
        "worker_last_seen": None if seen is None else seen.isoformat(timespec="seconds"),
    }


def _short(sentence: str | None) -> str | None:
    if sentence is None or len(sentence) <= SENTENCE_LENGTH_MAX:
        return sentence
    return sentence[: SENTENCE_LENGTH_MAX - 1] + "…"


def _why(command: MinerCommand | None) -> Values:
    """The attributes of the sentence: the numbers of the limit that speaks, and what else would hold it back."""
    if command is None:
        return {}
    speaking = next((limit for limit in command.limits if limit.code == command.code), None)
    others = [_told_of(limit) for limit in command.limits if limit is not speaking and limit.ceiling_w is not None]
    return {
        **({} if speaking is None else {key: one for key, one in speaking.numbers.items() if _KEY.fullmatch(key)}),
        "code": command.code,
        "point": command.point.name,
        "ceiling_w": command.ceiling_w,
        "since": command.since.isoformat(timespec="seconds"),
        "changes_when": command.changes_when or None,
        "action": command.action.value,
        "other_ceilings": "; ".join(others) or None,
    }


def _told_of(limit: Limit) -> str:
    return f"{limit.policy}: at most {limit.ceiling_w:g} W, {limit.sentence}"


def _gist(command: MinerCommand | None) -> tuple[object, ...]:
    if command is None:
        return ()
    limits = tuple((limit.policy, limit.code, limit.ceiling_w) for limit in command.limits)
    return command.code, command.point.name, command.ceiling_w, command.action, command.since, limits
