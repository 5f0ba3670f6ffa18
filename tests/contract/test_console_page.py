"""The page of all commands says what the commands say, and has an example of each."""

from pathlib import Path

import pytest

from deploy.console_page import EXAMPLES, Entry, entries, page

PAGE = Path(__file__).parents[2] / "docs/console.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m deploy.console_page > docs/console.md"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.path)
def test_each_command_says_what_it_does_and_has_an_example(entry: Entry) -> None:
    assert len(entry.command.help or "") >= 20
    assert EXAMPLES.get(entry.path, "").startswith(f"sunherd {entry.path}"), "write one into deploy/console_page.py"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.path)
def test_each_option_says_what_it_is(entry: Entry) -> None:
    options = [parameter for parameter in entry.command.params if parameter.param_type_name == "option"]
    assert [option.name for option in options if not option.help] == []


def test_no_example_is_left_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) == {entry.path for entry in entries()}
