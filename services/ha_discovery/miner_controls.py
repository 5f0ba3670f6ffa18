"""What people set and press of a miner, and the events that answer them. Pure."""

from collections.abc import Iterator

from services.ha_discovery import happenings, orders
from services.ha_discovery.components import Button, Component, Happening, Needs, Number, Select
from services.ha_discovery.entities import CONFIG, automatic, watts
from services.ha_discovery.miner_sheet import MinerSheet
from shared.messages import OverrideKind, RequestKind
from shared.topics import MINER_EVENT, MINER_OVERRIDE, MINER_REQUEST

_STEP_PERCENT = 0.5


def controls(sheet: MinerSheet) -> Iterator[Component]:
    """What people set."""
    asked = sheet.topic(MINER_REQUEST)
    yield automatic(sheet.topic(MINER_OVERRIDE))
    yield Select(
        key="force_on",
        name="Force on",
        icon="mdi:lightning-bolt",
        options=(orders.OFF, *orders.FORCED_FOR_MINUTES),
        command_topic=sheet.topic(MINER_OVERRIDE),
        command_template=orders.select_force_on(),
        retain=True,
        attributes=(orders.STANDS,),
        needs=Needs.SERVICE,
    )
    if sheet.settings.stop_soc is not None:
        yield _percent("stop_soc", "Stop SoC", "mdi:battery-arrow-down", asked)
        yield _percent("resume_soc", "Resume SoC", "mdi:battery-arrow-up", asked)
    yield watts(asked, sheet.top_w)
    if len(sheet.facts.profiles) > 1:
        yield Select(
            key="profile",
            name="Profile",
            icon="mdi:speedometer",
            category=CONFIG,
            options=(orders.AUTOMATIC, *(each for each in sheet.facts.profiles if each != orders.AUTOMATIC)),
            command_topic=asked,
            command_template=orders.choose_profile(),
            needs=Needs.SERVICE,
        )


def _percent(key: str, name: str, icon: str, topic: str) -> Number:
    return Number(
        key=key,
        name=name,
        icon=icon,
        category=CONFIG,
        unit="%",
        top=100,
        step=_STEP_PERCENT,
        command_topic=topic,
        command_template=orders.choose(key),
        needs=Needs.SERVICE,
    )


def buttons(sheet: MinerSheet) -> Iterator[Component]:
    """What people press, and what comes of it."""
    an_hour = orders.force_on(str(orders.FORCED_FOR_MINUTES["1 h"]))
    # By its name, which is its entity id, too: it stands beside the select of the same.
    forced = sheet.topic(MINER_OVERRIDE)
    yield _button("force_on_for_1_h", "Force on for 1 h", "mdi:lightning-bolt", forced, an_hour, retain=True)
    asked = sheet.topic(MINER_REQUEST)
    if sheet.has_interface:
        yield _button("restart", "Restart", "mdi:restart", asked, orders.request(RequestKind.RESTART))
        yield _button("identify", "Identify", "mdi:lightbulb-on", asked, orders.request(RequestKind.IDENTIFY))
    if sheet.settings.plug is not None:
        yield _button("power_cycle", "Power cycle", "mdi:power-cycle", asked, orders.request(RequestKind.CYCLE))
    clear = orders.request(RequestKind.CLEAR_UNSTABLE)
    yield _button("clear_unstable", "Clear unstable", "mdi:broom", asked, clear)
    yield Happening(
        key="happened",
        name="Happened",
        icon="mdi:message-alert-outline",
        topic=sheet.topic(MINER_EVENT),
        event_types=happenings.EVENT_TYPES,
        template=happenings.template(),
        needs=Needs.SERVICE,
    )


def _button(key: str, name: str, icon: str, topic: str, template: str, *, retain: bool = False) -> Button:
    category = None if key.startswith(OverrideKind.FORCE_ON) else CONFIG
    return Button(
        key=key,
        name=name,
        icon=icon,
        category=category,
        command_topic=topic,
        command_template=template,
        retain=retain,
        needs=Needs.SERVICE,
    )
