"""What a person says in the shell, with a real broker, engine and agent, and what is said to have come of it."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from shared.messages import Choice, MinerState, RequestKind
from shared.topics import GROUP_CHOICE, MINER_CHOICE
from tests.console_farm import ConsoleFarm
from tests.waiting import eventually

ME = getpass.getuser()
MINERS = """\
battery: {{mqtt: {{state_of_charge: battery/soc}}}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{s19-20}", stop_soc: 73, resume_soc: 75}}
  s19-21: {{driver: vnish, host: "127.0.0.1:{s19-21}"}}
groups:
  garage: {{members: [s19-20, s19-21], max_w: 9000}}
"""


class Park:
    def __init__(self) -> None:
        self.miners = {name: VnishStandIn(clock=SystemClock()) for name in ("s19-20", "s19-21")}

    def hashing(self) -> list[str]:
        return [name for name, miner in self.miners.items() if miner.hashing]


@pytest.fixture
def park() -> Park:
    return Park()


@pytest.fixture
def quiet(park: Park, tmp_path: Path) -> Iterator[ConsoleFarm]:
    """A broker, and nobody else."""
    with ConsoleFarm(tmp_path, {name: miner.handle for name, miner in park.miners.items()}, MINERS) as farm:
        yield farm


@pytest.fixture
def farm(quiet: ConsoleFarm, park: Park) -> ConsoleFarm:
    quiet.soc(90)
    quiet.engine()
    quiet.agent()
    assert eventually(lambda: all(quiet.decided(name) for name in park.miners), 15)
    assert eventually(lambda: len(park.hashing()) == 2, 15)
    return quiet


def test_a_pause_is_told_of_each_miner_and_ends_by_automatic(farm: ConsoleFarm, park: Park) -> None:
    said = farm.say("override", "s19-20", "s19-21", "pause", "--for", "2h", "--reason", "noise")
    assert said.code == 0, said.out
    for line, name in zip(said.out.splitlines(), ("s19-20", "s19-21"), strict=True):
        assert line.startswith(f"{name}: ")
        assert f"paused by {ME} until" in line
        assert line.endswith((": noise; pausing", ": noise"))
    assert eventually(lambda: not park.hashing(), 10)
    said = farm.say("override", "garage", "s19-20", "s19-21", "automatic")
    assert said.code == 0, said.out
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["s19-20", "s19-21"], "each miner once"
    assert eventually(lambda: len(park.hashing()) == 2, 15)


def test_what_stays_paused_says_why(farm: ConsoleFarm, park: Park) -> None:
    assert farm.say("override", "s19-20", "pause").code == 0
    assert eventually(lambda: farm.telemetry["s19-20"].state is MinerState.PAUSED, 10)
    farm.soc(70)
    said = farm.say("override", "s19-20", "automatic")
    assert said.code == 0
    assert said.out.startswith("s19-20: stays paused: SoC 70.0 % < 73 %")


def test_a_group_is_told_of_by_its_members(farm: ConsoleFarm, park: Park) -> None:
    said = farm.say("override", "garage", "pause")
    assert said.code == 0, said.out
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["s19-20", "s19-21"]
    assert eventually(lambda: not park.hashing(), 10)


def test_force_brings_a_miner_on_although_the_battery_is_low(farm: ConsoleFarm, park: Park) -> None:
    farm.soc(60)
    assert eventually(lambda: park.hashing() == ["s19-21"], 10)
    said = farm.say("override", "s19-20", "force", "--for", "1h")
    assert said.code == 0, said.out
    assert f"forced on by {ME} until" in said.out
    assert eventually(lambda: len(park.hashing()) == 2, 15)


def test_hands_off(farm: ConsoleFarm) -> None:
    said = farm.say("maintenance", "s19-20")
    assert said.code == 0, said.out
    assert f"maintenance by {ME}" in said.out
    assert "left as it is" in said.out


def test_without_an_engine_nothing_is_called_done(quiet: ConsoleFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.console.overriding.TAKEN_UP_SECONDS", 1.0)
    monkeypatch.setattr("deploy.console.overriding._MATCH_SECONDS", 0.5)
    said = quiet.say("override", "s19-20", "pause")
    assert said.code == 1
    assert "no engine has taken it up" in said.out
    assert "is the engine running?" in said.out


def test_an_engine_that_has_gone_takes_nothing_up(
    farm: ConsoleFarm, park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last commands still stand, and their leases still run."""
    monkeypatch.setattr("deploy.console.overriding.TAKEN_UP_SECONDS", 1.0)
    monkeypatch.setattr("deploy.console.overriding._MATCH_SECONDS", 0.5)
    farm.end("policy_engine")
    said = farm.say("override", "s19-20", "pause")
    assert said.code == 1
    assert "no engine has taken it up" in said.out
    assert len(park.hashing()) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["garag", "pause"],
            'garag is neither a miner nor a group (did you mean "garage"?). Fix: name one of s19-20, s19',
        ),
        (["pause"], "Nobody was named. Fix:"),
        (["s19-20"], "s19-20 is no kind of override. Fix: end with one of pause, force, limit, automatic"),
        (["s19-20", "paus"], 'paus is no kind of override (did you mean "pause"?)'),
        (["s19-20", "force"], "must end. Fix: say for how long, such as --for 1h"),
        (["s19-20", "limit"], "Fix: say how many watts at most, such as --watts 800"),
        (["s19-20", "pause", "--watts", "800"], "--watts belongs to a limit. Fix:"),
        (["s19-20", "pause", "--for", "soon"], "'soon' is not a duration"),
        (["s19-20", "pause", "--for", "0"], "no time at all. Fix:"),
        (["s19-20", "automatic", "--for", "1h"], "Automatic has no end. Fix:"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_said(
    quiet: ConsoleFarm, words: list[str], complaint: str
) -> None:
    said = quiet.say("override", *words)
    assert said.code == 2
    assert complaint in said.out


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("cycle", RequestKind.CYCLE),
        ("restart", RequestKind.RESTART),
        ("identify", RequestKind.IDENTIFY),
        ("clear", RequestKind.CLEAR_UNSTABLE),
    ],
)
def test_what_is_asked_for_once_is_answered(quiet: ConsoleFarm, command: str, kind: RequestKind) -> None:
    heard = quiet.answering("request_accepted", "it is done")
    said = quiet.say(command, "s19-20", "s19-21")
    assert said.code == 0, said.out
    assert said.out == "s19-20: it is done\ns19-21: it is done\n"
    assert sorted((name, request.kind, request.by) for name, request in heard) == [
        ("s19-20", kind, ME),
        ("s19-21", kind, ME),
    ]


