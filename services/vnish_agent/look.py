"""Asks a miner how it is: by all three monitoring routes, or by one while nothing moves."""

from dataclasses import dataclass
from typing import Any

from services.vnish_agent.client import RouteMissingError, VnishClient
from services.vnish_agent.parse import mapping, moment
from shared.clock import Clock
from shared.device import NonsenseError, RefusedError
from shared.messages import MinerState

WHOLE_SECONDS = 30.0
"""A preset that the firmware changes by itself, without a standstill, is noticed within this time."""
_STEADY = {MinerState.HASHING, MinerState.PAUSED}
_FLAGS = ("restart_required", "reboot_required")


@dataclass(frozen=True)
class Answers:
    """What a miner answered; None for what it does not have, or what cannot be understood."""

    status: dict[str, Any] | None
    """Of a look at `/summary` alone: the flags of the last whole look, without any state."""
    summary: dict[str, Any] | None
    perf_summary: dict[str, Any] | None
    whole: bool


class Look:
    """The monitoring reads of one miner.

    `/summary` tells everything that changes from one reading to the next. While it says the same of the state as
    before, and all three agreed then, it is asked alone: with a thousand miners each request counts.
    """

    def __init__(self, client: VnishClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._absent: set[str] = set()
        self._whole_due = -1.0
        self._steady: tuple[MinerState, str | None, int | None] | None = None
        """What `/summary` alone said at the last whole look, where that was the truth, and the miner stood or ran."""
        self._flags: dict[str, Any] = {}

    def doubt(self) -> None:
        """After a gap anything may have changed, even which firmware answers."""
        self._absent.clear()
        self.moved()

    def moved(self) -> None:
        """Something has been changed, or is about to be: the next look is a whole one."""
        self._whole_due = -1.0

    def take(self) -> Answers:
        """Raises NonsenseError where nothing of use is answered, and DeviceError when the miner does not answer."""
        summary = self._optional("/summary")
        if self._clock.seconds() < self._whole_due and self._steady == moment(None, summary):
            return Answers(self._flags, summary, None, whole=False)
        status = self._optional("/status")
        if status is None and summary is None:
            message = "answers neither /status nor /summary with JSON"
            raise NonsenseError(message)
        perf_summary = self._optional("/perf-summary")
        self._remember(status, summary)
        return Answers(status, summary, perf_summary, whole=True)

    def _remember(self, status: dict[str, Any] | None, summary: dict[str, Any] | None) -> None:
        alone, together = moment(None, summary), moment(status, summary)
        self._steady = alone if alone == together and alone[0] in _STEADY else None
        self._flags = {flag: status[flag] for flag in _FLAGS if status is not None and flag in status}
        self._whole_due = self._clock.seconds() + WHOLE_SECONDS

    def _optional(self, path: str) -> dict[str, Any] | None:
        if path in self._absent:
            return None
        try:
            return mapping(self._client.get(path)) or None
        except RouteMissingError:
            self._absent.add(path)
        except (NonsenseError, RefusedError):
            pass
        return None
