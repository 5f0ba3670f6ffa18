"""What of a farm file concerns whom: a service goes round for its own part, and for nothing else."""

import ast
from pathlib import Path
from typing import Any

import pytest

from services.bitaxe_agent.needed import CONCERN as BITAXE
from services.kasa_power_agent.needed import CONCERN as KASA
from services.policy_engine.needed import CONCERN as ENGINE
from services.pool_poller.needed import CONCERN as POOLS
from services.soc_bridge.needed import CONCERN as BRIDGE
from services.vnish_agent.needed import CONCERN as VNISH
from shared.settings import FarmSettings
from shared.settings.concern import EVERYTHING, Concern

CONCERNS = {
    "vnish_agent": VNISH,
    "bitaxe_agent": BITAXE,
    "kasa_power_agent": KASA,
    "pool_poller": POOLS,
    "soc_bridge": BRIDGE,
    "policy_engine": ENGINE,
}
ALL = set(CONCERNS)
AGENTS = {"vnish_agent", "bitaxe_agent", "kasa_power_agent"}

FARM: dict[str, Any] = {
    "battery": {"home_assistant": {"url": "http://127.0.0.1:9", "state_of_charge": "sensor.soc"}},
    "miners": {
        "s19": {"driver": "vnish", "host": "192.0.2.1", "stop_soc": 73, "resume_soc": 75, "worker": "ckpool/me/s19"},
        "axe": {"driver": "bitaxe", "host": "192.0.2.2"},
        "rig": {"driver": "plug", "nominal_w": 1000, "plug": {"host": "192.0.2.3"}},
    },
    "groups": {"garage": {"members": ["axe", "s19"], "max_w": 3000}, "shed": {"members": ["axe"], "schedule": "day"}},
    "schedules": {
        "day": [{"from": "07:30", "to": "20:00", "voltage_mv": 1150, "frequency_mhz": 450}],
        "night": [{"from": "20:00", "to": "07:30", "voltage_mv": 1150, "frequency_mhz": 450}],
    },
}

CHANGES: list[tuple[str, object, set[str]]] = [
    ("miners.s19.stop_soc", 70, {"policy_engine"}),
    ("miners.s19.max_w", 2000, {"policy_engine"}),
    ("miners.s19.max_consecutive_restarts", 1, {"policy_engine"}),
    ("miners.s19.host", "192.0.2.9", {"policy_engine", "vnish_agent", "pool_poller"}),
    ("miners.s19.preset", "2000", {"policy_engine", "vnish_agent", "pool_poller"}),
    ("miners.s19.worker", "ckpool/me/other", {"policy_engine", "pool_poller"}),
    ("miners.s19.time_until_offline", "20 min", {"policy_engine", "pool_poller"}),
    ("miners.s19.observe", True, {"policy_engine", "vnish_agent"}),
    ("miners.s19.plug", {"host": "192.0.2.4"}, {"policy_engine", "kasa_power_agent"}),
    ("miners.new", {"driver": "bitaxe", "host": "192.0.2.5"}, {"policy_engine", "bitaxe_agent"}),
    ("miners.rig.nominal_w", 900, {"policy_engine", "kasa_power_agent"}),
    # A rig that no battery feeds is not forced off by a dead engine: that follows from its band.
    ("miners.rig.require_grid", True, {"policy_engine", "kasa_power_agent"}),
    ("miners.axe.max_chip_celsius", 70.0, {"policy_engine", "bitaxe_agent"}),
    ("groups.garage.max_w", 2000, {"policy_engine"}),
    ("groups.garage.members", ["s19", "axe"], {"policy_engine"}),
    ("groups.shed.schedule", "night", {"policy_engine", "bitaxe_agent"}),
    ("schedules.day", FARM["schedules"]["night"], {"policy_engine", "bitaxe_agent"}),
    ("schedules.night", FARM["schedules"]["day"], {"policy_engine"}),
    ("battery.max_unchanged", "3 h", {"policy_engine", "soc_bridge"}),
    ("rules.lease", "90 s", {"policy_engine", "soc_bridge", *AGENTS}),
    ("rules.stale_no_start", "4 min", {"policy_engine", "soc_bridge", *AGENTS}),
    ("observe", True, {"policy_engine", *AGENTS}),
    ("never_switch", [{"host": "192.0.2.8"}], {"kasa_power_agent"}),
    ("home_assistant.discovery", True, set()),
    (
        "pools.mine",
        {"url": "http://192.0.2.7/{account}", "workers": "w", "last_seen": "s"},
        {"policy_engine", "pool_poller"},
    ),
    ("site.time_zone", "Europe/Lisbon", ALL),
    ("site.id", "barn", ALL),
    ("broker.prefix", "barn", ALL),
]


def changed(place: str, value: object) -> dict[str, Any]:
    head, _, rest = place.partition(".")

    def put(into: dict[str, Any], keys: list[str]) -> dict[str, Any]:
        key, *deeper = keys
        return into | {key: put(into.get(key, {}), deeper) if deeper else value}

    return put(FARM, [head, *(rest.split(".") if rest else [])])


@pytest.mark.parametrize(("place", "value", "concerned"), CHANGES)
def test_a_change_concerns_whom_it_concerns(place: str, value: object, concerned: set[str]) -> None:
    before, after = FarmSettings.model_validate(FARM), FarmSettings.model_validate(changed(place, value))
    found = {name for name, concern in CONCERNS.items() if concern.mark(before) != concern.mark(after)}
    assert found == concerned
    assert EVERYTHING.mark(before) != EVERYTHING.mark(after)


def test_other_words_for_the_same_are_no_change() -> None:
    words = FARM | {"rules": {"lease": "2 min"}}
    others = FARM | {"rules": {"lease": "120 s"}}
    for concern in (*CONCERNS.values(), EVERYTHING):
        assert concern.mark(FarmSettings.model_validate(words)) == concern.mark(FarmSettings.model_validate(others))


def test_the_order_of_miners_counts_for_it_is_their_priority() -> None:
    turned = FARM | {"miners": dict(reversed(FARM["miners"].items()))}
    before, after = FarmSettings.model_validate(FARM), FarmSettings.model_validate(turned)
    assert ENGINE.mark(before) != ENGINE.mark(after)
    assert VNISH.mark(before) == VNISH.mark(after)


@pytest.mark.parametrize("name", sorted(CONCERNS))
def test_no_service_reads_what_it_says_does_not_concern_it(name: str) -> None:
    concern = CONCERNS[name]
    root = Path(__file__).parents[3] / "services" / name
    for file in root.rglob("*.py"):
        if file.name != "needed.py":
            assert not _read(file) & _left_out(concern), file


def _left_out(concern: Concern) -> set[str]:
    return {f"farm.{section}" for section in concern.sections} | {f"miner.{key}" for key in concern.keys}


def _read(file: Path) -> set[str]:
    """What is asked of anything that is called farm or miner, or of one of the farm's miners."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            found.add(
                f"{ast.unparse(node.value).split('.')[-1].partition('[')[0].removesuffix('s').lstrip('_')}.{node.attr}"
            )
    return found
