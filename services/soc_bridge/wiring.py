"""Puts the bridge and its source together."""

import logging

from services.soc_bridge.bridge import SiteBridge
from services.soc_bridge.needed import is_needed
from services.soc_bridge.sources import home_assistant, mqtt
from services.soc_bridge.sources.home_assistant import SOCKETS, Doors
from shared.launch import Context


def build(context: Context, doors: Doors = SOCKETS) -> bool:
    """False where no battery is configured. `doors`: how Home Assistant is reached."""
    service, battery = context.service, context.farm.battery
    if battery is None or not is_needed(context.farm):
        return False
    if battery.home_assistant is not None:
        source = f"Home Assistant, {battery.home_assistant.state_of_charge}"
        bridge = SiteBridge(service, context.farm.site.id, battery, source, context.farm.rules.stale_no_start)
        # What becomes of the connection the bridge tells. Two ends that close at once make a thread of the library's
        # write a traceback.
        logging.getLogger("websockets.client").setLevel(logging.CRITICAL)
        token = context.secrets.get("HA_TOKEN") or ""
        home_assistant.start(service, battery.home_assistant, token, bridge.hear, doors)
    if battery.mqtt is not None:
        source = f"MQTT, {battery.mqtt.preset or 'own topics'}"
        bridge = SiteBridge(service, context.farm.site.id, battery, source, context.farm.rules.stale_no_start)
        mqtt.start(service, battery.mqtt, context.secrets, bridge.hear)
    return True
