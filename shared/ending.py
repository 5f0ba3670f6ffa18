"""Being told to end: a process hears it by SIGTERM or SIGINT, whichever of its services runs at that moment."""

import signal
from collections.abc import Callable


class Ending:
    """Made once for each process, in its main thread."""

    def __init__(self) -> None:
        self.is_told = False
        self._ring: Callable[[], None] = lambda: None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._tell())

    def heed(self, ring: Callable[[], None]) -> None:
        """Calls `ring` when it is told, from now on alone; at once where that has been already.

        `ring` is called in a signal handler.
        """
        self._ring = ring
        if self.is_told:
            ring()

    def _tell(self) -> None:
        self.is_told = True
        self._ring()
