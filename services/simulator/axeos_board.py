"""The boards that AxeOS runs on: their chips, what they draw, and how warm that makes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One kind of ASIC. The options are what `/asic` offers; the firmware itself holds nobody to them."""

    name: str
    small_cores: int
    default_mhz: int
    default_mv: int
    options_mhz: tuple[int, ...]
    options_mv: tuple[int, ...]
    watts_per_v2_mhz: float
    domains: int = 4

    def needed_mv(self, frequency_mhz: float) -> float:
        """Below this voltage it miscalculates: a little less than the factory gives it."""
        return self.default_mv - 80 + 0.9 * (frequency_mhz - self.default_mhz)

    def core_w(self, voltage_mv: float, frequency_mhz: float) -> float:
        """What one chip turns into heat."""
        return self.watts_per_v2_mhz * (voltage_mv / 1000) ** 2 * frequency_mhz


_COMMON_MHZ = (400, 425, 450, 475, 485, 500, 525, 550, 575)
BM1366 = Chip("BM1366", 894, 485, 1200, _COMMON_MHZ, (1100, 1150, 1200, 1250, 1300), 0.0113, domains=1)
BM1368 = Chip(
    "BM1368",
    1276,
    490,
    1166,
    tuple(sorted({*_COMMON_MHZ, 490})),
    (1100, 1150, 1166, 1200, 1250, 1300),
    0.0150,
)
BM1370 = Chip("BM1370", 2040, 525, 1150, (400, 490, 525, 550, 600, 625), (1000, 1060, 1100, 1150, 1200, 1250), 0.01778)


@dataclass(frozen=True)
class Board:
    """One board. `estimate_w`: what its firmware adds to the core's own power; None: it measures at its input."""

    version: str
    model: str
    color: str
    chip: Chip
    chips: int = 1
    input_v: int = 5
    max_w: int = 40
    idle_w: float = 2.5
    """Everything beside the chips, at the wall."""
    estimate_w: float | None = None
    kelvin_per_watt: float = 1.0
    """Chip above ambient with its fan at full speed."""
    regulator_kelvin_per_watt: float | None = 0.9
    """Regulator above chip; None where there is no sensor, which reads 0."""
    second_sensor: bool = False

    @property
    def stock_w(self) -> float:
        """What it draws as it comes from the factory."""
        return self.wall_w(self.core_w(self.chip.default_mv, self.chip.default_mhz))

    def core_w(self, voltage_mv: float, frequency_mhz: float) -> float:
        """What all its chips turn into heat."""
        return self.chips * self.chip.core_w(voltage_mv, frequency_mhz)

    def wall_w(self, core_w: float) -> float:
        """What it really draws: the regulator has losses, and the rest of the board lives on something."""
        return core_w / 0.9 + self.idle_w

    def told_w(self, core_w: float) -> float:
        """What it says it draws."""
        return self.wall_w(core_w) if self.estimate_w is None else core_w + self.estimate_w

    def expected_ghs(self, frequency_mhz: float) -> float:
        return frequency_mhz * self.chip.small_cores * self.chips / 1000


GAMMA_601 = Board("601", "Gamma", "green", BM1370, estimate_w=5.0, kelvin_per_watt=1.035)
SUPRA_401 = Board("401", "Supra", "blue", BM1368, idle_w=1.5, kelvin_per_watt=1.6)
ULTRA_205 = Board("205", "Ultra", "purple", BM1366, idle_w=1.5, kelvin_per_watt=1.8, regulator_kelvin_per_watt=None)
HEX_302 = Board(
    "302",
    "Hex",
    "purple",
    BM1366,
    chips=6,
    input_v=12,
    max_w=120,
    idle_w=8.0,
    estimate_w=12.0,
    kelvin_per_watt=0.4,
    regulator_kelvin_per_watt=0.1,
)
GT_801 = Board(
    "801",
    "GammaTurbo",
    "cyan",
    BM1370,
    chips=2,
    input_v=12,
    max_w=60,
    idle_w=6.0,
    estimate_w=10.0,
    kelvin_per_watt=0.52,
    regulator_kelvin_per_watt=0.45,
    second_sensor=True,
)
NERDQAXE = Board(
    "",
    "NerdQAxe++",
    "#00e7e2",
    Chip("BM1370", 2040, 600, 1150, (500, 515, 525, 550, 575, 600), (1120, 1130, 1140, 1150, 1160, 1170), 0.01778),
    chips=4,
    input_v=12,
    max_w=100,
    idle_w=12.0,
    kelvin_per_watt=0.28,
    regulator_kelvin_per_watt=0.2,
)
"""A fork's board; it tells its model in `/api/system/info` and has no board version there."""

BOARDS = {
    "gamma": GAMMA_601,
    "supra": SUPRA_401,
    "ultra": ULTRA_205,
    "hex": HEX_302,
    "gt": GT_801,
    "nerdqaxe": NERDQAXE,
}
