"""Pools and plugs of many rigs in a process of their own: `python -m tests.bench.rig_stand_ins`.

The first line on stdout tells where they listen. Any line on stdin makes the last pool and the first plugs hang: they
accept and never answer. Ends with stdin.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import replace

from services.simulator.http import Handler, Request, Response, Wire
from services.simulator.http_server import HttpServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.pool import PoolStandIn
from shared.clock import SystemClock


def main() -> None:
    """Until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rig_stand_ins", description=__doc__)
    parser.add_argument("rigs", type=int, help="how many plugs, and workers that every pool knows")
    parser.add_argument("pools", type=int)
    parser.add_argument("silent", type=int, help="how many plugs will hang")
    parser.add_argument("answer_seconds", type=float, help="how long each takes for an answer")
    options = parser.parse_args()
    clock = SystemClock()
    pools = [_pool(clock, options.rigs) for _ in range(options.pools)]
    plugs = [_plug(clock, number, options.answer_seconds) for number in range(options.rigs)]
    with ExitStack() as until:
        handlers = [_slow(pool, options.answer_seconds) for pool in pools]
        ports = {
            "pools": [until.enter_context(HttpServer(handler)).port for handler in handlers],
            "plugs": [until.enter_context(KasaServer(plug)).port for plug in plugs],
        }
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            pools[-1].faults.wire = Wire.SILENCE
            for plug in plugs[: options.silent]:
                plug.faults.wire = Wire.SILENCE


def _pool(clock: SystemClock, rigs: int) -> PoolStandIn:
    """One at which all are at work, whatever account is asked for."""
    pool = PoolStandIn(clock, account=None)
    for number in range(rigs):
        pool.share(f"rig{number}")
    return pool


def _plug(clock: SystemClock, number: int, answer_seconds: float) -> KasaMachine:
    plug = KasaMachine("HS103", clock=clock, name=f"plug {number}")
    plug.faults.slow_seconds = answer_seconds
    return plug


def _slow(pool: PoolStandIn, answer_seconds: float) -> Handler:
    def handle(request: Request) -> Response:
        return replace(pool.handle(request), delay_seconds=answer_seconds)

    return handle


if __name__ == "__main__":
    main()
