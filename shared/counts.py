"""Counters that any thread may add to; they travel in each heartbeat."""

import threading


class Counts:
    """Named whole numbers that only grow, or mirror another counter."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._values[name] = self._values.get(name, 0) + by

    def set(self, name: str, value: int) -> None:
        with self._lock:
            self._values[name] = value

    def __getitem__(self, name: str) -> int:
        return self._values.get(name, 0)

    def snapshot(self) -> dict[str, int]:
        """All counters that are not zero, as they stand now."""
        with self._lock:
            return {name: value for name, value in self._values.items() if value}
