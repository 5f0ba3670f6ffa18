"""The outlet that feeds a miner, in the farm file."""

from typing import Annotated

from pydantic import Field

from shared.settings.address import HostAndPort
from shared.settings.section import Section


class PlugSettings(Section):
    """A Kasa plug, or one outlet of a strip. Account, where it asks for one: KASA_USERNAME and KASA_PASSWORD."""

    host: HostAndPort
    outlet: str | Annotated[int, Field(ge=1, le=64)] | None = None
    """Of a strip: the outlet's alias, or its number as printed on the housing, counted from 1."""
    cut_when_paused: bool = False
    """Whether the outlet is switched off once the miner stands paused and has cooled down."""
    cut_below_celsius: Annotated[float, Field(gt=0, le=100)] = 40.0
    """How cool the chips must be before that."""
