"""A setting of voltage and frequency, and the limits that no setting may exceed. Pure."""

from dataclasses import dataclass

SAME_MHZ = 1.0
"""Settings closer than this are one: old firmware keeps whole numbers only."""


@dataclass(frozen=True, order=True)
class Setting:
    """What a chip is set to."""

    voltage_mv: int
    frequency_mhz: float

    def __str__(self) -> str:
        return f"{self.frequency_mhz:g} MHz {self.voltage_mv} mV"

    @property
    def is_rest(self) -> bool:
        """What firmware up to 2.10 sets when it was too hot."""
        return self == REST

    def same_as(self, other: "Setting") -> bool:
        return self.voltage_mv == other.voltage_mv and abs(self.frequency_mhz - other.frequency_mhz) < SAME_MHZ

    def no_higher_than(self, other: "Setting") -> "Setting":
        """The lower voltage and the lower frequency of the two."""
        return Setting(min(self.voltage_mv, other.voltage_mv), min(self.frequency_mhz, other.frequency_mhz))

    def exceeds(self, other: "Setting") -> bool:
        """Whether either is higher than the other's."""
        return self.voltage_mv > other.voltage_mv or self.frequency_mhz > other.frequency_mhz


REST = Setting(1000, 50.0)
