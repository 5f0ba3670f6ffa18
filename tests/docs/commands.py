"""Finds each `sunherd ...` of the pages: in blocks and tables, to be run; in sentences, to be read as it would be."""

import re
import shlex
from dataclasses import dataclass
from functools import cache

from tests.docs.markdown import ROOT, blocks, commands_of, pages

_INLINE = re.compile(r"`([^`\n]+)`")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_SUNHERD = re.compile(r"^(?:\w+=\S+ +)*(?:\S*/)?sunherd +(?=\S)")
PLACEHOLDER = re.compile(r"\.\.\.|…|(?<![\w.])(?:FILE|WHO|MINER|GROUP|NAME|KEY|ADDRESS|SUBNET|TIME|TEXT|VALUE)\b")


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it. `words` without `sunherd` itself."""

    page: str
    line: int
    words: tuple[str, ...]
    to_be_run: bool
    """Whether it stands where a reader copies from: a block, or a table."""

    def __str__(self) -> str:
        return shlex.join(("sunherd", *self.words))


def words_of(text: str) -> tuple[str, ...] | None:
    """What follows `sunherd` in a command; None where it is another one."""
    found = _SUNHERD.match(text.strip())
    return None if found is None else tuple(shlex.split(text.strip()[found.end() :], comments=True))


@cache
def sunherd_commands() -> tuple[Shown, ...]:
    """All of them, in the order of the pages."""
    shown: list[Shown] = []
    for block in blocks():
        if block.language == "sh" and block.says("in") is None:
            runs = block.says("not run") is None
            found = (words_of(command) for command in commands_of(block))
            shown += [Shown(block.page, block.line, words, runs) for words in found if words]
    for page in pages():
        # Blocks are blanked, so that the lines keep their numbers.
        text = _FENCED.sub(lambda block: "\n" * block[0].count("\n"), page.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), 1):
            for inline in _INLINE.findall(line):
                words = words_of(inline.replace("\\|", "|"))
                if words:
                    in_table = line.lstrip().startswith("|") and PLACEHOLDER.search(inline) is None
                    shown.append(Shown(page.relative_to(ROOT).as_posix(), number, words, in_table))
    return tuple(shown)


def to_be_run() -> list[Shown]:
    """Each different one once, where it is shown first. What is only named, as a group of commands, is not run."""
    first: dict[tuple[str, ...], Shown] = {}
    for shown in sunherd_commands():
        if shown.to_be_run:
            first.setdefault(shown.words, shown)
    return list(first.values())
