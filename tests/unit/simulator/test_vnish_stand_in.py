"""The VNish stand-in behaves as the firmware is documented to, and misbehaves on order."""

import json
from typing import Any

import pytest

from services.simulator.http import Request, Response, Wire
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS, Pace, StandInPreset
from shared.clock import VirtualClock


def ask(stand_in: VnishStandIn, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    content = b"" if body is None else json.dumps(body).encode()
    response = stand_in.handle(Request(method, f"/api/v1{path}", headers=headers, body=content))
    return response.status, json.loads(response.body) if response.body[:1] in (b"{", b"[") else response.body


def token_of(stand_in: VnishStandIn) -> str:
    return str(ask(stand_in, "POST", "/unlock", {"pw": "admin"})[1]["token"])


def test_states_follow_one_another_at_their_pace(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=Pace(10, 5, 2, 1))
    token = token_of(stand_in)
    ask(stand_in, "POST", "/mining/stop", {}, token)
    assert stand_in.state == "shutting-down"
    clock.advance(2)
    assert (stand_in.state, stand_in.hashing, stand_in.power_w) == ("stopped", False, 12)
    ask(stand_in, "POST", "/mining/start", {}, token)
    seen = []
    for _ in range(18):
        seen.append(stand_in.state)
        clock.advance(1)
    assert list(dict.fromkeys(seen)) == ["starting", "initializing", "auto-tuning", "mining"]
    assert stand_in.power_w == stand_in.nominal_w


def test_a_stop_has_an_empty_body(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    assert ask(stand_in, "POST", "/mining/stop", {}, token_of(stand_in)) == (200, b"")


def test_tokens_are_needed_wear_out_and_can_be_ended(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=Pace(token_seconds=100))
    assert ask(stand_in, "GET", "/summary")[0] == 200
    assert ask(stand_in, "GET", "/settings")[0] == 401
    assert ask(stand_in, "GET", "/settings", token="x" * 32)[0] == 401
    token = token_of(stand_in)
    assert ask(stand_in, "GET", "/settings", token=token)[0] == 200
    clock.advance(101)
    assert ask(stand_in, "GET", "/settings", token=token)[0] == 401
    token = token_of(stand_in)
    stand_in.expire_tokens()
    assert ask(stand_in, "GET", "/settings", token=token)[0] == 401


def test_wrong_passwords_are_refused_and_then_too_many(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    codes = [ask(stand_in, "POST", "/unlock", {"pw": "wrong"})[0] for _ in range(12)]
    assert codes == [403] * 10 + [429] * 2
    clock.advance(61)
    assert ask(stand_in, "POST", "/unlock", {"pw": "admin"})[0] == 200


@pytest.mark.parametrize(
    ("generation", "status", "perf", "throttle"),
    [
        ("1.2.0-beta10", (404, False), 404, 404),
        ("1.2.0-rc5", (200, False), 404, 404),
        ("1.2.6", (200, True), 200, 404),
        ("1.3.4", (200, True), 200, 200),
    ],
)
def test_generations_differ(
    generation: str, status: tuple[int, bool], perf: int, throttle: int, clock: VirtualClock
) -> None:
    stand_in = VnishStandIn(generation, clock=clock)
    code, body = ask(stand_in, "GET", "/status")
    assert (code, isinstance(body, dict)) == status
    assert ask(stand_in, "GET", "/perf-summary")[0] == perf
    assert ask(stand_in, "POST", "/mining/throttle", {"percent": 50}, token_of(stand_in))[0] == throttle
    miner = ask(stand_in, "GET", "/summary")[1]["miner"]
    assert ("throttled" in miner["miner_status"]) is (generation == "1.3.4")
    assert ("power_consumption" in miner) is (generation != "1.2.0-beta10")


def test_an_untuned_preset_gets_its_yes_and_changes_nothing(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(
        clock=clock, nominal_w=2620, presets=(StandInPreset(2620), StandInPreset(1500, tuned=False))
    )
    code, said = ask(stand_in, "POST", "/settings", {"miner": {"overclock": {"preset": "1500"}}}, token_of(stand_in))
    assert (code, said) == (200, {"restart_required": False, "reboot_required": False})
    assert stand_in.chosen_preset == "2620"


def test_a_tuned_preset_runs_after_a_restart_and_pools_posted_empty_are_lost(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=(StandInPreset(2620), StandInPreset(1500)))
    token = token_of(stand_in)
    said = ask(stand_in, "POST", "/settings", {"miner": {"overclock": {"preset": "1500"}}}, token)[1]
    assert said["restart_required"] is True
    assert stand_in.power_w == 2620
    ask(stand_in, "POST", "/mining/restart", {}, token)
    clock.advance(1)
    assert stand_in.power_w == 1500
    assert len(stand_in.settings["miner"]["pools"]) == 2
    ask(stand_in, "POST", "/settings", {"miner": {"pools": []}}, token)
    assert stand_in.settings["miner"]["pools"] == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_orders_to_misbehave(generation: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(generation, clock=clock)
    token, faults = token_of(stand_in), stand_in.faults
    faults.unauthorized = 1
    assert [ask(stand_in, "GET", "/settings", token=token)[0] for _ in range(2)] == [401, 200]
    faults.server_error = True
    code, said = ask(stand_in, "POST", "/mining/stop", {}, token)
    assert code == 500
    assert "failed-to-activate-pause-mode" in said["err"]
    faults.server_error, faults.yes_and_nothing = False, True
    assert ask(stand_in, "POST", "/mining/stop", {}, token)[0] == 200
    assert stand_in.state == "mining"
    faults.flat = True
    assert ask(stand_in, "GET", "/summary")[1]["is_mining"] == "true"
    faults.flat, faults.miner_null = False, True
    assert ask(stand_in, "GET", "/summary")[1] == {"miner": None}
    faults.wire = Wire.SILENCE
    assert stand_in.handle(Request("GET", "/api/v1/summary")) == Response(wire=Wire.SILENCE)
    assert stand_in.heard[-1].path == "/summary"


def test_a_reboot_takes_the_tokens_and_the_web_server_for_a_while(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    token = token_of(stand_in)
    assert ask(stand_in, "POST", "/system/reboot", {}, token) == (200, {"after": 3})
    assert stand_in.handle(Request("GET", "/api/v1/summary")).wire is Wire.RESET
    clock.advance(0.5)
    assert ask(stand_in, "GET", "/settings", token=token)[0] == 401
