"""How often something was tried, when to try again, and when to call it a fault."""

from shared.device import Step

FAULT_AFTER_TRIES = 4
BACK_OFF_SECONDS = 5.0
BACK_OFF_MAX_SECONDS = 60.0


class Pursuit:
    """The tries towards one goal. A new goal starts afresh and is tried at once."""

    def __init__(self) -> None:
        self._goal: str | None = None
        self._next_at = 0.0
        self._began_at: float | None = None
        self.tries = 0
        self.faulty = False
        self.cause = ""

    def judge(self, goal: str | None, settled: bool | None) -> bool | None:
        """Takes note of a reading. True: it has just become a fault; False: the fault is over; None: no news."""
        if goal != self._goal:
            self._goal, was_faulty = goal, self.faulty
            self._restart()
            return False if was_faulty and settled else None
        if settled:
            was_faulty = self.faulty
            self._restart()
            return False if was_faulty else None
        if settled is False and self.tries >= FAULT_AFTER_TRIES and not self.faulty:
            self.faulty = True
            return True
        return None

    def is_untried(self, goal: str) -> bool:
        """Whether nothing has been done towards this goal since it was set, or last reached."""
        return goal != self._goal or self._began_at is None

    def wait_seconds(self, seconds: float) -> float:
        """How long to wait before the next try, at this real time."""
        return self._next_at - seconds

    def failed(self, cause: str) -> None:
        """The device refused, or did not answer, while the command was applied."""
        self.cause = cause

    def applied(self, seconds: float, step: Step) -> float:
        """A step was done at this real time; returns when to read back. Each vain try waits longer for the next."""
        if self._began_at is None:
            self._began_at = seconds
        if step.on_the_way and seconds - self._began_at < step.patience_seconds:
            self._next_at = seconds + step.look_again_seconds
            return step.look_again_seconds
        self.tries += 1
        back_off = 0.0 if self.tries == 1 else min(BACK_OFF_SECONDS * 2 ** (self.tries - 2), BACK_OFF_MAX_SECONDS)
        self._next_at = seconds + max(step.look_again_seconds, back_off)
        return step.look_again_seconds

    def _restart(self) -> None:
        self.tries, self._next_at, self._began_at, self.faulty, self.cause = 0, 0.0, None, False, ""
