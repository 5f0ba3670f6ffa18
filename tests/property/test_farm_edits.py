"""Any edit of any farm file: it says what was meant, and every other line is there byte for byte, in order."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.console.editing.edits import Drop, Edit, Join, Put
from deploy.console.editing.text import edited, said

NAMES = st.sampled_from(["a", "b", "s19-20", "rig_7", "x1"])
COMMENT = st.sampled_from(["", "   # why", " # with: {braces} - [1], 'quotes'"])
BETWEEN = st.lists(st.sampled_from(["", "  # about the next", "# at the margin", "      # far in", "   "]), max_size=3)
VALUE = st.one_of(
    st.integers(-5, 500),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8),
    st.sampled_from(["20:00", "a: b", "# no", "null", "1e3", "it's", "192.168.1.20:80"]),
)
KEYS = st.dictionaries(st.sampled_from(["driver", "host", "max_w", "worker", "k-1"]), VALUE, min_size=1, max_size=4)


def written(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


@st.composite
def miners(draw: st.DrawFn) -> str:
    """Miners in one line, in lines, with odd columns, comments and blank lines between them."""
    lines: list[str] = []
    for name, keys in draw(st.dictionaries(NAMES, KEYS, min_size=1, max_size=4)).items():
        lines += draw(BETWEEN)
        gap = " " * draw(st.integers(1, 4))
        if draw(st.booleans()):
            inner = f",{gap}".join(f"{key}: {written(value)}" for key, value in keys.items())
            lines.append(f"  {name}:{gap}{{{inner}}}{draw(COMMENT)}")
            continue
        lines.append(f"  {name}:{draw(COMMENT)}")
        for key, value in keys.items():
            lines += draw(BETWEEN)
            lines.append(f"    {key}:{gap}{written(value)}{draw(COMMENT)}")
    return "\n".join(lines)


@st.composite
def farms(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from(["# My farm\n", "observe: true  # yet\n\n", "site: {id:  home}\n", ""]))
    members = draw(st.sampled_from(["[a,  b, rig_7]", "[ s19-20 ]", "\n      - a # 1\n      - b"]))
    groups = f"\n\n# rooms\ngroups:\n  garage:\n    members: {members}\n    max_w: 5   # fuse"
    tail = draw(st.sampled_from(["", groups, f"{groups}\n", f"{groups}\n\n# the end\n"]))
    text = f"{head}miners:{draw(COMMENT)}\n{draw(miners())}{tail}"
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def edits_of(data: Mapping[str, Any], draw: st.DrawFn) -> list[Edit]:
    present = sorted(data["miners"])
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return [Put(("miners",), {"new-1": draw(KEYS), "new-2": draw(KEYS)})]
    if kind == 1:
        return [
            Put(("miners", name), {"enabled": draw(st.booleans())}) for name in draw(st.sets(st.sampled_from(present)))
        ]
    members = data.get("groups", {}).get("garage", {}).get("members", [])
    if kind == 2 and members:
        return [Join(("groups", "garage", "members"), ("new-1",)), Put((), {"observe": False})]
    gone = frozenset(draw(st.sets(st.sampled_from(present), min_size=1)))
    return [Drop(("miners",), gone), *([Drop(("groups", "garage", "members"), gone)] if members else [])]


def meant(line: str, edits: list[Edit]) -> bool:
    """Whether a line may change: of a miner that is edited, the list of members, or an empty section's head."""
    words = {name for edit in edits for name in (edit.names if isinstance(edit, Drop) else edit.place[1:2])}
    start = line.strip().split(":")[0].removeprefix("- ").split(" ")[0].strip()
    return start in {*words, "members", "miners", "observe"}


@settings(deadline=None)
@given(st.data())
def test_what_is_not_meant_stays_as_it_is(data: st.DataObject) -> None:
    before = data.draw(farms())
    content = said(before)
    edits = data.draw(st.composite(lambda draw: edits_of(content, draw))())
    after = edited(before, edits)

    # What is said is what was meant, to the letter.
    wanted = {key: value for key, value in content.items() if key != "miners"}
    found = said(after)
    gone = {name for edit in edits if isinstance(edit, Drop) and edit.place == ("miners",) for name in edit.names}
    assert set(found["miners"]) >= set(content["miners"]) - gone
    assert not set(found["miners"]) & gone
    for name in set(content["miners"]) - gone:
        assert {**found["miners"][name], "enabled": None} == {**content["miners"][name], "enabled": None}
    if not any(edit.place[:1] != ("miners",) for edit in edits):
        assert {key: value for key, value in found.items() if key != "miners"} == wanted

    # And what was not meant is not touched: neither column, nor comment, nor line end.
    rest = iter(after.splitlines(keepends=True))
    for line in lines_that_stay(before, gone, edits):
        assert any(line.rstrip("\r\n") == other.rstrip("\r\n") for other in rest), line
    assert ("\r\n" in before) == ("\r\n" in after)
    assert "\r\n" not in before or "\n" not in after.replace("\r\n", "")


def lines_that_stay(text: str, gone: set[str], edits: list[Edit]) -> list[str]:
    """Without the lines of miners that go, and those that an edit is about."""
    kept: list[str] = []
    within_gone = False
    for line in text.splitlines(keepends=True):
        is_head = line.startswith("  ") and line[2:3] not in {" ", "#", "", "\r", "\n"}
        if is_head or line[:1] not in {" ", "#", "\r", "\n", "\t"}:
            within_gone = is_head and line.strip().split(":")[0] in gone
        if not within_gone and not meant(line, edits):
            kept.append(line)
    return kept
