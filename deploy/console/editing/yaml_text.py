"""Values as an owner would write them into a farm file. Pure."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

WIDTH_MAX = 118
_INDENT = 2
_PLAIN = re.compile(r"[A-Za-z0-9_/]([A-Za-z0-9_./@+ -]*[A-Za-z0-9_./@+-])?")


def one_line(value: Any) -> str:
    """The value in flow style: `{driver: vnish, host: 192.168.1.20}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{one_line(str(key))}: {one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(one_line(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def lines_of(key: str, value: Any, indent: int, *, spread: bool = False) -> list[str]:
    """The lines of `key: value`, in one where it fits. `spread`: a section has a line for each of its keys."""
    start = f"{' ' * indent}{one_line(key)}:"
    flat = f"{start} {one_line(value)}"
    is_section = isinstance(value, Mapping) and value
    if not (is_section and spread) and (len(flat) <= WIDTH_MAX or not isinstance(value, Mapping | list | tuple)):
        return [flat]
    if isinstance(value, Mapping):
        inner = [line for name, item in value.items() for line in lines_of(str(name), item, indent + _INDENT)]
        return [start, *inner]
    return [start, *(f"{' ' * (indent + _INDENT)}- {one_line(item)}" for item in value)]


@cache
def _text(value: str) -> str:
    """Plain where that can only be this very text."""
    if _PLAIN.fullmatch(value) and _as_yaml(value) == value:
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """In quotes; what cannot be printed is no part of a YAML file but as its number."""
    letters = (f"\\{letter}" if letter in '"\\' else letter for letter in value)
    return '"' + "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in letters) + '"'


def value_of(text: str) -> Any:
    """What a text means as YAML 1.2: `73` is a number, `20:00` a text. Raises ValueError."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, TypeError, OverflowError) as error:
        problem = getattr(error, "problem", None) or str(error)
        message = f"{text!r} cannot be read as YAML: {problem}"
        raise ValueError(message) from error


def _as_yaml(text: str) -> Any:
    try:
        return value_of(text)
    except ValueError:
        return None
