"""A YAML file as plain data, with the line of each place in it and its repeated keys."""

import warnings
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shared.settings.problems import Problem

Place = tuple[str | int, ...]

PLACES_MAX = 100_000
DEPTH_MAX = 50


@dataclass
class Document:
    """What a file says. `lines` maps a path such as ("miners", "s19-20", "host") to its line, from 1."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def note(self, place: Place, line: int) -> None:
        """Remembers the line of a place; the first one counts. Raises ValueError where places multiply by aliases."""
        self.lines.setdefault(place, line)
        if len(self.lines) > PLACES_MAX:
            message = f"more than {PLACES_MAX} places"
            raise ValueError(message)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_document(path: Path) -> Document:
    """Reads YAML 1.2 (in 1.1 `20:00` would become 1200). Never raises for what the file says; OSError for the file."""
    document = Document()
    text = path.read_text(encoding="utf-8", errors="replace")
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEPTH_MAX
    yaml.allow_duplicate_keys = True  # they are found below, all of them, each with its lines
    try:
        with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):  # allowed by YAML
            node = yaml.compose(StringIO(text))
            data = yaml.load(text)
        if isinstance(data, dict):
            _walk(node, (), document)
    except (RecursionError, MaxDepthExceededError):
        return _unreadable(1, "nested too deeply, or an alias that contains itself")
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        return _unreadable(line, error.problem or "cannot be read as YAML")
    except (YAMLError, ValueError, TypeError, OverflowError) as error:  # ValueError: a date such as 2026-99-99
        return _unreadable(1, str(error))
    if isinstance(data, dict):
        document.data = data
    else:
        cause = "the file is empty" if data is None else "not a farm file: no keys at the top"
        document.problems.append(Problem(1, "", cause, "start from farm.example.yaml"))
    return document


def _unreadable(line: int, cause: str) -> Document:
    fix = "check indentation, colons and quotes"
    return Document(problems=[Problem(line, "", f"not valid YAML: {cause}", fix)])


def _walk(node: Node, place: Place, document: Document) -> None:
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else "?"
            line = key.start_mark.line + 1
            if name in seen:
                _tell_repeated(document, (*place, name), line, seen[name])
            seen.setdefault(name, line)
            document.note((*place, name), line)
            _walk(value, (*place, name), document)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            document.note((*place, index), value.start_mark.line + 1)
            _walk(value, (*place, index), document)


def _tell_repeated(document: Document, place: Place, line: int, first_line: int) -> None:
    name = ".".join(str(part) for part in place)
    cause = f"this key stands twice, first in line {first_line}"
    document.problems.append(Problem(line, name, cause, "give one of the two another name, or remove it"))
