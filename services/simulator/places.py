"""Where a simulator may listen: on this machine alone, and where nobody else does."""

import errno
from collections.abc import Callable

from shared.settings import Address
from shared.settings.address import is_loopback


class SimulationError(Exception):
    """A farm file cannot be simulated; the text says why, and what to do."""


def loopback(place: str, address: Address) -> Address:
    """The address, if it is this machine's own. A simulator must never take the place of a real device.

    Raises SimulationError for another machine's.
    """
    if not is_loopback(address.host):
        message = (
            f"{place}: {address.host} is not this machine: the simulator stands in for addresses such as 127.0.0.1 only"
        )
        raise SimulationError(message)
    return address


def listen(place: str, port: int, start: Callable[[], object]) -> None:
    """Starts something that listens on a port. Raises SimulationError where that is not possible."""
    try:
        start()
    except OSError as error:
        cause = "in use by another program" if error.errno == errno.EADDRINUSE else f"not to be had: {error.strerror}"
        message = f"{place}: port {port} is {cause}. Fix: end that program, or give another port in the farm file."
        raise SimulationError(message) from error