def test_a_refusal_is_no_success(quiet: ConsoleFarm) -> None:
    quiet.answering("request_refused", "it is paused")
    said = quiet.say("restart", "s19-20")
    assert (said.code, said.out) == (1, "s19-20: not done: it is paused\n")


def test_silence_is_no_success_either(quiet: ConsoleFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.console.asking.ANSWER_SECONDS", 0.5)
    said = quiet.say("cycle", "s19-20")
    assert said.code == 1
    assert "nobody answered within 10 s: is the engine running?" in said.out


def test_a_group_is_neither_restarted_nor_cycled(quiet: ConsoleFarm) -> None:
    said = quiet.say("restart", "garage")
    assert said.code == 2
    assert "garage is no miner" in said.out


def test_settings_are_chosen_by_asking_the_engine(quiet: ConsoleFarm) -> None:
    heard = quiet.answering("request_accepted", "chosen")
    assert quiet.say("set", "s19-20", "stop_soc=70", "resume_soc=74.5", "point=2400 W").code == 0
    assert quiet.say("set", "garage", "max_w=2000").code == 0
    assert quiet.say("unset", "s19-20", "stop_soc").code == 0
    assert quiet.say("unset", "garage", "s19-21").code == 0
    asked = [(name, request.kind, request.choose) for name, request in heard]
    assert asked == [
        ("s19-20", RequestKind.CHOOSE, {"stop_soc": 70, "resume_soc": 74.5, "point": "2400 W"}),
        ("garage", RequestKind.CHOOSE, {"max_w": 2000}),
        ("s19-20", RequestKind.CHOOSE, {"stop_soc": None}),
        ("garage", RequestKind.CHOOSE, {"max_w": None}),
        ("s19-21", RequestKind.CHOOSE, dict.fromkeys(("stop_soc", "resume_soc", "max_w", "point"))),
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["s19-20", "stopsoc=70"], 'stopsoc cannot be chosen of s19-20, a miner (did you mean "stop_soc"?)'),
        (["garage", "stop_soc=70"], "stop_soc cannot be chosen of garage, a group. Fix: use max_w"),
        (["s19-20", "stop_soc=low"], "stop_soc=low is no number. Fix:"),
        (["s19-20", "stop_soc=nan"], "stop_soc=nan is no number. Fix:"),
        (["s19-20", "point="], "point= names no point. Fix:"),
        (["s19-20"], "Nothing was chosen. Fix:"),
        (["stop_soc=70"], "Nobody was named. Fix:"),
    ],
)
def test_a_choice_that_cannot_be_meant(quiet: ConsoleFarm, words: list[str], complaint: str) -> None:
    said = quiet.say("set", *words)
    assert said.code == 2
    assert complaint in said.out


def test_settings_show_the_file_and_what_was_chosen_instead(quiet: ConsoleFarm) -> None:
    now = quiet.clock.now()
    quiet.bus.publish(MINER_CHOICE, "s19-20", Choice(at=now, stop_soc=70, by="ana"))
    quiet.bus.publish(GROUP_CHOICE, "garage", Choice(at=now, max_w=0, by="ana"))
    assert eventually(lambda: "70  " in quiet.say("settings", "s19-20").out)
    shown = json.loads(quiet.say("settings", "--json").out)
    assert shown["s19-20"]["stop_soc"] == {
        "farm_file": 73,
        "farm_file_known": True,
        "chosen": 70,
        "by": "ana",
        "since": now.isoformat(),
    }
    assert shown["s19-20"]["resume_soc"]["chosen"] is None
    assert (shown["garage"]["max_w"]["farm_file"], shown["garage"]["max_w"]["chosen"]) == (9000, 0), "0 is a choice"
    lines = quiet.say("settings", "garage").out.splitlines()
    assert lines[0].split() == ["of", "setting", "farm", "file", "chosen", "by", "since"]
    assert lines[1].split()[:5] == ["garage", "max_w", "9000", "0", "ana"]


def test_a_broker_that_is_not_there_is_named(quiet: ConsoleFarm) -> None:
    quiet.kill_broker()
    said = quiet.say("override", "s19-20", "pause")
    assert said.code == 2
    assert "does not answer" in said.out
    assert "Fix: is the farm running" in said.out
