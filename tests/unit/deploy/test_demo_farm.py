"""The demo's farm file is a sound one, however long its day."""

from pathlib import Path

import pytest

from deploy.demo_farm import PORTS, orders, write_farm
from services.simulator.fleet import miners_of
from services.simulator.orders import complaints, parse_orders
from shared.clock import SystemClock
from shared.settings import FarmSettings, Secrets, load_farm


def demo_farm(tmp_path: Path, rate: float) -> tuple[FarmSettings, Secrets]:
    secrets = Secrets({"HA_TOKEN": "t"}, {}, tmp_path)
    return load_farm(write_farm(tmp_path, rate, range(5000, 5000 + len(PORTS))), secrets), secrets


@pytest.mark.parametrize("rate", [1.0, 86.4, 864.0, 8640.0])
def test_it_can_be_read_and_its_orders_be_given(tmp_path: Path, rate: float) -> None:
    farm, secrets = demo_farm(tmp_path, rate)
    miners = miners_of(farm, secrets, SystemClock(rate=rate))
    assert complaints(parse_orders(orders(rate)), miners) == []
    assert {name for name, miner in farm.miners.items() if miner.worker} == {"s19-20", "rig-7", "rig-8"}
    assert farm.pools["demo-pool"].url == "http://127.0.0.1:5001/api/user/{account}"


def test_a_rig_has_time_for_a_power_cycle_in_real_seconds_before_the_next_try(tmp_path: Path) -> None:
    farm, _ = demo_farm(tmp_path, 864.0)
    rig = farm.miners["rig-7"]
    assert rig.time_until_offline is not None
    patience = rig.status_check_cooldown / 864
    assert patience > rig.off_for * 2 + rig.time_until_offline / 864 / 2
