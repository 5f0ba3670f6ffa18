"""Schedules in the farm file, right and wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.schedule import ByClock, BySun, Window
from shared.settings import FarmSettings
from shared.settings.schedule import parse_days, parse_edge
from tests.unit.shared.test_farm_file import load, problems

MINERS = """miners:
  axe-1: {driver: bitaxe, host: 10.0.0.1, schedule: home}
  axe-2: {driver: bitaxe, host: 10.0.0.2, schedule: home}
  axe-3: {driver: bitaxe, host: 10.0.0.3}
groups: {desk: {members: [axe-3, axe-1], schedule: late}}
"""
HOME = """schedules:
  home:
    - {from: "07:30", to: 20:00, voltage_mv: 1150, frequency_mhz: 450}
    - {from: 20:00, to: "07:30", voltage_mv: 1250, frequency_mhz: 550, days: mon-fri}
  late:
    stagger: 30 s
    windows:
      - {from: sunset + 30 min, to: 24:00, pause: true}
"""
PLACE = "site: {time_zone: Europe/Lisbon, latitude: 38.7, longitude: -9.1}\n"


SUNDAY_NIGHT = """    - {from: 22:00, to: 2:00, days: sun, pause: true}
    - {from: 1:00, to: 3:00, days: mon, pause: true}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def windows(farm: FarmSettings, miner: str) -> tuple[Window, ...]:
    return farm.timetables()[miner].schedule.windows


def test_each_miner_has_its_own_schedule_else_its_groups(directory: Path) -> None:
    farm = load(directory, PLACE + MINERS + HOME)
    assert windows(farm, "axe-1") == (
        Window(ByClock(450), ByClock(1200), voltage_mv=1150, frequency_mhz=450),
        Window(ByClock(1200), ByClock(450), frozenset(range(5)), voltage_mv=1250, frequency_mhz=550),
    )
    assert windows(farm, "axe-3") == (Window(BySun("sunset", timedelta(minutes=30)), ByClock(1440), pause=True),)
    assert windows(farm, "axe-1")[1].label == "mon-fri 20:00-07:30"
    assert windows(farm, "axe-3")[0].label == "sunset + 30 min-24:00"


def test_the_stagger_goes_by_the_order_in_the_file(directory: Path) -> None:
    farm = load(directory, PLACE + MINERS.replace("schedule: home", "schedule: late") + HOME)
    delays = {name: timetable.delay.total_seconds() for name, timetable in farm.timetables().items()}
    assert delays == {"axe-1": 0, "axe-2": 30, "axe-3": 60}


def test_the_sites_time_zone_counts(directory: Path) -> None:
    timetable = load(directory, PLACE + MINERS + HOME).timetables()["axe-1"]
    spell = timetable.spell_at(datetime(2026, 6, 21, 6, 30, tzinfo=UTC))
    assert spell.begins == datetime(2026, 6, 21, 6, 30, tzinfo=UTC)
    assert spell.ends == datetime(2026, 6, 21, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "edge"),
    [
        ("7:05", ByClock(425)),
        ("00:00", ByClock(0)),
        ("24:00", ByClock(1440)),
        ("sunrise", BySun("sunrise")),
        ("Sunset-1h", BySun("sunset", timedelta(hours=-1))),
        ("sunrise + 30 min", BySun("sunrise", timedelta(minutes=30))),
    ],
)
def test_an_edge_is_a_time_or_the_sun(written: str, edge: object) -> None:
    assert parse_edge(written) == edge
    assert parse_edge(edge) == edge


@pytest.mark.parametrize("written", ["24:01", "7:60", "noon", "", 1200, None, "sunset - 13 h", "sunset - soon", "730"])
def test_anything_else_is_not(written: object) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_edge(written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat,sun", {5, 6}),
        (["fri-mon", "Wednesday"], {4, 5, 6, 0, 2}),
        ("thu", {3}),
        ("mon-sun", set(range(7))),
    ],
)
def test_days_are_written_as_people_do(written: object, days: set[int]) -> None:
    assert parse_days(written) == days
    assert parse_days(frozenset(days)) == days


@pytest.mark.parametrize("written", ["", "monkey", "mon-tue-wed", 3, [], ["mon", "day"], None])
def test_other_words_are_no_days(written: object) -> None:
    with pytest.raises(ValueError, match="mon-fri"):
        parse_days(written)


def test_every_key_that_is_wrong_is_said_with_its_line(directory: Path) -> None:
    text = (
        MINERS
        + """schedules:
  home:
    - {from: noon, to: 20:00, pause: true}
    - {from: 20:00, to: 20:00, pause: true}
    - {from: 20:00, to: "07:30", voltage_mv: 1150}
    - {from: 20:00, to: "07:30", pause: true, profile: quiet}
    - {form: 20:00, to: "07:30", pause: true}
    - {from: 20:00, to: "07:30", days: mon-fry, voltage_mv: 5000, frequency_mhz: 500}
  late: {windows: []}
  Empty:
"""
    )
    said = problems(directory, text)
    expected = [
        ":8: schedules.home.0.from: 'noon' is not a time of day. Fix: write it like \"07:30\", sunrise or sunset",
        ':9: schedules.home.1: from and to are both 20:00. Fix: for a whole day write from "00:00" to "24:00".',
        ":10: schedules.home.2: frequency_mhz is missing. Fix: voltage_mv and frequency_mhz come in a pair.",
        ":11: schedules.home.3: a window asks for one thing. Fix: give voltage_mv and frequency_mhz, or profile, or",
        ':12: schedules.home.4.form: unknown key (did you mean "from"?). Fix: remove it, or use one of: from, to, days',
        ":12: schedules.home.4.from: this key is missing. Fix: add from: ....",
        ":13: schedules.home.5.days: 'mon-fry' are not days. Fix: write them like mon-fri, or [sat, sun].",
        ":13: schedules.home.5.voltage_mv: Input should be less than or equal to 1600 (found 5000).",
        ":14: schedules.late.windows: List should have at least 1 item",
        ":15: schedules.Empty: 'Empty' cannot be an id. Fix: use only a to z, 0 to 9, - and _.",
    ]
    for line in expected:
        assert any(each.startswith("farm.yaml" + line) for each in said), line + "\n" + "\n".join(said)


