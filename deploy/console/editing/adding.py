"""New miners for a farm file: one from the command line, or many from a table, all or none."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from deploy.console.editing.farm_file import Change, UnfitError, change_farm, read_text, whole_farm
from deploy.console.editing.keys import assigned
from deploy.console.editing.membership import adding
from deploy.console.editing.naming import is_id, slug
from deploy.console.editing.table_file import NewMiner, Table, read_table
from deploy.console.trouble import TroubleError
from shared.settings import Problem


def one_row(
    name: str, driver: str | None, host: str | None, settings: Sequence[str], groups: tuple[str, ...]
) -> NewMiner:
    """A miner from options. Raises TroubleError."""
    named = {key: value for key, value in (("driver", driver), ("host", host)) if value is not None}
    return NewMiner(_fit_name(name), named | _assigned(settings), groups)


def table_of_file(file: Path, defaults: Sequence[str], groups: tuple[str, ...]) -> Table:
    """The miners of a table, and what is wrong with it. Raises TroubleError where it cannot be read."""
    return read_table(read_text(file), _assigned(defaults), groups)


def add_rows(farm: Path, table: Table, source: str = "", *, dry_run: bool) -> tuple[Change, list[str]]:
    """Adds them, or says all that stands against it: of a table (`source`), with the line of each row."""
    known = set(whole_farm(farm).miners)
    wrong = list(table.wrong)
    wrong += [
        (row.line, f"{row.name} is in {farm} already. Fix: name it otherwise.")
        for row in table.rows
        if row.name in known
    ]
    fresh = [row for row in table.rows if row.name not in known]
    change = None
    try:
        change = change_farm(farm, lambda data: adding(data, fresh), dry_run=dry_run or bool(wrong))
    except UnfitError as error:
        if not source:
            raise
        wrong += [_by_row(problem, fresh, farm) for problem in error.problems]
    if wrong or change is None:
        raise TroubleError(_told(source or str(farm), wrong))
    return change, [row.name for row in fresh]


def _by_row(problem: Problem, rows: Sequence[NewMiner], farm: Path) -> tuple[int, str]:
    for row in rows:
        place = f"miners.{row.name}"
        if problem.place == place or problem.place.startswith(f"{place}."):
            key = problem.place.removeprefix(place).removeprefix(".")
            return row.line, f"{row.name}: {f'{key}: ' if key else ''}{problem.cause}. Fix: {problem.fix}."
    return 0, f"{farm}: {problem.place}: {problem.cause}. Fix: {problem.fix}."


def _told(file: str, wrong: Sequence[tuple[int, str]]) -> str:
    lines = [f"{file}:{line}: {said}" if line else said for line, said in sorted(wrong)]
    return "\n".join([*lines, "Nothing was written."])


def _assigned(settings: Sequence[str]) -> dict[str, object]:
    try:
        return assigned(settings)
    except ValueError as error:
        cause, _, fix = str(error).partition(": ")
        message = f"{cause}. Fix: {fix}."
        raise TroubleError(message) from error


def _fit_name(name: str) -> str:
    if is_id(name):
        return name
    offered = slug(name)
    if offered and sys.stdin.isatty():
        typer.confirm(f"{name!r} cannot be an id. Call it {offered}?", abort=True)
        return offered
    fix = f"call it {offered}" if offered else "use only a to z, 0 to 9, - and _"
    message = f"{name!r} cannot be an id. Fix: {fix}."
    raise TroubleError(message)
