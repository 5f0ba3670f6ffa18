"""Writes docs/topics.md from the table of topics: `python -m deploy.topics_page > docs/topics.md`."""

import json
import sys
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.topics import TOPICS, Identity, Topic

_HEAD = """\
# Topics

Generated from `shared/topics.py` and `shared/messages` by `python -m deploy.topics_page > docs/topics.md`.

Every topic has the shape `{prefix}/{noun}/{id}/{channel}`; the prefix is `sunherd` unless `broker.prefix` says
otherwise, and ids match `[a-z0-9_-]+`. Payloads are JSON. Fields that a reader does not know are ignored; a wrong type
is refused and counted. Times are ISO 8601 with a zone. A field that is left out is unknown or not set: never 0, never
"as before". An empty payload on a retained topic clears it.

Who writes and reads is known by the user name at the broker ([broker.md](broker.md)). `people`, `home-assistant` and
`fleet` may read everything. *Its own*: each client may, where the id is its client id.

| topic | payload | retained | QoS | purpose | written by | read by, besides |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [_row(topic) for topic in TOPICS]
    models: dict[type[BaseModel], None] = {}
    for topic in TOPICS:
        _collect(topic.model, models)
    return _HEAD + "".join(rows) + "".join(_section(model) for model in models)


def _row(topic: Topic[Any]) -> str:
    cells = (
        f"`{topic.path('{prefix}', 'id').replace('/id/', '/{id}/')}`",
        _link(topic.model),
        "yes" if topic.retain else "no",
        str(topic.qos),
        topic.purpose,
        _who(topic.writers, own=topic.own),
        _who(topic.readers),
    )
    return f"| {' | '.join(cells)} |\n"


def _who(identities: tuple[Identity, ...], *, own: bool = False) -> str:
    names = ["everybody"] if set(identities) == set(Identity) else [f"`{identity.value}`" for identity in identities]
    return ", ".join([*(["*its own*"] if own else []), *names])


def _collect(model: type[BaseModel], found: dict[type[BaseModel], None]) -> None:
    """The model and all models within it, in order of appearance."""
    if model not in found:
        found[model] = None
        for field in model.model_fields.values():
            for inner in _models_in(field.annotation):
                _collect(inner, found)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _section(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_type_of(field.annotation)} | {'yes' if field.is_required() else _default_of(field)} |\n"
        for name, field in model.model_fields.items()
    ]
    text = " ".join((model.__doc__ or "").split())
    return f"\n## {model.__name__}\n\n{text}\n\n| field | type | required, or default |\n|---|---|---|\n{''.join(rows)}"


def _default_of(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "left out"
    return f"`{json.dumps(value)}`"


def _type_of(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_type_of(part) for part in parts if part is not NoneType)
    if origin in {tuple, dict, Annotated}:
        inner = _type_of(parts[1] if origin is dict else parts[0])
        return {tuple: "list of ", dict: "object of "}.get(origin, "") + inner
    if origin is not None:  # Literal
        return " or ".join(f"`{value}`" for value in parts)
    return _name_of(annotation)


def _name_of(kind: type) -> str:
    if issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    if issubclass(kind, BaseModel):
        return _link(kind)
    names = {str: "text", float: "number", int: "whole number", bool: "true or false"}
    return names.get(kind, "time")


def _link(model: type[BaseModel]) -> str:
    return f"[{model.__name__}](#{model.__name__.lower()})"


if __name__ == "__main__":
    sys.stdout.write(page())
