"""Where in the text of a YAML file a change belongs: pieces to cut and to put in, all else left as it is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from deploy.console.editing.edits import Drop, Edit, EditError, Join, Place, Put, told
from deploy.console.editing.yaml_text import lines_of, one_line

_INDENT = 2


@dataclass(frozen=True, order=True)
class Splice:
    """Cuts out from `start` to before `end`, and puts `text` in its place."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Page:
    """A text with what it means."""

    text: str
    newline: str
    root: MappingNode

    def splices(self, edits: Sequence[Edit]) -> list[Splice]:
        """What to cut and put in for these edits. Raises EditError where the text offers no place for one."""
        found: list[Splice] = []
        for edit in edits:
            if isinstance(edit, Put):
                found += self._put(edit)
            elif isinstance(edit, Drop):
                found += self._drop(edit)
            else:
                found += self._join(edit)
        return found

    def _put(self, edit: Put) -> Iterator[Splice]:
        section, rest = self._deepest(edit.place)
        entries: dict[str, Any] = dict(edit.entries)
        for step in reversed(rest):
            entries = {step: entries}
        fresh = {}
        for name, value in entries.items():
            old = _pair(section, name)
            if old is None:
                fresh[name] = value
            elif _is_empty(old[1]) and isinstance(value, dict):
                yield from self._first_entries(old, value)
            else:
                yield self._replaced(old, value, edit.place)
        if fresh:
            yield from self._new_entries(section, fresh)

    def _deepest(self, place: Place) -> tuple[MappingNode, Place]:
        """The innermost section on the way that has entries, and the steps that are left from there."""
        section = self.root
        for depth, step in enumerate(place):
            pair = _pair(section, step)
            if pair is None or not isinstance(pair[1], MappingNode) or not pair[1].value:
                return section, place[depth:]
            section = pair[1]
        return section, ()

    def _replaced(self, old: tuple[Node, Node], value: Any, place: Place) -> Splice:
        node = old[1]
        if isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
            message = f"{told(place)}.{old[0].value} has lines of its own. Fix: change it by hand."
            raise EditError(message)
        if _is_nothing(node):
            colon = self._colon_after(old[0])
            return Splice(colon, colon, f" {one_line(value)}")
        return Splice(node.start_mark.index, node.end_mark.index, one_line(value))

    def _new_entries(self, section: MappingNode, entries: dict[str, Any]) -> Iterator[Splice]:
        if section.flow_style:
            at = section.end_mark.index - 1
            inner = ", ".join(one_line({name: value})[1:-1] for name, value in entries.items())
            yield self._within_brackets(section.start_mark.index, at, inner)
            return
        spread = any(isinstance(value, MappingNode) and not value.flow_style for _, value in section.value[-1:])
        is_root = section is self.root
        lines: list[str] = []
        for name, value in entries.items():
            lines += [""] if is_root and isinstance(value, dict | list) else []
            lines += lines_of(name, value, section.value[0][0].start_mark.column, spread=spread or is_root)
        yield self._after_line(_end_of(section), lines)

    def _first_entries(self, pair: tuple[Node, Node], entries: dict[str, Any]) -> Iterator[Splice]:
        """Into `name:` or `name: {}`."""
        key, node = pair
        colon = self._colon_after(key)
        end = colon if _is_nothing(node) else node.end_mark.index
        yield Splice(colon, end, "")
        indent = key.start_mark.column + _INDENT
        lines = [line for name, value in entries.items() for line in lines_of(name, value, indent)]
        yield self._after_line(end, lines)

    def _join(self, edit: Join) -> Iterator[Splice]:
        node = self._node(edit.place)
        if not isinstance(node, SequenceNode):
            message = f"{told(edit.place)} is not a list. Fix: correct the file by hand."
            raise EditError(message)
        if node.flow_style:
            inner = ", ".join(map(one_line, edit.words))
            yield self._within_brackets(node.start_mark.index, node.end_mark.index - 1, inner)
        else:
            indent = " " * node.start_mark.column
            yield self._after_line(_end_of(node), [f"{indent}- {one_line(word)}" for word in edit.words])

    def _drop(self, edit: Drop) -> Iterator[Splice]:
        node = self._node(edit.place)
        if isinstance(node, MappingNode):
            items = [
                (key.value in edit.names, key.start_mark.index, _end_of_pair(key, value)) for key, value in node.value
            ]
        elif isinstance(node, SequenceNode):
            items = [(item.value in edit.names, item.start_mark.index, _end_of(item)) for item in node.value]
        else:
            return
        gone = [item for item in items if item[0]]
        if gone and node.flow_style:
            yield from self._out_of_brackets(node, items)
            return
        if gone and len(gone) == len(items):
            # Nothing left: without this it would be null, which no section may be.
            key = self._key(edit.place)
            yield Splice(
                self._colon_after(key), self._colon_after(key), " {}" if isinstance(node, MappingNode) else " []"
            )
        for _, start, end in gone:
            yield Splice(self.text.rfind("\n", 0, start) + 1, self._line_end(end), "")

    def _out_of_brackets(self, node: Node, items: list[tuple[bool, int, int]]) -> Iterator[Splice]:
        if all(goes for goes, _, _ in items):
            yield Splice(node.start_mark.index + 1, node.end_mark.index - 1, "")
            return
        for index, (goes, start, end) in enumerate(items):
            stays_after = [each for each in items[index + 1 :] if not each[0]]
            if goes and stays_after:
                yield Splice(start, items[index + 1][1], "")
            elif goes:
                yield from self._last_out_of_brackets(items[index - 1][2], start, end)

    def _last_out_of_brackets(self, before: int, start: int, end: int) -> Iterator[Splice]:
        if "\n" not in self.text[before:start]:
            yield Splice(before, end, "")
            return
        line, line_end = self.text.rfind("\n", 0, start) + 1, self._line_end(end)
        rest = self.text[end:line_end].strip().removeprefix(",").lstrip()
        alone = not self.text[line:start].strip() and (not rest or rest.startswith("#"))
        # The comma before it may stay: YAML allows one before the bracket.
        yield Splice(line, line_end, "") if alone else Splice(start, end, "")

    def _within_brackets(self, opening: int, closing: int, inner: str) -> Splice:
        before = self.text[opening + 1 : closing].rstrip()
        is_first, has_comma = not before, before.endswith(",")
        at = closing if "#" in before.rpartition("\n")[2] else opening + 1 + len(before)
        return Splice(at, at, inner if is_first else f"{'' if has_comma else ','} {inner}")

    def _after_line(self, index: int, lines: list[str]) -> Splice:
        end = self._line_end(index)
        if end == len(self.text) and not self.text.endswith("\n"):
            return Splice(end, end, "".join(self.newline + line for line in lines))
        return Splice(end, end, "".join(line + self.newline for line in lines))

    def _line_end(self, index: int) -> int:
        if index and self.text[index - 1] == "\n":  # a text of several lines ends where the next line begins
            return index
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def _colon_after(self, key: Node) -> int:
        return self.text.index(":", key.end_mark.index) + 1

    def _node(self, place: Place) -> Node | None:
        node: Node | None = self.root
        for step in place:
            pair = _pair(node, step) if isinstance(node, MappingNode) else None
            node = None if pair is None else pair[1]
        return node

    def _key(self, place: Place) -> Node:
        parent = self._node(place[:-1])
        pair = _pair(parent, place[-1]) if isinstance(parent, MappingNode) else None
        if pair is None:
            message = f"{told(place)} is not there. Fix: correct the file by hand."
            raise EditError(message)
        return pair[0]


def _pair(section: MappingNode, name: str) -> tuple[Node, Node] | None:
    return next(((key, value) for key, value in section.value if key.value == name), None)


def _is_empty(node: Node) -> bool:
    is_null = isinstance(node, ScalarNode) and node.value in {"", "~", "null"}
    return is_null or (isinstance(node, MappingNode) and not node.value)


def _end_of(node: Node) -> int:
    """Behind the last thing in it: a block of its own ends, for the parser, only where the next one begins."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _end_of_pair(*node.value[-1])
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        return _end_of(node.value[-1])
    return int(node.end_mark.index)


def _end_of_pair(key: Node, value: Node) -> int:
    # An alias stands for a node that lies before it; nothing at all lies, for the parser, where the next thing begins.
    return int(key.end_mark.index) if _is_nothing(value) else max(int(key.end_mark.index), _end_of(value))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and bool(node.start_mark.index == node.end_mark.index)
