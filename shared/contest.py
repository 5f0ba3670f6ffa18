"""Tells a replica's doing from a person's: what changes by itself while somebody lost may still act on a device."""

from shared.herald import Herald
from shared.messages import Severity
from shared.station import Station

_SENTENCE = "undone by a replica that is lost, or by a person: left so until that replica is heard again, or for 30 min"


class Contest:
    """What was reached of one device's commands, and whether somebody else has undone it. In the device's thread."""

    def __init__(self, station: Station, herald: Herald) -> None:
        self._station = station
        self._herald = herald
        self._reached: str | None = None
        self._lost = self._left_undone = False

    def remember(self, reached: str | None, *, left_undone: bool) -> None:
        """What was reached by whoever tended the device before us; or that it had been undone, and was left so."""
        self._reached, self._left_undone = reached, left_undone

    def is_lost(self, goal: str, *, settled: bool) -> bool:
        """Whether what was once reached is so no more, and to insist on it might be a fight with a lost replica."""
        if self._left_undone:
            self._reached, self._left_undone = goal, False
        if settled:
            self._reached, self._lost = goal, False
        elif goal != self._reached:
            self._reached, self._lost = None, False
        elif not self._lost and self._station.is_contested():
            self._lost = True
            self._herald.tell("contested", Severity.WARNING, _SENTENCE)
        return self._lost and self._station.is_contested()

    def is_over(self) -> bool:
        """Whether it has been left undone, and need not be any longer. Says so once."""
        if not self._lost or self._station.is_contested():
            return False
        self._lost, self._reached = False, None
        return True
