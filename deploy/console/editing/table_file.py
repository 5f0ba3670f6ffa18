"""Miners from a table (CSV): a row for each, the head names the keys. Pure; all that is wrong is said at once."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.console.editing.keys import above, set_in, value_from
from deploy.console.editing.naming import is_id, slug
from shared.settings import MinerSettings
from shared.settings.problems import did_you_mean

_NAMES = ("name", "id", "miner")
_GROUPS = ("group", "groups")
_SEPARATORS = (",", ";", "\t")
_ROWS_MAX = 10_000


@dataclass(frozen=True)
class NewMiner:
    """A miner that shall be in the file; `line` is its row's."""

    name: str
    keys: dict[str, Any]
    groups: tuple[str, ...] = ()
    line: int = 0


@dataclass
class Table:
    """What a table says: its sound rows, and what is wrong with the others, by line."""

    rows: list[NewMiner] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)


def read_table(text: str, defaults: Mapping[str, Any], groups: tuple[str, ...]) -> Table:
    """The rows of a table. An empty cell is a key that is not given."""
    table = Table()
    lines = text.removeprefix("\ufeff").splitlines()
    reader = csv.reader(lines, delimiter=_separator(lines[0] if lines else ""), strict=True, skipinitialspace=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
        table.wrong += [(1, complaint) for complaint in _complaints_about_head(head)]
        if table.wrong:
            return table
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _take(table, head, cells, reader.line_num, defaults, groups)
            if reader.line_num > _ROWS_MAX:
                table.wrong.append((reader.line_num, f"more than {_ROWS_MAX} rows. Fix: give them in several files."))
                break
    except csv.Error as error:
        table.wrong.append((reader.line_num, f"this is no row of a table: {error}. Fix: check the quotes."))
    if not table.rows and not table.wrong:
        table.wrong.append((1, "there is no row below the head. Fix: write a row for each miner."))
    return table


def _separator(head: str) -> str:
    return max(_SEPARATORS, key=head.count)


def _complaints_about_head(head: list[str]) -> Iterator[str]:
    known = [*_NAMES[:1], *_GROUPS[:1], *MinerSettings.model_fields]
    if not any(key in _NAMES for key in head):
        yield "no column is called name. Fix: begin with a head such as name,driver,host."
    for index, key in enumerate(head):
        if key in head[:index]:
            yield f"two columns are called {key!r}. Fix: remove one of them."
        elif not key:
            yield f"column {index + 1} has no name. Fix: name the key of a miner that stands in it."
        elif key.split(".")[0] not in {*known, *_NAMES, *_GROUPS}:
            guess = did_you_mean(key.split(".")[0], known)
            yield f"no key of a miner is called {key!r}{guess}. Fix: use keys such as {', '.join(known[:5])}."


def _take(
    table: Table, head: list[str], cells: list[str], line: int, defaults: Mapping[str, Any], groups: tuple[str, ...]
) -> None:
    if len(cells) != len(head):
        said = f"{len(cells)} cells below a head of {len(head)}. Fix: quote cells that hold the separator."
        table.wrong.append((line, said))
        return
    name, own_groups, keys = "", list(groups), dict[str, Any]()
    for key, cell in zip(head, cells, strict=True):
        text = cell.strip()
        if key in _NAMES:
            name = text
        elif key in _GROUPS:
            own_groups += [group for group in text.split() if group not in own_groups]
        elif text:
            try:
                set_in(keys, key, value_from(text))
            except ValueError as error:
                table.wrong.append((line, f"{key}: {error}. Fix: write it as in farm.yaml."))
    first = next((row.line for row in table.rows if row.name == name), None)
    if not is_id(name):
        offer = f"write {slug(name)}" if slug(name) else "use only a to z, 0 to 9, - and _"
        table.wrong.append((line, f"{name!r} cannot be an id. Fix: {offer}."))
    elif first is not None:
        table.wrong.append((line, f"{name} stands in line {first} already. Fix: give each miner a name of its own."))
    else:
        table.rows.append(NewMiner(name, above(defaults, keys), tuple(own_groups), line))
