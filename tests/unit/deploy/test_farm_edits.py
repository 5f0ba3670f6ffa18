"""Changes in the text of a farm file: what is meant changes, every other line stays byte for byte."""

import difflib

import pytest

from deploy.console.editing.edits import Drop, Edit, EditError, Join, Put
from deploy.console.editing.text import edited, said

FARM = """\
# My farm.   Keep the columns.
observe:  true           # for now

miners:                  # the lowest band first
  s19-20:   {driver: vnish,  host: 192.168.88.20,   stop_soc: 73, resume_soc: 75}   # in the attic
  s19-21:
    driver: vnish        # an old one
    host: '192.168.88.21'

    # its band
    stop_soc: 95
    resume_soc: 99       # full

  # A Bitaxe needs no battery.
  bitaxe-1: {driver: bitaxe, host: "192.168.88.31"}
  # that was all

groups:
  garage: {members: [s19-20,  s19-21], max_w: 6600}
  attic:
    members:
      - s19-20
      - bitaxe-1         # warm
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that have gone and those that have come; all others stand in the same order."""
    delta = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    gone = [line[2:].rstrip("\n") for line in delta if line.startswith("- ")]
    return gone, [line[2:].rstrip("\n") for line in delta if line.startswith("+ ")]


@pytest.mark.parametrize(
    ("edit", "gone", "come"),
    [
        (
            Put(("miners", "s19-20"), {"enabled": False}),
            [FARM.splitlines()[4]],
            [FARM.splitlines()[4].replace("75}", "75, enabled: false}")],
        ),
        (Put(("miners", "s19-21"), {"enabled": False}), [], ["    enabled: false"]),
        (Put(("miners", "s19-21"), {"stop_soc": 90}), ["    stop_soc: 95"], ["    stop_soc: 90"]),
        (
            Put(("miners", "s19-21"), {"host": "10.0.0.1"}),
            ["    host: '192.168.88.21'"],
            ["    host: 10.0.0.1"],
        ),
        (
            Put(("miners",), {"rig 7": {"driver": "plug"}, "b": {"host": "a:80"}}),
            [],
            ["  rig 7: {driver: plug}", '  b: {host: "a:80"}'],
        ),
        (Put(("rules",), {"lease": "90 s"}), [], ["", "rules:", "  lease: 90 s"]),
        (Put((), {"observe": False}), ["observe:  true           # for now"], ["observe:  false           # for now"]),
        (
            Join(("groups", "garage", "members"), ("bitaxe-1",)),
            ["  garage: {members: [s19-20,  s19-21], max_w: 6600}"],
            ["  garage: {members: [s19-20,  s19-21, bitaxe-1], max_w: 6600}"],
        ),
        (Join(("groups", "attic", "members"), ("s19-21",)), [], ["      - s19-21"]),
        (Drop(("miners",), frozenset({"s19-20"})), [FARM.splitlines()[4]], []),
        (
            Drop(("miners",), frozenset({"bitaxe-1"})),
            ['  bitaxe-1: {driver: bitaxe, host: "192.168.88.31"}'],
            [],
        ),
        (Drop(("groups", "attic", "members"), frozenset({"s19-20"})), ["      - s19-20"], []),
        (
            Drop(("groups", "garage", "members"), frozenset({"s19-20"})),
            ["  garage: {members: [s19-20,  s19-21], max_w: 6600}"],
            ["  garage: {members: [s19-21], max_w: 6600}"],
        ),
        (Drop(("groups", "garage", "members"), frozenset({"nobody"})), [], []),
    ],
    ids=repr,
)
def test_one_edit_changes_only_what_it_means(edit: Edit, gone: list[str], come: list[str]) -> None:
    assert lines_changed(FARM, edited(FARM, [edit])) == (gone, come)


