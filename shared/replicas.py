"""Shares units (devices, accounts, a site) among the replicas of a service: each tends its own, and only those."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from shared.bus import Received
from shared.lost import Lost
from shared.membership import BEATS_TOLERATED, Roster, owner
from shared.messages import Presence
from shared.service import BEAT_SECONDS, Service
from shared.tenure import Tenure
from shared.topics import SERVICE_PRESENCE

log = logging.getLogger(__name__)

SETTLE_VARIABLE = "SUNHERD_SETTLE_SECONDS"
SETTLE_SECONDS = 2.0
LEAVING_SECONDS_MAX = 30.0
"""Every request to a device is bounded by less: whoever still lists a unit after that will not come back to it."""
_LOOK_SECONDS = 0.5
_FENCED_AFTER_SECONDS = BEATS_TOLERATED * BEAT_SECONDS
_DEAF_AFTER_SECONDS = 2 * BEAT_SECONDS

Wire = Callable[[Tenure], object]


def settle_seconds_of_process() -> float:
    """How long the replicas must have agreed before a unit changes hands; 0: there are no others."""
    return float(os.environ.get(SETTLE_VARIABLE) or SETTLE_SECONDS)


class Replicas:
    """The share of one replica. In the service's thread; only `is_fenced` is asked from others.

    A unit is given up as soon as it is somebody else's. It is taken up when the replicas have agreed for
    `settle_seconds`, all of them count us in, and nobody's last step with it still lasts.
    """

    def __init__(
        self, service: Service, units: Mapping[str, Wire], *, settle_seconds: float, keeps: bool = False
    ) -> None:
        """`units`: what is shared, and how each is wired. `keeps`: whoever has one keeps it, whoever joins."""
        self.tended: dict[str, Tenure] = {}
        self._service = service
        self._units = units
        self._settle_seconds = settle_seconds
        self._keeps = keeps
        self._me = service.bus.instance
        self._roster = Roster()
        self._candidates: frozenset[str] = frozenset({self._me})
        self._changed_at_seconds = service.clock.seconds()
        self._heard_myself_at_seconds = service.clock.seconds()
        self._was_deaf = True
        self._disagreed = False
        self._agreed_connection = -1
        self._claims: dict[str, int] = {}
        """The highest number seen for each unit that is kept; of what we tend, our own."""
        self._leaving: dict[str, Tenure] = {}
        self._lost = Lost()
        self._share: tuple[object, frozenset[str]] = (None, frozenset())

    def begin(self) -> None:
        """Before the service starts. Without others everything is ours from the beginning."""
        self._service.describe(self._standing)
        if self._settle_seconds <= 0:
            self._take_up(self._units)
            return
        self._service.on(SERVICE_PRESENCE, self._heard)
        self._service.on_ready(self._connected)
        self._service.every(_LOOK_SECONDS, self._look)

    def is_fenced(self) -> bool:
        """Whether the others may have taken over what is ours.

        That is so as long as there is no connection (they have been told), or nothing has been heard for three beats
        (they think so themselves), and after that until all have agreed anew.
        """
        if self._settle_seconds <= 0:
            return False
        return self._agreed_connection != self._connection() or self._was_silent()

    def _connection(self) -> int:
        """The number of the present connection; 0: there is none."""
        return self._service.bus.counts["connects"] if self._service.bus.is_synced() else 0

    def _was_silent(self) -> bool:
        """Whether we have been away for so long that whoever has taken over shall keep it."""
        return self._disagreed or self._silence_seconds() > _FENCED_AFTER_SECONDS

    def _silence_seconds(self) -> float:
        return self._service.clock.seconds() - self._heard_myself_at_seconds

    # --- who is there

    def _heard(self, received: Received[Presence]) -> None:
        presence, now = received.message, self._service.clock.seconds()
        if presence is None or presence.service != self._service.name:
            return
        if presence.instance != self._me:
            self._roster = self._roster.heard(presence, now, retained=received.retained)
            self._lost.told((each for each in presence.lost if each not in {self._me, *self._candidates}), now)
            for unit, number in presence.holds.items():
                if unit not in self.tended:
                    self._claims[unit] = max(number, self._claims.get(unit, 0))
            self._look()
        elif not received.retained and presence.status == "online":
            self._heard_myself(now)

    def _heard_myself(self, now: float) -> None:
        self._disagreed = self._was_silent()
        self._heard_myself_at_seconds = now

    def _connected(self) -> None:
        self._heard_myself(self._service.clock.seconds())
        self._was_deaf = True
        self._look()

    def _begin_unheard(self, now: float) -> None:
        """Without a broker nothing is raised, but somebody has to see to the failsafe of what nobody has begun with."""
        untended = self._untended(self._mine(now))
        if untended:
            log.warning("the broker is not heard: tending %d more, raising nothing", len(untended))
            for tenure in self._take_up(untended):
                tenure.begin()

    def _look(self) -> None:
        now = self._service.clock.seconds()
        self._end_leaving()
        if not self._service.bus.is_synced() or self._silence_seconds() > _DEAF_AFTER_SECONDS:
            self._was_deaf = True
            if self._was_silent() and not self._keeps:
                self._begin_unheard(now)
            return
        if self._was_deaf:
            # Nobody's silence in that time counts against them.
            self._was_deaf = False
            self._roster = self._roster.doubted(now)
            self._changed_at_seconds = now
        candidates = frozenset({self._me, *self._roster.possible(now)})
        if candidates != self._candidates:
            self._changed(candidates, now)
        self._settle(now)

    def _changed(self, candidates: frozenset[str], now: float) -> None:
        gone, come = self._candidates - candidates, candidates - self._candidates - {self._me}
        self._candidates, self._changed_at_seconds = candidates, now
        self._lost.heard(candidates)
        self._lost.gone((each for each in gone if not self._roster.has_said_farewell(each)), now)
        if gone or come:
            log.info("replicas: %s; gone: %s", ", ".join(sorted(candidates)), ", ".join(sorted(gone)) or "none")
        # The others wait for this: it says that we know, too.
        self._service.beat()

    # --- what is ours

    def _settle(self, now: float) -> None:
        mine = self._mine(now)
        lost = [unit for unit in self.tended if unit not in mine]
        if lost:
            self._give_up(lost)
        agreed = now - self._changed_at_seconds >= self._settle_seconds
        if not agreed or not self._roster.all_count_on(self._me, now):
            return
        self._disagreed = False
        self._agreed_connection = self._connection()
        free = [unit for unit in self._untended(mine) if not self._is_awaited(unit, now)]
        if free:
            self._take_up(free)

    def _mine(self, now: float) -> frozenset[str]:
        keepers = {unit: self._keeper(unit, now) for unit in self._units} if self._keeps else {}
        situation = (self._candidates, keepers)
        if self._share[0] != situation:
            share = {unit for unit in self._units if (keepers.get(unit) or owner(unit, self._candidates)) == self._me}
            self._share = (situation, frozenset(share))
        return self._share[1]

    def _keeper(self, unit: str, now: float) -> str | None:
        held = self._held()
        own = ((held[unit], self._me),) if unit in held else ()
        claims = self._roster.claims(unit, now) + own
        return max(claims)[1] if claims else None

    def _held(self) -> dict[str, int]:
        return {unit: self._claims.get(unit, 0) for unit in self.tended} if self._keeps else {}

    def _untended(self, mine: frozenset[str]) -> list[str]:
        return [unit for unit in self._units if unit in mine and unit not in self.tended and unit not in self._leaving]

    def _is_contested(self, former: str | None) -> bool:
        return self._lost.may_act(former, self._service.clock.seconds())

    def _is_awaited(self, unit: str, now: float) -> bool:
        return now - self._changed_at_seconds < LEAVING_SECONDS_MAX and self._roster.leaving(unit, now)

    def _take_up(self, units: Iterable[str]) -> list[Tenure]:
        begun: list[Tenure] = []
        # One request to the broker for all: each would have it send again what all of them share.
        with self._service.bus.asking_once():
            for unit in units:
                tenure = Tenure(
                    self._service,
                    self.is_fenced,
                    partial(self._is_contested, self._lost.former_owner(unit, self._candidates - {self._me})),
                )
                self._units[unit](tenure)
                self.tended[unit] = tenure
                self._claims[unit] = self._claims.get(unit, 0) + 1
                begun.append(tenure)
        if self._settle_seconds > 0:
            log.info("tending %d of %d", len(self.tended), len(self._units))
            self._service.beat()

        def caught_up() -> None:
            for tenure in begun:
                tenure.caught_up()

        if self._service.bus.is_synced():
            self._service.bus.when_caught_up(lambda: self._service.soon(caught_up))
        return begun

    def _give_up(self, units: list[str]) -> None:
        for unit in units:
            tenure = self.tended.pop(unit)
            tenure.end()
            self._leaving[unit] = tenure
        log.info("giving up %d, tending %d of %d", len(units), len(self.tended), len(self._units))
        self._end_leaving()
        self._service.beat()

    def _end_leaving(self) -> None:
        over = [unit for unit, tenure in self._leaving.items() if tenure.is_over()]
        for unit in over:
            self._leaving.pop(unit).bury()
        if over:
            self._service.beat()

    def _standing(self) -> Mapping[str, Any]:
        return {
            "tends": len(self.tended),
            "holds": self._held(),
            "leaving": tuple(self._leaving),
            "lost": self._lost.names(self._service.clock.seconds()),
            "knows": tuple(sorted(self._candidates)) if self._settle_seconds > 0 else None,
        }
