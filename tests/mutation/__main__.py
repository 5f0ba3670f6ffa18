"""Breaks the policy core on purpose, one small change at a time, and tells which changes no test notices.

Works on a copy of the tree under `build/`; the checkout stays as it is. mutmut makes the changes and runs the tests
that pass through each; its settings stand in pyproject.toml. Survivors that are known stand in `survivors.toml`.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COPY = ROOT / "build" / "mutate"
NEEDED = ("shared", "services", "deploy", "tests", "pyproject.toml")
LOWEST_PERCENT = 90.0
_KILLED = {1, 3, 24, 36, 152, 255, -24}
"""Exit codes of tests that failed, or that a change kept from ending."""


@dataclass(frozen=True)
class Survivor:
    """A change that no test notices."""

    path: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n    - {self.before}\n    + {self.after}"


def copy_tree() -> None:
    """A fresh copy of everything that the tests need."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, COPY / name)


def outcomes(wanted: str) -> Iterator[tuple[str, dict[str, bool]]]:
    """Each file with its changes by name, and whether the tests noticed them."""
    for meta in sorted((COPY / "mutants").rglob("*.meta")):
        path = str(meta.relative_to(COPY / "mutants").with_suffix(""))
        codes = json.loads(meta.read_text())["exit_code_by_key"]
        if codes and path.startswith(wanted):
            yield path, {name: code in _KILLED for name, code in codes.items()}


def survivor_of(path: str, name: str) -> Survivor:
    """Where a change stands and what it does, from mutmut's difference."""
    shown = subprocess.run([*MUTMUT, "show", name], cwd=COPY, check=True, capture_output=True, text=True)
    lines = shown.stdout.splitlines()
    before = next((line[1:].strip() for line in lines if re.match(r"-(?!--)", line)), "")
    after = next((line[1:].strip() for line in lines if re.match(r"\+(?!\+\+)", line)), "")
    function = re.sub(r"__mutmut_\d+$", "", name.rpartition(".")[2]).rpartition("ǁ")[2].removeprefix("x_")
    source = (COPY / path).read_text().splitlines()
    begin = next(number for number, line in enumerate(source) if re.match(rf"\s*def {function}\(", line))
    line = next((number for number, line in enumerate(source[begin:], begin + 1) if line.strip() == before), begin + 1)
    return Survivor(path, line, before, after)


def known() -> dict[tuple[str, str, str], str]:
    """Why each known survivor survives."""
    entries = tomllib.loads((HERE / "survivors.toml").read_text())["survivor"]
    return {(entry["file"], entry["before"], entry["after"]): entry["why"] for entry in entries}


def report(wanted: str) -> bool:
    """Prints the share per file and every survivor; whether each file is good enough."""
    reasons, good = known(), True
    survivors = []
    for path, changes in outcomes(wanted):
        killed_percent = 100 * sum(changes.values()) / len(changes)
        good = good and killed_percent >= LOWEST_PERCENT
        print(f"{killed_percent:6.1f} %  {sum(changes.values()):4} of {len(changes):4}  {path}")
        survivors += [survivor_of(path, name) for name, noticed in changes.items() if not noticed]
    for one in survivors:
        why = reasons.get((one.path, one.before, one.after), "NOT EXPLAINED: a test is missing, or a reason")
        print(f"\n{one}\n    {why}")
    return good


def main() -> int:
    """Runs everything, or only the files below a path."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    copy_tree()
    names = [f"{wanted.removesuffix('.py').replace('/', '.').rstrip('.')}.*"] if wanted else []
    done = subprocess.run([*MUTMUT, "run", *names], cwd=COPY, check=False)
    if done.returncode != 0 or not any(outcomes(wanted)):
        return 2
    return 0 if report(wanted) else 1


MUTMUT = [str(Path(sys.executable).with_name("mutmut"))]

if __name__ == "__main__":
    sys.exit(main())
