"""What a reader relies on besides commands: a whole index, short pages, and symptoms quoted as they are said."""

import re
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, pages

GENERATED = {"console.md", "settings.md", "topics.md"}
LINES_MAX = 200
SYMPTOMS_MIN = 25
_TOLD = re.compile(r"`([^`]+)`")


@cache
def sources() -> str:
    """All that services, tools and scripts can say, in one line."""
    found = [ROOT / "Makefile", *ROOT.glob("mosquitto/*")]
    for room in ("deploy", "services", "shared"):
        found += (ROOT / room).rglob("*.py")
    return " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in found if file.is_file())


def symptoms() -> list[tuple[str, list[str]]]:
    """Of each row of the page of symptoms: the first column, and all of them."""
    lines = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    return [(row[0].strip(), row) for row in rows if row[0].strip() not in {"you see", "---"}]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_the_index_names_each_page(page: Path) -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert page.name == "README.md" or f"]({page.name}" in index, f"write {page.name} into docs/README.md"


@pytest.mark.parametrize("page", [page for page in pages() if page.name not in GENERATED], ids=lambda page: page.name)
def test_a_page_can_be_read_in_one_go(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").count("\n")
    assert lines <= LINES_MAX or page.name == "CHANGELOG.md", f"{page.name} has {lines} lines: make two of it"


@pytest.mark.parametrize(("symptom", "row"), symptoms(), ids=lambda value: str(value)[:60])
def test_a_symptom_is_quoted_as_it_is_said_and_is_helped(symptom: str, row: list[str]) -> None:
    assert len(row) == 4
    assert all(cell.strip() for cell in row), f"{symptom}: say why, what to do, and what shows it"
    assert "`" in row[3], f"{symptom}: name the command that shows it"
    for quoted in _TOLD.findall(symptom):
        for piece in filter(lambda piece: len(piece) > 2, (piece.strip(" %") for piece in quoted.split("…"))):
            assert piece in sources() or is_a_setting(piece), f"nobody says {piece!r}"


def is_a_setting(text: str) -> bool:
    """Whether it is a line of a farm file."""
    return "".join(takewhile(lambda mark: mark != ":", text)) in (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def test_there_are_enough_symptoms() -> None:
    assert len(symptoms()) >= SYMPTOMS_MIN
