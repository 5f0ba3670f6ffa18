"""What Home Assistant writes when a person turns, slides, chooses or presses: templates of our own messages. Pure.

They go straight to the topics that everybody else uses, so that a press counts also while this service is away.
"""

from shared.messages import OverrideKind, RequestKind

AT = '"at": "{{ utcnow().isoformat() }}"'
BY = '"by": "Home Assistant"'
STANDS = "stands"
"""The attribute that carries the override in force, as its owner sent it."""
AUTOMATIC = "automatic"
OFF = "off"

FORCED_FOR_MINUTES = {"30 min": 30, "1 h": 60, "2 h": 120, "4 h": 240, "8 h": 480}
"""What can be chosen, by its name."""

_READ_STANDS = (
    f"{{%- set stands = state_attr(entity_id, '{STANDS}') -%}}"
    "{%- set kind = (stands | from_json).kind if stands else 'automatic' -%}"
)


def override(kind: OverrideKind) -> str:
    """An override that holds until it is taken back."""
    return f'{{{AT}, "kind": "{kind}", {BY}}}'


def force_on(minutes: str) -> str:
    """Force on for so many minutes; `minutes` may be an expression of a template."""
    until = f'"until": "{{{{ (utcnow() + timedelta(minutes={minutes})).isoformat() }}}}"'
    return f'{{{AT}, "kind": "{OverrideKind.FORCE_ON}", {until}, {BY}}}'


def switch_automatic() -> str:
    """Off pauses. On takes back a pause, and nothing else that a person may have ordered elsewhere."""
    return (
        f"{_READ_STANDS}{{%- if value == 'OFF' -%}}{override(OverrideKind.PAUSE)}"
        f"{{%- elif kind in ('{OverrideKind.AUTOMATIC}', '{OverrideKind.PAUSE}') -%}}{override(OverrideKind.AUTOMATIC)}"
        "{%- else -%}{{ stands }}{%- endif -%}"
    )


def select_force_on() -> str:
    """A duration forces on. `off` takes that back, and no pause that stands meanwhile."""
    minutes = f"{FORCED_FOR_MINUTES!r}.get(value)"
    return (
        f"{_READ_STANDS}{{%- if value != '{OFF}' -%}}{force_on(minutes)}"
        f"{{%- elif kind in ('{OverrideKind.AUTOMATIC}', '{OverrideKind.FORCE_ON}') -%}}"
        f"{override(OverrideKind.AUTOMATIC)}"
        "{%- else -%}{{ stands }}{%- endif -%}"
    )


def request(kind: RequestKind) -> str:
    """Something to be done once."""
    return f'{{{AT}, "kind": "{kind}", {BY}}}'


def choose(key: str, value: str = "{{ value }}") -> str:
    """A setting instead of the farm file's; `value` is the template of a JSON value."""
    return f'{{{AT}, "kind": "{RequestKind.CHOOSE}", {BY}, "choose": {{"{key}": {value}}}}}'


def choose_profile() -> str:
    """The first option takes the choice back."""
    return choose("point", f"{{{{ 'null' if value == '{AUTOMATIC}' else value | tojson }}}}")


def emergency_stop() -> str:
    """The latch that every agent obeys."""
    return f'{{{AT}, "active": true, {BY}}}'


def resume(seen_by: str) -> str:
    """Lifts the stop that is seen, by the attribute of this entity; where none is seen, the clocks must tell."""
    seen = f"state_attr('{seen_by}', 'emergency_stop_at')"
    return f'{{{AT}, "active": false, {BY}{{% if {seen} %}}, "lifts": "{{{{ {seen} }}}}"{{% endif %}}}}'
