"""Which broker the farm uses, decided once: its memory (emergency stop, pauses, latches) lives there."""

from collections.abc import Callable
from pathlib import Path

from deploy.addon.supervisor import OfferedBroker

MEMORY_FILE = "broker-choice"
SHARED, OWN = "home_assistant", "own"


class NoBrokerError(Exception):
    """The broker that holds the farm's memory, or that the owner wants, is not there."""


def choose_broker(wish: str, remembered: str | None, ask: Callable[[], OfferedBroker | None]) -> OfferedBroker | None:
    """The shared broker, or None for the farm's own. Raises NoBrokerError, and whatever `ask` raises.

    `wish` is auto, home_assistant or own. Auto takes the shared one where there is one at the first start, and stays
    with it: a farm that fell back to an empty broker would have forgotten an emergency stop.
    """
    if wish == OWN or (wish == "auto" and remembered == OWN):
        return None
    offered = ask()
    if offered is not None:
        return offered
    if wish == SHARED:
        message = (
            "option broker: home_assistant is chosen, and Home Assistant offers no MQTT broker. "
            "Fix: install and start the Mosquitto broker add-on, or set the option broker to own."
        )
        raise NoBrokerError(message)
    if remembered == SHARED:
        message = (
            "Home Assistant offers no MQTT broker any more, and this farm's memory (emergency stop, pauses) is there. "
            "Fix: start the Mosquitto broker add-on again; or set the option broker to own, and begin without memory."
        )
        raise NoBrokerError(message)
    return None


def remembered_choice(directory: Path) -> str | None:
    """What was used at the last start; None at the first."""
    file = directory / MEMORY_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def remember_choice(directory: Path, chosen: OfferedBroker | None) -> None:
    """Keeps it for the next start."""
    (directory / MEMORY_FILE).write_text(OWN if chosen is None else SHARED, encoding="utf-8")
