"""Who may ask a pool when: accounts of one host share it, and some pools ban whoever asks twice in five seconds."""

import threading


class Spacing:
    """Turns at one host. Callable from the threads of all accounts."""

    def __init__(self) -> None:
        self._free_at = float("-inf")
        self._lock = threading.Lock()

    def claim(self, seconds: float, apart_seconds: float) -> float:
        """The moment, in real seconds, at which the next request may be sent. It is taken by that."""
        with self._lock:
            turn = max(seconds, self._free_at)
            self._free_at = turn + apart_seconds
            return turn

    def hold(self, until_seconds: float) -> None:
        """Nobody asks this host before then."""
        with self._lock:
            self._free_at = max(self._free_at, until_seconds)


class Spacings:
    """The turns at every host."""

    def __init__(self) -> None:
        self._hosts: dict[str, Spacing] = {}
        self._lock = threading.Lock()

    def at(self, host: str) -> Spacing:
        """The one of this host. As many are kept as the farm file has pools, and what these redirect to is not here."""
        with self._lock:
            return self._hosts.setdefault(host, Spacing())
