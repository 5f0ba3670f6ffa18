"""What a command cannot do, and why: the only error that the console shows by its text alone."""

EXIT_WRONG = 1
"""It was understood and tried, and something is wrong: not confirmed, not reached, not fine."""
EXIT_BAD_INPUT = 2
"""What was given cannot be used, or nobody is there to be asked."""


class TroubleError(Exception):
    """`str(error)` is for people: what is wrong, then `Fix: ...`."""

    def __init__(self, sentence: str, *, exit_code: int = EXIT_BAD_INPUT) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
