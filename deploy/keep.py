"""Has mosquitto write its memory at once when a person has said something: it saves by itself only now and then.

Without it, a power cut within half a minute of an emergency stop would bring the miners back to life.
"""

import contextlib
import os
import signal
from pathlib import Path

from shared.bus import Received
from shared.messages import EmergencyStop, Override
from shared.service import Service
from shared.topics import EMERGENCY_STOP, GROUP_OVERRIDE, MINER_OVERRIDE

PID_FILE_VARIABLE = "SUNHERD_BROKER_PID_FILE"


def keep_orders(service: Service) -> None:
    """Does nothing unless the environment names the file with the broker's process id."""
    name = os.environ.get(PID_FILE_VARIABLE)
    if not name:
        return

    def save(received: Received[EmergencyStop] | Received[Override]) -> None:
        if received.retained:
            return
        with contextlib.suppress(OSError, ValueError):  # it is just being restarted: the next save will come
            os.kill(int(Path(name).read_text(encoding="utf-8")), signal.SIGUSR1)

    service.on(EMERGENCY_STOP, save)
    service.on(MINER_OVERRIDE, save)
    service.on(GROUP_OVERRIDE, save)
