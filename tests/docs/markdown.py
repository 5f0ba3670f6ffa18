"""Finds in the pages what a reader would copy: fenced blocks with their language and what a comment above says of them.

<!-- with: battery -->          YAML: what it is laid over, besides a site (see `farms.py`)
<!-- wrong: WORDS -->          a piece of a farm file that the loader refuses with these words
<!-- not a farm: WHOSE -->      YAML that is somebody else's; only read as YAML
<!-- not run: WHY -->           commands that need what a test has not; WHY is one of `REASONS`
<!-- printed by: COMMAND -->    text that this command prints, in that shape (see `test_sunherd_commands.py`)
<!-- in: the copy -->           commands that are run in a copy of the project (see `test_adding_a_device.py`)
<!-- file: PATH -->             a file of that copy, as a whole
<!-- change: PATH -->           lines of a file of that copy: those with + take the place of those with -
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = {"yaml", "sh", "text", "ini", "python", "diff", "json", "csv"}
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<marker>[^\n]*?) -->\n+)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` counts from 1."""

    page: str
    line: int
    language: str
    text: str
    marker: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def says(self, key: str) -> str | None:
        """What the comment above says after this key; None where it says something else."""
        return self.marker.partition(":")[2].strip() if self.marker.partition(":")[0].strip() == key else None


def pages() -> list[Path]:
    """Everything that is written for people."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
    return sorted(path for path in found if "node_modules" not in path.parts)


@cache
def blocks() -> tuple[Block, ...]:
    """All of them."""
    return tuple(block for page in pages() for block in blocks_of(page))


def blocks_of(page: Path) -> Iterator[Block]:
    """Those of one page."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        indent = found["indent"]
        lines = [line.removeprefix(indent) for line in found["text"].splitlines()]
        line = text.count("\n", 0, found.start("language")) + 1
        name = page.relative_to(ROOT).as_posix()
        yield Block(name, line, found["language"], "\n".join(lines) + "\n", found["marker"] or "")


def commands_of(block: Block) -> list[str]:
    """One for each line; what stands after # is for the reader."""
    joined = block.text.replace("\\\n", " ")
    lines = (" ".join(shlex.split(line, comments=True)) and line.strip() for line in joined.splitlines())
    return [re.sub(r"\s+#\s.*$", "", line) for line in lines if line and not line.startswith("#")]
