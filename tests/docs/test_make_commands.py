"""Every `make` and `python -m` of the pages exists, with the options that it is shown with."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from tests.docs.markdown import ROOT, Block, blocks, commands_of, pages

REASONS = {
    "root": "it changes the system",
    "docker": "tests/e2e/test_compose.py and test_fleet.py run it against a real engine",
    "cluster": "it needs a cluster; tests/contract/test_k8s.py reads what it applies",
    "systemd": "tests/e2e/test_systemd.py runs the units under a real systemd",
    "hardware": "it needs a machine of its owner's",
}
"""Why a command of the pages is not run here."""

_MODULE = re.compile(r"python\S* -m ((?:deploy|services|shared|tests)\.[\w.]+)(.*)")
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_FOREIGN = {".", "cp", "export", "echo", "cat", "mkdir", "sunherd"}
"""What needs no proof, or has a test of its own."""


SHELL = [block for block in blocks() if block.language == "sh"]
HERE = [block for block in SHELL if block.says("not run") is None and block.says("in") is None]
RUN = [(block, command) for block in HERE for command in commands_of(block)]
OURS = [(block, command) for block, command in RUN if re.match(r"(\w+=\S+ )*(make|python\S*|\S*bin/python) ", command)]


@pytest.mark.parametrize("block", [block for block in SHELL if block.says("not run") is not None], ids=str)
def test_what_is_not_run_says_why(block: Block) -> None:
    reason = block.says("not run")
    assert reason in REASONS, f"{block}: use one of {', '.join(REASONS)}"
    pytest.skip(f"not run here: {reason}: {REASONS[reason]}")  # so that each run counts and lists them


@pytest.mark.parametrize(("block", "command"), RUN, ids=lambda value: str(value)[:60])
def test_each_command_is_one_that_is_looked_at(block: Block, command: str) -> None:
    first = re.sub(r"^(\w+=\S* )*", "", command).split()[0]
    assert first in _FOREIGN or first == "make" or first.endswith("python") or first.startswith("python"), (
        f"{block}: {command!r} is not run by any test; say <!-- not run: WHY --> above it"
    )


@pytest.mark.parametrize(("block", "command"), OURS, ids=lambda value: str(value)[:60])
def test_each_command_of_ours_exists_with_its_options(block: Block, command: str) -> None:
    assert block
    for module, rest in modules_behind(command):
        assert importlib.util.find_spec(module) is not None, f"{block}: {command!r}: there is no {module}"
        if not _FLAG.findall(rest):
            continue
        known = _help_of(module, _first_words(rest))
        unknown = [flag for flag in _FLAG.findall(rest) if flag not in known]
        assert not unknown, f"{block}: {command!r}: {module} does not know {', '.join(unknown)}"


def modules_behind(command: str) -> list[tuple[str, str]]:
    """The modules that a command runs, each with its arguments. Fails for a target that make does not know."""
    if not command.startswith("make "):
        return [(found[1], found[2]) for found in _MODULE.finditer(command)]
    done = _dry_run(command)
    assert done.returncode == 0, f"{command!r}: {done.stderr}"
    return [(found[1], found[2]) for found in _MODULE.finditer(done.stdout)]


@cache
def _dry_run(command: str) -> subprocess.CompletedProcess[str]:
    words = [word for word in shlex.split(command) if not word.startswith("-C")]
    # `make test ARGS=...` would hand its own variables on.
    inherited = {"MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "WORKERS"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(
        ["make", "--dry-run", *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _first_words(rest: str) -> tuple[str, ...]:
    """The subcommand, where there is one."""
    words = shlex.split(rest.split("||", maxsplit=1)[0])
    return tuple(words[:1]) if words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-") else ()


@cache
def _help_of(module: str, words: tuple[str, ...]) -> frozenset[str]:
    """All options that a module knows, and its subcommand."""
    found: set[str] = set()
    for each in {(), words}:
        done = subprocess.run(
            [sys.executable, "-m", module, *each, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if each == () or done.returncode == 0:
            assert done.returncode == 0, f"{module} --help: {done.stderr}"
        found.update(_FLAG.findall(done.stdout))
    return frozenset(found)


_INLINE = re.compile(r"`((?:make|\S*python\S* -m) [^`\n…]+)`")
NAMED = sorted(
    {found.partition(" && ")[0] for page in pages() for found in _INLINE.findall(page.read_text(encoding="utf-8"))}
)


@pytest.mark.parametrize("command", NAMED)
def test_each_command_of_a_sentence_exists_with_its_options(command: str) -> None:
    for module, rest in modules_behind(command):
        assert importlib.util.find_spec(module) is not None, f"{command!r}: there is no {module}"
        flags = _FLAG.findall(rest)
        unknown = [flag for flag in flags if flag not in _help_of(module, _first_words(rest))]
        assert not unknown, f"{command!r}: {module} does not know {', '.join(unknown)}"


def behind() -> list[tuple[str, str]]:
    """All modules that the pages run by make or python, each with its arguments, as far as make knows the target."""
    commands = [*(command for _, command in OURS), *NAMED]
    known = (command for command in commands if not command.startswith("make ") or not _dry_run(command).returncode)
    return list(dict.fromkeys(each for command in known for each in modules_behind(command)))
