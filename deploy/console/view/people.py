"""What people want, as a sentence that says who: overrides, choices, requests, and the emergency stop. Pure."""

from datetime import datetime, tzinfo

from deploy.console.view.figures import clock_time
from shared.messages import Choice, EmergencyStop, Override, OverrideKind, Request, RequestKind

_UNITS = {"stop_soc": " %", "resume_soc": " %", "max_w": " W", "point": ""}
_KINDS = {
    OverrideKind.AUTOMATIC: "automatic again",
    OverrideKind.PAUSE: "paused",
    OverrideKind.FORCE_ON: "forced on",
    OverrideKind.MAINTENANCE: "in maintenance",
    OverrideKind.LIMIT: "limited",
}
_REQUESTS = {
    RequestKind.RESTART: "a restart of its software",
    RequestKind.CYCLE: "a power cycle",
    RequestKind.CLEAR_UNSTABLE: "that its vain tries be forgotten",
    RequestKind.IDENTIFY: "that it shows itself",
    RequestKind.CHOOSE: "other settings",
}


def override_told(override: Override | None, zone: tzinfo) -> str:
    """`paused by Ana until 16:00: dust`."""
    if override is None:
        return "its override has been cleared"
    watts = "" if override.max_w is None else f" to {override.max_w:g} W"
    until = "" if override.until is None else f" until {_at(override.until, override.at, zone)}"
    return f"{_KINDS[override.kind]}{watts} by {override.by}{until}{_because(override.reason)}"


def choice_told(before: Choice | None, after: Choice | None) -> str:
    """`stop_soc 70 % instead of the farm file's, chosen by Ana`."""
    if after is None:
        return "every choice is taken back: as in the farm file"
    changed = []
    for key, unit in _UNITS.items():
        old, new = getattr(before, key, None), getattr(after, key)
        if old != new:
            changed.append(f"{key} as in the farm file" if new is None else f"{key} {_value(new)}{unit}")
    return f"{', '.join(changed) or 'the same settings'}, chosen by {after.by}"


def request_told(request: Request) -> str:
    """`Ana asks for a restart of its software`."""
    if request.kind is not RequestKind.CHOOSE:
        return f"{request.by} asks for {_REQUESTS[request.kind]}"
    wishes = [
        f"{key} as in the farm file" if value is None else f"{key} {_value(value)}{_UNITS.get(key, '')}"
        for key, value in request.choose.items()
    ]
    return f"{request.by} asks for {', '.join(wishes) or _REQUESTS[request.kind]}"


def stop_told(stop: EmergencyStop) -> str:
    """`EMERGENCY STOP by Ana: smoke`."""
    what = "EMERGENCY STOP" if stop.active else "the emergency stop is lifted"
    return f"{what} by {stop.by}{_because(stop.reason)}"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _at(moment: datetime, now: datetime, zone: tzinfo) -> str:
    return clock_time(moment, now, zone)
