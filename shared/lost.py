"""Replicas that are gone without a farewell: they may live, cut off from the broker, and act on what was theirs."""

from collections.abc import Iterable

from shared.membership import owner

CONTESTED_SECONDS_MAX = 1800.0
"""For so long a lost replica may keep its former devices from starting; then they start again, by all the gates."""


class Lost:
    """Who is lost, and since when by our monotonic time. Written by the service's thread, asked by any."""

    def __init__(self) -> None:
        self._since_seconds: dict[str, float] = {}

    def gone(self, instances: Iterable[str], seconds: float) -> None:
        """These have gone, and none of them said farewell."""
        self._since_seconds = {**self._since_seconds, **dict.fromkeys(instances, seconds)}

    def told(self, instances: Iterable[str], seconds: float) -> None:
        """Another replica has lost these: it was there before us."""
        self.gone((each for each in instances if each not in self._since_seconds), seconds)

    def heard(self, instances: Iterable[str]) -> None:
        """These are there."""
        there = set(instances)
        self._since_seconds = {who: since for who, since in self._since_seconds.items() if who not in there}

    def former_owner(self, unit: str, instances: Iterable[str]) -> str | None:
        """Whose a unit would be if only these others and the lost were there, if that one is lost."""
        before = owner(unit, {*instances, *self._since_seconds})
        return before if before in self._since_seconds else None

    def names(self, seconds: float) -> tuple[str, ...]:
        """Who may still act."""
        return tuple(sorted(who for who in self._since_seconds if self.may_act(who, seconds)))

    def may_act(self, instance: str | None, seconds: float) -> bool:
        """Whether it is lost still, and not for too long."""
        since = None if instance is None else self._since_seconds.get(instance)
        return since is not None and seconds - since < CONTESTED_SECONDS_MAX
