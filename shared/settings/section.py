"""What every part of the farm file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Percent = Annotated[float, Field(ge=0, le=100)]
Watts = Annotated[float, Field(gt=0, le=1_000_000)]


class Section(BaseModel):
    """A part of the file. Frozen; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
