"""hass-miner 380: setting a power limit wiped the pools.

A write names one setting and nothing else; and should the firmware change more, it is seen and told.
"""

from copy import deepcopy

from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import StandInPreset
from shared.clock import VirtualClock
from tests.farm import AgentRig

PRESETS = (StandInPreset(1500), StandInPreset(2620))


def test_a_change_of_preset_leaves_all_else_alone(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=PRESETS)
    before = deepcopy(stand_in.settings)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(3)
    rig.order_named("s19", "1500 W")
    rig.run(20)
    assert rig.last("s19").settled is True
    writes = [heard.body for heard in stand_in.heard if (heard.method, heard.path) == ("POST", "/settings")]
    assert writes == [{"miner": {"overclock": {"preset": "1500"}}}]
    before["miner"]["overclock"]["preset"] = "1500"
    assert stand_in.settings == before
    rig.close()


def test_lost_pools_are_told(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=PRESETS)
    stand_in.faults.wipes_pools = True
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(3)
    rig.order_named("s19", "1500 W")
    rig.run(20)
    assert rig.last("s19").problem == "settings_changed"
    assert "miner.pools" in rig.last("s19").detail
    assert rig.codes("s19") == ["settings_changed"]
    rig.close()
