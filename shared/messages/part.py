"""What every message is made of."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=64)]
Percent = Annotated[float, Field(ge=0, le=100)]
Watts = Annotated[float, Field(ge=0, le=1_000_000)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=64)]
Number = float | int | bool | str


class Part(BaseModel):
    """A piece of a message: frozen, strict, tolerant of fields from a newer version."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Message(Part):
    """Anything that travels on a topic. `at` is the sender's clock when it was made."""

    at: AwareDatetime
