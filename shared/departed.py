"""What the broker still remembers of miners, plugs and groups that have left the farm file. Pure."""

from collections.abc import Collection, Iterator
from typing import Any

from shared.settings import FarmSettings
from shared.topics import MINER_POOL, TOPICS, Identity, Topic

Memory = tuple[Topic[Any], str]
"""One retained topic: its kind and its id."""


def departed(service: str, before: FarmSettings, after: FarmSettings) -> frozenset[Memory]:
    """What this service may write and is to clear. `before`: as far as it concerned the service; `after`: all of it.

    A miner that has gone over to another driver keeps what is remembered of it.
    """
    return remembered(service, before) - remembered(service, after)


def remembered(service: str, farm: FarmSettings) -> frozenset[Memory]:
    """All that this service may have left at the broker of the miners, plugs and groups of a farm."""
    return frozenset((topic, name) for topic in _written(service) for name in _ids(topic, farm))


def _written(service: str) -> Iterator[Topic[Any]]:
    identity = next((each for each in Identity if each.value == service.replace("_", "-")), None)
    return (topic for topic in TOPICS if topic.retain and identity in topic.writers)


def _ids(topic: Topic[Any], farm: FarmSettings) -> Collection[str]:
    if topic is MINER_POOL:
        return [name for name, miner in farm.miners.items() if miner.worker is not None]
    if topic.noun == "plug":
        return [name for name, miner in farm.miners.items() if miner.plug is not None]
    if topic.noun == "group":
        return list(farm.groups)
    return list(farm.miners) if topic.noun == "miner" else []
