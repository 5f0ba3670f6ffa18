"""A fault that was found: what it means, and what mends it."""

from dataclasses import asdict, dataclass

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """`about`: which container, replica, device or file. `sentence`: what is seen, and what it means for the farm."""

    code: str
    about: str
    sentence: str
    fix: str
    severity: str = ERROR

    def as_json(self) -> dict[str, str]:
        """For machines."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.severity.upper():7} {self.code}  {self.about}",
            f"        {self.sentence}",
            f"        Fix: {self.fix}",
        ]
