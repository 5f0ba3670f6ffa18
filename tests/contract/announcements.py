"""Writes the snapshots of what Home Assistant is told of each kind of device: `python -m tests.contract.announcements`.

Do it after a change that is meant, and read the difference: a place or unique id that goes takes an entity away from
its owner, with its history and whatever was built upon it.
"""

import json
from pathlib import Path
from typing import Any

from services.ha_discovery.components import Paths
from services.ha_discovery.facts import Facts
from services.ha_discovery.miner_entities import miner_announcement
from services.ha_discovery.miner_sheet import MinerSheet
from services.ha_discovery.names import Kind, Name, farm
from services.ha_discovery.other_entities import (
    farm_announcement,
    group_announcement,
    plug_announcement,
    service_announcement,
)
from services.ha_discovery.payload import Announcement
from shared.settings import FarmSettings
from shared.version import VERSION
from tests.shown_farm import FARM

DIRECTORY = Path(__file__).parent / "announcements"
SITE, PREFIX, INSTANCE = "home", "sunherd", "ha_discovery-test"
_FACTS = Facts("Gamma", "2.14.0", "AA:BB:CC:DD:EE:01", ("quiet", "efficient"), 28.0, metered=True)


def named_announcements() -> list[tuple[Name, Announcement]]:
    """Of each kind of device the richest, and a rig without an interface."""
    settings = FarmSettings.model_validate(FARM).miners
    miners = [Name(Kind.MINER, SITE, miner) for miner in settings]
    plug, group = Name(Kind.PLUG, SITE, "s19-20"), Name(Kind.GROUP, SITE, "garage")
    service = Name(Kind.SERVICE, SITE, "vnish_agent-pi")
    return [
        *((name, miner_announcement(MinerSheet(name, PREFIX, settings[name.id], _FACTS))) for name in miners),
        (plug, plug_announcement(plug, _FACTS, of_strip=False)),
        (group, group_announcement(group, PREFIX, 4100.0)),
        (service, service_announcement(service, "vnish_agent")),
        (farm(SITE), farm_announcement(farm(SITE), PREFIX, battery=True)),
    ]


def payloads() -> dict[str, dict[str, Any]]:
    """By file name."""
    return {
        f"{name.device}.json": announcement.fields(Paths(PREFIX, INSTANCE, name))
        for name, announcement in named_announcements()
    }


def as_text(payload: dict[str, Any]) -> str:
    """Readable, and the same in every version."""
    return json.dumps(payload, indent=2, ensure_ascii=False).replace(f'"{VERSION}"', '"version"') + "\n"


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    for name, payload in payloads().items():
        (DIRECTORY / name).write_text(as_text(payload), encoding="utf-8")


if __name__ == "__main__":
    main()
