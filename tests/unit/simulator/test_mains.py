"""What hangs on an outlet: without power nothing answers, and what hangs comes back by a power cycle."""

from collections.abc import Callable

import pytest
import requests

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.http import Handler, Request, Wire
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from services.simulator.orders import StandIn, carry_out, complaints, parse_orders
from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock
from tests.farm import session_to

MACHINES: dict[str, Callable[[VirtualClock], StandIn]] = {
    "vnish": lambda clock: VnishStandIn(clock=clock),
    "bitaxe": lambda clock: AxeOsStandIn("2.12", clock=clock),
    "plain": lambda clock: PlainRig(1100, clock=clock),
}
BOOTED_SECONDS = 300
WEB_PAGES = {"vnish": "/api/v1/info", "bitaxe": "/api/system/info"}


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, clock: VirtualClock) -> StandIn:
    return MACHINES[request.param](clock)


@pytest.fixture
def plug(clock: VirtualClock, machine: StandIn) -> KasaMachine:
    plug = KasaMachine(clock=clock)
    plug.plug_in(machine)
    return plug


def hashes(machine: StandIn) -> bool:
    """A function of its own, for nobody knows what time has done to it."""
    return machine.hashing


def order(machine: StandIn, text: str) -> None:
    (one,) = parse_orders(f"10:00 it {text}")
    carry_out(one, machine)


def cycle(plug: KasaMachine, clock: VirtualClock, off_seconds: float = 10) -> None:
    plug.press(on=False)
    clock.advance(off_seconds)
    plug.press(on=True)
    clock.advance(BOOTED_SECONDS)


def answers(handler: Handler, path: str, clock: VirtualClock) -> bool:
    with session_to({"miner.test:80": handler}, clock) as session:
        try:
            return session.get(f"http://miner.test{path}", timeout=2).ok
        except requests.RequestException:
            return False


def test_an_outlet_takes_the_power_away_and_gives_it_back(
    plug: KasaMachine, machine: StandIn, clock: VirtualClock
) -> None:
    clock.advance(BOOTED_SECONDS)
    before_w = plug.outlet().power_w
    assert before_w == machine.power_w > 0
    plug.press(on=False)
    assert (machine.power_w, hashes(machine), plug.outlet().power_w) == (0, False, 0)
    clock.advance(10)
    plug.press(on=True)
    assert not hashes(machine), "it boots first"
    clock.advance(BOOTED_SECONDS)
    assert hashes(machine)
    assert plug.outlet().power_w == pytest.approx(before_w, rel=0.1)


def test_what_hangs_comes_back_by_a_power_cycle(plug: KasaMachine, machine: StandIn, clock: VirtualClock) -> None:
    clock.advance(BOOTED_SECONDS)
    before_w = machine.power_w
    order(machine, "hang")
    clock.advance(BOOTED_SECONDS)
    assert not hashes(machine)
    assert 0 < machine.power_w < before_w / 3
    cycle(plug, clock)
    assert hashes(machine)


def test_a_cut_that_is_too_short_cures_nothing(plug: KasaMachine, machine: StandIn, clock: VirtualClock) -> None:
    order(machine, "hang")
    cycle(plug, clock, off_seconds=2)
    assert not hashes(machine)
    cycle(plug, clock, off_seconds=3)
    assert hashes(machine)


def test_an_unstable_one_hangs_again_after_each_cycle(plug: KasaMachine, machine: StandIn, clock: VirtualClock) -> None:
    order(machine, "unstable 20")
    assert not hashes(machine)
    for _ in range(2):
        cycle(plug, clock)
        assert hashes(machine)
        clock.advance(20 * 60 - BOOTED_SECONDS)
        assert not hashes(machine)
    order(machine, "mend")
    clock.advance(BOOTED_SECONDS)
    assert hashes(machine)
    cycle(plug, clock)
    clock.advance(3600)
    assert hashes(machine)


