"""What Home Assistant calls the farm's entities: those that `services/ha_discovery` announces, device by device."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FARM_ID = "sunherd"
"""What the entities of the farm itself begin with."""

MINER_KEYS: Mapping[str, tuple[str, ...]] = {
    "switch": ("automatic",),
    "sensor": (
        *("hashrate", "power", "energy", "efficiency", "chip_temperature", "regulator_temperature", "shares"),
        *("uptime", "last_seen", "state", "health", "why"),
    ),
    "number": ("stop_soc", "resume_soc", "max_w"),
    "select": ("profile", "force_on"),
    "button": ("force_on_for_1_h", "restart", "identify", "power_cycle", "clear_unstable"),
    "event": ("happened",),
    "binary_sensor": ("problem",),
}
PLUG_KEYS: Mapping[str, tuple[str, ...]] = {
    "binary_sensor": ("plug_on",),
    "sensor": ("plug_power", "plug_energy_today", "plug_voltage", "plug_current"),
}
WORKER_KEYS: Mapping[str, tuple[str, ...]] = {"sensor": ("worker", "worker_hashrate", "worker_last_seen")}
GROUP_KEYS: Mapping[str, tuple[str, ...]] = {
    "switch": ("automatic",),
    "number": ("max_w",),
    "sensor": ("power", "hashrate", "miners_hashing"),
}
SERVICE_KEYS: Mapping[str, tuple[str, ...]] = {"binary_sensor": ("running",), "sensor": ("version", "tends")}
FARM_KEYS: Mapping[str, tuple[str, ...]] = {
    "sensor": ("hashrate", "power", "miners_covered", "miners_hashing", "state_of_charge", "mode"),
    "binary_sensor": ("emergency_stop_active", "problem"),
    "button": ("emergency_stop", "resume"),
}

FORCE_ON_OPTIONS = ("off", "30 min", "1 h", "2 h", "4 h", "8 h")


@dataclass(frozen=True)
class Shown:
    """What Home Assistant shows of one thing of the farm."""

    identifier: str
    """The id in the farm file; `sunherd` for the farm itself."""
    keys: Mapping[str, tuple[str, ...]]

    @property
    def slug(self) -> str:
        """The id as it stands in entity ids."""
        return self.identifier.replace("-", "_")

    def entity(self, domain: str, key: str) -> str:
        """The entity id. Raises KeyError for one that is not announced of such a thing."""
        if key not in self.keys.get(domain, ()):
            message = f"{domain}: {key} of {self.identifier}"
            raise KeyError(message)
        return f"{domain}.{self.slug}_{key}"

    def entities(self) -> Iterator[str]:
        """All that may be announced of it."""
        for domain, keys in self.keys.items():
            for key in keys:
                yield self.entity(domain, key)


FARM = Shown(FARM_ID, FARM_KEYS)


def miner(identifier: str) -> Shown:
    """A miner's own entities."""
    return Shown(identifier, MINER_KEYS)


def plug(identifier: str) -> Shown:
    """Those of the outlet that feeds a miner."""
    return Shown(identifier, PLUG_KEYS)


def worker(identifier: str) -> Shown:
    """What the pool says of a miner's worker."""
    return Shown(identifier, WORKER_KEYS)


def group(identifier: str) -> Shown:
    """A group's entities."""
    return Shown(identifier, GROUP_KEYS)
