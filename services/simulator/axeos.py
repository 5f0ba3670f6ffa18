"""An AxeOS miner without hardware: its one-threaded web server over the machine, with its faults."""

import dataclasses
import ipaddress
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.simulator import axeos_answers as answers
from services.simulator.axeos_board import BOARDS, GAMMA_601, NERDQAXE, Board
from services.simulator.axeos_faulty import distorted
from services.simulator.axeos_firmware import FIRMWARES, Pace
from services.simulator.axeos_flash import accepted
from services.simulator.axeos_ills import Patient
from services.simulator.axeos_loop import Phase
from services.simulator.axeos_warmth import wobble
from services.simulator.http import Request, Response, Wire, html_response, json_response
from services.simulator.mac import mac_of
from shared.clock import Clock

BODY_BYTES_MAX = 10_240
HEARD_KEPT = 2000
IDENTIFIES_SECONDS = 30.0
RESTARTS_AFTER_SECONDS = 1.0
_EMPTY = Response(headers={"Transfer-Encoding": "chunked"})
_BARE_NAME = re.compile(r"[A-Za-z0-9-]+(\.local)?")


@dataclass(frozen=True)
class AxeHeard:
    """One request as it came in."""

    at_seconds: float
    method: str
    path: str
    body: Any


class AxeOsStandIn(Patient):
    """`handle` is the miner's web server; the rest is what a test or a demo asks of the machine behind it."""

    def __init__(
        self,
        generation: str = "2.12",
        board: Board | str = GAMMA_601,
        *,
        clock: Clock,
        pace: Pace | None = None,
        name: str = "bitaxe",
    ) -> None:
        firmware = FIRMWARES[generation]
        found = BOARDS[board] if isinstance(board, str) else board
        super().__init__(NERDQAXE if firmware.fork else found, firmware, clock, pace or Pace())
        self.mac = mac_of(name)
        self.heard: deque[AxeHeard] = deque(maxlen=HEARD_KEPT)
        self.identifying_until = 0.0
        self.identified = 0
        """How often somebody has made it show itself."""
        self._known = self._routes()
        self._strain = 0.0
        self._strained_at = self._busy_until = clock.seconds()

    def controls(self) -> list[AxeHeard]:
        """All requests so far that were to change something."""
        return [heard for heard in list(self.heard) if heard.method != "GET"]

    # --- the web server

    def handle(self, request: Request) -> Response:
        """Answers one request. The connection is refused while it boots, and hangs while it has no power."""
        with self._present():
            body = request.json() if request.body else None
            self.heard.append(AxeHeard(self.clock.seconds(), request.method, request.path, body))
            faults = self.faults
            if self._phase is Phase.BOOTING:
                return Response(wire=Wire.RESET)
            delay_seconds = self._queued()
            if self._phase is Phase.OFF or delay_seconds is None or faults.wire is Wire.SILENCE:
                return Response(wire=Wire.SILENCE)
            response = self._answer(request) if faults.wire is not Wire.RESET else Response()
            if faults.garbage is not None:
                response = Response(body=faults.garbage)
            delay_seconds += faults.slow_seconds
            return dataclasses.replace(response, wire=faults.wire, delay_seconds=delay_seconds)

    def _queued(self) -> float | None:
        """How long until the only thread has dealt with this request as well; None: never."""
        now, pace = self.clock.seconds(), self.pace
        rested = (
            (now - self._strained_at) / pace.request_rest_seconds if pace.request_rest_seconds > 0 else float("inf")
        )
        self._strain = max(0.0, self._strain - rested) + 1.0
        self._strained_at = now
        burst = self.firmware.burst_requests if pace.burst_requests is None else pace.burst_requests
        self.server_dead = self.server_dead or self._strain > burst
        waits = max(0.0, self._busy_until - now)
        all_taken = waits > (self.firmware.sockets - 0.5) * pace.answer_seconds
        if self.server_dead or all_taken:
            return None
        self._busy_until = now + waits + pace.answer_seconds
        return waits + pace.answer_seconds

    def _answer(self, request: Request) -> Response:
        if self.faults.unauthorized or not self._may_ask(request):
            return Response(401, b"Unauthorized", "text/plain")
        route = self._known.get((request.method, request.path))
        if route is not None:
            return route(request)
        if self.firmware.knows_missing_routes and request.path.startswith("/api/"):
            return json_response({"error": "unknown route"}, 404)
        if request.method != "GET":
            return Response(405, b"Request method for this URI is not handled by server", "text/plain")
        if request.path == "/":
            return html_response("<!doctype html><html><head><title>AxeOS</title></head><body></body></html>")
        return Response(302, b"Redirect to the captive portal", "text/html", {"Location": "/"})

    def _may_ask(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        if origin is None or not self.firmware.checks_origin:
            return True
        host = origin.removeprefix("http://").split("/")[0].split(":")[0]
        try:
            address = ipaddress.IPv4Address(host)
        except ValueError:
            return self.firmware.number >= (2, 15) and _BARE_NAME.fullmatch(host) is not None
        private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
        return origin.startswith("http://") and any(address in ipaddress.ip_network(net) for net in private)

    def _routes(self) -> dict[tuple[str, str], Callable[[Request], Response]]:
        number, fork = self.firmware.number, self.firmware.fork
        routes: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/api/system/info"): lambda _request: self._told(answers.info),
            ("PATCH", "/api/system"): self._patch,
            ("POST", "/api/system/restart"): self._changing(self._restart),
        }
        if number >= (2, 7):
            routes["GET", "/api/system/asic"] = lambda _request: self._told(answers.asic)
        if number >= (2, 8) and not fork:
            routes["GET", "/api/system/statistics"] = lambda _request: self._told(answers.statistics)
        if number >= (2, 12):
            routes["POST", "/api/system/identify"] = self._changing(self._identify)
        if self.firmware.pauses:
            routes["POST", "/api/system/pause"] = self._changing(lambda: self._pausing(paused=True))
            routes["POST", "/api/system/resume"] = self._changing(lambda: self._pausing(paused=False))
        if fork:
            routes["POST", "/api/system/shutdown"] = self._changing(self._shut_down)
        return routes

    # --- what can be asked and ordered

    def _told(self, part: Callable[[answers.Snapshot], dict[str, Any]]) -> Response:
        return json_response(distorted(part(self.snapshot()), self.faults))

    def _changing(self, change: Callable[[], Response]) -> Callable[[Request], Response]:
        def answer(_request: Request) -> Response:
            return Response(500, b"Internal error", "text/plain") if self.faults.server_error else change()

        return answer

    def _patch(self, request: Request) -> Response:
        if self.faults.server_error or len(request.body) >= BODY_BYTES_MAX:
            return Response(500, b"content too long", "text/plain")
        body = request.json()
        if body is None:
            return Response(400, b"Invalid JSON", "text/plain")
        values = accepted(self.firmware, body if isinstance(body, dict) else {})
        if values is None:
            return Response(400, b"Wrong API input", "text/plain")
        renamed = values.get("hostname", self.flash["hostname"]) != self.flash["hostname"]
        if not self.faults.yes_and_nothing:
            self.write(values)
        if renamed and self.firmware.number >= (2, 15):
            url = f"http://{values['hostname']}.local"
            return json_response({"status": "success", "redirect": {"url": url, "delay": 3000, "message": "renamed"}})
        return _EMPTY

    def _restart(self) -> Response:
        if not self.faults.yes_and_nothing:
            self.reboot(after_seconds=RESTARTS_AFTER_SECONDS)
        text = "System will restart shortly."
        if self.firmware.number <= (2, 4):
            return Response(body=text.encode(), content_type="text/plain")
        return json_response({"message": text})

    def _identify(self) -> Response:
        now = self.clock.seconds()
        identifies = now >= self.identifying_until and not self.faults.yes_and_nothing
        self.identifying_until = now + IDENTIFIES_SECONDS if identifies else 0.0
        self.identified += identifies
        return json_response({"message": "The device says Hi!" if identifies else "The device no longer says Hi!"})

    def _pausing(self, *, paused: bool) -> Response:
        if not self.faults.yes_and_nothing:
            self.pause(paused=paused)
        return json_response({"message": "Mining paused" if paused else "Mining resumed"})

    def _shut_down(self) -> Response:
        if not self.faults.yes_and_nothing:
            self.shut_down()
        return json_response({"message": "System will shut down shortly."})

    # --- what it tells of itself

    def snapshot(self) -> answers.Snapshot:
        """Everything that its web server may tell."""
        with self._present():
            now, body, runs = self.clock.seconds(), self._body, self._phase is Phase.RUNNING
            told_ghs = body.told_ghs.at(now)
            if not self._flat:
                told_ghs *= 1 + 0.02 * wobble(self.mac, now - self._boot_at)
            return answers.Snapshot(
                board=self.board,
                firmware=self.firmware,
                settings=self.flash.settings,
                mac=self.mac,
                seconds=self.uptime_seconds,
                chip_celsius=body.chip.at(now) if runs and not self._dead else None,
                regulator_celsius=body.regulator.at(now),
                core_w=body.core_w,
                fan=body.fan,
                voltage_mv=self.voltage_mv,
                frequency_mhz=self.frequency_mhz,
                hashrate_ghs=told_ghs,
                averages_ghs=tuple(average.at(now) for average in body.averages_ghs),
                expected_ghs=self.board.expected_ghs(self.frequency_mhz),
                shares=body.shares,
                rejected=body.rejected,
                paused=self.wants_pause,
                stuck=self._phase is Phase.STUCK,
                power_fault=self.power_fault,
                reset_reason=self.reset_reason,
            )

    def _boot(self, *, power_was_off: bool) -> None:
        super()._boot(power_was_off=power_was_off)
        self.server_dead, self._strain, self._busy_until = False, 0.0, self._at
