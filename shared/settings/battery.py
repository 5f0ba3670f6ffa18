"""The battery's section of the farm file: where the state of charge and the powers of the site come from."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.duration import Duration
from shared.settings.address import BrokerUrl
from shared.settings.section import Section

_JSON_PATH = re.compile(r"([^.\[\]]+|\[\d{1,6}\])(\.[^.\[\]]+|\[\d{1,6}\])*")


class HomeAssistantSettings(Section):
    """Entities to read. Powers may be W, kW or MW, as their unit says. Token: HA_TOKEN."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
    """Where Home Assistant's page is."""
    state_of_charge: str
    """Entity that tells the battery's charge in percent."""
    battery_power: str | None = None
    """Entity that tells it."""
    battery_power_sign: Literal["charging_positive", "discharging_positive"] = "charging_positive"
    """What a positive battery power means."""
    pv_power: str | None = None
    """Entity that tells it."""
    load_power: str | None = None
    """Entity that tells it."""
    grid_power: str | None = None
    """Entity that tells it."""
    grid_power_sign: Literal["import_positive", "export_positive"] = "import_positive"
    """What a positive grid power means."""
    grid_available: str | None = None
    """Entity that is on while there is a grid."""
    poll: Duration = timedelta(seconds=30)
    """How often it is asked besides, while it also tells of each change by itself."""

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
    """On which the value comes."""
    path: str = ""
    """Where in a JSON payload; "" where the payload is the value."""
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
    """Whose topics they are."""
    url: BrokerUrl | None = None
    """Another broker than the farm's. Password: SOURCE_MQTT_PASSWORD."""
    username: str | None = None
    """There."""
    base: str | None = None
    """Where the preset's topics begin, when not as the source publishes them by default."""
    portal_id: str | None = None
    """Victron only; learned from the broker where it is not given."""
    state_of_charge: MqttValueSettings | str | None = None
    """A topic, or a topic with a place in its JSON."""
    battery_power: MqttValueSettings | str | None = None
    """The same; in watts, positive while it charges."""
    pv_power: MqttValueSettings | str | None = None
    """The same; in watts."""
    load_power: MqttValueSettings | str | None = None
    """The same; in watts."""
    grid_power: MqttValueSettings | str | None = None
    """The same; in watts, positive while the site imports."""
    grid_available: MqttValueSettings | str | None = None
    """The same; on, true or 1 while there is a grid."""
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
    """Entities to read."""
    mqtt: MqttSourceSettings | None = None
    """Topics to read."""
    unconfirmed_after: Duration = timedelta(seconds=300)
    """A value that the source has not confirmed for so long is unknown."""
    max_unchanged: Duration = timedelta(hours=6)
    """A state of charge that stands still for longer is warned about, never taken for stale."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.home_assistant is None) == (self.mqtt is None):
            message = "give exactly one source: home_assistant or mqtt"
            raise ValueError(message)
        return self
