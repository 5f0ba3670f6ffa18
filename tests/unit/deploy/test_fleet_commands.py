"""What the commands decide before and while they do something."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.connection import Connection
from deploy.fleet.heard import Heard
from deploy.fleet.pruning import dead
from deploy.fleet.reach import BadInputError, reach_of, variables_of
from deploy.fleet.rolling import chosen
from deploy.fleet.scaling import compose_arguments, wanted_of
from deploy.fleet.settling import Before
from deploy.fleet.snapshot import Snapshot
from deploy.fleet.status_view import as_json, text, wrong
from shared.clock import SystemClock
from tests.unit.deploy.fleet_scene import AGENT, ENGINE, NOON, Scene, container, held, whole

# --- scale


def test_what_is_to_be_scaled() -> None:
    assert wanted_of(["vnish_agent=3", "policy-engine=2"]) == {"vnish-agent": 3, "policy-engine": 2}


@pytest.mark.parametrize(
    "word",
    ["vnish-agent", "vnish-agent=", "vnish-agent=-1", "vnish-agent=0", "vnish-agent=33", "mosquitto=2", "simulator=2"],
)
def test_what_cannot_be_scaled(word: str) -> None:
    with pytest.raises(BadInputError, match=r"\.$"):
        wanted_of([word])


def test_compose_is_given_the_very_files_of_the_stack() -> None:
    labels = {"com.docker.compose.project.config_files": "/a/docker-compose.yml,/a/own.yml"}
    assert compose_arguments("farm", labels, {"vnish-agent": 3}) == [
        *("compose", "--project-name", "farm", "--file", "/a/docker-compose.yml", "--file", "/a/own.yml"),
        *("up", "--detach", "--no-deps", "--no-recreate", "--scale", "vnish-agent=3", "vnish-agent"),
    ]


# --- restart


def test_who_acts_for_the_site_is_restarted_last() -> None:
    scene = Scene()
    scene.engine("host1")
    scene.presence(ENGINE, "host2", tends=0, knows=())
    scene.presence("soc_bridge", "host1", holds=held("battery-home"))
    stack = [container("policy-engine", 1), container("policy-engine", 2), container("soc-bridge"), container(number=2)]
    stack += [container(number=1), container("mosquitto"), container("simulator")]
    names = [each.name.removeprefix("sunherd-") for each in chosen(stack, [], scene.heard())]
    assert names == ["vnish-agent-1", "vnish-agent-2", "policy-engine-2", "soc-bridge-1", "policy-engine-1"]
    assert [each.service for each in chosen(stack, ["mosquitto"], scene.heard())] == ["mosquitto"]
    with pytest.raises(BadInputError, match="no container of bitaxe-agent"):
        chosen(stack, ["bitaxe_agent"], scene.heard())


# --- waiting


def before_of(scene: Scene) -> Before:
    return Before(Snapshot((), scene.heard()))


def absent(before: Before, heard: Heard, *, anew: bool, **told: Any) -> list[str]:
    return before.absent([container(host="one", **told)], heard, anew=anew)


def test_a_container_is_back_when_it_runs_is_healthy_and_its_new_process_is_heard() -> None:
    scene = whole()
    scene.agents("one", "two", started_at=NOON)
    before = before_of(scene)
    name = "sunherd-vnish-agent-1"
    assert absent(before, scene.heard(), anew=True) == [f"{name} has not begun anew"]
    scene.presence(AGENT, "one", status="offline")
    assert absent(before, scene.heard(), anew=True) == [f"{name} is not heard yet"]
    scene.agents("one", "two", started_at=NOON + timedelta(seconds=9))
    assert absent(before, scene.heard(), anew=True) == []
    assert absent(before, scene.heard(), anew=True, health="starting") == [f"{name} is starting"]
    assert absent(before, scene.heard(), anew=True, state="exited") == [f"{name} is exited"]


def test_who_never_spoke_since_it_has_nothing_to_do_is_not_waited_for() -> None:
    scene = Scene()
    scene.engine()
    before = before_of(scene)
    assert absent(before, scene.heard(), anew=True) == []
    assert absent(before, scene.heard(), anew=False) == []
    assert absent(before, scene.heard(), anew=False, health="unhealthy", health_says="why")[0].endswith(
        "unhealthy: why"
    )


def test_a_new_replica_is_waited_for_where_others_of_its_service_spoke() -> None:
    before = before_of(whole())
    new = container(number=3, host="three")
    assert before.absent([new], whole().heard(), anew=False) == ["sunherd-vnish-agent-3 is not heard yet"]


def test_what_was_amiss_before_is_not_waited_for_and_what_is_new_is() -> None:
    scene = whole()
    scene.device("s19-2", f"{AGENT}-dead")
    before = before_of(scene)
    assert before.ownership(scene.heard()) == []
    scene.device("s19-1", f"{AGENT}-dead")
    assert before.ownership(scene.heard()) == [f"s19-1: last told of by {AGENT}-dead, who is not heard"]


# --- prune


def test_only_who_is_long_gone_and_has_no_container_is_dead() -> None:
    scene = Scene()
    day = timedelta(hours=24)
    scene.presence(AGENT, "gone", ahead=-90_000, retained=True, status="offline")
    scene.presence(AGENT, "ghost", ahead=-90_000, retained=True)
    scene.presence(AGENT, "late", ahead=-80_000, retained=True, status="offline")
    scene.presence(AGENT, "stopped", ahead=-90_000, retained=True, status="offline")
    scene.presence(AGENT, "worked", ahead=-90_000, retained=True, status="offline")
    scene.device("s19-1", f"{AGENT}-worked", retained=True)
    assert [each.instance for each in dead(scene.heard(), [], day)] == [f"{AGENT}-gone", f"{AGENT}-stopped"]
    scene.wait(16)
    scene.presence(AGENT, "live", ahead=-90_000)
    containers = [container(host="stopped", state="exited")]
    assert [each.instance for each in dead(scene.heard(), containers, day)] == [f"{AGENT}-ghost", f"{AGENT}-gone"]


# --- where the broker is


def test_an_option_comes_before_a_variable_and_that_before_the_published_port() -> None:
    given = {
        "SUNHERD_BROKER__URL": "mqtt://10.0.0.2",
        "SUNHERD_BROKER_PASSWORD_FLEET": "p",
        "SUNHERD_BROKER_PORT": "2000",
    }
    assert str(reach_of(given, url="mqtts://10.0.0.1", published_port=3000).address) == "mqtts://10.0.0.1:8883"
    by_variable = reach_of(given, published_port=3000).address
    assert (by_variable.host, by_variable.username, by_variable.password) == ("10.0.0.2", "fleet", "p")
    del given["SUNHERD_BROKER__URL"]
    assert str(reach_of(given, published_port=3000).address) == "mqtt://127.0.0.1:3000"
    assert str(reach_of(given).address) == "mqtt://127.0.0.1:2000"
    assert str(reach_of({}).address) == "mqtt://127.0.0.1:1883"


def test_the_brokers_name_inside_the_stack_is_not_known_outside() -> None:
    assert str(reach_of({"SUNHERD_BROKER__URL": "mqtts://mosquitto:8883"}, published_port=3000).address).endswith(
        ":3000"
    )


def test_an_embedded_farm_is_found_where_there_is_no_stack() -> None:
    embedded = Connection(
        url="mqtt://127.0.0.1:4000",
        username="u",
        password="p",
        prefix="mine",
        clock=SystemClock(rate=100).to_variable(),
        site="home",
        miners=[],
        groups=[],
    )
    reach = reach_of({}, embedded=embedded)
    assert (reach.address.port, reach.address.username, reach.prefix, reach.clock.rate) == (4000, "u", "mine", 100)
    assert reach_of({}, embedded=embedded, published_port=3000).address.port == 3000


@pytest.mark.parametrize("variables", [{"SUNHERD_BROKER__URL": "http://secret@x"}, {"SUNHERD_BROKER_PORT": "many"}])
def test_a_wrong_address_is_refused_and_shows_no_password(variables: dict[str, str]) -> None:
    with pytest.raises(BadInputError) as refused:
        reach_of(variables)
    assert "secret" not in str(refused.value)


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SUNHERD_BROKER_PORT=1\nCOMPOSE_PROJECT_NAME=mine\n", encoding="utf-8")
    monkeypatch.setenv("SUNHERD_BROKER_PORT", "2")
    found = variables_of(tmp_path)
    assert (found["SUNHERD_BROKER_PORT"], found["COMPOSE_PROJECT_NAME"]) == ("2", "mine")


# --- status


def test_a_container_stands_beside_its_replica() -> None:
    scene = whole()
    silent = container("bitaxe-agent", host="quiet")
    snapshot = Snapshot((container(host="one"), silent), scene.heard())
    lines = text(snapshot)
    [row] = [line for line in lines if line.startswith(f"{AGENT}-one")]
    assert row.split()[:4] == [f"{AGENT}-one", "sunherd-vnish-agent-1", "live", "1"]
    assert any("bitaxe_agent-quiet" in line and "never heard" in line for line in lines)
    assert any("engine-home (epoch 1)" in line for line in lines)
    assert lines[-1] == "2 devices, 0 without a live owner"


def test_the_gone_are_counted_and_not_listed() -> None:
    scene = whole()
    scene.presence(AGENT, "old", retained=True, status="offline")
    lines = text(Snapshot((), scene.heard()))
    assert not [line for line in lines if f"{AGENT}-old" in line]
    assert "1 more that are gone; `prune` makes the broker forget them" in lines


def test_a_missing_half_is_said_and_the_other_shown() -> None:
    without_docker = text(Snapshot(None, whole().heard(), no_docker="Docker does not answer: why."))
    assert without_docker[0] == "Without containers: Docker does not answer: why."
    assert any(line.startswith(f"{AGENT}-one") for line in without_docker)
    answer = as_json(Snapshot((container(),), None))
    assert answer["replicas"] is None
    assert answer["containers"][0]["instance"] == "vnish_agent-host1"


def test_what_a_container_says_cannot_steer_a_terminal() -> None:
    lines = text(Snapshot((container(version="\x1b[2J0.1"),), whole().heard()))
    assert not [line for line in lines if "\x1b" in line]


def test_what_is_wrong_is_named() -> None:
    assert wrong(Snapshot((container(),), whole().heard())) == []
    assert wrong(Snapshot((container(state="exited"),), None)) == ["sunherd-vnish-agent-1 is exited"]
