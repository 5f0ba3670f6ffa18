"""What is wrong with a farm file: each problem with its line, cause and fix."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_PASSWORD_IN_URL = re.compile(r"://[^/\s]*@")


@dataclass(frozen=True, order=True)
class Problem:
    """One error. `line` counts from 1; 0 where the problem has no line (a missing secret)."""

    line: int
    place: str
    cause: str
    fix: str

    def render(self, file: str) -> str:
        """One line for people: `farm.yaml:12: miners.s19-20.stop_soc: cause. Fix: …`."""
        where = f"{file}:{self.line}" if self.line else file
        place = f"{self.place}: " if self.place else ""
        return f"{where}: " + " ".join(f"{place}{self.cause}. Fix: {self.fix}.".split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)`, or nothing where no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def explain(error: ValidationError, model: type[BaseModel]) -> list[tuple[Path, str, str]]:
    """Each validation error as (path, cause, fix)."""
    found = error.errors(include_url=False)
    return [_explain_one(details, model) for details in found if not _is_the_other_branch(details)]


def _is_the_other_branch(details: ErrorDetails) -> bool:
    """Where a value may be a text or a section, a section is not complained about for not being a text."""
    return details["type"] == "string_type" and details["loc"][-1:] == ("str",) and isinstance(details["input"], dict)


def _explain_one(details: ErrorDetails, model: type[BaseModel]) -> tuple[Path, str, str]:
    path = _without_branches(details["loc"], model)
    name = str(path[-1]) if path else ""
    kind = details["type"]
    if kind == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        return path, f"unknown key{did_you_mean(name, known)}", f"remove it, or use one of: {', '.join(known)}"
    if kind == "missing":
        return path, "this key is missing", f"add {name}: ..."
    if kind == "literal_error":
        expected = details.get("ctx", {}).get("expected", "")
        options = [option.strip(" '") for option in expected.replace(" or ", ", ").split(",")]
        guess = did_you_mean(str(details["input"]), options)
        return path, f"{details['input']!r} is not allowed here{guess}", f"use one of: {', '.join(options)}"
    if kind == "string_pattern_mismatch":
        return _pattern(path, details)
    message = details["msg"].removeprefix("Value error, ")
    cause, _, fix = message.partition(": ")
    if kind == "value_error" and fix:
        return path, cause, fix
    return path, f"{message} (found {_shown(details['input'])})", "correct the value"


def _pattern(path: Path, details: ErrorDetails) -> tuple[Path, str, str]:
    where = path[:-1] if path and path[-1] == "[key]" else path
    if (path and path[-1] == "[key]") or (path and path[-1] == "id"):
        return where, f"{_shown(details['input'])} cannot be an id", "use only a to z, 0 to 9, - and _"
    pattern = details.get("ctx", {}).get("pattern", "")
    letters = "letters, digits" if "A-Z" in pattern else "a to z, 0 to 9"
    fix = f"use only {letters}, - and _" if "_" in pattern else f"use only {letters} and -"
    if "{2}(:" in pattern:
        fix = "write it like a4:cf:12:0b:56:78"
    if "://" in pattern:
        fix = f"write it like {'mqtt://192.168.1.10:1883' if 'mqtt' in pattern else 'http://homeassistant.local:8123'}"
    return path, f"{_shown(details['input'])} does not have the right form", fix


def _shown(value: object) -> str:
    text = _PASSWORD_IN_URL.sub("://***@", repr(value))
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - the width of a readable line


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that the model knows at a path."""
    current: Any = model
    for step in path:
        current = _enter(current, step)
    models = [kind for kind in _alternatives(current) if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for kind in models for name, field in kind.model_fields.items()]


def _without_branches(path: Path, model: type[BaseModel]) -> Path:
    """The path without the names of types, which pydantic puts in where a value may be of several."""
    current: Any = model
    kept: list[str | int] = []
    for step in path:
        if step not in {getattr(kind, "__name__", "") for kind in _alternatives(current)}:
            kept.append(step)
            current = _enter(current, step)
    return tuple(kept)


def _enter(annotation: Any, step: str | int) -> Any:
    for kind in _alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if step in kind.model_fields:
                return kind.model_fields[str(step)].annotation
        elif get_origin(kind) in {dict, list}:
            return get_args(kind)[-1]
    return None


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return list(get_args(annotation))
    return [annotation]
