"""hass-miner 520 and 538: an offline miner showed its last 52.81 TH/s for hours; another fix showed 0 °C.

Offline, everything is unknown: neither the last values nor zeros.
"""

from services.simulator.http import Wire
from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import AgentRig


def test_a_miner_that_goes_silent_has_no_values(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(5)
    assert rig.last("s19").hashrate_ths is not None
    stand_in.faults.wire = Wire.SILENCE
    rig.run(20)
    told = rig.last("s19")
    assert (told.reachable, told.state, told.problem) == (False, MinerState.UNKNOWN, "unreachable")
    assert (told.hashrate_ths, told.power_w, told.chip_temperature_celsius, told.point) == (None, None, None, None)
    assert rig.codes("s19") == ["unreachable"]
    payload = rig.broker.retained["sunherd/miner/s19/telemetry"]
    assert b"hashrate" not in payload
    stand_in.faults.wire = Wire.WHOLE
    rig.run(5)
    assert rig.last("s19").reachable
    assert rig.codes("s19") == ["unreachable", "reachable"]
    rig.close()
