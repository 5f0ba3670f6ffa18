"""Tells people what happens to one device: as events, and in the log."""

import logging

from shared.messages import Event, Following, Severity
from shared.pursuit import Pursuit
from shared.station import Station
from shared.topics import Topic

log = logging.getLogger(__name__)

_LEVEL = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


class Herald:
    """The events of one device."""

    def __init__(self, name: str, service: Station, event: Topic[Event]) -> None:
        self._name = name
        self._service = service
        self._event = event

    def tell(self, code: str, severity: Severity, sentence: str) -> None:
        """One event."""
        log.log(_LEVEL[severity], "[%s] %s", self._name, sentence)
        event = Event(at=self._service.clock.now(), code=code, severity=severity, sentence=sentence)
        self._service.publish(self._event, self._name, event)

    def following(self, before: Following, now: Following) -> None:
        """What is followed has changed."""
        if now is Following.FAILSAFE:
            self.tell("failsafe", Severity.ERROR, "no live command: going to the failsafe by itself")
        elif before is Following.FAILSAFE:
            self.tell("failsafe_over", Severity.INFO, "commands again: the failsafe is over")

    def pursuit(self, pursuit: Pursuit, goal: str, *, failed: bool) -> None:
        """A goal has become a fault, or is reached after it was one."""
        if failed:
            cause = pursuit.cause or "it accepts the command and does not carry it out"
            sentence = f"wanted {goal}, tried {pursuit.tries} times: {cause}"
            self.tell("command_without_effect", Severity.ERROR, sentence)
        else:
            self.tell("recovered", Severity.INFO, f"{goal} reached at last")