def test_a_miner_in_lines_of_its_own_goes_whole_and_alone() -> None:
    after = edited(
        FARM, [Drop(("miners",), frozenset({"s19-21"})), Drop(("groups", "garage", "members"), frozenset({"s19-21"}))]
    )
    start, end = FARM.index("  s19-21:"), FARM.index("\n  # A Bitaxe")
    assert after == (FARM[:start] + FARM[end:]).replace("[s19-20,  s19-21]", "[s19-20]")


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("miners:", Put(("miners",), {"a": {"k": 1}}), "miners:\n  a: {k: 1}"),
        (
            "miners:  # none yet\nobserve: true\n",
            Put(("miners",), {"a": {}}),
            "miners:  # none yet\n  a: {}\nobserve: true\n",
        ),
        ("miners: {}  # none\n", Put(("miners",), {"a": {"k": 1}}), "miners:  # none\n  a: {k: 1}\n"),
        ("{miners: {a: {k: 1}}}\n", Put(("miners",), {"b": {}}), "{miners: {a: {k: 1}, b: {}}}\n"),
        ("a: {}\n", Put(("miners",), {"b": {"k": 1}}), "a: {}\n\nminers:\n  b: {k: 1}\n"),
        ("m:\n  a: 1  # x\n  # y\n", Drop(("m",), frozenset("a")), "m: {}\n  # y\n"),
        ("m: {a: 1}\n", Drop(("m",), frozenset("a")), "m: {}\n"),
        ("m: [\n  a, # 1\n  b, # 2\n  c # 3\n]\n", Drop(("m",), frozenset("c")), "m: [\n  a, # 1\n  b, # 2\n]\n"),
        ("m: [\n  a, # 1\n  b, # 2\n  c # 3\n]\n", Drop(("m",), frozenset("ab")), "m: [\n  c # 3\n]\n"),
        ("m: [\n  a, # 1\n  b # 2\n]\n", Join(("m",), ("c",)), "m: [\n  a, # 1\n  b # 2\n, c]\n"),
        ("m: {a: 1, b: 2, c: 3}\n", Drop(("m",), frozenset("ac")), "m: {b: 2}\n"),
        ("m:\n  a:\n\n# n\nn: 1\n", Put(("m",), {"b": 2}), "m:\n  a:\n  b: 2\n\n# n\nn: 1\n"),
        ("m:\n  a: # c\n  b: 1\n", Put(("m", "a"), {"k": 2}), "m:\n  a: # c\n    k: 2\n  b: 1\n"),
        ("m: {a: 1,}\n", Put(("m",), {"b": 2}), "m: {a: 1, b: 2}\n"),
        ("m: {a: }\n", Put(("m",), {"a": 2}), "m: {a: 2 }\n"),
        ("m:\n  a:\n  b: 1\n", Put(("m",), {"a": 2}), "m:\n  a: 2\n  b: 1\n"),
        ("m:\n  a: ~\n", Put(("m", "a"), {"k": 1}), "m:\n  a:\n    k: 1\n"),
        (
            "m:\n  a: |\n    two\n    lines\n\nn: 1\n",
            Put(("m",), {"b": 2}),
            "m:\n  a: |\n    two\n    lines\n\n  b: 2\nn: 1\n",
        ),
    ],
)
def test_shapes_of_yaml(before: str, edit: Edit, after: str) -> None:
    assert edited(before, [edit]) == after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_byte_order_mark_survive(newline: str, mark: str) -> None:
    before = mark + FARM.replace("\n", newline)
    after = edited(
        before, [Put(("miners",), {"b": {"driver": "bitaxe"}}), Put(("miners", "s19-21"), {"enabled": True})]
    )
    plain = edited(FARM, [Put(("miners",), {"b": {"driver": "bitaxe"}}), Put(("miners", "s19-21"), {"enabled": True})])
    assert after == mark + plain.replace("\n", newline)


def test_newcomers_are_written_like_their_neighbours() -> None:
    before = "miners:\n  a:\n    driver: vnish\n    host: h\n"
    after = edited(before, [Put(("miners",), {"b": {"driver": "vnish", "host": "i"}})])
    assert after == before + "  b:\n    driver: vnish\n    host: i\n"


@pytest.mark.parametrize(
    "value",
    [
        "20:00",
        "1e3",
        "0x10",
        "true",
        "null",
        "~",
        "",
        " a ",
        "a: b",
        "#7",
        "Rig #7",
        "[x",
        "ä",
        "\\",
        '"',
        "- a",
        "2026-01-01",
        "=",
        "<<",
    ],
)
def test_a_text_stays_a_text(value: str) -> None:
    assert said(edited("m: {a: 1}\n", [Put(("m",), {"b": value})])) == {"m": {"a": 1, "b": value}}


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a: &x {k: 1}\nb: *x\n", Put(("b",), {"k": 2})),
        ("a: &x {k: 1}\nb: *x\n", Drop(("a",), frozenset("k"))),
        ("a: &x {k: 1}\nb: {<<: *x}\n", Put(("a",), {"j": 2})),
        ("a: &x 1\nb: *x\n", Drop((), frozenset("a"))),
        ("a: 7\n", Put(("a", "b"), {"k": 1})),
        ("a: 7\n", Join(("a",), ("b",))),
        ("a: 7\n", Drop(("a",), frozenset("b"))),
        ("m:\n  a:\n    k: 1\n", Put(("m",), {"a": 7})),
        ("- a\n", Put(("m",), {"a": 7})),
        ("a: [\n", Put(("m",), {"a": 7})),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, edit: Edit) -> None:
    with pytest.raises(EditError, match="Fix: "):
        edited(text, [edit])
