"""What a seed makes of Bitaxes: sound farm files, and incidents of what is there."""

from shared.settings.bitaxe import bitaxe_findings
from shared.settings.schedule_findings import schedule_findings
from tests.simulation.history import ALL_KINDS, KINDS, history_of, shape_of
from tests.simulation.incidents import ACTS
from tests.simulation.rigs import RIG_KINDS
from tests.simulation.shape import BITAXE_AGENT, PLUG_AGENT, POOL_POLLER, PROCESSES, VNISH_AGENT, Shape
from tests.simulation.wishes import WISH_KINDS

SEEDS = range(300)


def with_bitaxes() -> list[tuple[int, Shape]]:
    return [(seed, shape) for seed in SEEDS if (shape := shape_of(seed)).bitaxes]


def test_about_a_third_of_the_farms_have_some_and_of_every_kind() -> None:
    farms = with_bitaxes()
    found = [shape.miners[name] for _, shape in farms for name in shape.bitaxes]
    assert 0.25 < len(farms) / len(SEEDS) < 0.42
    assert max(len(shape.bitaxes) for _, shape in farms) == 3
    assert {one.generation for one in found} == {"2.4", "2.10", "2.12", "2.15"}
    rules = {("schedule" in one.settings, "stop_soc" in one.settings) for one in found}
    assert len(rules) == 4, "by hours, by the battery, by both, by neither"


def test_their_farm_files_are_sound() -> None:
    for seed, shape in with_bitaxes():
        miners = {name: {"driver": miner.driver, **miner.settings} for name, miner in shape.miners.items()}
        findings = [*schedule_findings({**shape.settings, "miners": miners}), *bitaxe_findings(miners)]
        assert findings == [], seed


def test_what_happens_happens_to_somebody_who_is_there() -> None:
    assert set(ALL_KINDS) == set(ACTS)
    seen = set()
    for seed, shape in with_bitaxes():
        vnish = set(shape.miners) - set(shape.bitaxes)
        targets = {*PROCESSES, BITAXE_AGENT, PLUG_AGENT, POOL_POLLER, *shape.miners, *shape.settings["groups"]}
        for incident in history_of(seed).incidents:
            seen.add(incident.kind)
            named = incident.target in targets or incident.kind == "bad_value"
            assert not incident.target or named, incident
            assert incident.target != VNISH_AGENT or vnish, incident
            assert incident.target not in vnish or incident.kind in {*KINDS, *RIG_KINDS, *WISH_KINDS}, incident
    assert {"heat", "overheats", "flatline", "lies", "swapped", "set_outside"} <= seen
