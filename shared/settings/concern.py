"""What of a farm file concerns one service: a change of anything else leaves that service alone. Pure.

It names what is left out, not what counts: a key that is added to the farm file concerns everybody until somebody says
otherwise. A service is still built of the whole file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from shared.settings.farm import FarmSettings, GroupSettings
from shared.settings.miner import MinerSettings
from shared.settings.watch import WatchKeys

OF_THE_ENGINE = frozenset({"stop_soc", "resume_soc", "max_w", "require_grid", *WatchKeys.model_fields})
"""Keys of a miner by which the engine decides, or that a pool is asked by. Agents only carry out."""


@dataclass(frozen=True)
class Concern:
    """`miners`: whose sections matter. `sections` and `keys`: what is left out of the file, and of a miner."""

    miners: Callable[[MinerSettings], bool] = lambda _miner: True
    sections: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    def of(self, farm: FarmSettings) -> FarmSettings:
        """The farm as far as it matters. Not to be run by: it may not be a whole farm any more."""
        miners = {name: self._miner(miner) for name, miner in farm.miners.items() if self.miners(miner)}
        seen: dict[str, Any] = {"miners": miners}
        if self.keys:  # an agent's: of groups only the schedule is carried out, which one engine limits together
            seen["groups"] = {
                name: _timed(group, miners) for name, group in farm.groups.items() if _is_timed(group, miners)
            }
            used = {each.schedule for each in (*miners.values(), *seen["groups"].values())}
            seen["schedules"] = {name: schedule for name, schedule in farm.schedules.items() if name in used}
        empty = FarmSettings.model_construct()
        seen |= {section: getattr(empty, section) for section in self.sections}
        return farm.model_copy(update=seen)

    def mark(self, farm: FarmSettings) -> str:
        """The same for two farms between which nothing has changed that matters, in whatever words they are written.

        A default that is written down is another word, not the same: a driver may leave to the device what is not.
        """
        said = self.of(farm).model_dump(exclude_unset=True)
        # By its text, for the order counts, too: miners stand in it by their priority.
        return blake2b(repr(said).encode(), digest_size=16).hexdigest()

    def _miner(self, miner: MinerSettings) -> MinerSettings:
        if not self.keys:
            return miner
        kept: dict[str, Any] = {key: getattr(miner, key) for key in miner.model_fields_set if key not in self.keys}
        # What an agent does alone may follow from a key of the engine's.
        return MinerSettings.model_construct(_fields_set={*kept, "failsafe"}, **kept | {"failsafe": miner.when_alone})


def _is_timed(group: GroupSettings, miners: dict[str, MinerSettings]) -> bool:
    return group.schedule is not None and any(member in miners for member in group.members)


def _timed(group: GroupSettings, miners: dict[str, MinerSettings]) -> GroupSettings:
    return group.model_copy(update={"members": [each for each in group.members if each in miners], "max_w": None})


EVERYTHING = Concern()
