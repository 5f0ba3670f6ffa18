"""The miners and Home Assistant of a chaos run, in a process of their own: `python -m tests.chaos.stand_ins`.

The argument says how many miners, and whose password is whose. Each line of JSON on stdin is an order, and is answered
with what has happened since the last one: the requests that were to start or stop a miner, and who draws power. Ends
with stdin.
"""

import json
import sys
import time
from contextlib import ExitStack
from typing import Any

from services.simulator.home_assistant import Fault, HomeAssistantStandIn
from services.simulator.http import Request, Response, Wire
from services.simulator.http_server import HttpServer
from services.simulator.vnish import Heard, VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS
from shared.clock import SystemClock
from tests.chaos.times import FULL_PERCENT, SENSOR, TOKEN

_STARTS = frozenset({"/mining/start", "/mining/resume", "/mining/restart"})
_STOPS = frozenset({"/mining/stop", "/mining/pause"})
_DARK_W = 100
"""Above standby; every other state of the machine draws more than this, or is on the way to hashing."""


class Recorded:
    """One miner, and the requests that were to start or stop it since somebody last asked."""

    def __init__(self, name: str, stand_in: VnishStandIn) -> None:
        self.name = name
        self.stand_in = stand_in
        self._fresh: list[dict[str, Any]] = []

    def handle(self, request: Request) -> Response:
        """As the miner does, and with a note of it."""
        hung = self.stand_in.faults.wire is Wire.SILENCE
        answer = self.stand_in.handle(request)
        heard = self.stand_in.heard[-1]
        if heard.method == "POST" and heard.path in _STARTS | _STOPS:
            self._fresh.append(self._noted(heard, took=heard.authorized and not hung and answer.status < 300))
        return answer

    def take(self) -> list[dict[str, Any]]:
        taken, self._fresh = self._fresh, []
        return taken

    def _noted(self, heard: Heard, *, took: bool) -> dict[str, Any]:
        # The time is the machine's monotonic one, which is the same in every process.
        return {"at": time.monotonic(), "device": self.name, "by": heard.by, "starts": heard.path in _STARTS} | {
            "took": took
        }


class StandIns:
    """All of them. Orders are obeyed in the main thread; requests come in threads of the servers."""

    def __init__(self, count: int, passwords_of: dict[str, str]) -> None:
        clock = SystemClock()
        self.home_assistant = HomeAssistantStandIn(token=TOKEN, clock=clock)
        self.miners: dict[str, Recorded] = {}
        for number in range(count):
            stand_in = VnishStandIn(GENERATIONS[number % len(GENERATIONS)], clock=clock)
            stand_in.passwords_of = passwords_of
            self.miners[f"m{number}"] = Recorded(f"m{number}", stand_in)

    def serve(self, until: ExitStack) -> dict[str, Any]:
        """Listens everywhere; returns the addresses."""
        self.home_assistant.start()
        until.callback(self.home_assistant.stop)
        self._show(FULL_PERCENT)
        ports = {name: until.enter_context(HttpServer(one.handle)).port for name, one in self.miners.items()}
        return {"home_assistant": self.home_assistant.url, "ports": ports}

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """`soc` to show, `fault` of Home Assistant to begin or end, `hang` and `heal` miners."""
        if "soc" in order:
            self._show(float(order["soc"]))
        if "fault" in order:
            self.home_assistant.order(None if order["fault"] is None else Fault(order["fault"]))
        for name in order.get("hang", ()):
            self.miners[name].stand_in.faults.wire = Wire.SILENCE
        for name in order.get("heal", ()):
            self.miners[name].stand_in.faults.wire = Wire.WHOLE
        busy = [name for name, one in self.miners.items() if one.stand_in.power_w > _DARK_W]
        controls = [noted for one in self.miners.values() for noted in one.take()]
        return {"at": time.monotonic(), "busy": busy, "controls": controls}

    def _show(self, percent: float) -> None:
        self.home_assistant.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})


def main() -> None:
    """Until stdin ends."""
    options = json.loads(sys.argv[1])
    stand_ins = StandIns(options["miners"], options["passwords_of"])
    with ExitStack() as until:
        _say(stand_ins.serve(until))
        for line in sys.stdin:
            _say(stand_ins.obey(json.loads(line)))


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
