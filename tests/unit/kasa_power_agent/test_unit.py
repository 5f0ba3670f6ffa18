"""One strip and its outlets: which is whose, how often it is asked, and what must never be switched."""

from dataclasses import replace
from typing import Any

import pytest

from services.kasa_power_agent.choose import (
    ForbiddenOutletError,
    NoSuchOutletError,
    SharedOutletError,
    Wishes,
    chosen,
)
from services.kasa_power_agent.link import DeviceReading, Meter, OutletReading
from services.simulator.http import Wire
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from shared.messages import PlugTelemetry
from tests.plug_farm import HOST, PlugFarm, rig_on, s19_on

OTHER = "192.0.2.51"
ALIASES = ("Rig 1", "Rig 2", "Rig 3", "Router", "Lamp", "Lamp")


def strip_of(clock: VirtualClock, name: str = "Strip") -> KasaMachine:
    return KasaMachine("HS300", clock=clock, name=name, aliases=ALIASES)


def reading(*outlets: tuple[int | None, str]) -> DeviceReading:
    return DeviceReading(tuple(OutletReading(f"id-{alias}-{number}", True, alias, number) for number, alias in outlets))


STRIP = reading(*enumerate(ALIASES, start=1))
PLAIN = reading((None, "Rig 1"))


def test_an_outlet_is_found_by_alias_by_number_and_alone() -> None:
    def number(wish: str | int | None, device: DeviceReading = STRIP) -> int | None:
        return chosen("a", Wishes({"a": wish}), device).number

    assert number("Rig 2") == 2
    assert number(" rig 2".strip()) == 2
    assert number(1) == 1
    assert number(6) == 6
    assert [number(wish, PLAIN) for wish in (None, 1, "Rig 1")] == [None, None, None]


@pytest.mark.parametrize("wish", ["Rig 9", 7, None, "Lamp"])
def test_what_is_not_there_or_not_clear_is_refused_with_a_list(wish: str | int | None) -> None:
    with pytest.raises(NoSuchOutletError, match=r'1 "Rig 1", 2 "Rig 2".*4 "Router"'):
        chosen("a", Wishes({"a": wish}), STRIP)


@pytest.mark.parametrize("wish", ["Rig 9", 2])
def test_a_plain_plug_has_one_outlet(wish: str | int) -> None:
    with pytest.raises(NoSuchOutletError):
        chosen("a", Wishes({"a": wish}), PLAIN)


@pytest.mark.parametrize("never", ["router", 4, None])
def test_what_feeds_the_network_is_refused_however_it_is_written(never: str | int | None) -> None:
    for wish in ("Router", 4):
        with pytest.raises(ForbiddenOutletError):
            chosen("a", Wishes({"a": wish}, (never,)), STRIP)


def test_an_outlet_that_feeds_the_network_and_is_not_found_may_be_any() -> None:
    with pytest.raises(ForbiddenOutletError, match="Modem"):
        chosen("a", Wishes({"a": 1}, ("Modem",)), STRIP)
    assert chosen("a", Wishes({"a": 1}, ("Router",)), STRIP).number == 1


def test_two_names_for_one_outlet() -> None:
    wishes = Wishes({"a": "Rig 1", "b": 1, "c": 2, "d": None})
    for name in ("a", "b"):
        with pytest.raises(SharedOutletError):
            chosen(name, wishes, STRIP)
    assert chosen("c", wishes, STRIP).number == 2


def test_a_strip_is_asked_once_for_all_and_its_meters_once_a_minute(clock: VirtualClock) -> None:
    miners = {f"rig-{number}": rig_on(number) for number in range(1, 7)}
    farm = PlugFarm(miners, {HOST: strip_of(clock)}, clock)
    assert list(farm.runner.loops) == []
    for name in miners:
        farm.order(name, on=True)
    farm.run(181)
    assert len(farm.runner.loops) == 1
    asked = farm.links[HOST].reads
    assert 17 <= len(asked) <= 19
    assert 3 <= sum(asked) <= 4
    assert all(farm.last(name).settled for name in miners)


def test_one_outlet_of_a_strip_is_switched_and_no_other(clock: VirtualClock) -> None:
    strip = strip_of(clock)
    farm = PlugFarm({"a": rig_on("Rig 1"), "b": s19_on(2)}, {HOST: strip}, clock)
    farm.order("a", on=True)
    farm.order("b", on=True)
    farm.run(20)
    farm.order("a", on=False)
    farm.cycle("b")
    farm.run(40)
    assert [outlet.on for outlet in strip.outlets] == [False, True, True, True, True, True]
    assert {switched.outlet for switched in strip.switched} == {0, 1}
    assert strip.parent_switched == 0


