"""Kasa machines without a wire: what the real library never asks, faults, days of the meter, and the park of a farm."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.simulator.fleet import miners_of
from services.simulator.http import Wire
from services.simulator.kasa_cipher import hidden, shown
from services.simulator.kasa_legacy import answered
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_park import KasaPark
from services.simulator.kasa_smart import answered as smart_answered
from services.simulator.mains import PlainRig
from services.simulator.places import SimulationError
from shared.clock import VirtualClock
from shared.device import DeviceError, NonsenseError, RefusedError, UnauthorizedError, UnreachableError
from shared.settings import FarmSettings, Secrets
from tests.kasa_in_process import PATIENCE_SECONDS, InProcessStrip

SECRETS = Secrets({}, {}, Path("/nonexistent"))


@pytest.fixture
def strip(clock: VirtualClock) -> KasaMachine:
    return KasaMachine("HS300", clock=clock, name="Strip", aliases=["Rig 1"])


def relay(state: int, *ids: str) -> dict[str, Any]:
    return {"context": {"child_ids": list(ids)}, "system": {"set_relay_state": {"state": state}}}


def test_the_cipher_is_its_own_way_back() -> None:
    text = bytes(range(256))
    assert shown(hidden(text)) == text
    assert hidden(b"{}") == bytes([171 ^ 0x7B, 171 ^ 0x7B ^ 0x7D])


def test_what_nobody_knows_is_said(strip: KasaMachine) -> None:
    assert answered(strip, {"smartlife": {"x": {}}})["smartlife"]["err_code"] == -1
    assert answered(strip, {"system": {"dance": {}}})["system"]["dance"]["err_code"] == -2
    assert answered(strip, ["no object"])["err_code"] == -3
    assert smart_answered(strip, {"method": "dance"}) == {"error_code": -1002}


def test_a_strip_without_a_choice_switches_everything_and_it_is_counted(strip: KasaMachine) -> None:
    answered(strip, {"system": {"set_relay_state": {"state": 0}}})
    assert strip.parent_switched == 1
    assert not any(outlet.on for outlet in strip.outlets)


@pytest.mark.parametrize("ids", [("nobody",), ()])
def test_a_choice_of_nobody_switches_nothing(strip: KasaMachine, ids: tuple[str, ...]) -> None:
    said = answered(strip, relay(0, *ids))
    assert said["system"]["set_relay_state"]["err_code"] != 0
    assert all(outlet.on for outlet in strip.outlets)


def test_a_relay_that_stands_so_already_is_not_moved(strip: KasaMachine) -> None:
    answered(strip, relay(1, strip.outlets[0].identifier))
    assert not strip.switched


@pytest.mark.parametrize("model", ["HS103", "KP115"])
def test_a_meter_that_fails_says_so(model: str, clock: VirtualClock) -> None:
    plug = KasaMachine(model, clock=clock)
    plug.faults.meter_fails = True
    told = answered(plug, {"emeter": {"get_realtime": {}}})["emeter"]
    assert told.get("get_realtime", told)["err_code"] != 0
    assert InProcessStrip(plug).read(meters=True).outlets[0].meter is None


def test_the_meter_counts_by_days(clock: VirtualClock) -> None:
    plug = KasaMachine("KP115", clock=clock)
    plug.plug_in(PlainRig(1000, clock=clock))
    outlet = plug.outlet()
    day: datetime = clock.now().astimezone()
    clock.advance(3600)
    plug.count()
    assert (outlet.today_wh, outlet.month_wh, outlet.total_wh) == (1000, 1000, 1000)
    while clock.now().astimezone().date() == day.date():
        clock.advance(600)
        plug.count()
    assert outlet.today_wh < 200
    assert outlet.month_wh == pytest.approx(outlet.total_wh)
    clock.advance(31 * 86_400)
    plug.count()
    assert outlet.month_wh < outlet.total_wh


# --- in the place of the agent's connection


def test_in_process_it_is_read_and_switched(strip: KasaMachine, clock: VirtualClock) -> None:
    link = InProcessStrip(strip, clock.advance)
    strip.plug_in(PlainRig(1100, clock=clock))
    reading = link.read(meters=False)
    assert (reading.model, reading.alias, reading.has_meter, len(reading.outlets)) == ("HS300(US)", "Strip", True, 6)
    first = reading.outlets[0]
    assert (first.alias, first.number, first.on, first.meter) == ("Rig 1", 1, True, None)
    meter = link.read(meters=True).outlets[0].meter
    assert meter is not None
    assert meter.power_w == 1100
    link.switch(first.outlet_id, on=False)
    assert [outlet.on for outlet in link.read(meters=False).outlets] == [False] + [True] * 5
    assert link.reads == [False, True, False]


def test_in_process_faults_are_the_agents_own_errors(strip: KasaMachine, clock: VirtualClock) -> None:
    link, first = InProcessStrip(strip, clock.advance), strip.outlets[0]

    def raised(kind: type[DeviceError]) -> None:
        with pytest.raises(kind):
            link.switch(first.identifier, on=False)

    strip.faults.refuses = True
    raised(RefusedError)
    strip.faults.refuses, strip.faults.garbage = False, b"<html>"
    raised(NonsenseError)
    strip.faults.garbage, link.locked = None, True
    raised(UnauthorizedError)
    link.locked, link.dead = False, True
    raised(UnreachableError)
    link.dead, strip.faults.wire = False, Wire.SILENCE
    before = clock.seconds()
    raised(UnreachableError)
    assert clock.seconds() - before == PATIENCE_SECONDS
    assert first.on
    strip.faults.wire, strip.faults.mute_relay = Wire.WHOLE, True
    raised(UnreachableError)
    assert not first.on


# --- the park of a farm file


def park(clock: VirtualClock, plugs: dict[str, dict[str, Any]], never: tuple[dict[str, Any], ...] = ()) -> KasaPark:
    miners = {name: {"driver": "plug", "nominal_w": 1000, "plug": plug} for name, plug in plugs.items()}
    farm = FarmSettings.model_validate({"miners": miners, "never_switch": never})
    return KasaPark(farm, SECRETS, clock, miners_of(farm, SECRETS, clock))


def test_a_strip_has_the_outlets_that_the_farm_file_names(clock: VirtualClock) -> None:
    host = "127.0.0.1:9999"
    made = park(
        clock,
        {name: {"host": host, "outlet": outlet} for name, outlet in (("a", "Rig A"), ("b", 1), ("c", "Rig C"))},
        ({"host": host, "outlet": "Router"},),
    )
    (machine,) = made.machines.values()
    assert [outlet.alias for outlet in machine.outlets][:5] == ["Outlet 1", "Rig A", "Rig C", "Router", "Outlet 5"]
    assert [outlet.load is not None for outlet in machine.outlets] == [True, True, True, False, False, False]


def test_plain_plugs_are_with_and_without_a_meter_in_turn(clock: VirtualClock) -> None:
    made = park(clock, {f"rig-{number}": {"host": f"127.0.0.1:{9000 + number}"} for number in range(3)})
    assert [machine.model.meter for machine in made.machines.values()] == [True, False, True]
    assert not made.heard


@pytest.mark.parametrize(
    ("plugs", "told"),
    [
        ({"a": {"host": "192.168.1.50"}}, r"miners\.a\.plug\.host: 192\.168\.1\.50 is not this machine"),
        ({"a": {"host": "127.0.0.1", "outlet": 7}}, r"miners\.a\.plug: the simulated strip has 6 outlets"),
        ({"a": {"host": "127.0.0.1", "outlet": "A", "protocol": "smart"}}, "no strip with smart is simulated"),
    ],
)
def test_what_cannot_be_simulated_is_said(clock: VirtualClock, plugs: dict[str, dict[str, Any]], told: str) -> None:
    with pytest.raises(SimulationError, match=told):
        park(clock, plugs)
