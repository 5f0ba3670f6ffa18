"""Seed S1: one dead miner added its 5 s of time-out to everybody's cycle.

Each has a thread of its own: the others are read and stopped as if it were not there.
"""

import time

from services.simulator.http import Wire
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from shared.messages import MinerState
from tests.sockets import SocketRig
from tests.waiting import eventually


def test_a_silent_miner_delays_nobody() -> None:
    clock = SystemClock()
    dead, *others = (VnishStandIn(clock=clock) for _ in range(4))
    dead.faults.wire = Wire.SILENCE
    with SocketRig({"dead": dead, **{f"s19-{number}": other for number, other in enumerate(others)}}, clock) as rig:
        began = time.monotonic()
        for number in range(3):
            rig.pause(f"s19-{number}")
        assert eventually(lambda: all(other.state == "stopped" for other in others))
        assert time.monotonic() - began < 2
        assert eventually(lambda: all(rig.last(f"s19-{number}").state is MinerState.PAUSED for number in range(3)))
        assert "dead" not in rig.telemetry
