"""What an import says at its end: each value and what it became, then what could not be kept, then what to do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.console.importing.bring import Brought, still_missing
from deploy.console.importing.harvest import Line
from deploy.fleet.table import table


def summary(lines: Sequence[Line]) -> Iterator[str]:
    """The tables."""
    kept = [line for line in lines if line.kept]
    lost = [line for line in lines if not line.kept]
    if kept:
        yield from table(("file", "entry", "key", "value", "became"), map(_cells, kept))
    if lost:
        yield ""
        yield "Not kept as it was:"
        yield from table(("file", "entry", "key", "value", "why"), map(_cells, lost))


def closing(file: Path, brought: Brought) -> Iterator[str]:
    """What was written, and what comes next."""
    kept_before = f" The file before is {brought.backup.name}." if brought.backup is not None else ""
    yield f"{file} is written, and the services take it.{kept_before}"
    if brought.variables:
        yield f"Into {file.parent / '.env'}, for you alone: {', '.join(brought.variables)}."
    for sentence in still_missing(file):
        yield f"Before it can start: {sentence}"
    yield f"Next: stop the old scripts, or both will steer the same machines; then sunherd --farm {file} up."
    if brought.touches_present:
        yield "Miners that were there already are herded on, from now on with what was added to them."
    yield "Newcomers are observed: Sunherd decides and explains, and touches nothing until you remove observe: true."


def _cells(line: Line) -> tuple[str, str, str, str, str]:
    return line.file, line.entry, line.key, line.value, line.became
