"""Some slow Bitaxes in a process of their own, each with its one-threaded web server: `python -m tests.bench.bitaxes`.

Orders come as lines of JSON on stdin, and each is answered with one line. Ends with stdin.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import Pace
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_server import AxeOsServer
from shared.clock import SystemClock

GENERATIONS = ("2.12", "2.15")
"""The first cannot pause. They take turns."""


class Bitaxes:
    """Those of these numbers, at rest at one setting."""

    def __init__(self, numbers: Sequence[int], answer_seconds: float, setting: tuple[int, int]) -> None:
        clock, pace = SystemClock(), Pace(answer_seconds=answer_seconds)
        self._stand_ins = {
            number: AxeOsStandIn(GENERATIONS[number % len(GENERATIONS)], clock=clock, pace=pace, name=f"b{number}")
            for number in numbers
        }
        for stand_in in self._stand_ins.values():
            stand_in.write({"coreVoltage": setting[0], "frequency": setting[1]})

    def serve(self, until: ExitStack) -> dict[str, Any]:
        """Listens everywhere; returns the ports by number."""
        return {
            str(number): until.enter_context(AxeOsServer(stand_in)).port for number, stand_in in self._stand_ins.items()
        }

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Makes those numbers `silent` and all others talk; tells what was to change anything `since` then."""
        if "silent" in order:
            for number, stand_in in self._stand_ins.items():
                stand_in.mend()
                if number in order["silent"]:
                    stand_in.begin(Ill.SILENT)
        since = order.get("since", float("inf"))
        return {
            "changes": {number: _changes(stand_in, since) for number, stand_in in self._stand_ins.items()},
            "deaf": sum(stand_in.server_dead for stand_in in self._stand_ins.values()),
            "undervolted": sum(stand_in.undervolted for stand_in in self._stand_ins.values()),
        }


def _changes(stand_in: AxeOsStandIn, since: float) -> list[tuple[float, str, Any]]:
    return [
        (heard.at_seconds, heard.path.rsplit("/", 1)[-1], heard.body)
        for heard in stand_in.controls()
        if heard.at_seconds >= since
    ]


def main() -> None:
    """Until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bitaxes", description=__doc__)
    parser.add_argument("answer_seconds", type=float, help="how long each takes for an answer")
    parser.add_argument("voltage_mv", type=int)
    parser.add_argument("frequency_mhz", type=int)
    parser.add_argument("numbers", type=int, nargs="+", help="which of the farm's")
    options = parser.parse_args()
    bitaxes = Bitaxes(options.numbers, options.answer_seconds, (options.voltage_mv, options.frequency_mhz))
    with ExitStack() as until:
        _say(bitaxes.serve(until))
        for line in sys.stdin:
            _say(bitaxes.obey(json.loads(line)))


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
