"""What is given before the command: which farm."""

from dataclasses import dataclass
from pathlib import Path

import typer

from shared.settings.load import farm_path


@dataclass(frozen=True)
class Given:
    """The options of `sunherd` itself."""

    farm: Path | None = None
    """`--farm`, where it was said."""

    @property
    def farm_file(self) -> Path:
        """The farm file: as said, else SUNHERD_FARM, else farm.yaml here."""
        return self.farm or farm_path()


def given_to(context: typer.Context) -> Given:
    """The options that stood before a command."""
    found = context.find_object(Given)
    return found if found is not None else Given()
