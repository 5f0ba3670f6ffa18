"""One Bitaxe as a device: reads it, and takes one bounded step at a time towards a command."""

from dataclasses import dataclass, field

from services.bitaxe_agent.aim import Aim, Reach, aim_at
from services.bitaxe_agent.boards import OwnLimits
from services.bitaxe_agent.book import Book
from services.bitaxe_agent.client import AxeClient
from services.bitaxe_agent.controls import Controls, Pace
from services.bitaxe_agent.ladder import Device, Wishes, ladder_of, setting_of
from services.bitaxe_agent.parse import Readout, is_axe_os, read_out
from services.bitaxe_agent.protection import HeatLimits, Phase, Protection, must_be_cleared
from services.bitaxe_agent.ramp import Action, Move, Ramp, View, below, towards, towards_pause
from services.bitaxe_agent.setting import Setting
from services.bitaxe_agent.shares import Evidence, ShareWatch
from services.bitaxe_agent.trouble import Trouble, telling
from services.bitaxe_agent.watts import Correction, Watts
from shared.clock import Clock
from shared.device import DeviceError, NonsenseError, RefusedError, Step
from shared.ladder import lowest_point, normal_point
from shared.messages import Action as CommandAction
from shared.messages import Ladder, MinerCommand, MinerState, MinerTelemetry, OperatingPoint

GHS_PER_THS = 1000.0
STARTING_SECONDS = 180.0
"""So long after a boot or a resume no hashrate is no failure."""


@dataclass(frozen=True)
class Manners:
    """What the owner wants of one device."""

    wishes: Wishes = field(default_factory=Wishes)
    limits: OwnLimits = field(default_factory=OwnLimits)
    heat: HeatLimits = field(default_factory=HeatLimits)
    pace: Pace = field(default_factory=Pace)
    mac: str | None = None


