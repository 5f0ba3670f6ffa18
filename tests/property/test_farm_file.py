"""Whatever a farm file says, there are only two outcomes: settings, or FarmFileError with at least one problem."""

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.settings import FarmFileError, Secrets, load_farm

_WORDS = [
    "site", "broker", "battery", "miners", "groups", "rules", "observe", "home_assistant", "mqtt", "preset",
    "state_of_charge", "driver", "vnish", "host", "192.168.1.20", "stop_soc", "resume_soc", "members", "lease", "max_w",
    "10 min", "-1", "1e400", ".nan", "20:00", "true", "null", "~", "0x10", "1_0", "2026-99-99", "a b", "auto", "url",
    "mqtt://h:99999", "<<", "=", "!!binary", "!!set", "!!omap", "!x", "&a", "*a", "@", "`", "%", "ÄÖ", "\x07",
    "time_zone", "Europe",
]  # fmt: skip
_marks = st.sampled_from(
    [": ", ", ", "\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", "? ", " ", '"', "'", "#", "|", ">", "\t"]
)
_yaml_ish = st.lists(st.one_of(st.sampled_from(_WORDS), _marks), max_size=60).map("".join)

_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(_WORDS))
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(_WORDS), _scalars), inner, max_size=4)
    ),
    max_leaves=12,
)
_sections = st.dictionaries(st.sampled_from(_WORDS), _values, max_size=5)


def has_two_outcomes(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "farm.yaml")
        file.write_text(text, encoding="utf-8", errors="replace")
        refused: FarmFileError | None = None
        try:
            load_farm(file, Secrets({}, {}, Path(directory)))
        except FarmFileError as error:
            refused = error
    assert refused is None or (refused.problems and len(str(refused).splitlines()) >= 2)


@given(st.one_of(st.text(), _yaml_ish))
@example("a: &x {b: *x}")
@example("rules: &a {}\nsite: &a {}")
@example("miners: {a: {driver: vnish, host: a, stop_soc: .nan, resume_soc: .inf}}")
@settings(max_examples=300, deadline=None)
def test_arbitrary_text_has_two_outcomes(text: str) -> None:
    has_two_outcomes(text)


def written(value: object) -> str:
    """Flow style YAML, by hand: what a person might have typed rather than what a library would write."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return str(value)


@given(_sections)
@settings(max_examples=300, deadline=None)
def test_arbitrary_sections_have_two_outcomes(sections: dict[str, object]) -> None:
    has_two_outcomes("\n".join(f"{key}: {written(value)}" for key, value in sections.items()))
