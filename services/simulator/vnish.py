"""A VNish miner without hardware: its web server, its tokens, and every fault that real ones have shown."""

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.simulator import vnish_answers as answers
from services.simulator import vnish_config as config
from services.simulator.http import Request, Response, Wire, html_response, json_response
from services.simulator.vnish_firmware import FIRMWARES, Faults, Pace, StandInPreset
from services.simulator.vnish_machine import FULL_PERCENT, VnishMachine
from shared.clock import Clock

PREFIX = "/api/v1"
THROTTLE_MIN_PERCENT = 20
HEARD_KEPT = 2000
_UNLOCKS_PER_MINUTE = 10
_ROUTE_HTML = "<!doctype html><html><head><title>AnthillOS</title></head><body></body></html>"


@dataclass(frozen=True)
class Heard:
    """One request as it came in."""

    method: str
    path: str
    """Without the prefix."""
    body: Any
    authorized: bool
    by: str = ""
    """Whose password the request's token was given for; empty for the miner's own, and for requests without a token."""
    at_seconds: float = 0.0
    """On the stand-in's own clock."""


class VnishStandIn(VnishMachine):
    """`handle` is the miner's web server; the rest is what a test or a demo asks of the machine behind it."""

    def __init__(
        self,
        generation: str = "1.2.6",
        *,
        clock: Clock,
        nominal_w: int = 3250,
        presets: tuple[StandInPreset, ...] = (),
        password: str = "admin",  # noqa: S107 - the firmware's factory default
        pace: Pace | None = None,
    ) -> None:
        super().__init__(FIRMWARES[generation], clock, nominal_w, presets, pace or Pace())
        self.faults = Faults()
        self.heard: deque[Heard] = deque(maxlen=HEARD_KEPT)
        self.preset_needs_restart = True
        self.blinks = False
        """Whether it shows which machine it is."""
        self.identified = 0
        """How often somebody has asked it to."""
        self.password = password
        self.passwords_of: Mapping[str, str] = {}
        """Further passwords, by whom they belong to: so a test can tell apart who asks for what."""
        self._tokens: dict[str, tuple[float, str]] = {}
        self._unlocks: list[float] = []
        self._back_at = 0.0

    def restore_power(self) -> None:
        if not self.frailty.powered:
            self.expire_tokens()
            self._back_at = self.clock.seconds() + self.pace.reboot_seconds
        super().restore_power()

    def expire_tokens(self) -> None:
        """As after a reboot, or when an operator locks the others out."""
        self._tokens.clear()

    def controls(self) -> list[str]:
        """The paths of all requests so far that were to change something."""
        return [heard.path for heard in list(self.heard) if heard.method == "POST" and heard.path != "/unlock"]

    # --- the web server

    def handle(self, request: Request) -> Response:
        """Answers one request."""
        path = request.path.removeprefix(PREFIX)
        by, authorized = self._author(request)
        self.heard.append(Heard(request.method, path, request.json(), authorized, by, self.clock.seconds()))
        faults = self.faults
        if not self.alive:
            return Response(wire=Wire.SILENCE if self.frailty.powered else Wire.RESET)
        if faults.wire in {Wire.SILENCE, Wire.RESET} or self.clock.seconds() < self._back_at:
            return Response(wire=faults.wire if faults.wire is not Wire.WHOLE else Wire.RESET)
        if not request.path.startswith(PREFIX):
            return html_response(_ROUTE_HTML)
        response = self._answer(request, path)
        if faults.garbage is not None:
            response = Response(body=faults.garbage)
        return Response(response.status, response.body, response.content_type, {}, faults.wire, faults.slow_seconds)

    def _answer(self, request: Request, path: str) -> Response:
        if self._used_up("flooded"):
            return json_response({"unlock_timeout": None}, 429)
        if request.method == "GET":
            open_route = self._open_routes().get(path)
            if open_route is not None:
                return open_route()
        without_token = {"/unlock": self._unlock, "/find-miner": self._find}.get(path)
        if without_token is not None:
            return without_token(request)
        secured = self._secured_routes().get((request.method, path))
        if secured is None:
            return Response(404)
        if self._used_up("unauthorized") or not self._author(request)[1]:
            return Response(401)
        return secured(request)

    def _open_routes(self) -> dict[str, Callable[[], Response]]:
        routes = {"/summary": self._summary, "/info": lambda: json_response(answers.info(self._snapshot()))}
        if self.firmware.status_route != "404" and not (self.faults.flat or self.faults.miner_null):
            routes["/status"] = self._status
        if self.firmware.perf_summary:
            routes["/perf-summary"] = lambda: json_response(
                config.perf_summary(self.live_preset, self.settings, self.presets)
            )
        return routes

    def _secured_routes(self) -> dict[tuple[str, str], Callable[[Request], Response]]:
        routes: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/settings"): lambda _request: json_response(self.settings),
            ("POST", "/settings"): self._write_settings,
            ("GET", "/autotune/presets"): lambda _request: json_response(config.preset_list(self.presets)),
            ("POST", "/system/reboot"): self._reboot,
        }
        for name, begin in (
            ("start", self.start),
            ("resume", self.start),
            ("stop", self.stop),
            ("pause", self.stop),
        ):
            routes["POST", f"/mining/{name}"] = self._controlled(begin)
        routes["POST", "/mining/restart"] = self._controlled(self.restart)
        if self.firmware.throttle:
            routes["POST", "/mining/throttle"] = self._throttle
        return routes

    # --- open routes

    def _status(self) -> Response:
        if self.firmware.status_route == "html":
            return html_response(_ROUTE_HTML)
        return json_response(answers.status(self._snapshot()))

    def _summary(self) -> Response:
        if self.faults.miner_null:
            return json_response({"miner": None})
        snapshot = self._snapshot()
        return json_response(answers.flat_summary(snapshot) if self.faults.flat else answers.summary(snapshot))

    def _find(self, request: Request) -> Response:
        """Without a body it toggles."""
        body = request.json()
        wanted = body.get("on") if isinstance(body, dict) else None
        on = wanted if isinstance(wanted, bool) else not self.blinks
        if not self.faults.yes_and_nothing:
            self.blinks = on
            self.identified += on
        return json_response({"on": on})

    # --- tokens

    def _unlock(self, request: Request) -> Response:
        now = self.clock.seconds()
        self._unlocks = [at for at in self._unlocks if now - at < 60]  # noqa: PLR2004 - a minute
        self._unlocks.append(now)
        if self._used_up("too_many") or len(self._unlocks) > _UNLOCKS_PER_MINUTE:
            return json_response({"unlock_timeout": 60}, 429)
        body = request.json()
        said = body.get("pw") if isinstance(body, dict) else None
        whose = {self.password: "", **{password: name for name, password in self.passwords_of.items()}}
        by = whose.get(said) if isinstance(said, str) else None
        if self._used_up("forbidden") or by is None:
            return json_response({"unlock_timeout": None}, 403)
        token = secrets.token_hex(16)
        self._tokens[token] = (now + self.pace.token_seconds, by)
        return json_response({"token": token})

    def _author(self, request: Request) -> tuple[str, bool]:
        """Whose token comes with a request, and whether it still counts."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends_at, by = self._tokens.get(token, (float("-inf"), ""))
        return by, self.clock.seconds() < ends_at

    # --- controls

    def _controlled(self, begin: Callable[[], None]) -> Callable[[Request], Response]:
        def control(request: Request) -> Response:
            if self.faults.server_error:
                mode = "pause" if request.path.endswith(("stop", "pause")) else "resume"
                return json_response({"err": f"CGMiner err: Cgminer error failed-to-activate-{mode}-mode "}, 500)
            if not self.faults.yes_and_nothing:
                begin()
            return Response()

        return control

    def _reboot(self, _request: Request) -> Response:
        if not self.faults.yes_and_nothing:
            self.expire_tokens()
            self._back_at = self.clock.seconds() + self.pace.reboot_seconds
            self.restart()
        return json_response({"after": 3})

    def _throttle(self, request: Request) -> Response:
        body = request.json()
        percent = body.get("percent") if isinstance(body, dict) else None
        if (
            not isinstance(percent, int)
            or not THROTTLE_MIN_PERCENT <= percent <= FULL_PERCENT
            or self.faults.server_error
        ):
            return json_response({"err": "could not throttle"}, 500)
        if not self.faults.yes_and_nothing:
            self.throttled_percent = percent
        return json_response({"restart_required": False, "reboot_required": False})

    def _write_settings(self, request: Request) -> Response:
        if self.faults.server_error:
            return json_response({"err": "could not write"}, 500)
        body = request.json()
        if self.faults.yes_and_nothing or not isinstance(body, dict):
            return json_response({"restart_required": False, "reboot_required": False})
        wanted = body.get("miner", {}).get("overclock", {}).get("preset")
        tuned = {preset.name for preset in self.presets if preset.tuned} | {"disabled", None}
        if wanted in tuned:  # choosing an untuned one gets its yes and changes nothing
            self.settings = config.merged(self.settings, body)
        if self.faults.wipes_pools:
            self.settings["miner"]["pools"] = []
        moved = self.live_preset != self.chosen_preset
        if not self.hashing or not self.preset_needs_restart:
            self.live_preset, moved = self.chosen_preset, False
        return json_response({"restart_required": moved, "reboot_required": False})

    def _used_up(self, name: str) -> bool:
        left = getattr(self.faults, name)
        if left > 0:
            setattr(self.faults, name, left - 1)
        return bool(left > 0)

    def _snapshot(self) -> answers.Snapshot:
        return self.snapshot(unlocked=bool(self._tokens))
