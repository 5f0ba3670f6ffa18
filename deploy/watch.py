"""The terminal of an embedded farm: a service that only listens."""

import os
import sys
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from deploy.keep import keep_orders
from deploy.terminal import Terminal
from deploy.watch_lines import Scene
from shared.bus import Received
from shared.clock import Clock
from shared.launch import Context, launch
from shared.messages import Event, MinerCommand, MinerTelemetry, PlugTelemetry, PoolReading, SiteTelemetry
from shared.settings.concern import Concern
from shared.topics import (
    MINER_COMMAND,
    MINER_EVENT,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_EVENT,
    PLUG_TELEMETRY,
    SERVICE_EVENT,
    SITE_TELEMETRY,
)

STARTED_VARIABLE = "SUNHERD_STARTED_SECONDS"
_STATUS_SECONDS = 0.2
_PLAIN_STATUS_SECONDS = 10.0
_BEGINNING_SECONDS = 60.0
_POLLS_TOLERATED = 3
_HEARTBEAT_SECONDS = 10.0


class Watch:
    """Prints what the scene says. Without a terminal the status comes as a plain line every 10 s."""

    def __init__(self, scene: Scene, terminal: Terminal, clock: Clock) -> None:
        self._scene = scene
        self._terminal = terminal
        self._clock = clock
        self._first_decision_said = STARTED_VARIABLE not in os.environ

    def site(self, received: Received[SiteTelemetry]) -> None:
        if received.message is not None:
            self._say(self._scene.site_heard(received.message, self._heard_seconds(received)))

    def command(self, received: Received[MinerCommand]) -> None:
        if received.message is None:
            self._scene.forget(received.identifier)
            return
        if not received.retained:
            self._say_first_decision()
        self._say(self._scene.command_heard(received.identifier, received.message))

    def telemetry(self, received: Received[MinerTelemetry]) -> None:
        if received.message is not None:
            heard = self._heard_seconds(received)
            self._say(self._scene.telemetry_heard(received.identifier, received.message, heard))
        else:
            self._scene.forget(received.identifier)

    def event(self, received: Received[Event]) -> None:
        if received.message is not None:
            self._say(self._scene.event_heard(received.identifier, received.message))

    def plug_event(self, received: Received[Event]) -> None:
        if received.message is not None:
            self._say(self._scene.event_heard(f"plug of {received.identifier}", received.message))

    def pool(self, received: Received[PoolReading]) -> None:
        if received.message is not None:
            self._say(self._scene.pool_heard(received.identifier, received.message))

    def plug(self, received: Received[PlugTelemetry]) -> None:
        if received.message is not None:
            self._say(self._scene.plug_heard(received.identifier, received.message))

    def status(self) -> None:
        self._terminal.show(self._scene.status(self._clock.now(), self._clock.seconds()))

    def close(self) -> None:
        self._terminal.close()
        self._terminal.say(f"{self._scene.changes} changes in all")

    def _heard_seconds(self, received: Received[Any]) -> float | None:
        return None if received.retained else self._clock.seconds()

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self._terminal.say(line)

    def _say_first_decision(self) -> None:
        if self._first_decision_said:
            return
        self._first_decision_said = True
        took = self._clock.seconds() - float(os.environ[STARTED_VARIABLE])
        if took < _BEGINNING_SECONDS:  # else only this terminal has been restarted
            self._say([f"first decision {took:.1f} s after the start"])


def build(context: Context) -> bool:
    """Wires the terminal to the topics that a person wants to see."""
    service = context.service
    terminal = Terminal(sys.stdout)
    slowest_seconds = max(context.farm.rules.poll.total_seconds(), _HEARTBEAT_SECONDS)
    scene = Scene(ZoneInfo(context.farm.site.time_zone), _POLLS_TOLERATED * slowest_seconds + 5.0)
    watch = Watch(scene, terminal, service.clock)
    service.on(SITE_TELEMETRY, watch.site)
    service.on(MINER_COMMAND, watch.command)
    service.on(MINER_TELEMETRY, watch.telemetry)
    service.on(MINER_EVENT, watch.event)
    service.on(SERVICE_EVENT, watch.event)
    service.on(MINER_POOL, watch.pool)
    service.on(PLUG_TELEMETRY, watch.plug)
    service.on(PLUG_EVENT, watch.plug_event)
    service.every(_STATUS_SECONDS if terminal.writes_over else _PLAIN_STATUS_SECONDS, watch.status)
    keep_orders(service)
    service.on_stop(watch.close)
    return True


_CONCERN = Concern(
    miners=lambda _miner: False,
    sections=frozenset({"battery", "groups", "schedules", "pools", "never_switch", "home_assistant", "observe"}),
)

main = partial(launch, "watch", build, _CONCERN)
