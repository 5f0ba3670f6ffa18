"""The AxeOS stand-in answers as each generation of the firmware is documented to, and misbehaves on order."""

import json
from typing import Any

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_board import BOARDS
from services.simulator.axeos_firmware import GENERATIONS, Pace
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_loop import Phase
from services.simulator.http import Request, Response, Wire
from shared.clock import VirtualClock

INFO = "/api/system/info"
BITAXES = [generation for generation in GENERATIONS if generation != "nerd"]
PATCH = "/api/system"


def ask(stand_in: AxeOsStandIn, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    response = stand_in.handle(Request(method, path, headers=headers, body=content))
    return response.status, json.loads(response.body) if response.body[:1] in (b"{", b"[") else response.body


def info(stand_in: AxeOsStandIn) -> dict[str, Any]:
    status, answer = ask(stand_in, "GET", INFO)
    assert status == 200
    assert isinstance(answer, dict)
    return answer


# --- what it tells


@pytest.mark.parametrize(
    ("generation", "has", "lacks"),
    [
        ("2.4", "asicCount stratumDiff flipscreen", "maxPower expectedHashrate temp2 hashRate_1m miningPaused"),
        ("2.10", "temp2 minFanSpeed expectedHashrate responseTime", "asicCount manualFanSpeed hashRate_1m"),
        ("2.12", "manualFanSpeed hashRate_1m resetReason ipv4", "miningPaused actualFrequency pools asicCount"),
        ("2.15", "miningPaused actualFrequency pools fullHostname", "poolAddrFamily asicCount"),
        ("nerd", "deviceModel shutdown asicTemps stratum", "boardVersion miningPaused overheat_mode"),
    ],
)
def test_generations_have_their_own_keys(generation: str, has: str, lacks: str, clock: VirtualClock) -> None:
    keys = set(info(AxeOsStandIn(generation, clock=clock)))
    assert set(has.split()) <= keys
    assert not keys & set(lacks.split())
    assert "power_fault" not in keys


def test_values_have_the_types_of_their_generation(clock: VirtualClock) -> None:
    told = {generation: info(AxeOsStandIn(generation, clock=clock)) for generation in GENERATIONS}
    assert [isinstance(told[each]["bestDiff"], str) for each in BITAXES] == [True, True, False, False]
    subscribes = [told[each]["stratumExtranonceSubscribe"] for each in ("2.10", "2.12", "2.15")]
    assert json.dumps(subscribes) == "[0, 0, false]"
    assert [told[each]["frequency"] for each in BITAXES] == [525] * 4


@pytest.mark.parametrize("board", [name for name in BOARDS if name != "nerdqaxe"])
def test_a_board_tells_what_it_is(board: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", board, clock=clock)
    clock.advance(600)
    told, (status, asic) = info(stand_in), ask(stand_in, "GET", "/api/system/asic")
    assert status == 200
    assert (told["boardVersion"], told["ASICModel"]) == (stand_in.board.version, asic["ASICModel"])
    assert asic["deviceModel"] == stand_in.board.model
    assert asic["defaultFrequency"] in asic["frequencyOptions"]
    assert asic["defaultVoltage"] in asic["voltageOptions"]
    assert told["expectedHashrate"] == pytest.approx(
        told["frequency"] * told["smallCoreCount"] * asic["asicCount"] / 1000
    )
    assert (told["vrTemp"] == 0) is (board == "ultra"), "that board has no sensor there"
    assert (told["temp2"] == -1) is (board != "gt")


def test_the_power_of_a_gamma_is_an_estimate_of_five_watts_more_than_its_core_draws(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    stand_in.write({"frequency": 625, "coreVoltage": 1250})
    clock.advance(3600)
    told = info(stand_in)
    assert told["power"] == pytest.approx(22.2, abs=0.3), "as such a board has been seen to say"
    assert told["current"] * told["coreVoltage"] / 1e6 == pytest.approx(told["power"] - 5, abs=0.01)
    assert (told["temp"], told["vrTemp"]) == (pytest.approx(59.9, abs=0.5), pytest.approx(75, abs=2))
    assert told["hashRate"] == pytest.approx(1263, rel=0.03)
    assert stand_in.power_w == pytest.approx(told["power"], rel=0.05), "and what it really draws is not far off"


# --- routes


@pytest.mark.parametrize(
    ("generation", "pause", "asic", "identify", "nothing"),
    [
        ("2.4", 405, 302, 405, 302),
        ("2.10", 404, 200, 404, 404),
        ("2.12", 404, 200, 200, 404),
        ("2.15", 200, 200, 200, 404),
        ("nerd", 405, 200, 405, 302),
    ],
)
def test_missing_routes(
    generation: str, pause: int, asic: int, identify: int, nothing: int, clock: VirtualClock
) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    assert ask(stand_in, "POST", "/api/system/pause")[0] == pause
    assert ask(stand_in, "GET", "/api/system/asic")[0] == asic
    assert ask(stand_in, "POST", "/api/system/identify")[0] == identify
    status, answer = ask(stand_in, "GET", "/api/nothing")
    assert status == nothing
    if status == 404:
        assert answer == {"error": "unknown route"}
    else:
        assert stand_in.handle(Request("GET", "/api/nothing")).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("generation", "origin", "status"),
    [
        ("2.4", "http://homeassistant.example", 200),
        ("2.10", "http://192.168.1.5", 200),
        ("2.10", "http://172.31.0.1:8123", 200),
        ("2.10", "https://192.168.1.5", 401),
        ("2.10", "http://100.64.0.7", 401),
        ("2.12", "http://homeassistant.local", 401),
        ("2.15", "http://homeassistant.local", 200),
        ("2.15", "http://homeassistant.example", 401),
    ],
)
def test_an_origin_from_elsewhere_is_refused(generation: str, origin: str, status: int, clock: VirtualClock) -> None:
    answer = ask(AxeOsStandIn(generation, clock=clock), "GET", INFO, origin=origin)
    assert answer[0] == status
    if status == 401:
        assert answer[1] == b"Unauthorized"


def test_identify_says_hi_for_half_a_minute(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    ask(stand_in, "POST", "/api/system/identify")
    assert stand_in.identifying_until == clock.seconds() + 30
    ask(stand_in, "POST", "/api/system/identify")
    assert stand_in.identifying_until == 0, "a second time takes it back"


# --- changes


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_change_has_an_empty_answer(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    assert ask(stand_in, "PATCH", PATCH, {"frequency": 490, "coreVoltage": 1150, "unknown": 1}) == (200, b"")
    assert info(stand_in)["frequency"] == 490
    assert ask(stand_in, "PATCH", PATCH, b"{nonsense")[0] == 400
    assert ask(stand_in, "PATCH", PATCH, {"hostname": "x" * 11_000})[0] == 500


@pytest.mark.parametrize(
    "bad", [{"coreVoltage": "1100"}, {"frequency": 0}, {"frequency": -5}, {"coreVoltage": None}, {"frequency": [500]}]
)
def test_what_is_bad_is_passed_over_before_2_11_and_rejects_all_since(bad: dict[str, Any], clock: VirtualClock) -> None:
    for generation in BITAXES:
        stand_in = AxeOsStandIn(generation, clock=clock)
        before = dict(stand_in.flash.settings)
        status, answer = ask(stand_in, "PATCH", PATCH, {"temptarget": 55, **bad})
        if stand_in.firmware.number < (2, 11):
            assert (status, answer) == (200, b"")
            assert stand_in.flash.settings == {**before, "temptarget": 55}
        else:
            assert (status, answer) == (400, b"Wrong API input")
            assert stand_in.flash.settings == before
            assert stand_in.flash.writes == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"temptarget": 34}, 400),
        ({"temptarget": 66}, 200),
        ({"overheat_mode": 1}, 400),
        ({"overheat_mode": 0}, 200),
        ({"manualFanSpeed": 101}, 400),
        ({"rotation": 1}, 400),
        ({"rotation": 270}, 200),
        ({"hostname": ""}, 400),
        ({"frequency": 487.5}, 200),
        ({"frequency": 65_536}, 400),
        ({"coreVoltage": 65_535}, 200),
        ({"autofanspeed": True}, 200),
        ({"autofanspeed": 2}, 400),
        ({"fanspeed": "unknown by now"}, 200),
    ],
)
def test_the_table_of_newer_firmware(body: dict[str, Any], status: int, clock: VirtualClock) -> None:
    assert ask(AxeOsStandIn("2.12", clock=clock), "PATCH", PATCH, body)[0] == status