def test_what_is_mended_while_it_has_no_power_waits_for_it(
    plug: KasaMachine, machine: StandIn, clock: VirtualClock
) -> None:
    order(machine, "hang")
    plug.press(on=False)
    order(machine, "mend")
    clock.advance(BOOTED_SECONDS)
    assert (machine.power_w, hashes(machine)) == (0, False)
    plug.press(on=True)
    clock.advance(BOOTED_SECONDS)
    assert hashes(machine)


@pytest.mark.parametrize("kind", WEB_PAGES)
def test_its_web_server_goes_with_it(kind: str, clock: VirtualClock) -> None:
    machine, path = MACHINES[kind](clock), WEB_PAGES[kind]
    assert not isinstance(machine, PlainRig)
    plug = KasaMachine(clock=clock)
    plug.plug_in(machine)
    assert answers(machine.handle, path, clock)
    order(machine, "hang")
    assert not answers(machine.handle, path, clock)
    cycle(plug, clock)
    assert answers(machine.handle, path, clock)
    plug.press(on=False)
    assert not answers(machine.handle, path, clock)
    plug.press(on=True)
    assert not answers(machine.handle, path, clock), "it boots first"


def test_a_reboot_does_not_help_what_hangs(clock: VirtualClock) -> None:
    for machine in (VnishStandIn(clock=clock), AxeOsStandIn(clock=clock)):
        order(machine, "hang")
        order(machine, "reboots")
        clock.advance(BOOTED_SECONDS)
        assert not hashes(machine)
        assert machine.handle(Request("GET", "/")).wire is Wire.SILENCE


def shares_told(machine: VnishStandIn) -> int:
    told = machine.handle(Request("GET", "/api/v1/summary")).body
    return int(Request("GET", "/", body=told).json()["miner"]["pools"][0]["accepted"])


def test_a_frozen_vnish_tells_its_hashrate_and_finds_nothing(clock: VirtualClock) -> None:
    machine = VnishStandIn(clock=clock)
    clock.advance(600)
    before = shares_told(machine)
    assert before > 20
    order(machine, "freeze")
    clock.advance(600)
    told = Request("GET", "/", body=machine.handle(Request("GET", "/api/v1/summary")).body).json()["miner"]
    assert told["miner_status"]["miner_state"] == "mining"
    assert told["instant_hashrate"] > 0
    assert (shares_told(machine), hashes(machine), machine.power_w) == (before, False, 3250)
    machine.restart()
    clock.advance(600)
    assert hashes(machine)
    assert shares_told(machine) > 20  # counted anew


def test_a_frozen_bitaxe_comes_back_by_its_own_restart(clock: VirtualClock) -> None:
    machine = AxeOsStandIn("2.12", clock=clock)
    order(machine, "freeze")
    assert not hashes(machine)
    machine.reboot()
    clock.advance(BOOTED_SECONDS)
    assert hashes(machine)


def test_the_house_and_the_outlet_both_have_a_say(clock: VirtualClock) -> None:
    machine = AxeOsStandIn("2.12", clock=clock)
    machine.begin(Ill.OFF)
    machine.cut_power()
    machine.end(Ill.OFF)
    clock.advance(BOOTED_SECONDS)
    assert machine.power_w == 0, "its outlet is still off"
    machine.begin(Ill.OFF)
    machine.restore_power()
    clock.advance(BOOTED_SECONDS)
    assert machine.power_w == 0, "the house is dark"
    machine.end(Ill.OFF)
    clock.advance(BOOTED_SECONDS)
    assert hashes(machine)


def test_a_rig_without_an_api_knows_few_orders(clock: VirtualClock) -> None:
    machines: dict[str, StandIn] = {"rig-7": PlainRig(1100, clock=clock)}
    assert not complaints(parse_orders("10:00 rig-7 hang, 11:00 rig-7 unstable 5, 12:00 rig-7 mend"), machines)
    (found,) = complaints(parse_orders("10:00 rig-7 heat 70"), machines)
    assert "rig-7 has no API, and knows no 'heat': mend, hang, unstable" in found
