"""What a seed makes of rigs, outlets and pools: sound farm files, and incidents of what is there."""

from services.policy_engine.settings import rules_of
from tests.simulation.history import history_of, shape_of
from tests.simulation.rigs import RIG_KINDS, SPARE_OUTLET
from tests.simulation.shape import BITAXE_AGENT, PLUG_AGENT, POOL_POLLER, PROCESSES
from tests.simulation.world import World

SEEDS = range(200)
FARMS = [(seed, shape) for seed in SEEDS if (shape := shape_of(seed)).fed]


def test_about_a_quarter_of_the_farms_have_some() -> None:
    assert 0.2 < len(FARMS) / len(SEEDS) < 0.35
    rigs = [sum(miner.is_rig for miner in shape.miners.values()) for _, shape in FARMS]
    assert {1, 2} == set(rigs)
    assert any(len(shape.fed) > count for (_, shape), count in zip(FARMS, rigs, strict=True)), "miners with an outlet"


def test_every_outlet_feeds_one_miner_and_one_feeds_none() -> None:
    for seed, shape in FARMS:
        outlets = [shape.miners[name].settings["plug"]["outlet"] for name in shape.fed]
        assert len(set(outlets)) == len(outlets), seed
        assert SPARE_OUTLET not in outlets, seed


def test_their_farm_files_are_sound_and_watched() -> None:
    for seed, shape in FARMS[:10]:
        world = World(history_of(seed))
        rules = rules_of(world.farm)
        assert all(rules.miners[name].watch.has_plug for name in shape.fed), seed
        assert PLUG_AGENT in world.processes


def test_what_happens_happens_to_somebody_who_is_there() -> None:
    seen = set()
    for _seed, shape in FARMS:
        there = {*PROCESSES, BITAXE_AGENT, PLUG_AGENT, *shape.miners, *shape.settings["groups"], ""}
        there |= {POOL_POLLER} if any("worker" in one.settings for one in shape.miners.values()) else set()
        for incident in history_of(_seed).incidents:
            assert incident.target in there or incident.kind == "bad_value", incident
            seen.add(incident.kind)
    assert set(RIG_KINDS) <= seen
