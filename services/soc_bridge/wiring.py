"""Puts the bridge and its source together."""

import logging
from functools import partial

from services.soc_bridge.bridge import SiteBridge
from services.soc_bridge.needed import is_needed
from services.soc_bridge.sources import home_assistant, mqtt
from services.soc_bridge.sources.home_assistant import SOCKETS, Doors
from shared.launch import Context
from shared.settings import BatterySettings
from shared.station import Station


def build(context: Context, doors: Doors = SOCKETS) -> bool:
    """False where no battery is configured. `doors`: how Home Assistant is reached."""
    battery = context.farm.battery
    if battery is None or not is_needed(context.farm):
        return False
    # Whoever has it keeps it: each change would cost a new start with the source.
    context.share({f"battery-{context.farm.site.id}": partial(bridge, context, battery, doors)}, keeps=True)
    return True


def bridge(context: Context, battery: BatterySettings, doors: Doors, station: Station) -> None:
    """Wires the one bridge of the site."""
    site, stale_after = context.farm.site.id, context.farm.rules.stale_no_start
    if battery.home_assistant is not None:
        source = f"Home Assistant, {battery.home_assistant.state_of_charge}"
        hear = SiteBridge(station, site, battery, source, stale_after).hear
        # What becomes of the connection the bridge tells. Two ends that close at once make a thread of the library's
        # write a traceback.
        logging.getLogger("websockets.client").setLevel(logging.CRITICAL)
        token = context.secrets.get("HA_TOKEN") or ""
        home_assistant.start(station, battery.home_assistant, token, hear, doors)
    if battery.mqtt is not None:
        source = f"MQTT, {battery.mqtt.preset or 'own topics'}"
        hear = SiteBridge(station, site, battery, source, stale_after).hear
        mqtt.start(station, battery.mqtt, context.secrets, hear)
