import pytest

from shared.messages import Message
from shared.topics import MINER_COMMAND, SERVICE_BARRIER, TOPICS, BadIdError, Topic, locate


def test_no_two_topics_share_a_place() -> None:
    places = [(topic.noun, topic.channel) for topic in TOPICS]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: f"{topic.noun}-{topic.channel}")
def test_every_topic_is_found_again_from_its_path(topic: Topic[Message]) -> None:
    path = topic.path("farm", "s19-20_a")
    assert locate("farm", path) == (topic, "s19-20_a")


def test_paths_and_filters_have_one_shape() -> None:
    assert MINER_COMMAND.path("sunherd", "s19-20") == "sunherd/miner/s19-20/command"
    assert MINER_COMMAND.filter("sunherd") == "sunherd/miner/+/command"
    assert MINER_COMMAND.filter("sunherd", "s19-20") == "sunherd/miner/s19-20/command"


@pytest.mark.parametrize("identifier", ["", "S19", "a/b", "+", "#", "a b", "ä", "x" * 65, "a\n"])
def test_an_id_that_cannot_stand_in_a_topic_is_refused(identifier: str) -> None:
    with pytest.raises(BadIdError):
        MINER_COMMAND.path("sunherd", identifier)


@pytest.mark.parametrize(
    "path",
    [
        "sunherd",
        "sunherd/miner/a",
        "sunherd/miner/a/command/more",
        "sunherd/miner/A/command",
        "sunherd/miner//command",
        "sunherd/rig/a/command",
        "sunherder/miner/a/command",
        "other/sunherd/miner/a/command",
        "",
    ],
)
def test_foreign_paths_are_not_ours(path: str) -> None:
    assert locate("sunherd", path) is None


def test_what_happens_once_is_not_remembered_and_state_is() -> None:
    assert not any(topic.retain for topic in TOPICS if topic.channel in {"event", "barrier", "request"})
    assert all(topic.retain for topic in TOPICS if topic.channel not in {"event", "barrier", "request"})
    assert SERVICE_BARRIER.qos == 1
