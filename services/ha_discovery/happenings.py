"""What may happen to a miner, as Home Assistant's automations name it. Pure."""

from shared.messages import Severity

REFUSED = "request_refused"
CODES = (
    "request_accepted",
    REFUSED,
    "restart_asked",
    "restart_refused",
    "restarting",
    "power_cycling",
    "returned",
    "unstable",
    "no_remedy",
    "watched_only",
    "plug_silent",
    "pool_disagrees",
    "offline_unconfirmed",
    "cycle_not_taken",
    "unreachable",
    "reachable",
    "command_without_effect",
    "recovered",
    "failsafe",
    "failsafe_over",
    "emergency_stop",
    "emergency_stop_over",
    "soc_stale_pause",
    "soc_stale_pause_over",
    "too_hot",
    "too_hot_over",
    "too_hot_pause",
    "too_hot_pause_over",
    "protected",
    "protected_over",
    "temperature_unknown",
    "starts_per_day",
    "cannot_pause",
    "invariant_broken",
)
"""Those that an automation may wait for by name; whatever else a driver has to say goes by its severity."""
EVENT_TYPES = (*CODES, *Severity)


def template() -> str:
    """From one of our events to one of Home Assistant's."""
    return (
        f"{{% set known = {list(CODES)!r} %}}"
        "{% set severity = value_json.get('severity', 'info') %}"
        "{{ {'event_type': value_json.code if value_json.code in known else severity, 'code': value_json.code, "
        "'severity': severity, 'sentence': value_json.sentence} | tojson }}"
    )
