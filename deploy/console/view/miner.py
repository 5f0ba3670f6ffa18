"""One miner as it is shown: what is measured only while that is fresh, and in one sentence why it is so. Pure."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from deploy.console.view import figures
from deploy.console.view.figures import clock_time, printable
from deploy.console.view.picture import Picture
from deploy.console.view.seen import MinerSeen, Status
from services.policy_engine.wording import span
from shared.messages import Action, Care, Following, MinerCommand, MinerState, MinerTelemetry
from shared.topics import MINER_COMMAND, MINER_TELEMETRY, PLUG_COMMAND, PLUG_TELEMETRY

_AT_ITS_END = {"unstable", "no_remedy", "watched_only", "plug_silent", "cycle_not_taken"}
"""Codes of care: it has failed, and the watchdog can do nothing, or no more."""
_IN_DOUBT = {"offline_unconfirmed", "pool_disagrees"}
"""The witnesses do not agree: it may hash."""
_OF_STATES = {
    MinerState.HASHING: Status.HASHING,
    MinerState.RAMPING: Status.RAMPING,
    MinerState.STOPPING: Status.STOPPING,
    MinerState.PAUSED: Status.PAUSED,
    MinerState.FAULT: Status.FAULT,
    MinerState.UNKNOWN: Status.UNKNOWN,
}
_SORE = {Status.FAULT, Status.HANGS, Status.GIVEN_UP, Status.OFFLINE, Status.UNKNOWN}


def miner_seen(picture: Picture, name: str) -> MinerSeen:
    """What can be said of one miner."""
    word, command = picture.word(MINER_TELEMETRY, name), picture.said(MINER_COMMAND, name)
    doubt = picture.doubt_of(name)
    known: dict[str, Any] = {
        "name": name,
        "groups": picture.facts.groups_of(name),
        "chip_limit_celsius": picture.facts.chip_limit_celsius(name),
        **_decided(command),
    }
    if word is not None:
        known |= {
            "driver": word.message.driver,
            "agent": word.message.by,
            "read_at": word.message.at,
            "age_seconds": max(0.0, (picture.now - word.message.at).total_seconds()),
        }
    if word is None or doubt:
        return MinerSeen(
            **known, why=_doubt_told(picture, None if word is None else word.message, doubt), needs_a_person=True
        )
    return MinerSeen(**known, **_measured(picture, name, word.message, command))


def _decided(command: MinerCommand | None) -> Mapping[str, Any]:
    if command is None:
        return {}
    return {
        "code": command.code,
        "commanded": command.point.name,
        "decided_since": command.since,
        "action": command.action,
    }


def _doubt_told(picture: Picture, telemetry: MinerTelemetry | None, doubt: str) -> str:
    if telemetry is None:
        return doubt
    since = clock_time(telemetry.at, picture.now, picture.facts.zone)
    return f"{printable(doubt)}; last read {since} ({span(picture.now - telemetry.at)} ago)"


def _measured(picture: Picture, name: str, told: MinerTelemetry, command: MinerCommand | None) -> Mapping[str, Any]:
    status = _status(picture, name, told, command)
    care = None if command is None else command.care
    return {
        "status": status,
        "online": told.reachable,
        "state": told.state,
        "why": _why(told, command, status),
        "following": told.following,
        "settled": told.settled,
        "problem": told.problem,
        "needs_a_person": _needs_a_person(told, command, status, care),
        **(_figures(told, status) if told.reachable else {}),
    }


def _figures(told: MinerTelemetry, status: Status) -> Mapping[str, Any]:
    hashrate_ths = None if status in {Status.PAUSED, Status.OFF} else told.hashrate_ths
    return {
        "hashrate_ths": hashrate_ths,
        "power_w": told.power_w,
        "efficiency_j_per_th": _efficiency(told, hashrate_ths),
        "chip_temperature_celsius": told.chip_temperature_celsius,
        "regulator_temperature_celsius": told.regulator_temperature_celsius,
        "voltage_mv": told.voltage_mv,
        "frequency_mhz": told.frequency_mhz,
        "point": told.point,
        "settings": figures.setting(told),
    }


def _efficiency(told: MinerTelemetry, hashrate_ths: float | None) -> float | None:
    if told.state is not MinerState.HASHING or told.power_w is None or not hashrate_ths:
        return None
    found = told.power_w / hashrate_ths
    return found if isfinite(found) else None


def _status(picture: Picture, name: str, told: MinerTelemetry, command: MinerCommand | None) -> Status:
    if not told.reachable:
        return Status.OFF if _is_cut_on_purpose(picture, name, command) else Status.OFFLINE
    care = None if command is None else command.care
    if care is not None and care.unstable_since is not None:
        return Status.GIVEN_UP
    if care is not None and (care.numbers.get("tries_in_vain") or care.code in _AT_ITS_END):
        return Status.HANGS
    return _OF_STATES[told.state]


def _is_cut_on_purpose(picture: Picture, name: str, command: MinerCommand | None) -> bool:
    """Whether it does not answer because its outlet has been switched off for a pause, and is read to be off."""
    plug, order = picture.said(PLUG_TELEMETRY, name), picture.said(PLUG_COMMAND, name)
    if command is None or not command.point.is_pause or plug is None or order is None:
        return False
    return not order.on and order.action is Action.APPLY and plug.on is False and picture.is_live(plug.by)


def _why(told: MinerTelemetry, command: MinerCommand | None, status: Status) -> str:
    care = None if command is None else command.care
    if care is not None and (care.code in _IN_DOUBT or status in _SORE):
        return printable(f"{care.sentence}; {care.changes_when}" if care.changes_when else care.sentence)
    if status is Status.OFFLINE:
        return printable(told.detail) or "it does not answer"
    if told.problem is not None:
        return printable(told.detail or told.problem)
    return _reason(told, command)


def _reason(told: MinerTelemetry, command: MinerCommand | None) -> str:
    if told.following is Following.EMERGENCY_STOP:
        return "emergency stop"
    if told.following is Following.FAILSAFE:
        return "no live command: failsafe"
    if command is None:
        return "nothing has been decided for it"
    sentence = printable(command.sentence)
    if told.following is Following.GRACE:
        return f"the lease has run out, grace: {sentence}"
    return {Action.OBSERVE: f"only watched: {sentence}", Action.MAINTENANCE: f"maintenance: {sentence}"}.get(
        command.action, sentence
    )


def _needs_a_person(told: MinerTelemetry, command: MinerCommand | None, status: Status, care: Care | None) -> bool:
    if command is not None and command.action is Action.MAINTENANCE:
        return False  # one is at work on it
    in_doubt = care is not None and care.code in _IN_DOUBT
    left_alone = told.following is Following.FAILSAFE
    return status in _SORE or in_doubt or left_alone or (told.problem is not None and status is not Status.OFF)