def test_a_plug_that_is_wrongly_named_touches_nobody_else(clock: VirtualClock) -> None:
    strip = strip_of(clock)
    farm = PlugFarm({"a": rig_on("Rig 9"), "b": rig_on("Rig 2")}, {HOST: strip}, clock)
    for name in ("a", "b"):
        farm.order(name, on=False)
    farm.run(30)
    told = farm.last("a")
    assert (told.reachable, told.on, told.problem) == (False, None, "no_such_outlet")
    assert "no outlet 'Rig 9'; there are: 1 \"Rig 1\"" in told.detail
    assert "no_such_outlet" in farm.codes("a")
    assert farm.last("b").on is False
    assert [switched.outlet for switched in strip.switched] == [1]


@pytest.mark.parametrize(
    ("ill", "code"),
    [
        ({"dead": True}, "unreachable"),
        ({"locked": True}, "unauthorized"),
        ({"wire": Wire.SILENCE}, "unreachable"),
        ({"garbage": b"hello"}, "nonsense"),
    ],
)
def test_a_plug_that_fails_is_unknown_and_disturbs_no_other(
    clock: VirtualClock, ill: dict[str, Any], code: str
) -> None:
    farm = PlugFarm(
        {"a": rig_on(), "b": rig_on(1, host=OTHER)},
        {HOST: KasaMachine("KP115", clock=clock), OTHER: strip_of(clock)},
        clock,
    )
    for name in ("a", "b"):
        farm.order(name, on=True)
    farm.run(20)
    for key, value in ill.items():
        holder = farm.links[HOST] if hasattr(farm.links[HOST], key) else farm.links[HOST].machine.faults
        setattr(holder, key, value)
    farm.run(40)
    told = farm.last("a")
    assert (told.reachable, told.on, told.power_w, told.problem) == (False, None, None, code)
    assert farm.miner("a").state == "unknown"
    assert code in farm.codes("a")
    farm.order("b", on=False)
    farm.run(15)
    assert farm.last("b").on is False


def test_a_wrong_password_is_tried_once_a_minute(clock: VirtualClock) -> None:
    farm = PlugFarm({"a": rig_on()}, {HOST: KasaMachine("KP115", clock=clock)}, clock)
    link = farm.links[HOST]
    link.locked = True
    tries = 0
    bear = link._bear

    def counted() -> None:
        nonlocal tries
        tries += 1
        bear()

    link._bear = counted  # type: ignore[method-assign]
    farm.run(185)
    assert tries == 4


def test_another_plug_at_the_address_is_never_switched(clock: VirtualClock) -> None:
    farm = PlugFarm({"a": rig_on()}, {HOST: KasaMachine("KP115", clock=clock, name="one")}, clock)
    farm.order("a", on=True)
    farm.run(20)
    stranger = KasaMachine("KP115", clock=clock, name="two")
    farm.links[HOST].machine = stranger
    farm.order("a", on=False)
    farm.run(60)
    farm.kill()
    farm.launch()
    farm.renew("a")
    farm.run(60)
    assert farm.last("a").problem == "another_device"
    assert stranger.mac in farm.last("a").detail
    assert not stranger.switched


def test_a_relay_that_reads_off_while_power_flows_is_neither_on_nor_off(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)
    machine.plug_in(PlainRig(1100, clock=clock))
    farm = PlugFarm({"a": rig_on()}, {HOST: machine}, clock)
    farm.order("a", on=True)
    farm.run(20)
    link = farm.links[HOST]
    honest = link.read

    def welded(*, meters: bool) -> DeviceReading:
        read = honest(meters=meters)
        return replace(read, outlets=tuple(replace(each, meter=Meter(power_w=900)) for each in read.outlets))

    link.read = welded  # type: ignore[method-assign]
    farm.order("a", on=False)
    farm.run(60)
    told: PlugTelemetry = farm.last("a")
    assert (told.on, told.settled) == (None, False)
    assert {"power_flows", "command_without_effect"} <= set(farm.codes("a"))


def test_a_stand_in_on_this_machine_is_read_as_often_as_the_farm_file_says(clock: VirtualClock) -> None:
    here = "127.0.0.1"
    machines = {here: strip_of(clock), HOST: strip_of(clock, "Other")}
    often = rig_on("Rig 1", host=here)
    often["plug"]["poll"] = "1 s"
    farm = PlugFarm({"a": often, "b": rig_on("Rig 1")}, machines, clock, rules={"poll": "1 s"})
    for machine in machines.values():
        machine.plug_in(PlainRig(1000, clock=clock), "Rig 1")
    farm.run(63)
    often_read, seldom_read = (len(farm.links[host].reads) for host in (here, HOST))
    assert often_read >= 5 * seldom_read > 0
    machines[here].outlet("Rig 1").load = None
    farm.run(8)
    assert farm.last("a").power_w == 0
    farm.close()
