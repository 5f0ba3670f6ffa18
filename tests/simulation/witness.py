"""The eyes of the world: what really is, as a scene for the invariants."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from services.policy_engine.engine import Engine
from services.policy_engine.inspector import Breach, Inspector
from services.policy_engine.rules import MinerId
from services.policy_engine.sight import Bounds, Scene, Sight
from shared.bus import Packet
from shared.messages import Action, Following, MinerCommand, MinerTelemetry, SiteTelemetry
from shared.topics import (
    ENGINE_EPOCH,
    MINER_COMMAND,
    MINER_TELEMETRY,
    PLUG_COMMAND,
    PLUG_TELEMETRY,
    SITE_TELEMETRY,
    locate,
)
from tests.simulation.bitaxe import Bitaxe
from tests.simulation.bitaxe_eyes import BitaxeEyes
from tests.simulation.epochs import Epochs
from tests.simulation.process import Process
from tests.simulation.record import Record, with_start
from tests.simulation.restarts import Restarts
from tests.simulation.rig_eyes import RigEyes
from tests.simulation.shape import AGENTS
from tests.simulation.wishes import rules_in_force
from tests.simulation.world import World

_CLOCKS_AGREE_SECONDS = 25.0
_ON_ITS_WAY = timedelta(milliseconds=20)
"""Within this time what is published has reached the engine, in fair weather."""
_DEAF_SECONDS = 60.0


class Witness:
    """Sees every message at the moment when it is published, and every miner as it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.records = {name: Record() for name in world.machines}
        self.breaches: list[Breach] = []
        self.counts: Counter[str] = Counter()
        self._epoch = -1
        self._epoch_by = ""
        self._inspector = Inspector()
        self.restarts = Restarts(world)
        self._epochs = {name: Epochs(name) for name in world.machines}
        self._eyes = {
            name: BitaxeEyes(machine, world.shape.miners[name])
            for name, machine in world.machines.items()
            if isinstance(machine, Bitaxe)
        }
        self._rig_eyes = {name: RigEyes(world, name, feed) for name, feed in world.feeds.items()}
        self._agent_starts: Counter[str] = Counter()
        self._memories_lost = 0
        self._looked_at_seconds = -1.0
        self._news = False
        self._unknown_since: datetime | None = None
        self._clocks_wrong_at: datetime | None = None
        self._digest = blake2b(digest_size=8)
        world.broker.witnesses.append(self._packet)

    def trace(self) -> str:
        """A fingerprint of every message of the day, in order."""
        return self._digest.hexdigest()

    def look(self) -> None:
        """To be called after each turn; looks when there is something new, and every so often."""
        seconds = self._world.clock.seconds()
        # What is done to a machine is judged by what is in force at that moment, not at the next message.
        touched = any(machine.touched for machine in self._world.machines.values())
        self._news = self._news or touched or seconds <= self._world.watched_until_seconds
        if not self._news and seconds - self._looked_at_seconds < self._world.scheduler.slack_seconds:
            return
        self._news, self._looked_at_seconds = False, seconds
        self.breaches += self._inspector.look(self._scene())
        for name, record in self.records.items():
            machine = self._world.machines[name]
            record.fresh = record.impossible = machine.touched = machine.stranger_touched = False
            record.restart_changed, record.stop_delay = "", None

    # --- messages

    def _packet(self, packet: Packet) -> None:
        located = locate("sunherd", packet.path)
        if located is None or not packet.payload:
            return
        self._digest.update(packet.path.encode() + packet.payload)
        topic, name = located
        if topic is ENGINE_EPOCH:
            self._see_epoch(topic.model.model_validate_json(packet.payload).epoch)
        elif topic is SITE_TELEMETRY:
            self._see_site(SiteTelemetry.model_validate_json(packet.payload))
        elif topic is MINER_COMMAND and name in self.records:
            self._news = True
            self._see_command(name, MinerCommand.model_validate_json(packet.payload))
        elif topic is MINER_TELEMETRY and name in self.records:
            self._news = True
            self._see_telemetry(name, MinerTelemetry.model_validate_json(packet.payload))
        elif topic is PLUG_COMMAND and name in self._rig_eyes:
            self._rig_eyes[name].see_command(topic.model.model_validate_json(packet.payload))
        elif topic is PLUG_TELEMETRY and name in self._rig_eyes:
            self._rig_eyes[name].see_plug(topic.model.model_validate_json(packet.payload))

    def _see_site(self, site: SiteTelemetry) -> None:
        if site.unknown is None:
            self._unknown_since = None
        elif self._unknown_since is None:
            self._unknown_since = self._world.clock.now() + _ON_ITS_WAY

    def _see_epoch(self, epoch: int) -> None:
        self._epoch = max(self._epoch, epoch)

    def _see_command(self, name: MinerId, command: MinerCommand) -> None:
        record = self.records[name]
        self._see_epoch(command.epoch)
        self.counts["commands"] += 1
        if record.command is None or record.command.point != command.point:
            self.counts["pauses" if command.point.is_pause else "grants"] += 1
        if not _pauses(command):
            record.pause_told_at = None
        elif not _pauses(record.command) and self._world.machines[name].draws:
            record.pause_told_at = self._world.clock.now()
        record.restart_changed = self.restarts.compare(name, command)
        record.before, record.command, record.fresh = record.command, command, True

    def _see_telemetry(self, name: MinerId, telemetry: MinerTelemetry) -> None:
        record, now = self.records[name], self._world.clock.now()
        self.counts["readings"] += 1
        if telemetry.following is Following.FAILSAFE and (
            record.telemetry is None or record.telemetry.following is not Following.FAILSAFE
        ):
            self.counts["failsafes"] += 1
        if name in self._eyes:
            self._eyes[name].see(telemetry)
        if name in self._rig_eyes:
            self._rig_eyes[name].see_miner(telemetry)
        record.telemetry, record.heard_at = telemetry, now
        if telemetry.state.draws_power:
            record.hashing_at = now
        record.outside_pauses.see(telemetry, self._world.rules)
        deaf = self._world.machines[name].deaf_since_seconds
        if telemetry.reachable and deaf is not None and self._world.clock.seconds() - deaf > _DEAF_SECONDS:
            record.impossible = True

    # --- the scene

    def _scene(self) -> Scene:
        world, house = self._world, self._world.house
        now = world.clock.now()
        if world.memories_lost != self._memories_lost:
            self._forget()
        self._compare_clocks(now)
        engines = world.engines()
        middle = self._middle_is_well(engines)
        lost = {
            name: not (agent.well and engines) and not self._is_a_new_agent(agent)
            for name, agent in world.processes.items()
            if name in AGENTS
        }
        limits_w = {name: watts for name in world.rules.groups if (watts := world.people.limit_w(name)) is not None}
        crashes = sum(len(process.crashes) + _failed(process) for process in world.processes.values())
        return Scene(
            now=now,
            bounds=self._bounds(),
            sights={name: self._sight(name, now, lost, middle=middle) for name in self.records},
            soc_percent=house.soc_percent,
            soc_known_at=house.soc_known_at,
            unknown_since=self._unknown_since,
            epoch=self._epoch,
            clocks_differ=self._clocks_wrong_at == now,
            crashes=crashes,
            group_limits_w=limits_w,
        )

    def _sight(self, name: MinerId, now: datetime, lost: Mapping[str, bool], *, middle: bool) -> Sight:
        world, record, machine = self._world, self.records[name], self._world.machines[name]
        agent = world.agent_of(name)
        started, off_for = self._see_switches(name, now)
        epoch, highest_before = self._epochs[name].look(agent, now, world.rules.memory_lasts)
        tended = machine.is_sound and agent.alive and not agent.frozen_seconds()
        reached = tended and agent.well and world.broker.weather.is_fair and world.people.has_said_all()
        whole = middle and reached
        record.chain_since = (record.chain_since or now) if whole else None
        stopped = world.people.stop_ordered_at is not None
        sight = Sight(
            name=name,
            rules=rules_in_force(world.rules.miners[name], name, world.broker.retained),
            draws=machine.draws,
            power_w=float(machine.power_w) if machine.draws else 0.0,
            tended=tended,
            cut_off=lost[agent.name],
            chain_since=record.chain_since,
            stop_in_force=stopped,
            told_to_stop=stopped and reached,
            command=record.command,
            before=record.before,
            fresh=record.fresh,
            telemetry=record.telemetry,
            heard_at=record.heard_at,
            person=world.people.wants(name),
            limit_w=world.people.limit_w(name),
            outside_pause_until=record.outside_pauses.until(world.people.ended_a_pause_at(name)),
            handled=machine.touched,
            stranger_handled=machine.stranger_touched,
            started=started,
            off_for=off_for,
            stop_delay=record.stop_delay,
            starts_within_day=len(record.starts),
            epoch_followed=epoch,
            highest_epoch_followed=highest_before,
            impossible=record.impossible,
            restart_changed=record.restart_changed,
        )
        rig = self._rig_eyes.get(name)
        if rig is not None:
            sight = replace(sight, rig=rig.look(now, middle=middle and world.people.has_said_all()))
            self.counts["tries"] += sight.rig.touched
        eyes = self._eyes.get(name)
        if eyes is None:
            return sight
        commands = [command for command in (record.command, record.before) if command is not None]
        return replace(sight, **eyes.look(record.telemetry, commands))

    def _is_a_new_agent(self, agent: Process) -> bool:
        """Whether it has been started since the last look: one that begins has its time of grace before it."""
        before, self._agent_starts[agent.name] = self._agent_starts[agent.name], agent.starts
        return agent.starts != before

    def _bounds(self) -> Bounds:
        world = self._world
        return Bounds(timedelta(seconds=world.shape.slack_seconds), world.farm.rules.poll, world.rules)

    def _compare_clocks(self, now: datetime) -> None:
        offsets = [process.offset_seconds for process in self._world.processes.values() if process.alive]
        if offsets and max(offsets) - min(offsets) > _CLOCKS_AGREE_SECONDS:
            self._clocks_wrong_at = now

    def _middle_is_well(self, engines: list[Engine]) -> bool:
        """Whether bridge, engine and broker are all at work and agree about the time."""
        world = self._world
        if not (world.processes["soc_bridge"].well and engines and world.broker.weather.is_fair):
            return False
        if max(engine.reign.epoch or 0 for engine in engines) < self._epoch:
            return False
        return self._clocks_wrong_at != world.clock.now() and world.people.has_said_all()

    def _see_switches(self, name: MinerId, now: datetime) -> tuple[bool, timedelta | None]:
        """Whether we have started it since the last look, and how long we had kept it off before that."""
        record, machine = self.records[name], self._world.machines[name]
        fresh, record.switches_seen = machine.switches[record.switches_seen :], len(machine.switches)
        started, off_for = False, None
        for switch in fresh:
            record.pause_told_at = None if switch.on else record.pause_told_at
            at = now - timedelta(seconds=self._world.clock.seconds() - switch.at_seconds)
            if not switch.on:
                record.stop_delay = self._stop_delay(record, at) if switch.ours else None
                record.off_since = self._counted_off_since(record, at) if switch.ours else None
                self.counts["stops" if switch.ours else "stops by others"] += 1
            elif switch.ours:
                self.counts["starts"] += 1
                started = True
                record.starts = with_start(record, at)
                off_for = None if self._is_unsure(record) else at - (record.off_since or at)
        return started, off_for

    def _stop_delay(self, record: Record, at: datetime) -> timedelta | None:
        told_at, rounds = record.pause_told_at, self._bounds().rounds
        if told_at is None or at < told_at or record.chain_since is None or told_at - record.chain_since < rounds:
            return None
        return at - told_at

    def _is_unsure(self, record: Record) -> bool:
        """Whether nobody can be blamed: others have switched it off, or commands were refused for a wrong clock."""
        wrong_at = self._clocks_wrong_at
        return record.off_since is None or (wrong_at is not None and wrong_at >= record.off_since)

    def _counted_off_since(self, record: Record, at: datetime) -> datetime:
        """From the order or from the stop, whichever was earlier: a device may have been slow to obey."""
        ordered = None if record.command is None else record.command.paused_since
        return at if ordered is None else min(at, ordered)

    def _forget(self) -> None:
        self._memories_lost = self._world.memories_lost
        for record in self.records.values():
            record.starts.clear()
            record.command = record.before = record.off_since = None
        for eyes in self._rig_eyes.values():
            eyes.forget()


def _pauses(command: MinerCommand | None) -> bool:
    return command is not None and command.action is Action.APPLY and command.point.is_pause


def _failed(process: Process) -> int:
    return 0 if process.service is None else process.service.counts["handler_failed"]
