"""Who is there, who tends what, and when that has settled."""

from dataclasses import replace

import pytest

from deploy.fleet.heard import Standing
from deploy.fleet.ownership import care, doubly_tended, orphans, tended_by, unsettled
from tests.unit.deploy.fleet_scene import AGENT, Scene, held, whole


def test_a_whole_farm_has_settled() -> None:
    heard = whole().heard()
    assert unsettled(heard, care(heard)) == []
    assert care(heard) == {"policy_engine": 1, "soc_bridge": 1, "vnish_agent": 2}
    assert tended_by(heard) == {f"{AGENT}-one": ("s19-1",), f"{AGENT}-two": ("s19-2",)}


@pytest.mark.parametrize(
    ("retained", "silent_seconds", "status", "standing"),
    [
        (False, 15, "online", Standing.LIVE),
        (False, 16, "online", Standing.GHOST),
        (True, 15, "online", Standing.POSSIBLE),
        (True, 16, "online", Standing.GHOST),
        (True, 0, "offline", Standing.GONE),
        (False, 0, "offline", Standing.GONE),
    ],
)
def test_only_who_is_heard_within_three_beats_is_live(
    retained: bool, silent_seconds: float, status: str, standing: Standing
) -> None:
    scene = Scene()
    scene.presence(AGENT, "one", retained=retained, status=status)
    scene.wait(silent_seconds)
    heard = scene.heard()
    assert heard.standing(heard.roster.members[0]) is standing


def test_a_presence_that_was_cleared_is_nobodys() -> None:
    scene = Scene()
    instance = scene.presence(AGENT, "one")
    from shared.topics import SERVICE_PRESENCE

    scene.take(SERVICE_PRESENCE, instance, None)
    assert scene.heard().roster.members == ()


def test_it_has_not_settled_while_somebody_leaves() -> None:
    scene = whole()
    scene.agents("one", "two", leaving=("10.0.0.1:80",))
    assert f"{AGENT}-one still leaves 10.0.0.1:80" in unsettled(scene.heard())


def test_it_has_not_settled_while_one_does_not_count_another() -> None:
    scene = whole()
    scene.presence(AGENT, "two", knows=(f"{AGENT}-two",), tends=1)
    assert unsettled(scene.heard()) == [f"{AGENT}-two does not count {AGENT}-one"]


def test_it_has_not_settled_while_one_counts_somebody_who_is_silent() -> None:
    scene = whole()
    scene.presence(AGENT, "two", tends=1, knows=(f"{AGENT}-dead", f"{AGENT}-one", f"{AGENT}-two"))
    assert unsettled(scene.heard()) == [f"{AGENT}-two still counts {AGENT}-dead"]


def test_it_has_not_settled_while_somebody_may_yet_be_there() -> None:
    scene = whole()
    scene.presence(AGENT, "three", retained=True)
    assert unsettled(scene.heard()) == [f"{AGENT}-three may still be there"]


@pytest.mark.parametrize("tends", [0, 2])
def test_a_unit_in_nobodys_care_or_in_two_hands_has_not_settled(tends: int) -> None:
    scene = whole()
    before = care(scene.heard())
    scene.agents("one", "two", tends=tends)
    assert unsettled(scene.heard(), before) == [f"vnish_agent: {2 * tends} of 2 units in somebody's care"]


def test_a_device_whose_owner_is_silent_is_an_orphan() -> None:
    scene = whole()
    scene.device("s19-2", f"{AGENT}-dead")
    assert [orphan.device.name for orphan in orphans(scene.heard())] == ["s19-2"]
    assert unsettled(scene.heard()) == [f"s19-2: last told of by {AGENT}-dead, who is not heard"]


def test_a_device_that_only_the_engine_knows_is_an_orphan() -> None:
    scene = whole()
    scene.command("s19-9")
    assert [orphan.sentence for orphan in orphans(scene.heard())] == ["s19-9: nobody tells of it"]


def test_what_was_taken_out_of_the_farm_is_no_orphan_but_without_an_engine_nobody_can_tell() -> None:
    scene = whole()
    scene.device("s19-old", f"{AGENT}-dead", retained=True)
    scene.command("s19-old", lease=-3600, retained=True)
    assert orphans(scene.heard()) == []
    scene.engine(holds=held())
    assert [orphan.device.name for orphan in orphans(scene.heard())] == ["s19-old"]


def test_a_handover_is_no_double_care_and_telling_in_turns_is() -> None:
    scene = whole()
    scene.device("s19-1", f"{AGENT}-two")
    scene.device("s19-1", f"{AGENT}-two")
    assert doubly_tended(scene.heard()) == []
    scene.device("s19-1", f"{AGENT}-one")
    assert doubly_tended(scene.heard()) == [f"s19-1 is told of by {AGENT}-one and {AGENT}-two in turns"]


def test_what_the_broker_remembers_of_a_device_tells_no_turns() -> None:
    scene = whole()
    scene.device("s19-1", f"{AGENT}-two", retained=True)
    scene.device("s19-1", f"{AGENT}-one")
    assert doubly_tended(scene.heard()) == []


def test_a_snapshot_does_not_change_afterwards() -> None:
    scene = whole()
    before = scene.heard()
    kept = replace(before)
    scene.device("s19-3", None)
    scene.presence(AGENT, "three")
    assert before == kept
    assert len(before.devices) == 2
