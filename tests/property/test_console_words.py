"""What people write in the shell is understood as it is meant, or refused with a fix."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.connection import Connection
from deploy.console.choosing import KEYS_OF_MINERS, assignments, taken_back
from deploy.console.targets import last_word, lasting, targets_of
from deploy.console.trouble import EXIT_BAD_INPUT, TroubleError

MINERS, GROUPS = ["s19-20", "s19-21", "max_w", "bitaxe-1"], ["garage", "shed"]
FARM = Connection(
    url="mqtt://127.0.0.1:1", prefix="sunherd", clock="0 2026-06-21 1", site="home", miners=MINERS, groups=GROUPS
)
KNOWN = st.sampled_from([*MINERS, *GROUPS])
WORDS = st.text(alphabet="abz019-_=. ", min_size=1, max_size=12)


@given(st.integers(1, 10**6), st.sampled_from([("s", 1), (" min", 60), ("m", 60), ("h", 3600), (" d", 86400), ("", 1)]))
def test_a_duration_is_its_number_of_its_unit(count: int, unit: tuple[str, int]) -> None:
    assert lasting(f"{count}{unit[0]}") == timedelta(seconds=count * unit[1])


@given(st.text(max_size=10))
def test_any_duration_is_above_0_or_refused_with_a_fix(text: str) -> None:
    try:
        duration = lasting(text)
    except TroubleError as error:
        complaint = error
    else:
        assert duration is not None
        assert duration > timedelta()
        return
    assert "Fix: " in str(complaint)
    assert complaint.exit_code == EXIT_BAD_INPUT


@given(st.lists(KNOWN, min_size=1))
def test_each_target_is_meant_once_in_the_order_in_which_it_was_said(names: list[str]) -> None:
    targets = targets_of(names, FARM)
    assert [target.name for target in targets] == list(dict.fromkeys(names))
    assert all(target.is_group == (target.name in GROUPS) for target in targets)


@given(st.lists(KNOWN), st.lists(WORDS.filter(lambda word: word not in MINERS + GROUPS), min_size=1))
def test_every_unknown_name_is_told_and_nobody_is_meant(known: list[str], unknown: list[str]) -> None:
    with pytest.raises(TroubleError, match="Fix: ") as caught:
        targets_of([*known, *unknown], FARM)
    assert all(f"{name} is neither" in str(caught.value) for name in unknown)


@given(st.lists(WORDS, min_size=1))
def test_the_last_word_says_what_and_all_others_whom(words: list[str]) -> None:
    assert last_word([*words, "pause"], {"pause", "limit"}, "kind") == (words, "pause")


@given(
    st.lists(st.sampled_from(MINERS), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(KEYS_OF_MINERS[:3]), st.integers(-1000, 1000) | st.floats(-1e6, 1e6), min_size=1),
    st.randoms(),
)
def test_choices_are_read_as_written_wherever_they_stand(
    names: list[str], values: dict[str, float], random: object
) -> None:
    words = [*names, *(f"{key}={value!r}" for key, value in values.items())]
    random.shuffle(words)  # type: ignore[attr-defined] # a Random
    targets, chosen = assignments(words, FARM)
    assert {target.name for target in targets} == set(names)
    assert chosen == values


@given(st.lists(st.sampled_from(MINERS), min_size=1, unique=True), st.lists(st.sampled_from(["stop_soc", "point"])))
def test_what_is_taken_back_is_of_whom_it_was_said(names: list[str], keys: list[str]) -> None:
    """Also where a miner is called like a setting."""
    targets, found = taken_back([*names, *keys], FARM)
    assert [target.name for target in targets] == names
    assert found == keys
