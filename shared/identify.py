"""Requests that a device show itself, by a blink or on its display: heard from people, done in the device's thread."""

import logging
from collections import deque
from datetime import timedelta

from shared.answer import answer_to
from shared.device import DeviceError, Identifiable
from shared.messages import Event, Request, RequestKind
from shared.station import Station
from shared.topics import Topic

log = logging.getLogger(__name__)

YOUNG = timedelta(seconds=60)
AHEAD_TOLERATED = timedelta(seconds=30)
_REMEMBERED = 64
_WAITING_MAX = 4
_SHOWS = "it shows itself for a while: look for a blink, or at its display"
_CANNOT = "it has no way to show itself. Fix: go by its address or outlet in the farm file"
_LATE = "it was not asked just now. Fix: ask again; if that does not help, set the clock of whoever asks"
_TOO_MANY = "it is being asked already. Fix: wait a moment"
_SILENT = "it does not answer. Fix: see to its network and its power"


class Introducer:
    """Of one device. `hear` is for the service's thread, `attend` for the device's. Each request is done once."""

    def __init__(
        self, name: str, service: Station, device: object, event: Topic[Event], young: timedelta = YOUNG
    ) -> None:
        """`young`: how old a request may be, in farm time."""
        self._name = name
        self._service = service
        self._device = device if isinstance(device, Identifiable) else None
        self._event = event
        self._young = max(young, YOUNG)
        self._heard: deque[Request] = deque(maxlen=_REMEMBERED)
        self._waiting: deque[Request] = deque()

    def hear(self, request: Request) -> bool:
        """Takes note of a request. True: the device is to be asked at its next turn."""
        if request.kind is not RequestKind.IDENTIFY or request in self._heard:
            return False
        self._heard.append(request)
        cause = self._cause(request)
        if cause is not None:
            self._answer(request, cause)
            return False
        self._waiting.append(request)
        return True

    def attend(self, *, answers: bool) -> None:
        """Does what waits, after a reading and all that followed from it. `answers`: whether that was a good one."""
        while self._waiting:
            self._answer(self._waiting.popleft(), self._ask() if answers else _SILENT)

    # --- inside

    def _cause(self, request: Request) -> str | None:
        """Why the device is not even asked."""
        if self._device is None:
            return _CANNOT
        now = self._service.clock.now()
        if now - request.at > self._young or request.at - now > AHEAD_TOLERATED:
            return _LATE
        return _TOO_MANY if len(self._waiting) >= _WAITING_MAX else None

    def _ask(self) -> str | None:
        if self._device is None:
            return _CANNOT
        try:
            self._device.identify()
        except DeviceError as error:
            return f"{error.sentence}. Fix: ask again, or go by its address in the farm file"
        except Exception as error:
            log.exception("[%s] a request to show itself failed", self._name)
            return f"the driver failed: {type(error).__name__}. Fix: go by its address in the farm file"
        return None

    def _answer(self, request: Request, refusal: str | None) -> None:
        event = answer_to(request, self._service.clock.now(), refusal or _SHOWS, accepted=refusal is None)
        log.info("[%s] %s", self._name, event.sentence)
        self._service.publish(self._event, self._name, event)
