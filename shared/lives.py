"""One process through any number of services: each lives by one farm file, the next by what has been written since."""

import logging
import math
import os
from collections.abc import Callable
from pathlib import Path

from shared.clock import SystemClock
from shared.departed import Memory, departed, remembered
from shared.ending import Ending
from shared.follow import EMBEDDED_VARIABLE, LOOK_SECONDS, Follower, event_of, report
from shared.health import Health
from shared.inbox import Inbox
from shared.inputs import Inputs
from shared.replicas import LEAVING_SECONDS_MAX
from shared.service import Service
from shared.settings.concern import Concern
from shared.spare_memory import give_back
from shared.topics import SERVICE_EVENT
from shared.watchdog import notify_watchdog

log = logging.getLogger(__name__)

_LAST_STEP_LOOK_SECONDS = 0.2
_CLEARED_LOOK_SECONDS = 0.5
_CALM_SECONDS = 1.0
_CALM_LOOK_SECONDS = 0.1

Begin = Callable[[Inputs], tuple[Service, bool]]


class Lives:
    """Ends a service in good order when what concerns it has changed, and begins the next in its place.

    A new service finds everything again at the broker, as after a restart: leases go on, nothing is started or stopped.
    """

    def __init__(self, name: str, path: Path, concern: Concern, follower: Follower, begin: Begin) -> None:
        """`begin`: wires a service, and whether there is anything for it to do."""
        self.inputs = follower.inputs
        """By which the present one lives."""
        self._name = name
        self._path = path
        self._concern = concern
        self._follower = follower
        self._begin = begin
        self._ending = Ending()
        self._clock = SystemClock()
        self._next: Inputs | None = None
        self._patient_until_seconds = 0.0
        self._owed: frozenset[Memory] = frozenset()
        """What is to be cleared at the broker, of those who have left the farm file."""

    def run(self, *, follows: bool, waits: bool) -> bool:
        """Until the process is told to end: True. Without `waits` also when there is nothing to do: False."""
        while not self._ending.is_told:
            service, has_work = self._begin(self.inputs)
            for topic, identifier in self._owed:
                service.bus.clear(topic, identifier)
            if has_work or self._owed:
                self._live(service, follows=follows, has_work=has_work)
            self._settle_debts(service)
            del service
            give_back()
            if self._next is None and not has_work:
                if not waits:
                    log.info("%s: nothing is configured for it; it ends", self._name)
                    return False
                self._wait()
            if self._next is None:
                break
            self._turn_over()
        return True

    # --- one life

    def _live(self, service: Service, *, follows: bool, has_work: bool) -> None:
        if follows:
            service.spawn("farm_file", _Watch(self, service))
        if not has_work:
            # The barrier goes after all that was to be cleared.
            service.every(_CLEARED_LOOK_SECONDS, lambda: service.request_stop() if service.bus.is_synced() else None)
        service.run(self._ending)
        self._let_last_steps_end(service)

    def look(self, service: Service | None = None) -> None:
        """Looks at the farm file, and tells what is new. In one thread at a time."""
        news = self._follower.look()
        if news is None:
            return
        report(news, self._path, quietly=bool(os.environ.get(EMBEDDED_VARIABLE)))
        event = event_of(news, self._path, service.clock.now()) if service is not None else None
        if service is not None and event is not None:
            service.publish(SERVICE_EVENT, service.bus.instance, event)
        if news.inputs is None:
            return
        if not self._is_concerned(news.inputs):
            self._next = None  # what was to come has been taken back
            return
        log.info("%s: the farm file has changed; going on by the new one", self._name)
        if self._next is None:
            self._patient_until_seconds = self._clock.seconds() + LEAVING_SECONDS_MAX
        self._next = news.inputs

    @property
    def is_to_turn(self) -> bool:
        """Whether the next life is known."""
        return self._next is not None

    def may_leave(self, service: Service) -> bool:
        """Whether the present life can end now: the next is known, and no step hangs in a device.

        A service that ends hears nothing more, no emergency stop either, until its last step has ended and the next
        life has connected. So it waits for a moment in which none hangs; but where many do there is none.
        """
        if self._next is None:
            return False
        return service.busy_seconds() < _CALM_SECONDS or self._clock.seconds() >= self._patient_until_seconds

    def _is_concerned(self, inputs: Inputs) -> bool:
        return self._concern.mark(inputs.farm) != self._concern.mark(self.inputs.farm) or inputs.secrets.are_other_than(
            self.inputs.secrets
        )

    def _let_last_steps_end(self, service: Service) -> None:
        """No device is asked by two: a request that hangs must have ended before the next service begins with it."""
        bell, deadline = Inbox(), self._clock.seconds() + LEAVING_SECONDS_MAX
        self._ending.heed(bell.ring)
        while not (service.is_over() or self._ending.is_told) and self._clock.seconds() < deadline:
            notify_watchdog()
            bell.wait(_LAST_STEP_LOOK_SECONDS)

    # --- between two

    def _wait(self) -> None:
        """Nothing is configured for it: until that changes."""
        log.info("%s: nothing is configured for it; it waits for a farm file that calls for it", self._name)
        bell, health = Inbox(), Health.from_environment(os.environ)
        self._ending.heed(bell.ring)
        while self._next is None and not self._ending.is_told:
            notify_watchdog()
            self.look()
            health.stirred(self._clock.seconds(), next(iter(self._follower.problems), ""))
            bell.wait(LOOK_SECONDS)

    def _settle_debts(self, service: Service) -> None:
        if service.bus.counts["connects"]:
            self._owed = frozenset()

    def _turn_over(self) -> None:
        if self._next is not None:
            # What could not be cleared yet, unless it has come back, and what is to be cleared now.
            self._owed -= remembered(self._name, self._next.farm)
            self._owed |= departed(self._name, self._concern.of(self.inputs.farm), self._next.farm)
            self.inputs, self._next = self._next, None


class _Watch:
    """The loop that looks at the farm file: to read a large one takes seconds, for which no handler shall wait."""

    def __init__(self, lives: Lives, service: Service) -> None:
        self._lives = lives
        self._service = service

    def step(self) -> float:
        # First, while this very step has not lasted long itself.
        if self._lives.may_leave(self._service):
            self._service.request_stop()
            return math.inf  # another look could take back what it leaves for, and nothing would come after it
        self._lives.look(self._service)
        return _CALM_LOOK_SECONDS if self._lives.is_to_turn else LOOK_SECONDS

    def close(self) -> None:
        """It holds nothing."""
