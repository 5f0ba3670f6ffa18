"""The cards of the dashboard: only such as Home Assistant brings along, each a plain mapping."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.home_assistant_kit.names import Shown

Card = dict[str, Any]

TOLD_SINGLY = 20
"""So many miners with a problem are named; the others are counted."""

_FULL_WIDTH = {"columns": "full"}


def section(*cards: Card, span: int = 1) -> Card:
    """Cards that stand together; `span`: over how many columns."""
    wide = {"column_span": span} if span > 1 else {}
    return {"type": "grid", **wide, "cards": list(cards)}


def heading(text: str, icon: str, *badges: str) -> Card:
    """The title of a section; the entities named after it stand at its side."""
    shown = [{"type": "entity", "entity": entity} for entity in badges]
    return {"type": "heading", "heading": text, "icon": icon, **({"badges": shown} if shown else {})}


def tile(entity: str, name: str, **more: Any) -> Card:
    """One value."""
    return {"type": "tile", "entity": entity, "name": name, **more}


def switch(entity: str, name: str) -> Card:
    """A switch that says what it switches; the icon only opens it, so that no slip pauses a miner."""
    opens = {"action": "more-info"}
    return tile(entity, name, icon_tap_action=opens, features=[{"type": "toggle"}])


def number(entity: str, name: str) -> Card:
    """A number that can be set."""
    return tile(entity, name, features=[{"type": "numeric-input", "style": "slider"}])


def choice(entity: str, name: str) -> Card:
    """A list of which one is chosen."""
    return tile(entity, name, features=[{"type": "select-options"}])


def press(entity: str, name: str, icon: str, question: str, **more: Any) -> Card:
    """A button that asks back before anything happens."""
    return {
        "type": "button",
        "entity": entity,
        "name": name,
        "icon": icon,
        "show_state": False,
        "tap_action": {
            "action": "perform-action",
            "perform_action": "button.press",
            "target": {"entity_id": entity},
            "confirmation": {"text": question},
        },
        "hold_action": {"action": "none"},
        **more,
    }


def unless(entity: str, state: str) -> list[Card]:
    """Shown unless the entity certainly is in that state: also while it is unknown."""
    return [{"condition": "state", "entity": entity, "state_not": state}]


def while_measured(entity: str) -> list[Card]:
    """Shown only while it tells a number, which an entity that does not exist never does."""
    return [{"condition": "numeric_state", "entity": entity, "above": -1}]


def sentence(entity: str) -> Card:
    """A text too long for a tile."""
    return _markdown(f"{{{{ states('{entity}') }}}}")


def problems(farm_problem: str, miners: Mapping[str, Shown]) -> Card:
    """What the farm says of its problem; each miner that is not certainly without one, and why."""
    names = json.dumps({shown.slug: name for name, shown in miners.items()}, ensure_ascii=False)
    return _markdown(f"""\
{{%- set miners = {names} -%}}
{{%- set ill = namespace(slugs=[]) -%}}
{{%- for slug in miners if not is_state('binary_sensor.' ~ slug ~ '_problem', 'off') -%}}
{{%- set ill.slugs = ill.slugs + [slug] -%}}
{{%- endfor -%}}
{{{{ (state_attr('{farm_problem}', 'problem_sentence') or '') | regex_replace('(; )?miners: .*$', '') }}}}
{{% for slug in ill.slugs[:{TOLD_SINGLY}] %}}
{{%- set problem = 'binary_sensor.' ~ slug ~ '_problem' -%}}
{{%- set told = state_attr(problem, 'problem_sentence') or states('sensor.' ~ slug ~ '_why') %}}
- **{{{{ miners[slug] }}}}**: {{{{ told if is_state(problem, 'on') else 'nothing is known of it' }}}}
{{%- else %}}
No miner has a problem.
{{%- endfor %}}
{{%- if ill.slugs | length > {TOLD_SINGLY} %}}
- and {{{{ ill.slugs | length - {TOLD_SINGLY} }}}} more
{{%- endif %}}
""")


def history(title: str, hours: int, entities: Mapping[str, str]) -> Card:
    """Curves of what was, by entity id and name."""
    rows = [{"entity": entity, "name": name} for entity, name in entities.items()]
    return {
        "type": "history-graph",
        "title": title,
        "hours_to_show": hours,
        "entities": rows,
        "grid_options": _FULL_WIDTH,
    }


def rows(title: str, entities: Mapping[str, str]) -> Card:
    """A list with a line for each value."""
    lines = [{"entity": entity, "name": name} for entity, name in entities.items()]
    return {
        "type": "entities",
        "title": title,
        "show_header_toggle": False,
        "entities": lines,
        "grid_options": _FULL_WIDTH,
    }


def view(title: str, path: str, icon: str, sections: Sequence[Card]) -> Card:
    """A page."""
    return {
        "title": title,
        "path": path,
        "icon": icon,
        "type": "sections",
        "max_columns": 4,
        "sections": list(sections),
    }


def _markdown(content: str) -> Card:
    return {"type": "markdown", "content": content, "grid_options": _FULL_WIDTH}
