"""What Home Assistant is shown of one thing: the few values that its entities read, and nothing that only renews."""

from pydantic import Field

from shared.messages.part import Code, Message, Number


class Mirror(Message):
    """Sent when a value changes, never with a lease: each message is a row in Home Assistant's recorder.

    None is unknown. A value that is left out is unknown, too.
    """

    available: bool
    """Whether the thing itself can be reached, as far as anybody knows."""
    values: dict[Code, Number | None] = Field(default_factory=dict)
    """By the name of the entity that shows it."""
    why: dict[Code, Number | None] = Field(default_factory=dict)
    """The numbers of the decision, as attributes of its sentence."""
