"""What doctor concludes: each fault from one farm that has it, and nothing from one that is well."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.fleet.doctor import diagnose
from deploy.fleet.faults_of_containers import Premises
from deploy.fleet.snapshot import Snapshot
from shared.messages import UnknownReason
from tests.unit.deploy.fleet_scene import AGENT, ENGINE, Scene, codes, container, held, whole

NOTHING = Premises()


def found(scene: Scene) -> list[str]:
    return codes(diagnose(Snapshot(None, scene.heard()), NOTHING))


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(whole()) == []


def _no_engine(scene: Scene) -> None:
    scene.engine(holds=held())


def _two_engines(scene: Scene) -> None:
    both = (f"{ENGINE}-one", f"{ENGINE}-two")
    scene.engine("one", knows=both)
    scene.engine("two", knows=both)


def _two_write(scene: Scene) -> None:
    both = (f"{ENGINE}-one", f"{ENGINE}-two")
    scene.engine("one", knows=both)
    scene.engine("two", knows=both, holds=held())
    scene.command("s19-1", f"{ENGINE}-two")
    scene.command("s19-2", f"{ENGINE}-two")


def _clock(scene: Scene) -> None:
    scene.presence("pool_poller", "one", ahead=5.5, tends=1)


def _version(scene: Scene) -> None:
    scene.presence("pool_poller", "one", version="0.0.9", tends=1)


def _untended(scene: Scene) -> None:
    scene.device("s19-1", None)


def _in_turns(scene: Scene) -> None:
    scene.device("s19-1", f"{AGENT}-two")
    scene.device("s19-1", f"{AGENT}-one")


def _deaf(scene: Scene) -> None:
    scene.presence(AGENT, "two", knows=(f"{AGENT}-two",), tends=1)


def _leaving(scene: Scene) -> None:
    scene.presence(AGENT, "two", knows=(f"{AGENT}-one", f"{AGENT}-two"), tends=1, leaving=("10.0.0.1:80",))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_no_engine, "no_engine"),
        (_two_engines, "two_engines"),
        (_two_write, "two_engines_write"),
        (_clock, "clock_off"),
        (_version, "versions_differ"),
        (_untended, "untended"),
        (_in_turns, "tended_twice"),
        (_deaf, "replicas_deaf"),
        (_leaving, "leaving"),
        (lambda scene: scene.battery(None, unknown=UnknownReason.UNAVAILABLE), "soc_unknown"),
        (lambda scene: scene.battery(confirmed_ago=301), "soc_old"),
    ],
)
def test_each_fault_is_named_and_no_other(spoil: Callable[[Scene], None], code: str) -> None:
    scene = whole()
    spoil(scene)
    assert found(scene) == [code]


def test_a_ghost_is_named_after_three_beats_and_not_before() -> None:
    scene = Scene()
    scene.presence(AGENT, "dead", retained=True)
    scene.wait(15)
    assert found(scene) == []
    scene.wait(1)
    assert found(scene) == ["ghost"]


def test_a_battery_that_nobody_tells_of_is_silent_though_the_broker_remembers_it() -> None:
    scene = Scene()
    scene.battery(retained=True)
    assert found(scene) == []
    scene.wait(16)
    assert found(scene) == ["soc_silent"]
    scene.battery()
    assert found(scene) == []


def test_clocks_that_disagree_make_no_charge_old() -> None:
    scene = whole()
    scene.battery(confirmed_ago=10)
    scene.wait(14)
    assert "soc_old" not in found(scene)


def test_without_a_battery_it_is_asked_for_only_where_one_is_expected() -> None:
    scene = Scene()
    scene.engine()
    assert found(scene) == []
    scene.agents("one")
    scene.device("s19-1", f"{AGENT}-one")
    scene.command("s19-1")
    assert codes(diagnose(Snapshot(None, scene.heard()), Premises(farm={"miners": {}}))) == []
    [asked] = diagnose(Snapshot(None, scene.heard()), NOTHING)
    assert (asked.code, asked.severity) == ("no_soc", "warning")
    [missed] = diagnose(Snapshot(None, scene.heard()), Premises(farm={"battery": {}}))
    assert (missed.code, missed.severity) == ("no_soc", "error")


def test_when_all_clocks_are_off_by_the_same_it_is_ours() -> None:
    scene = Scene()
    scene.presence(AGENT, "one", ahead=-60)
    scene.presence(AGENT, "two", ahead=-61)
    [finding] = diagnose(Snapshot(None, scene.heard()), NOTHING)
    assert (finding.code, finding.about) == ("clock_off", "this machine")


@pytest.mark.parametrize("delays", [(-9, -0.1), (-0.1, -9)])
def test_a_word_that_was_under_way_for_long_makes_no_clock_wrong(delays: tuple[float, float]) -> None:
    scene = whole()
    for delay in delays:
        scene.presence("pool_poller", "one", ahead=delay, tends=1)
    assert found(scene) == []


@pytest.mark.parametrize("how", [{"retained": True}, {"status": "offline"}])
def test_neither_the_brokers_memory_nor_a_last_will_makes_a_clock_wrong(how: dict[str, Any]) -> None:
    scene = whole()
    scene.presence("pool_poller", "one", ahead=9, **how)
    scene.presence("pool_poller", "one", tends=1)
    assert found(scene) == []


def test_what_an_engine_wrote_before_the_other_took_over_is_no_rivalry() -> None:
    scene = whole()
    both = (f"{ENGINE}-one", f"{ENGINE}-two")
    scene.engine("one", knows=both)
    scene.engine("two", knows=both, holds=held())
    scene.command("s19-1", f"{ENGINE}-two", retained=True)
    assert found(scene) == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"state": "exited", "exit_code": 1}, "not_running"),
        ({"state": "restarting", "restarts": 9}, "restarting"),
        ({"state": "paused"}, "frozen"),
        ({"health": "unhealthy", "health_says": "no connection to the broker"}, "unhealthy"),
        ({"restarts": 3}, "restarted_often"),
        ({"oom_killed": True}, "out_of_memory"),
    ],
)
def test_each_fault_of_a_container_is_named_and_no_other(told: dict[str, Any], code: str) -> None:
    sound, ill = container("pool-poller"), container(**told)
    assert codes(diagnose(Snapshot((sound,), None), NOTHING)) == []
    [finding] = diagnose(Snapshot((sound, ill), None), NOTHING)
    assert (finding.code, finding.about) == (code, "sunherd-vnish-agent-1")


def test_memory_that_is_almost_used_up_is_said() -> None:
    from deploy.fleet.container import Usage

    assert codes(diagnose(Snapshot((container(usage=Usage(90, 100)),), None), NOTHING)) == []
    assert codes(diagnose(Snapshot((container(usage=Usage(91, 100)),), None), NOTHING)) == ["memory_short"]


def test_an_image_that_is_older_than_its_name_and_a_version_older_than_others() -> None:
    old = container(number=2, version="0.9.0", image_id="sha256:0")
    others = (container(number=1, version="0.10.0"), container("pool-poller", version="0.10.0"))
    premises = Premises(newest_images={"sunherd/vnish-agent:0.1.0": "sha256:1", "sunherd/pool-poller:0.1.0": None})
    findings = diagnose(Snapshot((*others, old), None), premises)
    assert [(finding.code, finding.about) for finding in findings] == [
        ("old_image", "sunherd-vnish-agent-2"),
        ("version_older", "sunherd-vnish-agent-2"),
    ]


def test_farm_files_that_differ_and_one_that_is_missing() -> None:
    premises = Premises(farm_digests={"a": "1" * 64, "b": "2" * 64, "c": "1" * 64, "d": None})
    findings = diagnose(Snapshot((container(),), None), premises)
    assert codes(findings) == ["no_farm_file", "farm_files_differ"]
    assert "11111111: a, c; 22222222: b" in findings[1].sentence


def test_the_brokers_log_tells_of_a_full_disk() -> None:
    broker = container("mosquitto", version=None)
    log = ["1: mosquitto running", "2: Error saving in-memory database, unable to write: No space left on device."]
    findings = diagnose(Snapshot((broker,), None), Premises(broker_log=log))
    assert [(finding.code, finding.about) for finding in findings] == [("broker_disk", "sunherd-mosquitto-1")]


def test_a_broker_password_that_is_missing() -> None:
    stack = (container("mosquitto", version=None), container())
    here = Premises(variables={"SUNHERD_BROKER_PASSWORD_VNISH_AGENT": "x"})
    assert codes(diagnose(Snapshot(stack, None), here)) == []
    [finding] = diagnose(Snapshot(stack, None), Premises(variables={"SUNHERD_BROKER_PASSWORD_VNISH_AGENT": ""}))
    assert (finding.code, finding.about) == ("secret_missing", "SUNHERD_BROKER_PASSWORD_VNISH_AGENT")
    assert codes(diagnose(Snapshot(stack[1:], None), NOTHING)) == [], "a broker of one's own has its own passwords"


def test_a_token_is_missing_only_where_it_is_asked_for_and_its_service_is_silent() -> None:
    bridge = container("soc-bridge", empty_variables=frozenset({"HA_TOKEN"}))
    farm: dict[str, Any] = {"battery": {"home_assistant": {}}}
    asked = Premises(farm=farm, live=frozenset())
    assert codes(diagnose(Snapshot((bridge,), None), asked)) == ["secret_missing"]
    assert codes(diagnose(Snapshot((bridge,), None), Premises(farm=farm, live=frozenset({bridge.instance})))) == []
    assert codes(diagnose(Snapshot((bridge,), None), Premises(farm={"battery": {"mqtt": {}}}, live=frozenset()))) == []


def test_errors_come_before_warnings_and_each_has_its_fix() -> None:
    findings = diagnose(Snapshot((container(restarts=5), container("pool-poller", state="exited")), None), NOTHING)
    assert codes(findings) == ["not_running", "restarted_often"]
    assert all(finding.fix and finding.sentence for finding in findings)
