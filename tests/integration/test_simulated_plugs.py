"""A simulated farm whose miners hang on plugs: the real python-kasa switches them, and all the farm feels it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from kasa import Device, DeviceConfig

from services.simulator.farm import SimulatedFarm, SimulationError
from services.simulator.kasa_klap import Account, KlapServer
from services.simulator.orders import parse_orders
from shared.clock import VirtualClock
from shared.settings import Address, FarmSettings, Secrets
from tests.integration.bridge_farm import SOC, TOKEN
from tests.integration.test_simulated_farm import free_port
from tests.kasa_client import klap, turn_off, turn_on, visit

ACCOUNT = Account("owner@example.org", "Open Sesame")
SECRETS = Secrets(
    {"HA_TOKEN": TOKEN, "KASA_USERNAME": ACCOUNT.username, "KASA_PASSWORD": ACCOUNT.password}, {}, Path("/nonexistent")
)


def farm_settings() -> FarmSettings:
    strip = f"127.0.0.1:{free_port()}"
    home = {"url": f"http://127.0.0.1:{free_port()}", "state_of_charge": SOC}
    miners = {
        "s19": {"driver": "vnish", "host": f"127.0.0.1:{free_port()}", "plug": {"host": f"127.0.0.1:{free_port()}"}},
        "rig-7": {"driver": "plug", "nominal_w": 1100, "plug": {"host": strip, "outlet": "Rig 7"}},
        "rig-8": {"driver": "plug", "nominal_w": 900, "plug": {"host": strip, "outlet": 3}},
        "rig-9": {
            "driver": "plug",
            "nominal_w": 500,
            "plug": {"host": f"127.0.0.1:{free_port()}", "protocol": "klap"},
        },
    }
    return FarmSettings.model_validate({"battery": {"home_assistant": home}, "miners": miners})


@pytest.fixture
def settings() -> FarmSettings:
    return farm_settings()


@pytest.fixture
def farm(settings: FarmSettings, clock: VirtualClock) -> Iterator[SimulatedFarm]:
    orders = parse_orders("06:00 rig-7 hang, 06:00 s19 unstable 30")
    simulated = SimulatedFarm(settings, SECRETS, clock, orders=orders)
    simulated.start()
    yield simulated
    simulated.close()


def address_of(settings: FarmSettings, miner: str) -> Address:
    plug = settings.miners[miner].plug
    assert plug is not None
    return plug.host


def plug_of(settings: FarmSettings, miner: str) -> DeviceConfig:
    address = address_of(settings, miner)
    return DeviceConfig(host=address.host, port_override=address.port, timeout=2)


def hashing(farm: SimulatedFarm) -> set[str]:
    return {name for name, hashes in farm.share_sources().items() if hashes()}


def pass_time(farm: SimulatedFarm, clock: VirtualClock, seconds: float) -> None:
    clock.advance(seconds)
    farm.step()


def test_a_miner_goes_dark_with_its_outlet(farm: SimulatedFarm, settings: FarmSettings, clock: VirtualClock) -> None:
    pass_time(farm, clock, 60)
    assert farm.site.flows.miners_w == 3250 + 1100 + 900 + 500
    assert hashing(farm) == {"s19", "rig-7", "rig-8", "rig-9"}
    visit(plug_of(settings, "s19"), turn_off)
    pass_time(farm, clock, 60)
    assert farm.site.flows.miners_w == 1100 + 900 + 500
    assert hashing(farm) == {"rig-7", "rig-8", "rig-9"}
    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://{settings.miners['s19'].host}/api/v1/info", timeout=2)
    visit(plug_of(settings, "s19"), turn_on)
    pass_time(farm, clock, 60)
    assert "s19" in hashing(farm)
    with requests.Session() as session:
        assert session.get(f"http://{settings.miners['s19'].host}/api/v1/info", timeout=2).ok


def test_meters_count_whether_or_not_they_are_asked(
    farm: SimulatedFarm, settings: FarmSettings, clock: VirtualClock
) -> None:
    pass_time(farm, clock, 3600)
    meter = farm.plugs.machines[address_of(settings, "s19")].outlet()
    clock.advance(3600)
    assert meter.total_wh == pytest.approx(3250)


def test_each_rig_has_its_own_outlet_on_the_strip(
    farm: SimulatedFarm, settings: FarmSettings, clock: VirtualClock
) -> None:
    async def use(device: Device) -> None:
        assert [child.alias for child in device.children][:3] == ["Rig 7", "Outlet 2", "Outlet 3"]
        await device.get_plug_by_index(2).turn_off()

    visit(plug_of(settings, "rig-8"), use)
    pass_time(farm, clock, 60)
    assert hashing(farm) == {"s19", "rig-7", "rig-9"}


def test_a_plug_with_an_account_has_the_owners(
    farm: SimulatedFarm, settings: FarmSettings, clock: VirtualClock
) -> None:
    server = next(server for _, server in farm.plugs._servers if isinstance(server, KlapServer))
    assert server.port == address_of(settings, "rig-9").port
    visit(klap(server, ACCOUNT), turn_off)
    pass_time(farm, clock, 60)
    assert "rig-9" not in hashing(farm)


def test_orders_let_miners_hang_until_a_power_cycle(
    farm: SimulatedFarm, settings: FarmSettings, clock: VirtualClock
) -> None:
    pass_time(farm, clock, 2 * 3600)
    assert hashing(farm) == {"rig-8", "rig-9"}
    visit(plug_of(settings, "s19"), turn_off)
    clock.advance(10)
    visit(plug_of(settings, "s19"), turn_on)
    pass_time(farm, clock, 60)
    assert hashing(farm) == {"s19", "rig-8", "rig-9"}
    pass_time(farm, clock, 30 * 60)
    assert hashing(farm) == {"rig-8", "rig-9"}, "unstable: half an hour later it hangs again"


def test_the_battery_waits_until_somebody_asks_the_plugs(farm: SimulatedFarm, settings: FarmSettings) -> None:
    for miner in ("s19", "rig-7"):
        visit(plug_of(settings, miner), turn_on)
    assert not farm.plugs.heard
    server = next(server for _, server in farm.plugs._servers if isinstance(server, KlapServer))
    visit(klap(server, ACCOUNT), turn_on)
    assert farm.plugs.heard


def test_two_devices_of_one_port_are_refused(settings: FarmSettings, clock: VirtualClock) -> None:
    address = address_of(settings, "s19")
    farm, second = (SimulatedFarm(settings, SECRETS, clock) for _ in range(2))
    farm.plugs.start()
    try:
        with pytest.raises(SimulationError, match=rf"port {address.port} is in use"):
            second.plugs.start()
    finally:
        farm.close()
        second.close()
