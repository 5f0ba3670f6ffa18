"""The requests that change something, each at most as often as a miner can bear."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from services.vnish_agent.book import Book
from services.vnish_agent.client import RouteMissingError, VnishClient
from services.vnish_agent.facts import changed_paths
from services.vnish_agent.ladder import FULL_PERCENT, THROTTLE_STEPS, Normal
from services.vnish_agent.moves import Move, View, throttle_differs
from services.vnish_agent.parse import mapping
from shared.clock import Clock
from shared.device import BusyError, NonsenseError, RefusedError, Step, UnauthorizedError, UnreachableError
from shared.messages import MinerState, OperatingPoint

SOON_SECONDS = 1.0
ON_THE_WAY_SECONDS = 2.0
WAIT_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
RAMP_PATIENCE_SECONDS = 900.0
"""A start may be put off by up to 300 s by a setting of the miner, and then takes minutes."""
DWELL_SECONDS = {Move.STOP: 6.0, Move.START: 6.0, Move.RESTART: 600.0, Move.REBOOT: 600.0}
"""The state lags behind a yes; and a restart that has not helped will not help at once."""


@dataclass(frozen=True)
class Pending:
    """What the last change of settings still asks for."""

    restart: bool = False
    reboot: bool = False


class Controls:
    """Makes the moves of one miner and remembers what they left open."""

    def __init__(self, client: VnishClient, book: Book, clock: Clock) -> None:
        self._client = client
        self._book = book
        self._clock = clock
        self._made_at: dict[Move, float] = {}
        self.pending = Pending()
        self.damage: tuple[str, ...] = ()
        """Settings that the last change of preset changed without being asked."""

    def make(self, move: Move, view: View, point: OperatingPoint, normal: Normal) -> Step:
        """One bounded step. Raises DeviceError."""
        if move is Move.NONE:
            return Step(WAIT_SECONDS)
        if move is Move.WAIT:
            message = "its state is not known: nothing is started"
            raise NonsenseError(message, retry_seconds=WAIT_SECONDS)
        if move is Move.ON_THE_WAY or self._dwells(move):
            patience = RAMP_PATIENCE_SECONDS if view.state is MinerState.RAMPING else PATIENCE_SECONDS
            return Step(ON_THE_WAY_SECONDS, on_the_way=True, patience_seconds=patience)
        self._made_at = {other: at for other, at in self._made_at.items() if other in {Move.RESTART, Move.REBOOT}}
        self._made_at[move] = self._clock.seconds()
        if move is Move.STOP:
            self._client.post("/mining/stop")
        elif move is Move.START:
            self._start(view, point)
        elif move is Move.THROTTLE:
            self._throttle(point)
        elif move is Move.PRESET:
            self._choose_preset(point, normal)
        else:
            self._client.post("/mining/restart" if move is Move.RESTART else "/system/reboot")
            self.pending = Pending()
        return Step(SOON_SECONDS)

    def restart(self, *, reboot: bool) -> None:
        """Starts its mining process anew, or the whole machine. Raises RefusedError where it was surely not done."""
        try:
            self._client.have_token()
        except (NonsenseError, UnreachableError) as error:
            raise RefusedError(error.sentence) from error
        before, now = self._made_at, self._clock.seconds()
        # Its state lags behind: it is not started as well, though it may still look failed.
        self._made_at = {Move.START: now, Move.REBOOT if reboot else Move.RESTART: now}
        try:
            self._client.post("/system/reboot" if reboot else "/mining/restart")
        except (RefusedError, UnauthorizedError, BusyError):
            self._made_at = before
            raise
        except RouteMissingError as error:
            self._made_at = before
            raise RefusedError(error.sentence) from error
        self.pending = Pending()

    def _dwells(self, move: Move) -> bool:
        made_at = self._made_at.get(move)
        return made_at is not None and self._clock.seconds() - made_at < DWELL_SECONDS.get(move, 0.0)

    def _start(self, view: View, point: OperatingPoint) -> None:
        if throttle_differs(view, point):
            # Before the start, lest it come up at full power; firmware that has to run first may refuse.
            with suppress(RefusedError, NonsenseError):
                self._throttle(point)
        self._client.post("/mining/start")
        self.pending = Pending()

    def _throttle(self, point: OperatingPoint) -> None:
        percent = point.throttle_percent or 0
        if not THROTTLE_STEPS[0] <= percent <= FULL_PERCENT:
            message = f"{percent} % is outside {THROTTLE_STEPS[0]} to {FULL_PERCENT} %"
            raise RefusedError(message)
        self._client.post("/mining/throttle", {"percent": percent})

    def _choose_preset(self, point: OperatingPoint, normal: Normal) -> None:
        """Changes the one setting, reads all settings back, and notes what else has changed."""
        usable = {preset.name for preset in self._book.presets or () if preset.usable}
        if self._book.presets is not None and point.preset not in usable | {normal.preset}:
            message = f"preset {point.preset} is not tuned, or needs another power supply"
            raise RefusedError(message)
        before = self._book.settings or self._book.read_settings()
        overclock: dict[str, Any] = {"preset": point.preset}
        if before.switching:
            # As read but for the top: left out, the firmware would switch back up by itself.
            overclock["preset_switcher"] = {**before.switcher, "top_preset": point.preset}
        reply = mapping(self._client.post("/settings", {"miner": {"overclock": overclock}}))
        self.pending = Pending(reply.get("restart_required") is True, reply.get("reboot_required") is True)
        after = self._book.read_settings()
        if after.preset != before.preset:
            # What has really changed may need its restart at once.
            self._made_at.clear()
        self.damage = changed_paths(before, after)