class BitaxeDriver:
    """Device[MinerTelemetry, MinerCommand]. Called by one thread; one request at a time."""

    def __init__(self, client: AxeClient, clock: Clock, manners: Manners | None = None) -> None:
        self._client = client
        self._clock = clock
        self._manners = manners or Manners()
        self._book = Book(client, clock, self._manners.limits)
        self._book.expect(self._manners.mac)
        self._controls = Controls(client, self._book, clock, self._manners.pace)
        self._protection = Protection(self._manners.heat)
        self._shares = ShareWatch()
        self._correction = Correction()
        self._recalled: Ladder | None = None
        self._normal: Setting | None = None
        self._not_hashing_since: float | None = None
        self._asked_to_pause = False
        self._readout = Readout()
        self._state = MinerState.UNKNOWN
        self._ladder: Ladder | None = None

    def recall(self, previous: MinerTelemetry) -> None:
        if self._manners.mac is None:
            self._book.expect(previous.mac)
        self._recalled = previous.ladder
        self._protection.recall(previous.protected_since)
        if previous.ladder is not None:
            self._normal = setting_of(normal_point(previous.ladder))
        if previous.voltage_mv is not None and previous.frequency_mhz is not None:
            self._controls.recall(Setting(previous.voltage_mv, previous.frequency_mhz))

    def read(self) -> MinerTelemetry:
        asked_to_pause, self._asked_to_pause = self._asked_to_pause, False
        try:
            answer = self._client.info()
            if not is_axe_os(answer):
                message = "does not answer as AxeOS does"
                raise NonsenseError(message)
            readout = read_out(answer)
            self._book.refresh(readout)
        except DeviceError:
            self._book.doubt()
            raise
        seconds, now = self._clock.seconds(), self._clock.now()
        evidence = self._shares.look(readout, seconds)
        self._readout, self._state = readout, self._judged(readout, evidence, seconds)
        self._protection.look(readout, self._controls.expected, self._usual(), now)
        self._controls.saw(readout.setting)
        self._adopt(readout, seconds)
        self._ladder = self._made_ladder()
        return self._telemetry(evidence, asked_to_pause=asked_to_pause)

    def settled(self, reading: MinerTelemetry, command: MinerCommand) -> bool:  # noqa: ARG002 - as seen by `read`
        self._asked_to_pause = command.point.is_pause and command.action is CommandAction.APPLY
        try:
            settled = self._next(command.point)[0].move is Move.NONE
        except RefusedError:
            return False
        if settled:
            self._controls.arrived()
        return settled

    def apply(self, command: MinerCommand, reading: MinerTelemetry) -> Step:  # noqa: ARG002
        action, ramp = self._next(command.point)
        return self._controls.make(action, ramp, self._readout.actual_mhz)

    def restart(self, reading: MinerTelemetry) -> None:  # noqa: ARG002 - it has but one kind of restart
        self._controls.restart()

    def identify(self) -> None:
        self._controls.identify()

    def close(self) -> None:
        self._client.close()

    # --- what to do

    def _next(self, point: OperatingPoint) -> tuple[Action, Ramp]:
        """The next action on the way to a point. Raises RefusedError."""
        view = self._view(point)
        aim = self._aim(point)
        ramp = self._controls.ramp_to(aim.setting)
        if point.is_pause:
            return (towards_pause(view) if view.pauses else below(view, aim.setting, ramp)), ramp
        action = towards(view, aim.setting, ramp)
        # Lower than asked for, or at rest by its firmware's own will: nothing is wrong with that, and it is not there.
        held = action.move is Move.NONE and aim.is_held
        if held or (self._protection.is_resting and action.move in {Move.START, Move.FAILED}):
            action = Action(Move.COOL)
        return action, ramp

    def _aim(self, point: OperatingPoint) -> Aim:
        """Where to go for this point now. Raises RefusedError."""
        reach = Reach.of(self._ladder, self._book.limits)
        return aim_at(point, reach, self._readout.setting, self._protection)

    def _view(self, point: OperatingPoint) -> View:
        readout, heat, trip = self._readout, self._manners.heat, self._protection.trip
        excess = heat.excess_celsius(readout)
        cooled = trip is not None and trip.phase is Phase.LOWER
        known_cool = readout.chip_celsius is not None and excess is not None and excess < 0
        return View(
            state=self._state,
            setting=readout.setting,
            limits=self._book.limits,
            pauses=self._book.pauses(readout),
            may_rise=known_cool and not readout.fault and self._state in {MinerState.HASHING, MinerState.FAULT},
            in_a_hurry=point.is_pause or self._protection.is_hot or (excess is not None and excess >= 0),
            clear_first=cooled and must_be_cleared(readout),
            fan_to_return=cooled and trip is not None and trip.fan_was_automatic and readout.automatic_fan is False,
        )

    # --- what it is

    def _judged(self, readout: Readout, evidence: Evidence, seconds: float) -> MinerState:
        """Answering, hashing and unknown are three facts."""
        if self._book.has_rebooted:
            self._not_hashing_since = None
        if readout.paused:
            self._not_hashing_since = None
            return MinerState.PAUSED
        hashes = bool(readout.hashrate_ghs) or readout.implausible_hashrate
        self._not_hashing_since = None if hashes else self._not_hashing_since or seconds
        if readout.fault or evidence.flatline:
            return MinerState.FAULT
        if hashes:
            return MinerState.HASHING
        if readout.hashrate_ghs is None:
            return MinerState.UNKNOWN
        if readout.overheat_mode:
            return MinerState.FAULT
        waited = seconds - (self._not_hashing_since or seconds)
        return MinerState.RAMPING if waited < STARTING_SECONDS else MinerState.FAULT

    def _usual(self) -> Setting:
        """The owner's normal setting, as far as it is known."""
        chosen = None if self._ladder is None else setting_of(normal_point(self._ladder))
        efficient = self._book.device.profiles.get("efficient")
        found = self._normal or chosen or self._book.default or efficient or self._readout.setting
        return found if found is not None else Setting(1000, 0.0)

    def _adopt(self, readout: Readout, seconds: float) -> None:
        """Takes what is found at first sight for the owner's own way of running it, and learns its watts."""
        if self._normal is None and readout.setting is not None and self._protection.trip is None:
            self._normal = readout.setting
        steady = self._state is MinerState.HASHING and not readout.overheat_mode
        device = self._book.device
        if self._recalled is not None:
            for point in self._recalled.points:
                setting = setting_of(point)
                if setting is not None and not self._recalled.assumed:
                    self._correction.recall(setting, point.power_w, device)
            self._recalled = None
        self._correction.measure(readout.setting if steady else None, readout.power_w, device, seconds)

    def _made_ladder(self) -> Ladder:
        watts = Watts(self._book.device, self._correction.factor)
        device = Device(watts, self._book.limits, self._book.pauses(self._readout))
        return ladder_of(self._manners.wishes, device, self._usual())

    def _telemetry(self, evidence: Evidence, *, asked_to_pause: bool) -> MinerTelemetry:
        readout, book, ladder = self._readout, self._book, self._ladder
        trouble = Trouble(
            readout=readout,
            state=self._state,
            evidence=evidence,
            trip=self._protection.trip,
            hot=self._protection.is_hot,
            heat=self._manners.heat,
            limits=book.limits,
            cannot_pause=asked_to_pause and not book.pauses(readout),
            options_problem=book.problem,
        )
        problem, detail = telling(trouble, None if ladder is None else lowest_point(ladder))
        trip, setting = self._protection.trip, readout.setting
        return MinerTelemetry(
            at=self._clock.now(),
            driver="bitaxe",
            reachable=True,
            problem=problem,
            detail=detail,
            state=self._state,
            power_w=readout.power_w,
            hashrate_ths=None if readout.hashrate_ghs is None else readout.hashrate_ghs / GHS_PER_THS,
            chip_temperature_celsius=readout.chip_celsius,
            regulator_temperature_celsius=readout.regulator_celsius,
            voltage_mv=None if setting is None else setting.voltage_mv,
            frequency_mhz=None if setting is None else setting.frequency_mhz,
            shares_accepted=readout.shares_accepted,
            share_difficulty=readout.difficulty,
            uptime_seconds=readout.uptime_seconds,
            point=self._point_name(),
            ladder=ladder,
            model=book.device.model,
            firmware=book.identity.version,
            mac=book.identity.mac,
            protected_since=None if trip is None else trip.since,
        )

    def _point_name(self) -> str | None:
        """The name of the point that the reading shows."""
        if self._ladder is None or self._state is MinerState.FAULT:
            return None
        here = self._readout.setting
        for point in self._ladder.points:
            setting = setting_of(point)
            if point.is_pause if self._state is MinerState.PAUSED else setting and here and setting.same_as(here):
                return point.name
        return None
