"""What scripts read from `--json` changes only on purpose, and every key of it is explained."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.console_json import ANSWERS, DIRECTORY, schemas

HINT = "If the change is meant: python -m tests.contract.console_json, and read the difference."
PAGE = Path(__file__).parents[2] / "docs" / "seeing.md"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_an_answer_is_what_its_snapshot_says(name: str) -> None:
    assert (DIRECTORY / name).read_text(encoding="utf-8") == schemas()[name], HINT


@pytest.mark.parametrize("command", sorted(ANSWERS))
def test_every_key_stands_on_the_page(command: str) -> None:
    schema = ANSWERS[command].model_json_schema(mode="serialization")
    parts: list[dict[str, Any]] = [schema, *schema.get("$defs", {}).values()]
    explained = set(re.findall(r"`([a-z0-9_]+)`", PAGE.read_text(encoding="utf-8")))
    missing = {key for part in parts for key in part.get("properties", {})} - explained
    assert not missing, f"{PAGE.name} does not say what these are: {sorted(missing)}"
