"""A sabotage that does not fit the code any more breaks nothing, and so shows nothing."""

from pathlib import Path

import pytest

from tests.simulation.rig_sabotage import RIG_SABOTAGES
from tests.simulation.sabotage import SABOTAGES

ROOT = Path(__file__).parents[2]
ALL = {**SABOTAGES, **RIG_SABOTAGES}


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_sabotage_changes_the_present_code(name: str) -> None:
    for change in ALL[name]:
        code = (ROOT / change.file).read_text(encoding="utf-8")
        assert change.sound in code, f"{change.file} no longer says {change.sound!r}"
        assert code.replace(change.sound, change.broken) != code
