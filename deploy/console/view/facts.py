"""What the farm file and the connection tell of a farm before anything is heard. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from functools import cached_property

from shared.settings import FarmSettings

_POLLS_TOLERATED = 3
_SLOWEST_POLL_SECONDS = 10.0
"""No agent reads its devices more seldom, unless the owner says so."""
_SLACK_SECONDS = 5.0
_STALE_NO_START = timedelta(minutes=5)


@dataclass(frozen=True)
class FarmFacts:
    """Who belongs to the farm, and how fresh its words must be."""

    site: str
    miners: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The members of each group."""
    settings: FarmSettings | None = None
    """None where the farm file cannot be read."""
    zone: tzinfo = UTC

    @property
    def has_battery(self) -> bool:
        """Whether a battery is to be expected; without a farm file it is: what is not known is not fine."""
        return self.settings is None or self.settings.battery is not None

    @property
    def soc_lasts(self) -> timedelta:
        """For how long after its confirmation a state of charge counts: as long as the engine starts miners by it."""
        return _STALE_NO_START if self.settings is None else self.settings.rules.stale_no_start

    def reading_lasts_seconds(self, miner: str) -> float:
        """For how many real seconds a reading of this miner is a measurement: three polls."""
        polls = [_SLOWEST_POLL_SECONDS]
        if self.settings is not None:
            polls.append(self.settings.rules.poll.total_seconds())
            section = self.settings.miners.get(miner)
            if section is not None and section.driver == "plug" and section.plug is not None:
                polls.append(section.plug.poll.total_seconds())
        return _POLLS_TOLERATED * max(polls) + _SLACK_SECONDS

    def groups_of(self, miner: str) -> tuple[str, ...]:
        """The groups of a miner, in the order of the farm file."""
        return self._groups_of.get(miner, ())

    @cached_property
    def _groups_of(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for group, members in self.groups.items():
            for member in dict.fromkeys(members):
                found[member] = (*found.get(member, ()), group)
        return found

    def chip_limit_celsius(self, miner: str) -> float | None:
        """Above which its chip is too hot; None where nobody has said so."""
        section = None if self.settings is None else self.settings.miners.get(miner)
        return None if section is None else section.chip_limit_celsius

    def members_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The miners that these miners and groups come to, each once; all of the farm where nobody is named."""
        if not names:
            return self.miners
        found = [member for name in names for member in self.groups.get(name, (name,))]
        known = frozenset(self.miners)
        return tuple(dict.fromkeys(member for member in found if member in known))