def test_flash_wears_with_every_write_before_2_12(clock: VirtualClock) -> None:
    writes = {}
    for generation in BITAXES:
        stand_in = AxeOsStandIn(generation, clock=clock)
        for _ in range(3):
            ask(stand_in, "PATCH", PATCH, {"frequency": 490, "coreVoltage": 1150})
        writes[generation] = stand_in.flash.writes
    assert writes == {"2.4": 6, "2.10": 6, "2.12": 1, "2.15": 1}


def test_fractions_of_a_megahertz_came_with_2_10(clock: VirtualClock) -> None:
    kept = {}
    for generation in GENERATIONS:
        stand_in = AxeOsStandIn(generation, clock=clock)
        ask(stand_in, "PATCH", PATCH, {"frequency": 487.5})
        kept[generation] = info(stand_in)["frequency"]
    assert kept == {"2.4": 487, "2.10": 487.5, "2.12": 487.5, "2.15": 487.5, "nerd": 600}


def test_a_new_host_name_has_an_answer_from_2_15(clock: VirtualClock) -> None:
    status, answer = ask(AxeOsStandIn("2.15", clock=clock), "PATCH", PATCH, {"hostname": "attic"})
    assert (status, answer["status"]) == (200, "success")
    assert ask(AxeOsStandIn("2.12", clock=clock), "PATCH", PATCH, {"hostname": "attic"}) == (200, b"")


