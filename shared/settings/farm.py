"""The shape of `farm.yaml`, section by section. Unknown keys are errors; every default is the safe one."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.duration import Duration, at_least
from shared.messages import Identifier
from shared.schedule import Timetable
from shared.settings.address import BrokerUrl
from shared.settings.miner import MinerSettings
from shared.settings.plug import NeverSwitch
from shared.settings.pools import PoolSettings
from shared.settings.schedule import AnySchedule, timetables
from shared.settings.section import Section, Watts
from shared.sun import Place

_JSON_PATH = re.compile(r"([^.\[\]]+|\[\d{1,6}\])(\.[^.\[\]]+|\[\d{1,6}\])*")


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class SiteSettings(Section):
    """Where the farm is."""

    id: Identifier = "home"
    time_zone: str = "UTC"
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a directory, such as Europe
            message = f"{value!r} is not a time zone: write one such as Europe/Lisbon"
            raise ValueError(message) from error
        return value


class BrokerSettings(Section):
    """The MQTT broker. Without `url` the embedded run brings its own. Password: MQTT_PASSWORD."""

    url: BrokerUrl | None = None
    username: str | None = None
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = "sunherd"
    ca_file: Annotated[str, Field(min_length=1)] | None = None
    """With mqtts: the certificate of the authority that vouches for the broker; without it the system's count."""

    @model_validator(mode="after")
    def _trust_needs_tls(self) -> Self:
        if self.ca_file is not None and not (self.url or "").startswith("mqtts:"):
            message = "ca_file is for a broker with TLS: write its url as mqtts://...:8883"
            raise ValueError(message)
        return self


class HomeAssistantSettings(Section):
    """Entities to read. Powers may be W, kW or MW, as their unit says. Token: HA_TOKEN."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
    state_of_charge: str
    battery_power: str | None = None
    battery_power_sign: Literal["charging_positive", "discharging_positive"] = "charging_positive"
    pv_power: str | None = None
    load_power: str | None = None
    grid_power: str | None = None
    grid_power_sign: Literal["import_positive", "export_positive"] = "import_positive"
    grid_available: str | None = None
    poll: Duration = _seconds(30)

    @field_validator("state_of_charge", "battery_power", "pv_power", "load_power", "grid_power", "grid_available")
    @classmethod
    def _entity_id(cls, value: str | None) -> str | None:
        domain, _, name = (value or "a.b").partition(".")
        if not domain or not name or (value is not None and value != value.strip().lower()):
            message = f"{value!r} is not an entity id: write it as Home Assistant shows it, such as sensor.battery_soc"
            raise ValueError(message)
        return value


class MqttValueSettings(Section):
    """One value on a topic: plain text, or a place in a JSON payload such as `battery.soc`."""

    topic: Annotated[str, Field(min_length=1)]
    path: str = ""
    scale: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Multiplies the number; -1 turns a sign round."""

    @field_validator("path")
    @classmethod
    def _place_in_json(cls, value: str) -> str:
        if value and not _JSON_PATH.fullmatch(value):
            message = f"{value!r} is not a place in JSON: write it like battery.soc or packs[0].soc"
            raise ValueError(message)
        return value


class MqttSourceSettings(Section):
    """A state of charge that is already on a broker. `preset` names a known source; single values override it."""

    preset: Literal["victron", "solar_assistant", "evcc", "statestream"] | None = None
    url: BrokerUrl | None = None
    """Another broker than the farm's. Password: SOURCE_MQTT_PASSWORD."""
    username: str | None = None
    base: str | None = None
    """Where the preset's topics begin, when not as the source publishes them by default."""
    portal_id: str | None = None
    """Victron only; learned from the broker where it is not given."""
    state_of_charge: MqttValueSettings | str | None = None
    battery_power: MqttValueSettings | str | None = None
    pv_power: MqttValueSettings | str | None = None
    load_power: MqttValueSettings | str | None = None
    grid_power: MqttValueSettings | str | None = None
    grid_available: MqttValueSettings | str | None = None
    alive: str | None = None
    """A topic filter whose messages prove that the source still stands by its last values."""

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if self.state_of_charge is None and self.preset in {None, "statestream"}:
            message = "state_of_charge is missing: give its topic, or the preset victron, solar_assistant or evcc"
            raise ValueError(message)
        return self