def one_problem(directory: Path, text: str, **settings: str) -> str:
    miners = f"miners:\n  axe-1: {{driver: bitaxe, host: 10.0.0.1, schedule: home{settings.get('more', '')}}}\n"
    (said,) = problems(directory, settings.get("site", PLACE) + miners + "schedules:\n  home:\n" + text)
    return said.removeprefix("farm.yaml")


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        (
            '    - {from: "07:30", to: 20:00, pause: true}\n    - {from: 19:59, to: "07:30", pause: true}\n',
            {},
            ":7: schedules.home.1: 19:59-07:30 overlaps 07:30-20:00, as on Monday 19:59. Fix: let one end where",
        ),
        (
            SUNDAY_NIGHT,
            {},
            ":7: schedules.home.1: mon 01:00-03:00 overlaps sun 22:00-02:00, as on Monday 01:00.",
        ),
        (
            "    - {from: sunrise, to: 08:00, pause: true}\n    - {from: 05:00, to: 06:30, profile: quiet}\n",
            {},
            ":7: schedules.home.1: 05:00-06:30 overlaps sunrise-08:00, as on",
        ),
        (
            "    - {from: 22:00, to: sunset, pause: true}\n",
            {},
            ":6: schedules.home.0: 22:00-sunset holds at no time of the year. Fix: correct from and to, or remove it.",
        ),
        (
            "    - {from: 22:00, to: sunrise, pause: true}\n",
            {"site": "site: {latitude: 38.7}\n"},
            ":6: schedules.home.0.to: sunrise is not known without a place. Fix: set site.latitude and site.longitude.",
        ),
        (
            "    - {from: 22:00, to: 07:00, profile: quite}\n",
            {},
            ":6: schedules.home.0.profile: axe-1 has no profile 'quite' (did you mean \"quiet\"?). Fix: use one",
        ),
        (
            "    - {from: 22:00, to: 07:00, voltage_mv: 1250, frequency_mhz: 601}\n",
            {},
            ":6: schedules.home.0.frequency_mhz: 601 MHz is above the max_frequency_mhz of axe-1, 600 MHz. Fix: lower",
        ),
        (
            "    - {from: 22:00, to: 07:00, voltage_mv: 1250, frequency_mhz: 500}\n",
            {"more": ", max_voltage_mv: 1200"},
            ":6: schedules.home.0.voltage_mv: 1250 mV is above the max_voltage_mv of axe-1, 1200 mV.",
        ),
    ],
)
def test_what_no_single_key_shows(directory: Path, text: str, settings: dict[str, str], said: str) -> None:
    assert one_problem(directory, text, **settings).startswith(said)


def test_gaps_and_windows_that_meet_are_right(directory: Path) -> None:
    text = """  home:
    - {from: "08:30", to: 12:00, pause: true}
    - {from: 12:00, to: 13:00, days: mon-fri, profile: quiet}
    - {from: 12:30, to: 13:00, days: sat, profile: mine}
    - {from: sunset, to: sunrise, profile: quiet}
"""
    profiles = "{mine: {voltage_mv: 1100, frequency_mhz: 400}}"
    miners = f"miners: {{a: {{driver: bitaxe, host: a, schedule: home, profiles: {profiles}}}}}\n"
    assert len(windows(load(directory, PLACE + miners + "schedules:\n" + text), "a")) == 4


def test_a_schedule_that_is_not_there_and_two_for_one_miner(directory: Path) -> None:
    text = """miners:
  a: {driver: bitaxe, host: a, schedule: hoem}
  b: {driver: bitaxe, host: b}
  c: {driver: vnish, host: c, schedule: home}
groups:
  x: {members: [b], schedule: home}
  y: {members: [b, a], schedule: rest}
  z: {members: [b], schedule: none}
schedules:
  home: [{from: 20:00, to: "07:30", profile: quiet}]
  rest: [{from: 20:00, to: "07:30", pause: true}]
"""
    said = problems(directory, text)
    expected = [
        ":2: miners.a.schedule: no schedule is called 'hoem' (did you mean \"home\"?). Fix: use one of: home, rest.",
        ":7: groups.y.schedule: b has the schedule home of the group x already. Fix: give b a schedule of its own.",
        ":8: groups.z.schedule: b has the schedule home of the group x already. Fix: give b a schedule of its own.",
        ":8: groups.z.schedule: no schedule is called 'none'. Fix: use one of: home, rest.",
        ":10: schedules.home.0: c cannot be set to profile quiet: it has driver: vnish. Fix: such a miner takes only",
    ]
    assert len(said) == len(expected), said
    for line, wanted in zip(said, expected, strict=True):
        assert line.startswith("farm.yaml" + wanted), line


def test_a_large_machine_may_be_paused_by_a_schedule_and_have_a_limit_for_its_chip(directory: Path) -> None:
    text = """miners: {c: {driver: vnish, host: c, schedule: rest, max_chip_celsius: 80}, d: {driver: vnish, host: d}}
schedules: {rest: [{from: 20:00, to: "07:30", pause: true}]}
"""
    farm = load(directory, text)
    assert list(farm.timetables()) == ["c"]
    assert (farm.miners["c"].chip_limit_celsius, farm.miners["d"].chip_limit_celsius) == (80, None)
