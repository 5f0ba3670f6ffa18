"""The simulated farm: stand-ins at every address of a farm file, and one site that their miners draw from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_server import AxeOsServer
from services.simulator.fleet import miners_of
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.kasa_park import KasaPark
from services.simulator.mains import PlainRig
from services.simulator.orders import Order, StandIn, carry_out, complaints
from services.simulator.places import SimulationError, listen, loopback
from services.simulator.site import Site, SiteShape
from shared.clock import Clock
from shared.settings import Address, FarmSettings, HomeAssistantSettings, Secrets

__all__ = ["SimulatedFarm", "SimulationError", "Weather"]

START_SOC_PERCENT = 76.0
STEP_SECONDS = 0.1
_SHAPED_FOR_W = 6900.0  # the demo's miners together: the site's default panels and battery fit them
_POWER_STEP_W = 10
_WAITS_SECONDS = 3.0

_PERCENT = {"unit_of_measurement": "%", "device_class": "battery", "state_class": "measurement"}
_WATTS = {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"}


@dataclass(frozen=True)
class Weather:
    """How the simulated day begins."""

    state_of_charge_percent: float = START_SOC_PERCENT
    shape: SiteShape = field(default_factory=SiteShape)


class SimulatedFarm:
    """A loop: each step lets the site catch up with the clock and tells Home Assistant's stand-in how things stand."""

    def __init__(
        self,
        farm: FarmSettings,
        secrets: Secrets,
        clock: Clock,
        weather: Weather | None = None,
        orders: tuple[Order, ...] = (),
    ) -> None:
        self._clock = clock
        self._made_at_seconds = clock.seconds()
        self._settings = _home_assistant_of(farm)
        self._addresses = {
            name: loopback(f"miners.{name}.host", miner.host)
            for name, miner in farm.miners.items()
            if miner.host is not None
        }
        self._servers: list[HttpServer | AxeOsServer] = []
        self.miners = miners_of(farm, secrets, clock)
        self.plugs = KasaPark(farm, secrets, clock, self.miners)
        self._orders = _sound(orders, self.miners)
        self._ordered_until = clock.now()
        self._zone = ZoneInfo(farm.site.time_zone)
        self.home_assistant = _stand_in(self._settings, secrets.get("HA_TOKEN") or "", clock)
        weather = weather or Weather()
        shape = _fitted(weather.shape, self.miners)
        shape = replace(shape, time_zone=farm.site.time_zone)
        self.site = Site(shape, clock.now(), weather.state_of_charge_percent)

    def start(self) -> None:
        """Listens everywhere. Raises SimulationError, after which nothing listens."""
        try:
            self._show()
            listen("battery.home_assistant", self.home_assistant.port, self.home_assistant.start)
            for name, address in self._addresses.items():
                self._serve(name, self.miners[name], address)
            self.plugs.start()
        except SimulationError:
            self.close()
            raise

    def step(self) -> float:
        now = self._clock.now()
        self._give_orders()
        self.plugs.count()
        if self._somebody_looks():
            drawn_w = sum(miner.power_w for miner in self.miners.values())
            self.site.advance((now - self.site.now).total_seconds(), drawn_w)
        else:
            self.site.now = now
        self._show()
        return STEP_SECONDS

    def close(self) -> None:
        self.home_assistant.stop()
        for server in self._servers:
            server.stop()
        self.plugs.stop()

    def share_sources(self) -> Mapping[str, Callable[[], bool]]:
        """Of each miner, whether it really computes now: what its pool gets to see of it."""
        return {name: partial(_hashes, stand_in) for name, stand_in in self.miners.items()}

    def _somebody_looks(self) -> bool:
        """Whether the services are up. On a fast clock the battery would lose hours while they start."""
        if self._clock.seconds() - self._made_at_seconds > _WAITS_SECONDS:
            return True
        return self.home_assistant.requests > 0 and self.plugs.heard and all(self._is_heard())

    def _is_heard(self) -> Iterator[bool]:
        for miner in self.miners.values():
            yield isinstance(miner, PlainRig) or bool(miner.heard)

    def _give_orders(self) -> None:
        since, self._ordered_until = self._ordered_until, self._clock.now()
        for order in self._orders:
            if order.is_due(since, self._ordered_until, self._zone):
                carry_out(order, self.miners[order.miner])

    def _serve(self, name: str, stand_in: StandIn, address: Address) -> None:
        if isinstance(stand_in, PlainRig):
            return
        server: HttpServer | AxeOsServer
        server = AxeOsServer(stand_in) if isinstance(stand_in, AxeOsStandIn) else HttpServer(stand_in.handle)
        listen(f"miners.{name}", address.port, lambda: server.start(address.host, address.port))
        self._servers.append(server)

    def _show(self) -> None:
        flows, settings, show = self.site.flows, self._settings, self.home_assistant.set_state
        show(settings.state_of_charge, f"{self.site.state_of_charge_percent:.1f}", _PERCENT)
        battery_sign = 1 if settings.battery_power_sign == "charging_positive" else -1
        grid_sign = 1 if settings.grid_power_sign == "import_positive" else -1
        powers = {
            settings.battery_power: flows.battery_w * battery_sign,
            settings.pv_power: flows.pv_w,
            settings.load_power: flows.load_w + flows.miners_w,
            settings.grid_power: flows.grid_w * grid_sign,
        }
        for entity_id, power_w in powers.items():
            if entity_id is not None:
                show(entity_id, str(round(power_w / _POWER_STEP_W) * _POWER_STEP_W), _WATTS)
        if settings.grid_available is not None:
            show(settings.grid_available, "on" if self.site.grid_available else "off", {})


def _home_assistant_of(farm: FarmSettings) -> HomeAssistantSettings:
    if farm.battery is None or farm.battery.home_assistant is None:
        message = "battery.home_assistant is missing: the simulator stands in for Home Assistant, so give its url"
        raise SimulationError(message)
    return farm.battery.home_assistant


def _stand_in(settings: HomeAssistantSettings, token: str, clock: Clock) -> HomeAssistantStandIn:
    parts = urlsplit(settings.url)
    if parts.scheme != "http":
        message = f"battery.home_assistant.url: {settings.url}: the simulator speaks http only"
        raise SimulationError(message)
    address = loopback("battery.home_assistant.url", Address(parts.hostname or "", parts.port or 80))
    return HomeAssistantStandIn(token=token, clock=clock, host=address.host, port=address.port, path=parts.path)


def _hashes(stand_in: StandIn) -> bool:
    return stand_in.hashing


def _sound(orders: tuple[Order, ...], miners: dict[str, StandIn]) -> tuple[Order, ...]:
    found = complaints(orders, miners)
    if found:
        raise SimulationError("; ".join(found))
    return orders


def _fitted(shape: SiteShape, miners: Mapping[str, StandIn]) -> SiteShape:
    """A site as large as its miners need it, and never smaller than the given one."""
    factor = max(1.0, sum(miner.nominal_w for miner in miners.values()) / _SHAPED_FOR_W)
    grown = ("battery_wh", "charge_limit_w", "discharge_limit_w", "pv_peak_w")
    return replace(shape, **{name: getattr(shape, name) * factor for name in grown})