def test_a_restart_is_announced_and_comes_a_second_later(clock: VirtualClock) -> None:
    for generation in BITAXES:
        stand_in = AxeOsStandIn(generation, clock=clock, pace=Pace(booting_seconds=5, starting_seconds=3))
        clock.advance(100)
        status, said = ask(stand_in, "POST", "/api/system/restart")
        assert (status, isinstance(said, dict)) == (200, generation != "2.4")
        assert stand_in.phase is Phase.RUNNING
        clock.advance(1)
        assert stand_in.handle(Request("GET", INFO)).wire is Wire.RESET
        clock.advance(5)
        assert (info(stand_in)["uptimeSeconds"], stand_in.phase) == (5, Phase.STARTING)
        clock.advance(3)
        assert stand_in.hashing


# --- misbehaviour


def test_orders_to_misbehave(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    stand_in.begin(Ill.REFUSES)
    assert ask(stand_in, "PATCH", PATCH, {"frequency": 490})[0] == 500
    assert ask(stand_in, "POST", "/api/system/pause")[0] == 500
    stand_in.end(Ill.REFUSES)
    stand_in.begin(Ill.LIES)
    assert ask(stand_in, "PATCH", PATCH, {"frequency": 490}) == (200, b"")
    assert ask(stand_in, "POST", "/api/system/pause")[0] == 200
    clock.advance(10)
    assert (info(stand_in)["frequency"], info(stand_in)["miningPaused"], stand_in.flash.writes) == (525, False, 0)
    stand_in.begin(Ill.OUTSIDER)
    assert ask(stand_in, "GET", INFO) == (401, b"Unauthorized")
    stand_in.mend()
    stand_in.begin(Ill.GARBAGE)
    assert ask(stand_in, "GET", INFO)[1] == b"<html>"
    stand_in.begin(Ill.SILENT)
    assert stand_in.handle(Request("GET", INFO)) == Response(wire=Wire.SILENCE)
    stand_in.mend()
    assert stand_in.ills == {}
    assert info(stand_in)["frequency"] == 525


@pytest.mark.parametrize(("ill", "said"), [(Ill.BLIND, None), (Ill.COLD, -1)])
def test_sensors_that_say_nothing(ill: Ill, said: object, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    stand_in.begin(ill)
    assert [info(stand_in)[key] for key in ("temp", "temp2", "vrTemp")] == [said] * 3


def test_numbers_as_text_and_a_hashrate_beyond_belief(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    stand_in.begin(Ill.TEXT)
    stand_in.begin(Ill.ABSURD)
    told = info(stand_in)
    assert (told["coreVoltage"], told["hashRate"]) == ("1150", "200000.0")


def test_what_befalls_twice_is_over_when_both_are(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(clock=clock)
    stand_in.begin(Ill.SILENT)
    stand_in.begin(Ill.SILENT)
    wires = []
    for _ in range(2):
        stand_in.end(Ill.SILENT)
        wires.append(stand_in.faults.wire)
    assert wires == [Wire.SILENCE, Wire.WHOLE]


# --- the web server's only thread


def test_who_polls_every_ten_seconds_is_served_for_ever_and_who_polls_every_second_is_not(clock: VirtualClock) -> None:
    for generation in GENERATIONS:
        patient, pushed = AxeOsStandIn(generation, clock=clock), AxeOsStandIn(generation, clock=clock)
        for _ in range(400):
            clock.advance(10)
            assert ask(patient, "GET", INFO)[0] == ask(patient, "GET", INFO)[0] == 200
        answered = 0
        while pushed.handle(Request("GET", INFO)).wire is Wire.WHOLE:
            clock.advance(1)
            answered += 1
            assert answered < 1000
        assert pushed.server_dead
        assert pushed.hashing, "it mines on"
        clock.advance(3600)
        assert pushed.handle(Request("GET", INFO)).wire is Wire.SILENCE, "rest alone does not help"
        pushed.cut_power()
        pushed.restore_power()
        clock.advance(60)
        assert info(pushed)


def test_requests_at_once_wait_for_one_another_and_too_many_are_left_without_an_answer(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.4", clock=clock, pace=Pace(answer_seconds=0.1))
    answers = [stand_in.handle(Request("GET", INFO)) for _ in range(8)]
    assert [answer.delay_seconds for answer in answers[:7]] == pytest.approx([0.1 * n for n in range(1, 8)])
    assert answers[7].wire is Wire.SILENCE, "it has seven sockets"
    clock.advance(1)
    assert stand_in.handle(Request("GET", INFO)).delay_seconds == pytest.approx(0.1)
