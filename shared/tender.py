"""The loop of one device: reads, publishes, compares, applies; the next step reads back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.contest import Contest
from shared.device import Device, DeviceError, DriverFailedError, Step
from shared.herald import Herald
from shared.identify import Introducer
from shared.lease import Lease
from shared.messages import Action, Command, Event, Following, Reported, Severity
from shared.pace import Pace, Place
from shared.pursuit import Pursuit
from shared.restart import Restarter
from shared.role import Role
from shared.station import Station
from shared.topics import Topic
from shared.young import Young

log = logging.getLogger(__name__)

_UNREAD_BEFORE_TOLD = 2
"""One lost answer makes the telemetry unknown at once, but is not worth a person's attention."""
_YOUNG_POLLS = 1.5
"""A reading is still young when the next one is a little late: a busy agent reads when its turn comes."""
_READ_BACK_SECONDS = 1.0
_HASTY = {Following.COMMAND, Following.EMERGENCY_STOP}
"""Somebody waits for these. The failsafe comes after minutes of silence and can look first."""
_LED = {Following.COMMAND, Following.GRACE}

R = TypeVar("R", bound=Reported)
C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Manner:
    """How an agent tends its devices. Poll in real seconds; lease and grace in farm time."""

    poll_seconds: float = 10.0
    lease: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=120)
    observe: frozenset[str] = frozenset()
    """Ids that are only watched: not even the failsafe acts on them. The emergency stop does."""
    apart_seconds: float = 0.0
    """Not even a new command makes two readings of one device come closer together than this, in real seconds."""


