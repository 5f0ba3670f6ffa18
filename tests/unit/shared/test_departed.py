"""What of a miner that has left the farm file is cleared, and by whom: by everybody what he alone may write."""

from typing import Any

import pytest

from shared.departed import departed
from shared.settings import FarmSettings
from shared.topics import TOPICS, Identity

VNISH = {"driver": "vnish", "host": "192.0.2.1", "worker": "ckpool/me/a", "plug": {"host": "192.0.2.3"}}
OTHER = {"driver": "vnish", "host": "192.0.2.2"}
SERVICES = [identity.value.replace("-", "_") for identity in Identity]


def farm(groups: dict[str, Any] | None = None, **miners: dict[str, Any]) -> FarmSettings:
    return FarmSettings.model_validate({"miners": miners, "groups": groups or {}})


def cleared(service: str, before: FarmSettings, after: FarmSettings) -> set[str]:
    return {f"{topic.noun}/{identifier}/{topic.channel}" for topic, identifier in departed(service, before, after)}


@pytest.mark.parametrize(
    ("service", "channels"),
    [
        ("policy_engine", {"miner/a/command", "miner/a/override", "miner/a/choice", "plug/a/command"}),
        ("vnish_agent", {"miner/a/telemetry", "miner/a/statistics"}),
        ("kasa_power_agent", {"miner/a/telemetry", "miner/a/statistics", "plug/a/telemetry"}),
        ("pool_poller", {"miner/a/pool"}),
        ("soc_bridge", set()),
        ("watch", set()),
    ],
)
def test_each_clears_what_it_may_write_of_who_has_left(service: str, channels: set[str]) -> None:
    assert cleared(service, farm(a=VNISH, b=OTHER), farm(b=OTHER)) == channels


def test_of_who_has_left_the_services_together_leave_nothing() -> None:
    before, after = farm(groups={"g": {"members": ["a"]}}, a=VNISH), farm()
    kept = {
        f"{topic.noun}/{identifier}/{topic.channel}"
        for topic in TOPICS
        for identifier in {"miner": "a", "plug": "a", "group": "g"}.get(topic.noun, "")
        if topic.retain
    }
    assert kept == set().union(*(cleared(service, before, after) for service in SERVICES))


def test_who_goes_over_to_another_driver_is_remembered() -> None:
    bitaxe = {"driver": "bitaxe", "host": "192.0.2.1"}
    assert cleared("vnish_agent", farm(a=OTHER), farm(a=bitaxe)) == set()


def test_a_plug_and_a_worker_may_leave_alone() -> None:
    assert cleared("policy_engine", farm(a=VNISH), farm(a=OTHER)) == {"plug/a/command"}
    assert cleared("kasa_power_agent", farm(a=VNISH), farm(a=OTHER)) == {"plug/a/telemetry"}
    assert cleared("pool_poller", farm(a=VNISH), farm(a=OTHER)) == {"miner/a/pool"}


def test_a_group_that_leaves_takes_its_orders_along() -> None:
    before = farm(groups={"g": {"members": ["a"]}}, a=OTHER)
    assert cleared("policy_engine", before, farm(a=OTHER)) == {"group/g/override", "group/g/choice"}
