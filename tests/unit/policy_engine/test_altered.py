"""A changed copy that is cheap, and as safe as the standard library's."""

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from services.policy_engine.altered import altered
from services.policy_engine.state import Farm
from services.policy_engine.view import MinerView
from tests.engine_core import START


@dataclass(frozen=True)
class Point:
    x: int = 0
    ys: tuple[int, ...] = field(default_factory=tuple)


def test_it_is_what_replace_makes() -> None:
    before = Point(1, (2, 3))
    after = altered(before, x=5)
    assert after == replace(before, x=5) == Point(5, (2, 3))
    assert before == Point(1, (2, 3))
    assert hash(after) == hash(Point(5, (2, 3)))


def test_the_copy_is_as_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        altered(Point(), x=5).x = 6  # type: ignore[misc] # that is the point


def test_a_field_that_is_misspelt_is_an_error() -> None:
    with pytest.raises(TypeError, match="Point has no z"):
        altered(Point(), z=1)


@pytest.mark.parametrize("value", [MinerView(), Farm(START, {})])
def test_what_it_is_used_for_keeps_nothing_but_its_fields(value: MinerView | Farm) -> None:
    assert set(vars(altered(value))) == {each.name for each in fields(value)}
    assert not hasattr(value, "__post_init__")