class BatterySettings(Section):
    """Exactly one source of the state of charge."""

    home_assistant: HomeAssistantSettings | None = None
    mqtt: MqttSourceSettings | None = None
    unconfirmed_after: Duration = _seconds(300)
    """A value that the source has not confirmed for so long is unknown."""
    max_unchanged: Duration = _seconds(6 * 3600)
    """A state of charge that stands still for longer is warned about, never taken for stale."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.home_assistant is None) == (self.mqtt is None):
            message = "give exactly one source: home_assistant or mqtt"
            raise ValueError(message)
        return self


class DiscoverySettings(Section):
    """What Home Assistant finds by itself on the farm's broker."""

    discovery: bool | None = None
    """Whether the farm is announced to it. None: where the broker is one that others may use, too."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = "homeassistant"
    """Its discovery prefix, where its owner has changed that."""


class GroupSettings(Section):
    """Miners that share a limit, such as a circuit. Members in order of priority."""

    members: Annotated[list[Identifier], Field(min_length=1)]
    max_w: Watts | None = None
    schedule: str | None = None
    """For the members that have none of their own."""


class RuleSettings(Section):
    """Times and limits of the rules; the defaults are those of the design."""

    lease: Annotated[Duration, at_least(0.1)] = _seconds(60)
    grace: Duration = _seconds(120)
    minimum_off: Duration = _seconds(300)
    minimum_on: Duration = _seconds(300)
    """A miner that has been started is not paused for comfort (a schedule) before that."""
    starts_per_day: Annotated[int, Field(ge=1, le=1000)] = 6
    stale_no_start: Duration = _seconds(300)
    stale_pause: Duration = _seconds(900)
    stagger_w: Watts = 7000
    """At most so many watts are started within one stagger window; a single larger miner may always start alone."""
    stagger_window: Duration = _seconds(30)
    heat_step: Duration = _seconds(30)
    """A miner that is still too hot after that goes down one more step."""
    heat_restore: Duration = _seconds(300)
    """One that has been cool for so long goes up one step."""
    outside_pause: Duration = _seconds(12 * 3600)
    """How long a pause made in the miner's own web page is respected, where the next sunrise is not known."""
    poll: Annotated[Duration, at_least(0.1)] = _seconds(10)
    """How often each miner is read, in real seconds."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.stale_no_start > self.stale_pause:
            message = "stale_no_start must not be longer than stale_pause"
            raise ValueError(message)
        return self


def _broker_section(value: object) -> object:
    return {} if value is None or value == "auto" else value


class FarmSettings(BaseSettings):
    """The whole file. `SUNHERD_RULES__LEASE="90 s"` and the like override it."""

    model_config = SettingsConfigDict(
        env_prefix="SUNHERD_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=False
    )

    site: SiteSettings = SiteSettings()
    broker: Annotated[BrokerSettings, BeforeValidator(_broker_section)] = BrokerSettings()
    battery: BatterySettings | None = None
    miners: dict[Identifier, MinerSettings] = Field(default_factory=dict)
    groups: dict[Identifier, GroupSettings] = Field(default_factory=dict)
    schedules: dict[Identifier, AnySchedule] = Field(default_factory=dict)
    pools: dict[Identifier, PoolSettings] = Field(default_factory=dict)
    never_switch: tuple[NeverSwitch, ...] = ()
    """Outlets that feed the network: no miner hangs there, and nothing ever switches them."""
    rules: RuleSettings = RuleSettings()
    home_assistant: DiscoverySettings = DiscoverySettings()
    observe: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The file's content comes in as keyword arguments (`load_farm`); the environment stands above it.
        return env_settings, init_settings

    def observed(self) -> frozenset[str]:
        """The ids of all miners that are only watched."""
        return frozenset(name for name, miner in self.miners.items() if self.observe or miner.observe)

    def timetables(self) -> dict[str, Timetable]:
        """The timetable of each miner that has a schedule: its own, else its first group's."""
        groups = [group for group in self.groups.values() if group.schedule is not None]
        chosen = {
            name: miner.schedule or next((group.schedule for group in groups if name in group.members), None)
            for name, miner in self.miners.items()
        }
        place = None
        if self.site.latitude is not None and self.site.longitude is not None:
            place = Place(self.site.latitude, self.site.longitude)
        named = {miner: name for miner, name in chosen.items() if name is not None}
        return timetables(self.schedules, named, ZoneInfo(self.site.time_zone), place)
