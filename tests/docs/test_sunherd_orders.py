"""Every `sunherd ...` of the pages that makes a farm do something is said to one that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import Shown, to_be_run
from tests.docs.doing import ORDERS, command_of, does_what_it_should
from tests.docs.sandbox import Sandbox, standing_farm

LAST = ("stop", "resume", "restart", "cycle")
"""What these did takes its time."""
SAID = sorted(
    (shown for shown in to_be_run() if command_of(list(shown.words)) in ORDERS),
    key=lambda shown: LAST.index(shown.words[0]) if shown.words[0] in LAST else -1,
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with standing_farm(tmp_path_factory.mktemp("farm")) as sandbox:
        yield sandbox


@pytest.mark.parametrize("shown", SAID, ids=lambda shown: str(shown)[:80])
def test_each_order_does_what_it_should(shown: Shown, farm: Sandbox, tmp_path: Path) -> None:
    does_what_it_should(shown, farm, tmp_path)
