"""Every mistake that a farm file can hold, and what is said about it word by word: line, place, cause and fix.

The cases stand in `errors/`: after `===` what is wrong, then the environment (`$ NAME=value`) and the file, and below
`>>>` what is said. A message that no case brings about fails `test_each_message_is_brought_about_by_some_case`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from shared import duration, settings
from shared.settings import FarmFileError, Secrets, load_farm

CASES = Path(__file__).parent / "errors"
_SOURCES = [*sorted(Path(settings.__file__).parent.glob("*.py")), Path(duration.__file__)]
ELSEWHERE = {
    "cannot be read as YAML": "the parser always says what the matter is; this stands in where it does not",
    "more than .* places": "a file of megabytes; see test_farm_file.py",
    "name miners of this file": "of a run for some miners only; see test_disabled.py",
    ".* problem.* in .*; nothing was started.": "the closing line, which is cut off here; see test_farm_file.py",
}
"""Not brought about by a case, and why."""


@dataclass(frozen=True)
class Case:
    name: str
    variables: dict[str, str]
    text: str
    said: list[str]


def cases_in(file: Path) -> Iterator[Case]:
    for part in file.read_text(encoding="utf-8").split("=== ")[1:]:
        title, _, rest = part.partition("\n")
        text, _, said = rest.partition(">>>\n")
        lines = text.splitlines(keepends=True)
        given = dict(line[2:].rstrip("\n").split("=", 1) for line in lines if line.startswith("$ "))
        kept = "".join(line for line in lines if not line.startswith("$ "))
        yield Case(f"{file.stem}: {title}", given, kept, said.strip("\n").splitlines())


@cache
def every_case() -> list[Case]:
    return [case for file in sorted(CASES.glob("*.txt")) for case in cases_in(file)]


@pytest.mark.parametrize("case", every_case(), ids=lambda case: case.name)
def test_it_is_said_word_by_word(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "farm.yaml"
    file.write_text(case.text, encoding="utf-8")
    with pytest.raises(FarmFileError) as caught:
        load_farm(file, Secrets(case.variables, {}, tmp_path))
    said = str(caught.value).replace(f"{tmp_path}/", "").splitlines()[:-1]
    assert "\n".join(said) == "\n".join(case.said)


def test_each_line_tells_the_fix_and_no_secret() -> None:
    lines = [line for case in every_case() for line in case.said]
    assert len(lines) > 150
    for line in lines:
        assert re.fullmatch(r"farm\.yaml(:\d+)?: .+\. Fix: .+\.", line), line
        assert "hunter2" not in line


def templates() -> Iterator[tuple[str, str]]:
    """Each text that the settings may say: where it stands in the code, and a pattern of it."""
    for file in _SOURCES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                pattern = _pattern(node) if id(node) not in quiet and not _is_within(node, inner) else None
                if pattern is not None:
                    yield f"{file.name}:{node.lineno}", pattern  # type: ignore[attr-defined]


def _is_within(node: ast.AST, inner: set[int]) -> bool:
    return isinstance(node, ast.Constant) and id(node) in inner


def _pattern(node: ast.AST) -> str | None:
    """None for what is no sentence: a sentence has three words."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        pieces = [node.value]
    elif isinstance(node, ast.JoinedStr):
        pieces = [str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values]
    else:
        return None
    if len(" ".join(pieces).split()) < 3:
        return None
    return re.sub(r"(\.\*)+", ".*", ".*".join(re.escape(piece) for piece in pieces))


def test_each_message_is_brought_about_by_some_case() -> None:
    said = [line for case in every_case() for line in case.said]
    # What is cut into cause and fix at a colon is told with ". Fix: " there.
    joined = [*said, *(line.replace(". Fix: ", ": ") for line in said)]
    found = list(templates())
    assert len(found) > 80
    missing = [
        f"{where}: {pattern}"
        for where, pattern in found
        if not any(re.search(pattern, line) for line in joined) and pattern.replace("\\", "") not in ELSEWHERE
    ]
    assert missing == []
