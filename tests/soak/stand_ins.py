"""A part of the soak's miners, and Home Assistant with the first part, in a process of their own.

`python -m tests.soak.stand_ins '{"seed": 1, ...}'`; prints its ports as one line of JSON. A line on stdin, `{"origin":
<monotonic seconds>}`, begins the soak; any other asks how many miners hash. Ends with stdin.
"""

import json
import select
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from services.simulator.home_assistant import Fault, HomeAssistantStandIn
from services.simulator.http import Wire
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS, Faults
from shared.clock import SystemClock
from tests.soak.plan import Ill, Phases, Trouble, plan, soc_percent

SENSOR = "sensor.battery_soc"
TOKEN = "soak"
FULL_PERCENT = 99.0
_STEP_SECONDS = 0.2
_SOC_SECONDS = 2.0


@dataclass(frozen=True)
class Share:
    """Which stand-ins a process runs: every `parts`-th miner, beginning with number `part`."""

    seed: int
    seconds: float
    miners: int
    parts: int
    part: int

    def to_argument(self) -> str:
        return json.dumps(asdict(self))

    @property
    def numbers(self) -> range:
        return range(self.part, self.miners, self.parts)

    def concerns(self, trouble: Trouble) -> bool:
        """Whether the trouble is one of these stand-ins'."""
        if isinstance(trouble.what, Fault):
            return self.part == 0
        return isinstance(trouble.what, Ill) and int(trouble.whom) in self.numbers


def faults_of(ill: Ill | None) -> Faults:
    """What a stand-in is ordered to do wrong."""
    wires = {Ill.SILENT: Wire.SILENCE, Ill.HALF: Wire.HALF, Ill.RESET: Wire.RESET}
    return Faults(
        wire=wires.get(ill, Wire.WHOLE) if ill is not None else Wire.WHOLE,
        slow_seconds=1.5 if ill is Ill.SLOW else 0.0,
        server_error=ill is Ill.ERROR_500,
        yes_and_nothing=ill is Ill.LIES,
        garbage=b"<html>busy</html>" if ill is Ill.GARBAGE else None,
        forbidden=5 if ill is Ill.LOCKED_OUT else 0,
        unauthorized=3 if ill is Ill.LOCKED_OUT else 0,
        flooded=20 if ill is Ill.FLOODED else 0,
    )


class StandIns:
    """The miners of a share, and the troubles that are theirs."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._clock = SystemClock()
        self._phases = Phases(share.seconds)
        self._waiting = [one for one in plan(share.seed, share.seconds, share.miners) if share.concerns(one)]
        self._present: list[Trouble] = []
        self._soc_at = float("-inf")
        self.miners = {
            number: VnishStandIn(GENERATIONS[number % len(GENERATIONS)], clock=self._clock) for number in share.numbers
        }
        self.home_assistant = HomeAssistantStandIn(token=TOKEN, clock=self._clock) if share.part == 0 else None

    def serve(self, until: ExitStack) -> dict[str, Any]:
        """Listens everywhere; returns the addresses."""
        url = None
        if self.home_assistant is not None:
            self.home_assistant.start()
            until.callback(self.home_assistant.stop)
            self._show(FULL_PERCENT)
            url = self.home_assistant.url
        ports = {
            number: until.enter_context(HttpServer(stand_in.handle)).port for number, stand_in in self.miners.items()
        }
        return {"home_assistant": url, "ports": ports}

    def step(self, second: float) -> None:
        """Begins and ends what is due at this second of the soak."""
        for trouble in [one for one in self._present if one.ends <= second]:
            self._present.remove(trouble)
            self._order(trouble, begins=False)
        while self._waiting and self._waiting[0].begins <= second:
            trouble = self._waiting.pop(0)
            self._present.append(trouble)
            self._order(trouble, begins=True)
        if second - self._soc_at >= _SOC_SECONDS:
            self._soc_at = second
            self._show(soc_percent(second) if self._phases.troubled(second, second) else FULL_PERCENT)

    def _order(self, trouble: Trouble, *, begins: bool) -> None:
        if isinstance(trouble.what, Ill):
            self.miners[int(trouble.whom)].faults = faults_of(trouble.what if begins else None)
        elif isinstance(trouble.what, Fault) and self.home_assistant is not None:
            self.home_assistant.order(trouble.what if begins else None)

    def _show(self, percent: float) -> None:
        if self.home_assistant is not None:
            self.home_assistant.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})


def main() -> None:
    stand_ins = StandIns(Share(**json.loads(sys.argv[1])))
    origin = float("inf")
    with ExitStack() as until:
        _say(stand_ins.serve(until))
        while True:
            readable, _, _ = select.select([sys.stdin], [], [], _STEP_SECONDS)
            if readable:
                line = sys.stdin.readline()
                if not line:
                    return
                origin = json.loads(line).get("origin", origin)
                _say({"hashing": sum(miner.hashing for miner in stand_ins.miners.values())})
            if time.monotonic() >= origin:
                stand_ins.step(time.monotonic() - origin)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
