"""Every `sunherd ...` of the pages is one that there is; those that look at a farm are run beside one."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer._click.exceptions import UsageError  # typer brings click along, and shows this nowhere else

from tests.docs.commands import Shown, sunherd_commands, to_be_run
from tests.docs.doing import ORDERS, command_of, does_what_it_should, is_only_named, read_as_given
from tests.docs.markdown import Block, blocks
from tests.docs.sandbox import Sandbox, for_a_while, standing_farm, sunherd
from tests.docs.test_make_commands import behind

SHOWN = sunherd_commands()
LOOKS = [shown for shown in to_be_run() if command_of(list(shown.words)) not in ORDERS]
LISTEN = [shlex.split(rest)[0] for module, rest in behind() if module == "deploy.listen"]
"""Of each `make topics FILTER=...`."""


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with standing_farm(tmp_path_factory.mktemp("farm")) as sandbox:
        yield sandbox


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.page}:{shown.line} {shown}"[:80])
def test_each_command_is_one_that_there_is(shown: Shown) -> None:
    if is_only_named(shown):
        return
    try:
        read_as_given(shown.words)
    except UsageError as error:
        pytest.fail(f"{shown.page}:{shown.line}: {shown}: {error.format_message()}")


@pytest.mark.parametrize("shown", LOOKS, ids=lambda shown: str(shown)[:80])
def test_each_command_that_looks_does_what_it_should(shown: Shown, farm: Sandbox, tmp_path: Path) -> None:
    does_what_it_should(shown, farm, tmp_path)


@pytest.mark.parametrize("topics", LISTEN)
def test_each_filter_of_topics_hears_something(topics: str, farm: Sandbox) -> None:
    done = for_a_while(farm.directory, [sys.executable, "-m", "deploy.listen", topics], "(retained)")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", [block for block in blocks() if block.says("printed by") is not None], ids=str)
def test_what_is_shown_as_printed_is_printed_in_that_shape(block: Block, farm: Sandbox) -> None:
    """Lines without a figure come word for word; of the others the first word does."""
    words = (block.says("printed by") or "").split()[1:]
    printed = [" ".join(line.split()) for line in sunherd(farm.directory, words).stdout.splitlines()]
    beginnings = {line.split()[0] for line in printed if line}
    for line in (" ".join(line.split()) for line in block.text.splitlines() if line.strip()):
        if re.search(r"\d", line):
            assert line.split()[0] in beginnings, f"{block}: no line begins with {line.split()[0]!r}:\n{printed}"
        elif set(line) - set("-="):
            assert line in printed, f"{block}: {line!r} is not printed:\n{printed}"


def test_a_command_an_option_or_a_key_that_is_misspelt_would_be_noticed(farm: Sandbox) -> None:
    for words in (("explian", "s19-20"), ("check", "--life"), ("miners", "lst"), ("explain",) * 3):
        with pytest.raises(UsageError):
            read_as_given(words)
    assert sunherd(farm.directory, ["explain", "s19-02"]).returncode == 2


def test_commands_are_found_where_readers_look_for_them() -> None:
    pages = {shown.page for shown in SHOWN}
    assert {"docs/getting-started.md", "docs/troubleshooting.md"} <= pages
    assert "sunherd/miner/+/command" in LISTEN
    assert any(shown.to_be_run for shown in SHOWN if shown.page == "docs/troubleshooting.md")