class Tender(Generic[R, C]):
    """The loop of one device. Straight-line: read, regard, publish, compare, apply; the next step reads back.

    Only a new goal that lowers is carried out before reading, once on each reading (docs/decisions/0016).
    """

    def __init__(
        self,
        name: str,
        service: Station,
        device: Device[R, C],
        role: Role[R, C],
        event: Topic[Event],
        manner: Manner,
        emergency: Callable[[], bool],
        pace: Pace,
    ) -> None:
        self.name = name
        self.lease: Lease[C] = Lease(service.clock.now(), manner.grace)
        self.previous: R | None = None
        self._service = service
        self._device = device
        self._role = role
        self._herald = Herald(name, service, event)
        self._manner = manner
        self._emergency = emergency
        self._place = Place(pace, manner.apart_seconds)
        self._restarter: Restarter[R, C] | None = Restarter.between(device, role, service.clock, self._herald.tell)
        self.introducer = Introducer(name, service, device, event, manner.lease)
        self._pursuit = Pursuit()
        self._last: Young[R] = Young(_YOUNG_POLLS * manner.poll_seconds)
        self._settled_before = False
        self._following = Following.NOTHING
        self._unread_in_row = 0
        self._told_unreachable = False
        self._problem: str | None = None
        self._contest = Contest(service, self._herald)
        self._last_action: tuple[str, Action] | None = None

    def is_news(self, command: C) -> bool:
        """Whether a command asks for something else than the one before; called by the service's thread."""
        wanted = (self._role.name(command), command.action)
        news, self._last_action = wanted != self._last_action, wanted
        return news or self._following is not Following.COMMAND  # whoever waits for the engine acts on its first word

    def hurry(self) -> None:
        """The next step waits for nobody's turn; called by the service's thread before it wakes this loop."""
        self._place.hurry()

    def step(self) -> float:
        self._recall()
        in_haste = self._place.called()
        goal = self._lowering_goal()
        if goal is not None:
            return self._lower(*goal)
        wait_seconds = self._place.wait_seconds(self._service.clock.seconds(), in_haste=in_haste)
        if wait_seconds > 0:
            return wait_seconds
        wait_seconds = self._look_and_act()
        self.introducer.attend(answers=self._unread_in_row == 0)
        return wait_seconds

    def close(self) -> None:
        self._device.close()

    # --- before reading

    def _lowering_goal(self) -> tuple[C, R] | None:
        """A new goal that only lowers what the last reading shows, and that reading while it is young."""
        reading = self._last.at(self._service.clock.seconds())
        if reading is None:
            return None
        following, command = self._lease_says(now_emergency=self._emergency())
        if following not in _HASTY or self._is_only_watching(following, command):
            return None
        goal = self._role.goal(following, command, reading, self._service.clock.now())
        if goal is None or not self._role.only_lowers(goal, reading) or self._device.settled(reading, goal):
            return None
        return (goal, reading) if self._pursuit.is_untried(self._role.name(goal)) else None

    def _lower(self, goal: C, reading: R) -> float:
        self._last.forget()
        self._pursuit.judge(self._role.name(goal), settled=False)
        # What the next reading shows is our own doing, not a person's.
        self._settled_before = False
        # Nothing has been read in this step, so the device is looked at soon, whatever has come of it.
        return min(self._apply(goal, reading), _READ_BACK_SECONDS)

    # --- reading first

    def _look_and_act(self) -> float:
        self._last.forget()
        reading = self._read()
        # Time is taken after the reading: a device that hangs must not make us act on an old lease.
        now = self._service.clock.now()
        following, command = self._lease_says(now_emergency=self._emergency())
        if reading.reachable:
            following = self._undisputed(following, command, reading)
            reading = self._role.regard(reading, following, command, settled_before=self._settled_before)
        goal = self._role.goal(following, command, reading, now)
        settled = self._device.settled(reading, goal) if goal is not None and reading.reachable else None
        telemetry = self._judged(reading, following, command, goal, settled)
        self._service.publish(self._role.telemetry, self.name, telemetry)
        self._settled_before = settled is True
        if reading.reachable:
            self._last.keep(reading, self._service.clock.seconds())
        if goal is None or not reading.reachable:
            return self._manner.poll_seconds
        if self._is_only_watching(following, command) and not self._role.insists(goal):
            return self._manner.poll_seconds
        if following in _LED and self._service.is_fenced() and not self._gives_way(goal, reading):
            return self._manner.poll_seconds
        if following is Following.COMMAND and goal is command and self._restarts(goal, reading, now):
            return min(self._manner.poll_seconds, _READ_BACK_SECONDS)
        return self._apply(goal, reading) if settled is False else self._manner.poll_seconds

    def _undisputed(self, following: Following, command: C | None, reading: R) -> Following:
        """What is followed, seeing that another replica may be acting on this device: we may be cut off, or it may."""
        if self._service.is_fenced() or self._service.is_contested():
            self._settled_before = False  # what has changed since may be its doing: it is no person's
        if self._contest.is_over():
            self._role.undone(reading)
        if following is not Following.COMMAND or command is None:
            return following
        settled = self._device.settled(reading, command)
        lost = self._contest.is_lost(self._role.name(command), settled=settled)
        return Following.GRACE if lost else following

    def _restarts(self, command: C, reading: R, now: datetime) -> bool:
        """Whether the device was just asked to restart: then no fault of before counts, and all begins anew."""
        if self._restarter is None or not self._restarter.attend(command, reading, self.lease.age(command, now)):
            return False
        self._last.forget()
        self._pursuit.judge(None, None)
        self._settled_before = False
        return True

    def _lease_says(self, *, now_emergency: bool) -> tuple[Following, C | None]:
        following, command = self.lease.follow(self._service.clock.now(), emergency=now_emergency)
        if following is not self._following:
            self._herald.following(self._following, following)
            self._following = following
        return following, command

    def _recall(self) -> None:
        previous, self.previous = self.previous, None
        if previous is not None:
            self._device.recall(previous)
            self._role.recall(previous)
            left_undone = previous.reachable and previous.following is Following.GRACE
            self._contest.remember(previous.desired if previous.settled else None, left_undone=left_undone)

    def _read(self) -> R:
        try:
            reading = self._device.read()
        except DeviceError as error:
            reading = self._unread(error)
        except Exception as error:
            # A bug in a driver must not leave an old reading standing as if it were a new one.
            log.exception("[%s] reading failed", self.name)
            reading = self._unread(DriverFailedError(f"the driver failed: {type(error).__name__}"))
        self._unread_in_row = 0 if reading.reachable else self._unread_in_row + 1
        if reading.reachable and self._told_unreachable:
            self._told_unreachable = False
            self._herald.tell("reachable", Severity.INFO, "answers again")
        elif self._unread_in_row == _UNREAD_BEFORE_TOLD:
            self._told_unreachable = True
            self._herald.tell(reading.problem or "unreachable", Severity.WARNING, reading.detail)
        if reading.reachable and reading.problem is not None and reading.problem != self._problem:
            self._herald.tell(reading.problem, Severity.WARNING, reading.detail)
        self._problem = reading.problem
        return reading

    def _unread(self, error: DeviceError) -> R:
        self._service.counts.add(f"read_{error.code}")
        return self._role.unread(error, self._service.clock.now())

    def _judged(self, reading: R, following: Following, command: C | None, goal: C | None, settled: bool | None) -> R:
        """The telemetry: the reading, what is followed, and whether a fault has to be called one."""
        name = None if goal is None else self._role.name(goal)
        verdict = self._pursuit.judge(name, settled)
        if verdict is not None and name is not None:
            self._herald.pursuit(self._pursuit, name, failed=verdict)
        if self._pursuit.faulty and goal is not None and settled is False:
            reading = self._role.faulty(reading, goal)
        return reading.model_copy(
            update={
                "following": following,
                "desired": name,
                "settled": settled,
                "epoch": None if command is None else command.epoch,
                "by": self._service.bus.instance,
            },
        )

    def _is_only_watching(self, following: Following, command: C | None) -> bool:
        if following is Following.EMERGENCY_STOP:
            return False
        if self.name in self._manner.observe or self.lease.suspended(self._service.clock.now()):
            return True
        return command is not None and command.action is not Action.APPLY

    def _gives_way(self, goal: C, reading: R) -> bool:
        """Whether this may be done by somebody whose device may be another's by now."""
        return self._role.insists(goal) or self._role.only_lowers(goal, reading)

    def _apply(self, goal: C, reading: R) -> float:
        seconds = self._service.clock.seconds()
        wait = self._pursuit.wait_seconds(seconds)
        if wait > 0:
            return min(wait, self._manner.poll_seconds)
        self._role.acts(goal)
        try:
            step = self._device.apply(goal, reading)
        except DeviceError as error:
            self._service.counts.add(f"apply_{error.code}")
            if error.sentence != self._pursuit.cause:  # said once, not at every try
                log.warning("[%s] %s: %s", self.name, self._role.name(goal), error.sentence)
            self._pursuit.failed(error.sentence)
            step = Step(error.retry_seconds or 1.0)
        # However long the device wants to be left alone with commands, it is read as often as ever.
        return min(self._pursuit.applied(seconds, step), self._manner.poll_seconds)

    def _publish(self, telemetry: R) -> None:
        self._service.publish(self._role.telemetry, self.name, telemetry)
