"""Orders to the simulated farm: read from text, carried out once a day at their time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.http import Wire
from services.simulator.orders import Order, StandIn, carry_out, complaints, parse_orders
from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock


def test_orders_are_read_from_one_text() -> None:
    assert parse_orders("14:00 bitaxe-1 heat 73.5, 16:30 s19-20 mend,") == (
        Order(time(14), "bitaxe-1", "heat", 73.5),
        Order(time(16, 30), "s19-20", "mend"),
    )
    assert parse_orders("") == ()


@pytest.mark.parametrize(
    "text", ["14:00 bitaxe-1", "noon b heat", "14:00 b heat hot", "14:00 b explode", "14:00 b heat 1 2"]
)
def test_what_is_no_order_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no order"):
        parse_orders(text)


@pytest.mark.parametrize("step", [timedelta(seconds=7), timedelta(hours=5), timedelta(days=3)])
def test_an_order_comes_once_a_day_by_the_sites_own_clock(step: timedelta) -> None:
    order, zone = Order(time(14), "b", "heat"), ZoneInfo("Europe/Lisbon")
    now, end = datetime(2026, 6, 21, 4, tzinfo=UTC), datetime(2026, 6, 27, 4, tzinfo=UTC)
    found = []
    while now < end:
        if order.is_due(now, now + step, zone):
            found.append(now)
        now += step
    assert len(found) == min(6, 6 * timedelta(days=1) // step)
    first = datetime(2026, 6, 21, 13, tzinfo=UTC)
    assert found[0] < first <= found[0] + step


def test_orders_are_carried_out_and_mended(clock: VirtualClock) -> None:
    bitaxe, vnish = AxeOsStandIn(clock=clock), VnishStandIn(clock=clock)
    heat, silent, mend = Order(time(1), "b", "heat", 73), Order(time(1), "b", "silent"), Order(time(2), "b", "mend")
    carry_out(heat, bitaxe)
    clock.advance(1000)
    assert bitaxe.chip_celsius == pytest.approx(73, abs=0.1)
    for miner in (bitaxe, vnish):
        carry_out(silent, miner)
        said = [miner.faults.wire]
        carry_out(mend, miner)
        assert [*said, miner.faults.wire] == [Wire.SILENCE, Wire.WHOLE]
    clock.advance(1000)
    assert bitaxe.chip_celsius < 56


def test_orders_for_nobody_are_complained_of(clock: VirtualClock) -> None:
    miners: dict[str, StandIn] = {"b": AxeOsStandIn(clock=clock), "s19": VnishStandIn(clock=clock)}
    orders = parse_orders("10:00 b heat, 10:00 s19 heat, 10:00 c mend, 10:00 s19 lies")
    found = complaints(orders, miners)
    assert len(found) == 2
    assert "s19 runs VNish, which knows no 'heat'" in found[0]
    assert "no miner is called 'c': there are b, s19" in found[1]
