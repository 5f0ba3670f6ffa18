"""How a miner is, in one word, and whether a person is needed. Pure."""

from enum import StrEnum

from services.ha_discovery.known import MinerKnown, Moment
from shared.messages import Care, MinerState, MinerTelemetry

_TOO_HOT = {"too_hot", "too_hot_pause", "protected"}
_COOLING = {"cooling", "cooling_paused"}
_TRIED = {"restarting", "power_cycling", "cycle_not_taken"}
_FOR_A_PERSON = {"unstable", "no_remedy", "watched_only", "plug_silent", "offline_unconfirmed", "shareless_unconfirmed"}
"""What the watchdog says where it can do nothing, or nothing more."""
_NO_PROBLEM = {"too_hot", "warm", "firmware_protected", "cannot_pause", "flatline", "not_hashing", "no_shares"}
"""What policies and watchdog deal with by themselves."""


class Health(StrEnum):
    """What to think of a miner. Where nobody can tell there is none."""

    OK = "ok"
    """Does what it shall: it hashes, or stands paused."""
    WARMING = "warming"
    COOLING = "cooling"
    TOO_HOT = "too_hot"
    HANGS = "hangs"
    GIVEN_UP = "given_up"
    FAULT = "fault"
    OFF = "off"
    """It does not answer, and its outlet is known to be off."""
    UNREACHABLE = "unreachable"


def health_of(known: MinerKnown, moment: Moment) -> Health | None:
    """The gravest that holds."""
    told, care = known.telemetry, None if known.command is None else known.command.care
    if care is not None and care.unstable_since is not None:
        return Health.GIVEN_UP
    if told is None or not is_told(known, moment):
        return None
    if not told.reachable:
        return Health.OFF if _is_cut(known, moment) else Health.UNREACHABLE
    return _of_reading(told, "" if known.command is None else known.command.code, care)


def _of_reading(told: MinerTelemetry, code: str, care: Care | None) -> Health | None:
    tried = care is not None and (care.numbers.get("tries_in_vain") or care.code in _TRIED)
    findings = {
        Health.FAULT: told.state is MinerState.FAULT,
        Health.TOO_HOT: told.protected_since is not None or told.problem == "too_hot" or code in _TOO_HOT,
        Health.HANGS: tried,
        None: told.state is MinerState.UNKNOWN,
        Health.WARMING: told.state is MinerState.RAMPING,
        Health.COOLING: code in _COOLING,
    }
    return next((health for health, holds in findings.items() if holds), Health.OK)


def is_told(known: MinerKnown, moment: Moment) -> bool:
    """Whether its agent is at work and has spoken of it lately, be it that it does not answer."""
    told = known.telemetry
    return told is not None and moment.is_there(told.by) and moment.is_fresh(known.heard_seconds)


def is_available(known: MinerKnown, moment: Moment) -> bool:
    """Whether the miner itself answers."""
    return is_told(known, moment) and known.telemetry is not None and known.telemetry.reachable


def problem_of(known: MinerKnown, moment: Moment) -> tuple[bool | None, str | None]:
    """Whether a person is needed, and what for; None where nobody can tell, or it is too early to."""
    told, care = known.telemetry, None if known.command is None else known.command.care
    if care is not None and (care.unstable_since is not None or care.code in _FOR_A_PERSON):
        return True, care.sentence
    if told is None:
        return None, None
    if not is_told(known, moment):
        return True, "nothing is heard of it: look whether its agent runs"
    if not told.reachable:
        return _away(known, moment)
    if told.state is MinerState.FAULT or (told.problem is not None and told.problem not in _NO_PROBLEM):
        return True, told.detail or told.problem or "fault"
    return False, None


def _away(known: MinerKnown, moment: Moment) -> tuple[bool | None, str | None]:
    if _is_cut(known, moment):
        return False, None
    since = known.silent_since_seconds
    told = known.telemetry
    if since is None or told is None or moment.is_fresh(since):
        return None, None
    return True, told.detail or told.problem or "it does not answer"


def _is_cut(known: MinerKnown, moment: Moment) -> bool:
    """Whether its outlet is known to be off, as it shall be."""
    plug, command = known.plug, known.command
    is_off = plug is not None and plug.on is False and moment.is_fresh(known.plug_heard_seconds)
    return is_off and command is not None and command.point.is_pause
