"""Entities that devices of several kinds have. Pure."""

from services.ha_discovery import orders
from services.ha_discovery.components import BinarySensor, Needs, Number, Sensor, Switch

DIAGNOSTIC, CONFIG = "diagnostic", "config"
_STEP_W = 1.0


def power(*attributes: str, needs: Needs | None = None) -> Sensor:
    """What it draws."""
    return Sensor(
        key="power",
        name="Power",
        device_class="power",
        unit="W",
        state_class="measurement",
        attributes=attributes,
        needs=needs,
    )


def hashrate(*attributes: str, needs: Needs | None = None) -> Sensor:
    """What it computes."""
    return Sensor(
        key="hashrate",
        name="Hashrate",
        icon="mdi:pickaxe",
        unit="TH/s",
        state_class="measurement",
        attributes=attributes,
        needs=needs,
    )


def problem() -> BinarySensor:
    """Whether a person is needed."""
    return BinarySensor(
        key="problem", name="Problem", device_class="problem", needs=Needs.SERVICE, attributes=("problem_sentence",)
    )


def automatic(topic: str) -> Switch:
    """The main switch: off is a pause by a person."""
    return Switch(
        key="automatic",
        name="Automatic",
        icon="mdi:robot",
        command_topic=topic,
        command_template=orders.switch_automatic(),
        retain=True,
        attributes=(orders.STANDS,),
        needs=Needs.SERVICE,
    )


def watts(topic: str, top_w: float) -> Number:
    """At most so many watts; unknown while there is no limit."""
    return Number(
        key="max_w",
        name="Max W",
        icon="mdi:speedometer-slow",
        device_class="power",
        category=CONFIG,
        unit="W",
        top=top_w,
        step=_STEP_W,
        mode="box",
        command_topic=topic,
        command_template=orders.choose("max_w"),
        needs=Needs.SERVICE,
    )
