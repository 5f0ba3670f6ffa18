"""What is done about a miner that ought to hash and does not: restarts, power cycles, and giving up."""

from pydantic import AwareDatetime, Field

from shared.messages.part import Code, Number, Part


class Care(Part):
    """The watchdog's finding and memory, carried by the miner's command."""

    code: Code
    sentence: str
    numbers: dict[str, Number] = Field(default_factory=dict)
    since: AwareDatetime
    """Since when the code has been the same."""
    changes_when: str = ""
    cycle_at: AwareDatetime | None = None
    """The last power cycle ordered."""
    tries: tuple[AwareDatetime, ...] = ()
    """The restarts and power cycles ordered within the last 24 hours, the oldest first."""
    returned_at: AwareDatetime | None = None
    """When it was last found at work, or a person said to begin anew: tries before that were not in vain."""
    unstable_since: AwareDatetime | None = None
    """Since when it has been given up on."""
