"""The shape of `farm.yaml`, section by section. Unknown keys are errors; every default is the safe one."""

from datetime import timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.duration import Duration, at_least
from shared.messages import Identifier
from shared.schedule import Timetable
from shared.settings.address import BrokerUrl
from shared.settings.battery import BatterySettings
from shared.settings.miner import MinerSettings
from shared.settings.plug import NeverSwitch
from shared.settings.pools import PoolSettings
from shared.settings.schedule import AnySchedule, timetables
from shared.settings.section import Section, Watts
from shared.sun import Place


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class SiteSettings(Section):
    """Where the farm is."""

    id: Identifier = "home"
    """Its name in topics, where several sites share a broker."""
    time_zone: str = "UTC"
    """In which the times of schedules are meant, and times are shown."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    """With longitude: for windows by the sun, and for pauses that last until sunrise."""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    """East is positive."""

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
    """Where it is; mqtts with TLS. None: the embedded run brings its own."""
    username: str | None = None
    """There. In containers each service has its own."""
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = "sunherd"
    """What all topics begin with."""
    ca_file: Annotated[str, Field(min_length=1)] | None = None
    """With mqtts: the certificate of the authority that vouches for the broker; without it the system's count."""

    @model_validator(mode="after")
    def _trust_needs_tls(self) -> Self:
        if self.ca_file is not None and not (self.url or "").startswith("mqtts:"):
            message = "ca_file is for a broker with TLS: write its url as mqtts://...:8883"
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
    """Their ids, by falling priority: who stands first starts first and is curtailed last."""
    max_w: Watts | None = None
    """The most that all members together may draw, by their nominal watts."""
    schedule: str | None = None
    """For the members that have none of their own."""


class RuleSettings(Section):
    """Times and limits of the rules; the defaults are those of the design."""

    lease: Annotated[Duration, at_least(0.1)] = _seconds(60)
    """How long a command holds; it is renewed at half of it."""
    grace: Duration = _seconds(120)
    """How long after a lease's end a miner goes on before it goes to its failsafe."""
    minimum_off: Duration = _seconds(300)
    """A miner that has been paused is not started before that."""
    minimum_on: Duration = _seconds(300)
    """A miner that has been started is not paused for comfort (a schedule) before that."""
    starts_per_day: Annotated[int, Field(ge=1, le=1000)] = 6
    """Of each miner, within 24 hours."""
    stale_no_start: Duration = _seconds(300)
    """Nothing is started on a state of charge that was confirmed longer ago."""
    stale_pause: Duration = _seconds(900)
    """What the battery governs is paused when it was confirmed longer ago."""
    stagger_w: Watts = 7000
    """At most so many watts are started within one stagger window; a single larger miner may always start alone."""
    stagger_window: Duration = _seconds(30)
    """See `stagger_w`."""
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
            message = "stale_no_start must not be longer than stale_pause: shorten it, or lengthen stale_pause"
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
    """Where the farm is."""
    broker: Annotated[BrokerSettings, BeforeValidator(_broker_section)] = BrokerSettings()
    """The MQTT broker. `auto`, or left out: the embedded run brings its own."""
    battery: BatterySettings | None = None
    """Where the state of charge comes from. Without it nothing depends on a battery."""
    miners: dict[Identifier, MinerSettings] = Field(default_factory=dict)
    """By their ids: small letters, digits, - and _."""
    groups: dict[Identifier, GroupSettings] = Field(default_factory=dict)
    """Miners that share a limit."""
    schedules: dict[Identifier, AnySchedule] = Field(default_factory=dict)
    """What is wanted at which hours: a list of windows, or `windows` and `stagger`."""
    pools: dict[Identifier, PoolSettings] = Field(default_factory=dict)
    """Pools that are not built in, or are asked elsewhere than usual."""
    never_switch: tuple[NeverSwitch, ...] = ()
    """Outlets that feed the network: no miner hangs there, and nothing ever switches them."""
    rules: RuleSettings = RuleSettings()
    """Times and limits of the rules."""
    home_assistant: DiscoverySettings = DiscoverySettings()
    """What Home Assistant finds by itself."""
    observe: bool = False
    """Decides and explains, and touches no miner."""

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
