"""HTTP to one AxeOS device. Its web server has one thread and few sockets: short connections, one at a time."""

import json
from typing import Any

import requests

from shared.clock import Clock
from shared.device import DeviceError, NonsenseError, RefusedError, UnauthorizedError
from shared.miner_wire import Answered, MinerWire
from shared.settings.address import Address

OK = range(200, 300)
REDIRECT = range(300, 400)
UNAUTHORIZED = 401
MISSING = frozenset({404, 405, 501})
_SAID_LENGTH_MAX = 120
_HEADERS = {"Connection": "close"}
"""And no `Origin`: with one that is not its own the firmware answers 401."""


class RouteMissingError(NonsenseError):
    """The firmware does not have the route: 404, 405, or, in old releases, a redirect to its web page."""


class AxeClient:
    """One request at a time to `/api/system`. Every method raises DeviceError."""

    def __init__(self, address: Address, clock: Clock, session: requests.Session | None = None) -> None:
        self._base = f"http://{address}/api/system"
        self._wire = MinerWire(clock, session)

    def info(self) -> dict[str, Any]:
        """Everything that the device says of itself at this moment."""
        return self._get("/info")

    def asic(self) -> dict[str, Any]:
        """The options of its chip and board (from 2.7)."""
        return self._get("/asic")

    def change(self, settings: dict[str, Any]) -> None:
        """Sets what is named and nothing else. An answer of 200 has no body, and proves nothing."""
        self._send("PATCH", "", settings)

    def pause(self) -> None:
        """Stops mining (from 2.14) until `resume` or a reboot."""
        self._send("POST", "/pause")

    def resume(self) -> None:
        self._send("POST", "/resume")

    def restart(self) -> None:
        """Reboots it. That it hangs up meanwhile is no failure."""
        self._send("POST", "/restart")

    def identify(self) -> bool:
        """Lets it say hello on its display for half a minute (from 2.12), or no longer: False, where it just did."""
        return b"no longer" not in self._send("POST", "/identify").content

    def close(self) -> None:
        self._wire.close()

    def _get(self, path: str) -> dict[str, Any]:
        answered = self._send("GET", path)
        if answered.is_web_page:
            message = f"has no {path}: a web page came back"
            raise RouteMissingError(message)
        try:
            found = json.loads(answered.content)
        except (ValueError, RecursionError):
            message = f"{path} did not answer JSON"
            raise NonsenseError(message) from None
        if not isinstance(found, dict) or not found:
            message = f"{path} did not answer an object"
            raise NonsenseError(message)
        return found

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answered:
        try:
            answered = self._wire.exchange(method, self._base + path, json=body, headers=_HEADERS)
        finally:
            # The firmware hangs up in its own time, or never: what is kept open would be used again just then.
            self._wire.close()
        if answered.status not in OK:
            raise _refusal(path or "the settings", answered)
        return answered


def _refusal(path: str, answered: Answered) -> DeviceError:
    status = answered.status
    if status == UNAUTHORIZED:
        return UnauthorizedError("answers only to addresses of a private network (10/8, 172.16/12, 192.168/16)")
    if status in MISSING or status in REDIRECT:
        return RouteMissingError(f"has no {path}: answered {status}")
    said = "" if answered.is_web_page else answered.content.decode(errors="replace")
    clean = "".join(character for character in said if character.isprintable())[:_SAID_LENGTH_MAX].strip()
    return RefusedError(f"{path} answered {status}" + (f": {clean}" if clean else ""))
