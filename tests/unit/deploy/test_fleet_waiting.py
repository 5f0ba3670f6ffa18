"""Waiting, and going on only after it: with time that passes only while somebody listens."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from deploy.fleet.container import Container
from deploy.fleet.outcome import Teller
from deploy.fleet.rolling import restart_rolling
from deploy.fleet.session import Session
from deploy.fleet.settling import wait
from deploy.fleet.snapshot import Snapshot
from tests.unit.deploy.fleet_scene import AGENT, NOON, Scene, container


class Stage:
    """In place of a session: containers and replicas of a scene, and a Docker that only notes what it is told."""

    def __init__(self, *containers: Container) -> None:
        self.scene = Scene()
        self.there = {each.name: each for each in containers}
        self.done: list[tuple[str, str]] = []
        self.comes_back: Callable[[str], bool] = lambda _name: True
        self.farewells = True
        self.ear = self.engine = self

    def as_session(self) -> Session:
        return cast("Session", self)

    # --- as a session

    def look(self, **_how: Any) -> Snapshot:
        return Snapshot(tuple(self.there.values()), self.scene.heard())

    def hear_everybody(self) -> None:
        self.say()

    # --- as its ear

    def seconds(self) -> float:
        return self.scene.seconds

    def listen(self, seconds: float) -> None:
        self.scene.wait(seconds)
        self.say()

    def heard(self) -> Any:
        return self.scene.heard()

    # --- as its engine

    def stop(self, each: Container, _grace_seconds: int) -> None:
        self.done.append(("stop", each.name))
        if self.farewells:
            self.scene.presence(AGENT, each.host, status="offline")

    def start(self, each: Container) -> None:
        self.done.append(("start", each.name))

    def say(self) -> None:
        """Who is there says so; who was started anew, with its new beginning."""
        hosts = [each.host for each in self.there.values() if self._speaks(each)]
        knows = tuple(sorted(f"{AGENT}-{host}" for host in hosts))
        for each in self.there.values():
            if each.host in hosts:
                began = NOON.replace(hour=13) if ("start", each.name) in self.done else NOON
                self.scene.presence(AGENT, each.host, knows=knows, tends=1, started_at=began)

    def _speaks(self, each: Container) -> bool:
        return ("stop", each.name) not in self.done or (
            ("start", each.name) in self.done and self.comes_back(each.name)
        )


def two() -> Stage:
    return Stage(container(number=1), container(number=2))


def test_it_must_stay_well_for_a_while() -> None:
    stage = two()
    begun = stage.seconds()
    answers = iter([["not yet"], [], [], ["again"]])
    assert wait(stage.as_session(), lambda _now: next(answers, []), 60, Teller(as_json=True)) == []
    assert stage.seconds() - begun >= 4 * 0.5 + 3


def test_waiting_ends_with_what_is_missing() -> None:
    stage = two()
    begun = stage.seconds()
    assert wait(stage.as_session(), lambda _now: ["not yet"], 10, Teller(as_json=True)) == ["not yet"]
    assert 10 <= stage.seconds() - begun < 11


def test_a_wait_that_ends_just_when_all_is_well_is_no_success() -> None:
    stage = two()
    assert wait(stage.as_session(), lambda _now: [], 1, Teller(as_json=True)) != []


def test_one_is_back_before_the_next_is_touched(capsys: pytest.CaptureFixture[str]) -> None:
    stage = two()
    assert restart_rolling(stage.as_session(), Teller(as_json=False), [], 60) == 0
    first, second = stage.there
    assert stage.done == [("stop", first), ("start", first), ("stop", second), ("start", second)]
    assert "2 restarted one after the other" in capsys.readouterr().out


def test_the_next_is_not_touched_when_one_does_not_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    stage = two()
    first, second = stage.there
    stage.comes_back = lambda _name: False
    assert restart_rolling(stage.as_session(), Teller(as_json=False), [], 60) == 1
    assert stage.done == [("stop", first), ("start", first)]
    said = capsys.readouterr().out
    assert f"{first} is not heard yet" in said
    assert f"Not touched: {second}." in said


def test_the_last_word_of_the_old_process_is_no_proof_of_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    """It was killed without a farewell, and counts as live for three beats."""
    stage = two()
    first, _ = stage.there
    stage.comes_back = lambda _name: False
    stage.farewells = False
    assert restart_rolling(stage.as_session(), Teller(as_json=False), [], 10) == 1
    assert f"{first} has not begun anew" in capsys.readouterr().out
