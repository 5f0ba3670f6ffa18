"""Stand-ins for all that `sunherd discover`, `init` and `check` look at, on addresses of this machine."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_server import AxeOsServer
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.mains import PlainRig
from services.simulator.pool import PoolStandIn, StandInWorker
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock

TOKEN = "a 'long-lived' token"
PASSWORD = "open sesame"
SOC = "sensor.solis_battery_soc"
PERCENT = {"unit_of_measurement": "%", "device_class": "battery"}


@dataclass
class FindingFarm:
    """Five devices, Home Assistant and a pool. Whatever a test breaks, it breaks here."""

    clock: SystemClock
    home_assistant: HomeAssistantStandIn
    pool: PoolStandIn
    vnish: dict[str, VnishStandIn] = field(default_factory=dict)
    bitaxes: dict[str, AxeOsStandIn] = field(default_factory=dict)
    plugs: dict[str, KasaServer] = field(default_factory=dict)
    machines: dict[str, KasaMachine] = field(default_factory=dict)
    servers: dict[str, HttpServer | AxeOsServer] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def stop(self, name: str) -> None:
        """Switches one off: its port is free."""
        self.servers[name].stop()

    def requests(self, name: str) -> list[str]:
        """The paths that one miner was asked for."""
        if name in self.vnish:
            return [heard.path for heard in list(self.vnish[name].heard)]
        return [heard.path for heard in list(self.bitaxes[name].heard)]


@contextmanager
def finding_farm(hosts: dict[str, str] | None = None, port: int = 0) -> Iterator[FindingFarm]:
    """`hosts` by name, where they are not 127.0.0.1; `port` 0: a free one for each."""
    where = hosts or {}
    clock = SystemClock()
    home_assistant = HomeAssistantStandIn(token=TOKEN, clock=clock)
    home_assistant.set_state("sensor.phone_battery", "88", PERCENT)
    home_assistant.set_state("sensor.solar_power", "2100", {"unit_of_measurement": "W"})
    home_assistant.set_state(SOC, "76.2", PERCENT)
    farm = FindingFarm(clock, home_assistant, PoolStandIn(clock, account=None))
    farm.pool.workers["s19-20"] = StandInWorker(clock.now(), 1e14)
    for index, (name, generation) in enumerate((("s19-20", "1.2.6"), ("s19-21", "1.2.0-beta10"))):
        stand_in = farm.vnish[name] = VnishStandIn(generation, clock=clock, password=PASSWORD)
        stand_in.mac = f"02:00:00:00:00:2{index}"
        farm.servers[name] = HttpServer(stand_in.handle)
    for name, generation, board in (("bitaxe-1", "2.15", "gamma"), ("bitaxe-2", "2.4", "supra")):
        axe = farm.bitaxes[name] = AxeOsStandIn(generation, board, clock=clock, name=name)
        axe.pace = replace(axe.pace, request_rest_seconds=0.0)
        farm.servers[name] = AxeOsServer(axe)
    with ExitStack() as stack:
        for name, server in farm.servers.items():
            farm.ports[name] = server.start(where.get(name, "127.0.0.1"), port)
            stack.callback(server.stop)
        machine = farm.machines["rig-7"] = KasaMachine("KP115", clock=clock, name="rig-7", aliases=["Rig 7"])
        machine.plug_in(PlainRig(1100.0, clock=clock), 1)
        farm.plugs["rig-7"] = KasaServer(machine, where.get("rig-7", "127.0.0.1"), 9999 if "rig-7" in where else 0)
        farm.ports["rig-7"] = farm.plugs["rig-7"].start()
        stack.callback(farm.plugs["rig-7"].stop)
        pool = HttpServer(farm.pool.handle)
        farm.ports["pool"] = pool.start()
        stack.callback(pool.stop)
        home_assistant.start()
        stack.callback(home_assistant.stop)
        yield farm
