"""What travels between services of different versions changes only on purpose."""

import pytest

from tests.contract.regenerate import DIRECTORY, schemas

HINT = "If the change is meant: python -m tests.contract.regenerate, and read the difference."


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_message_is_what_its_snapshot_says(name: str) -> None:
    snapshot = DIRECTORY / name
    assert snapshot.exists(), f"{name} has no snapshot. {HINT}"
    assert snapshot.read_text(encoding="utf-8") == schemas()[name], HINT


def test_no_snapshot_is_left_over() -> None:
    assert {file.name for file in DIRECTORY.glob("*.json")} == set(schemas()), HINT
