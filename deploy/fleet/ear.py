"""Listens to a farm without a trace: no presence of its own, nothing retained that was not there before."""

import logging
import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from deploy.fleet.heard import DEVICE_COMMANDS, DEVICE_TELEMETRY, Heard, Hearing
from deploy.fleet.reach import Reach
from shared.bus import Bus, MqttLink, Received
from shared.inbox import Inbox
from shared.topics import ENGINE_EPOCH, SERVICE_PRESENCE, SITE_TELEMETRY, Topic

LISTENED: tuple[Topic[Any], ...] = (SERVICE_PRESENCE, SITE_TELEMETRY, ENGINE_EPOCH, *DEVICE_TELEMETRY, *DEVICE_COMMANDS)
_LINK_LOG = "shared.bus"
_TEND_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 0.25


class Ear:
    """Driven by whoever listens, in one thread: the bus's own thread only enqueues."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._clock = reach.clock
        self._inbox = Inbox(events_kept=200_000)
        # The process's number: two looks at once must not throw each other out.
        name = re.sub(r"[^a-z0-9_-]", "-", f"fleet-{platform.node()}".lower())[:50] + f"-{os.getpid()}"
        self._bus = Bus(MqttLink(reach.address, name), self._clock, prefix=reach.prefix, instance=name)
        for topic in LISTENED:
            self._bus.subscribe(topic, partial(self._arrived, topic))
        self._hearing = Hearing(self._clock.seconds(), reach.clock.rate)
        self._tended_at_seconds = self._clock.seconds()
        self._complaint = _Complaint()
        self._open = False

    def open(self, seconds: float) -> bool:
        """Connects. Whether within these seconds all that the broker remembers has arrived."""
        self._complaint.attach()
        self._open = True
        self._bus.start(on_synced=self._inbox.ring)
        return self.listen(seconds, self._bus.is_synced)

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Takes in what comes for so many seconds, or until something holds. Whether it does."""
        deadline = self._clock.seconds() + seconds
        while True:
            self._take()
            if until():
                self._take()
                return True
            left = deadline - self._clock.seconds()
            if left <= 0:
                return False
            self._inbox.wait(min(left, _LONGEST_WAIT_SECONDS))

    def heard(self) -> Heard:
        """Everything up to now."""
        self._take()
        return self._hearing.heard(self._clock.seconds(), self._clock.now())

    def is_ready(self) -> bool:
        """Whether the broker is there at present, and all that it remembers has arrived."""
        return self._bus.is_synced()

    def refusal(self) -> str:
        """What the link has last complained of; nothing, when it has not."""
        return self._complaint.text

    def seconds(self) -> float:
        """Real time."""
        return self._clock.seconds()

    def forget_presence(self, instance: str) -> None:
        """Asks the broker to remember a replica no more; when it has, `heard` does not name it either."""
        self._bus.clear(SERVICE_PRESENCE, instance)

    def close(self) -> None:
        """Leaves without a word."""
        if self._open:
            self._open = False
            with suppress(OSError):
                self._bus.stop()
            self._complaint.detach()

    def _take(self) -> None:
        now = self._clock.seconds()
        if now - self._tended_at_seconds >= _TEND_SECONDS:
            self._tended_at_seconds = now
            self._bus.tend()
        for delivery in self._inbox.take():
            delivery()

    def _arrived(self, topic: Topic[Any], received: Received[Any]) -> None:
        # Every word counts here, also the one before the last: two engines that write in turns would look like one.
        self._inbox.put_event(partial(self._hearing.take, topic, received, self._clock.seconds()))


class _Complaint(logging.Handler):
    """The last complaint of the link, which tells nobody but its log why it is not up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""
        self._propagated = True

    def attach(self) -> None:
        logger = logging.getLogger(_LINK_LOG)
        self._propagated, logger.propagate = logger.propagate, False
        logger.addHandler(self)

    def detach(self) -> None:
        logger = logging.getLogger(_LINK_LOG)
        logger.removeHandler(self)
        logger.propagate = self._propagated

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.text = record.getMessage().removesuffix(" (said once; trying on)")
