"""The text of a farm file after a change: every line that is not meant stays byte for byte. Pure.

The text is cut where ruamel.yaml says that things stand, and then read again: what it says must be what was meant. A
dump of the whole would keep the comments, but not the columns, line ends and quotes.
"""

import warnings
from collections.abc import Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode

from deploy.console.editing.edits import Edit, EditError, expected
from deploy.console.editing.splices import Page, Splice
from shared.settings.document import DEPTH_MAX

_BOM = "\ufeff"


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits done. Raises EditError where that cannot be done without touching anything else."""
    body = text.removeprefix(_BOM)
    data = said(body)
    root = _yaml().compose(StringIO(body))
    if not isinstance(data, dict) or not isinstance(root, MappingNode):
        message = "the file has no keys at the top. Fix: start from farm.example.yaml."
        raise EditError(message)
    wanted = expected(data, edits)
    if wanted == data:
        return text
    newline = "\r\n" if "\r\n" in body else "\n"
    changed = _spliced(body, Page(body, newline, root).splices(edits))
    try:
        right = said(changed) == wanted
    except EditError:
        right = False
    if not right:
        message = "this cannot be changed without touching something else, such as an alias. Fix: edit it by hand."
        raise EditError(message)
    return (_BOM if text.startswith(_BOM) else "") + changed


def said(text: str) -> Any:
    """What a text says, as plain data. Raises EditError for what is not YAML."""
    try:
        with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):
            return _yaml().load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        message = f"line {line} is not valid YAML: {error.problem}. Fix: check indentation, colons and quotes."
        raise EditError(message) from error
    except (YAMLError, RecursionError, ValueError, TypeError, OverflowError) as error:
        message = f"the file is not valid YAML: {error}. Fix: check indentation, colons and quotes."
        raise EditError(message) from error


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEPTH_MAX
    return yaml


def _spliced(text: str, splices: list[Splice]) -> str:
    result, done = [], 0
    # At one point the innermost goes first: there its section ends, and the one around it goes on.
    for splice in sorted(splices, key=lambda each: (each.start, each.end, -_indent_of(each.text))):
        if splice.start < done:
            message = "two of these changes touch the same words. Fix: make them one after the other."
            raise EditError(message)
        result += [text[done : splice.start], splice.text]
        done = splice.end
    return "".join([*result, text[done:]])


def _indent_of(text: str) -> int:
    lines = text.lstrip("\r\n")
    return len(lines) - len(lines.lstrip(" "))
