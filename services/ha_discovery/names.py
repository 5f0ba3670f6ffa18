"""What each thing is called: as a device and by its entities at Home Assistant, and on its Mirror. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

_ID_LENGTH_MAX = 64
_DIGEST_BYTES = 4


class Kind(StrEnum):
    """What is shown as a device."""

    FARM = "farm"
    MINER = "miner"
    PLUG = "plug"
    GROUP = "group"
    SERVICE = "service"


@dataclass(frozen=True, order=True)
class Name:
    """One device. `id`: the miner's, group's or replica's; of a plug its miner's; of the farm its site's."""

    kind: Kind
    site: str
    id: str

    @property
    def device(self) -> str:
        """Its identifier, which is also where its announcement stands."""
        farm = f"sunherd_{self.site}"
        if self.kind is Kind.FARM:
            return farm
        return f"{farm}_{self.id}_plug" if self.kind is Kind.PLUG else f"{farm}_{self.id}"

    @property
    def title(self) -> str:
        """Its name for people. Home Assistant makes its entity ids of it, before version 2025.10 of it alone."""
        if self.kind is Kind.FARM:
            return "Sunherd"
        return f"{self.id} plug" if self.kind is Kind.PLUG else self.id

    @property
    def mirror(self) -> str:
        """The id of its Mirror, within the length that an id may have."""
        whole = f"{self.kind}-{self.id}"
        if len(whole) <= _ID_LENGTH_MAX:
            return whole
        digest = blake2b(whole.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return f"{whole[: _ID_LENGTH_MAX - len(digest) - 1]}-{digest}"

    def unique_id(self, key: str) -> str:
        """Of one of its entities. A plug's keys say `plug_` already."""
        owner = f"sunherd_{self.site}_{self.id}" if self.kind is Kind.PLUG else self.device
        return f"{owner}_{key}"

    def entity_id(self, platform: str, key: str) -> str:
        """What Home Assistant is asked to call an entity, unless its owner has renamed it."""
        owner = "sunherd" if self.kind is Kind.FARM else self.id.replace("-", "_")
        return f"{platform}.{owner}_{key}"


def farm(site: str) -> Name:
    """The farm as a device."""
    return Name(Kind.FARM, site, site)
