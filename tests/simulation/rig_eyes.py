"""What the world sees of a miner's power, and of what is done to bring it back."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.policy_engine.rig_sight import RigSight
from shared.messages import MinerTelemetry, PlugCommand, PlugTelemetry
from tests.simulation.device import Machine
from tests.simulation.rig import Feed
from tests.simulation.shape import PLUG_AGENT, POOL_POLLER
from tests.simulation.world import World

_DAY = timedelta(days=1)


class RigEyes:
    """Of one miner that hangs on an outlet."""

    def __init__(self, world: World, name: str, feed: Feed) -> None:
        self._world, self._name, self._feed = world, name, feed
        self._outlet: PlugCommand | None = None
        self._restart_at: datetime | None = None
        self._restarted = False
        self._cuts_seen = 0
        self._tries: list[datetime] = []
        self._vain = 0
        self._last_try_at: datetime | None = None
        self._works_since: datetime | None = None
        self._hangs_since: datetime | None = None
        self._plug_since: datetime | None = None
        self._plug_tended_since: datetime | None = None
        self._pool_since: datetime | None = None
        self._strangers = 0

    # --- messages

    def see_command(self, command: PlugCommand) -> None:
        self._outlet = command

    def see_plug(self, telemetry: PlugTelemetry) -> None:
        self._feed.cycling = telemetry.cycle_off_since is not None

    def see_miner(self, telemetry: MinerTelemetry) -> None:
        told = telemetry.last_restart_at
        if told is not None and (self._restart_at is None or told > self._restart_at):
            self._restart_at, self._restarted = told, True

    # --- the moment

    def look(self, now: datetime, *, middle: bool) -> RigSight:
        """`middle`: bridge, engine and broker are at work, and agree about the time."""
        sight = self._touches(now)
        self._regard_machine(now)
        world = self._world
        agent, poller = world.processes[PLUG_AGENT], world.processes.get(POOL_POLLER)
        tended = world.strip.is_sound and agent.alive and not agent.frozen_seconds()
        self._plug_tended_since = (self._plug_tended_since or now) if tended else None
        self._plug_since = (self._plug_since or now) if tended and middle and agent.well else None
        asked = middle and world.pool.is_sound and poller is not None and poller.well
        self._pool_since = (self._pool_since or now) if asked else None
        strangers, self._strangers = self._strangers, world.strip.strangers
        number = world.shape.miners[self._name].settings["plug"]["outlet"]
        return replace(
            sight,
            outlet_on=world.strip.machine.outlet(number).on,
            outlet=self._outlet,
            plug_since=self._plug_since,
            plug_tended_since=self._plug_tended_since,
            pool_since=self._pool_since,
            hangs_since=self._hangs_since,
            stranger_switched=self._strangers > strangers,
        )

    def forget(self) -> None:
        """Broker and engine have lost their memory."""
        self._tries, self._vain, self._last_try_at, self._outlet = [], 0, None, None

    # --- inside

    def _touches(self, now: datetime) -> RigSight:
        """What was done to it since the last look. A machine that no longer works has not just been at work."""
        cuts, self._cuts_seen = self._feed.cuts[self._cuts_seen :], len(self._feed.cuts)
        restarts = self._taken_restarts()
        worked = any(cut.worked for cut in cuts) or any(restarts)
        touched = bool(cuts or restarts)
        begun_anew_at = self._world.people.ended_a_pause_at(self._name)
        self._tries = [at for at in self._tries if now - at < _DAY and (begun_anew_at is None or at > begun_anew_at)]
        if begun_anew_at is not None and self._last_try_at is not None and begun_anew_at > self._last_try_at:
            self._vain = 0
        before = self._before_at(now)
        if touched:
            count = len(cuts) + len(restarts)
            self._tries += [now] * count
            self._vain += count
            self._last_try_at = now
        return RigSight(
            touched=touched,
            before_touch_at=before,
            tries_within_day=len(self._tries),
            vain_tries=self._vain,
            works_since=self._works_since if worked else None,
        )

    def _taken_restarts(self) -> list[bool]:
        """Of each restart that was ordered and is reported: whether it worked when it was asked."""
        if not self._restarted or not isinstance(self._feed.machine, Machine):
            return []
        self._restarted = False
        return self._feed.machine.restarts_by_us[-1:]

    def _before_at(self, now: datetime) -> datetime | None:
        back = self._feed.back_at_seconds
        if back is None or self._last_try_at is None:
            return self._last_try_at
        return max(self._last_try_at, now - timedelta(seconds=self._world.clock.seconds() - back))

    def _regard_machine(self, now: datetime) -> None:
        machine = self._feed.machine
        self._works_since = (self._works_since or now) if machine.hashing else None
        if machine.hashing:
            self._vain = 0
        self._hangs_since = (self._hangs_since or now) if machine.frailty.hangs else None
