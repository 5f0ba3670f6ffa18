"""Outlets in the farm file, and what is refused before anything is switched."""

from pathlib import Path

import pytest

from shared.settings import Address, FarmFileError, load_farm
from shared.settings.plug import NO_PORT

RIG = "driver: plug, nominal_w: 1100"


def load(tmp_path: Path, *lines: str) -> list[str]:
    """The problems that a farm of these lines has."""
    path = tmp_path / "farm.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load_farm(path)
    except FarmFileError as error:
        return [f"{problem.line} {problem.place}: {problem.cause}" for problem in error.problems]
    return []


def test_outlets_by_alias_by_number_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "farm.yaml"
    path.write_text(
        f"""\
never_switch: [{{host: 192.0.2.1, outlet: Router}}, {{host: 192.0.2.9}}]
miners:
  a: {{{RIG}, plug: {{host: 192.0.2.1, outlet: " Rig 1 "}}}}
  b: {{{RIG}, plug: {{host: 192.0.2.1, outlet: 2, protocol: klap}}}}
  c: {{{RIG}, plug: {{host: "192.0.2.2:9998"}}}}
""",
        encoding="utf-8",
    )
    farm = load_farm(path)
    a, b, c = (farm.miners[name].plug for name in "abc")
    assert a is not None
    assert b is not None
    assert c is not None
    assert (a.outlet, b.outlet, c.outlet) == ("Rig 1", 2, None)
    assert (a.host, c.host) == (Address("192.0.2.1", NO_PORT), Address("192.0.2.2", 9998))
    assert (a.protocol, b.protocol) == ("auto", "klap")
    assert [entry.outlet for entry in farm.never_switch] == ["Router", None]


@pytest.mark.parametrize("outlet", ["0", "65", "-1", "true", '""', "1.5", "[1]"])
def test_what_is_no_outlet(tmp_path: Path, outlet: str) -> None:
    problems = load(tmp_path, "miners:", f"  a: {{{RIG}, plug: {{host: 192.0.2.1, outlet: {outlet}}}}}")
    assert len(problems) == 1
    assert problems[0].startswith("2 miners.a.plug.outlet: ")
    assert "is no outlet" in problems[0]


@pytest.mark.parametrize(("one", "other"), [("1", "1"), ("Rig", "rig"), (None, None)])
def test_two_miners_on_one_outlet(tmp_path: Path, one: str | None, other: str | None) -> None:
    lines = [
        f"  {name}: {{{RIG}, plug: {{host: 192.0.2.1{'' if outlet is None else f', outlet: {outlet}'}}}}}"
        for name, outlet in (("a", one), ("b", other))
    ]
    assert ["already feeds a" in problem for problem in load(tmp_path, "miners:", *lines)] == [True]


@pytest.mark.parametrize("never", ["{host: 192.0.2.1}", "{host: 192.0.2.1, outlet: rig}"])
def test_a_miner_on_an_outlet_that_feeds_the_network(tmp_path: Path, never: str) -> None:
    problems = load(
        tmp_path,
        f"never_switch: [{never}]",
        "miners:",
        f"  a: {{{RIG}, plug: {{host: 192.0.2.1, outlet: Rig}}}}",
        f"  b: {{{RIG}, plug: {{host: 192.0.2.2, outlet: Rig}}}}",
    )
    assert problems == ["3 miners.a.plug: outlet 'rig' of 192.0.2.1 stands in never_switch"]


def test_a_broken_never_switch_is_a_problem_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path, "never_switch: [{outlet: 1}]") == ["1 never_switch.0.host: this key is missing"]
    assert load(tmp_path, "never_switch: 7")


@pytest.mark.parametrize(("host", "poll", "floor"), [("192.0.2.1", "9 s", 10), ("127.0.0.1:9", "200 ms", 0.5)])
def test_only_a_stand_in_on_this_machine_may_be_read_often(tmp_path: Path, host: str, poll: str, floor: float) -> None:
    def problems(poll: str) -> list[str]:
        return load(tmp_path, "miners:", f'  a: {{{RIG}, plug: {{host: "{host}", poll: {poll}}}}}')

    (found,) = problems(poll)
    assert found.startswith("2 miners.a.plug.poll: ")
    assert "too short" in found
    assert problems(f"{floor} s") == []
