"""Writes docs/settings.md from the models of the farm file: `python -m deploy.settings_page > docs/settings.md`."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from shared.settings import FarmSettings

EXAMPLES = Path(__file__).parent / "settings_examples"
_HEAD = """\
# Every setting

Generated from the models in `shared/settings` by `python -m deploy.settings_page > docs/settings.md`. The examples come
from files that the tests load.

`farm.yaml` is YAML 1.2. Durations are written like `90 s`, `10 min`, `12 h` or `1 d`. Unknown keys are errors, and all
errors are told at once, each with its line and what mends it: `sunherd check`. A running farm follows a changed file by
itself.

Any value can be set from the environment, above the file: `SUNHERD_` and the path in capitals, with `__` between its
parts, such as `SUNHERD_RULES__LEASE="90 s"`. Secrets never stand in the file; the last section says where.
"""
_TABLE = """
## {section}

| key | value | default | example | what it does |
|---|---|---|---|---|
"""
_SECRETS = """
## Secrets

From the environment, from `.env` beside the farm file, or as files in `SUNHERD_SECRETS_DIR` (else `/run/secrets`).

| name | for |
|---|---|
| `HA_TOKEN` | Home Assistant: a long-lived token of your profile |
| `MQTT_PASSWORD` | the broker |
| `SOURCE_MQTT_PASSWORD` | the broker of `battery.mqtt.url` |
| `<ID>_PASSWORD`, such as `S19_20_PASSWORD` | one VNish miner |
| `VNISH_PASSWORD` | all VNish miners that have none of their own; without it the firmware's own default is tried |
| `KASA_USERNAME`, `KASA_PASSWORD` | plugs that ask for the TP-Link account |
| `<ID>_PLUG_USERNAME`, `<ID>_PLUG_PASSWORD` | the plug of one miner |
| `<POOL>_KEY`, such as `BRAIINS_KEY` | a pool that wants a key; one that may only read is enough |
"""


@dataclass(frozen=True)
class Setting:
    """One key. `path` has `<id>` where the owner gives a name, and `[]` for each of a list."""

    path: str
    kind: str
    default: str
    meaning: str


def page() -> str:
    """The whole page."""
    examples = examples_by_path()
    parts = [_HEAD]
    section = ""
    for setting in settings():
        where, _, key = setting.path.rpartition(".")
        if where != section or not parts[-1].endswith("|\n"):
            section = where
            parts.append(_TABLE.format(section=where or "The whole file"))
        cells = (f"`{key}`", setting.kind, setting.default, _cell(examples.get(setting.path)), setting.meaning)
        parts.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return "".join(parts) + _SECRETS


def settings() -> list[Setting]:
    """All of them: the keys of a section first, then what is in them."""
    return list(_settings(FarmSettings, ""))


def _settings(model: type[BaseModel], path: str) -> Iterator[Setting]:
    meanings = _meanings(model)
    inner: list[tuple[type[BaseModel], str]] = []
    for name, field in model.model_fields.items():
        place = f"{path}.{field.alias or name}".lstrip(".")
        inner += [(each, place + _step(field.annotation)) for each in _models(field.annotation)]
        yield Setting(place, _kind(field), _default(field), meanings.get(name, "").replace("None: ", "Without it: "))
    told: set[type[BaseModel]] = set()
    for each, place in inner:
        if each not in told:  # several keys of one kind are told once
            told.add(each)
            yield from _settings(each, place)


def _step(annotation: Any) -> str:
    plain = _plain(annotation)
    return {dict: ".<id>", list: "[]", tuple: "[]"}.get(get_origin(plain), "")


@cache
def _meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """The text below each attribute, of the model and of what it is made of."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, BaseModel) and kind.__module__.startswith("shared."):
            found |= _written_below(kind)
    return found


def _written_below(kind: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                found[statement.target.id] = " ".join(text.split())
    return found


# --- what a value may be


def _plain(annotation: Any) -> Any:
    """Without None, and without what only validates."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    kinds = _alternatives(annotation)
    return _plain(kinds[0]) if len(kinds) == 1 and kinds[0] is not annotation else annotation


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) in {Union, UnionType}:
        return [kind for kind in get_args(annotation) if kind is not NoneType]
    return [annotation]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    plain = _plain(annotation)
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        yield plain
    elif get_origin(plain) in {dict, list, tuple, Union, UnionType}:
        for part in get_args(plain):
            yield from _models(part)


_NAMES = {str: "text", float: "number", int: "whole number", bool: "true or false", timedelta: "duration"}
_NAMED = {"Address": "host or address", "ByClock": "time of day", "frozenset": "days", "dict": "by name"}


def _kind(field: FieldInfo) -> str:
    plain = _plain(field.annotation)
    words = [_word(_plain(kind)) for kind in _alternatives(plain)]
    limits = [*field.metadata, *_limits(field.annotation)]
    return " or ".join(dict.fromkeys(words)) + _range(limits)


def _word(plain: Any) -> str:
    origin = get_origin(plain)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(plain))
    if origin in {list, tuple}:
        return "list"
    kind = origin or plain
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "section"
    return _NAMES.get(kind) or _NAMED.get(kind.__name__, kind.__name__)


def _limits(annotation: Any) -> Iterator[Any]:
    for kind in _alternatives(annotation):
        if get_origin(kind) is Annotated:
            for extra in get_args(kind)[1:]:
                yield from extra.metadata if isinstance(extra, FieldInfo) else [extra]


def _range(limits: list[Any]) -> str:
    least = next((str(each.ge) for each in limits if isinstance(each, Ge)), None)
    above = next((str(each.gt) for each in limits if isinstance(each, Gt)), None)
    most = next((str(each.le) for each in limits if isinstance(each, Le)), None)
    if most is None:
        return "" if least is None and above is None else f", at least {least}" if least else f", above {above}"
    return f", {least} to {most}" if least is not None else f", above {above}, at most {most}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, timedelta):
        return f"`{_duration(value)}`"
    if isinstance(value, frozenset):
        return "every day"
    if value is None or isinstance(value, BaseModel) or value in ({}, ()):
        return ""
    return f"`{json.dumps(value)}`" if isinstance(value, bool) or value == "" else f"`{value}`"


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for length, unit in ((3600, "h"), (60, "min")):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


# --- examples


def examples_by_path() -> dict[str, Any]:
    """An example for each path, from the files that are loaded as farms by the tests."""
    found: dict[str, Any] = {}
    for file in sorted(EXAMPLES.glob("*.yaml")):
        data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        for setting in settings():
            values = list(_values(data, setting.path.replace("[]", ".[]").split(".")))
            if values:
                found.setdefault(setting.path, values[0])
    return found


def _values(data: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield data
    elif steps[0] in {"[]", "<id>"}:
        each = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        for value in each:
            yield from _values(value, steps[1:])
    elif isinstance(data, dict) and steps[0] in data:
        yield from _values(data[steps[0]], steps[1:])


def _cell(example: Any) -> str:
    if example is None or isinstance(example, dict) or (isinstance(example, list) and isinstance(example[0], dict)):
        return ""
    return f"`{json.dumps(example)}`" if isinstance(example, bool | list) else f"`{example}`"


if __name__ == "__main__":
    sys.stdout.write(page())
