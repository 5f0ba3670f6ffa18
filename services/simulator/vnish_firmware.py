"""What distinguishes the firmware generations, and what a stand-in can be ordered to do wrong."""

from dataclasses import dataclass

from services.simulator.http import Wire


@dataclass(frozen=True)
class Firmware:
    """One generation, by what it answers."""

    version: str
    status_route: str
    """How `/status` answers: `json`, `404`, or `html` with 200 as a web page's router does."""
    perf_summary: bool = True
    hr_fields: bool = True
    """hr_realtime and hr_average; the first betas have only the old fields in TH/s."""
    hr_nominal: bool = True
    power_consumption: bool = True
    """Else power_usage alone, as a float."""
    network_in_summary: bool = False
    throttle: bool = False
    boards: bool = False
    """1.3 calls a chain a board, and has other settings."""


FIRMWARES = {
    firmware.version: firmware
    for firmware in (
        Firmware(
            "1.2.0-beta10",
            "404",
            perf_summary=False,
            hr_fields=False,
            hr_nominal=False,
            power_consumption=False,
            network_in_summary=True,
        ),
        Firmware("1.2.0-rc5", "html", perf_summary=False, hr_nominal=False),
        Firmware("1.2.6", "json"),
        Firmware("1.3.4", "json", throttle=True, boards=True),
    )
}
GENERATIONS = tuple(FIRMWARES)


@dataclass(frozen=True)
class StandInPreset:
    """One autotune preset; its name is its wattage."""

    power_w: int
    tuned: bool = True
    modded_psu_required: bool = False

    @property
    def name(self) -> str:
        return str(self.power_w)


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds of the stand-in's clock."""

    initializing_seconds: float = 0.35
    tuning_seconds: float = 0.15
    stopping_seconds: float = 0.1
    restarting_seconds: float = 0.1
    reboot_seconds: float = 0.5
    token_seconds: float = 3600.0


@dataclass
class Faults:
    """Orders to misbehave. Numbers count down with each use; flags stand until they are taken back."""

    wire: Wire = Wire.WHOLE
    slow_seconds: float = 0.0
    unauthorized: int = 0
    """So many secured requests get 401, whatever their token."""
    forbidden: int = 0
    """So many unlocks get 403, whatever their password."""
    too_many: int = 0
    """So many unlocks get 429."""
    flooded: int = 0
    """So many requests of any kind get 429."""
    server_error: bool = False
    """Every control gets 500 and has no effect."""
    yes_and_nothing: bool = False
    """Every control and setting gets its 200 and has no effect."""
    flat: bool = False
    """`/summary` without nesting, with an `is_mining` flag in place of a state; no `/status`."""
    miner_null: bool = False
    """`/summary` says `miner: null`, as while the mining process is down; no `/status`."""
    wipes_pools: bool = False
    """A write of settings loses the pools."""
    garbage: bytes | None = None
    """Every answer is this."""
