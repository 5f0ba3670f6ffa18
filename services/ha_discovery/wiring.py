"""Puts the service together."""

import json

from services.ha_discovery.needed import is_needed
from shared.bus.link import Packet
from shared.launch import Context
from shared.topics import EMERGENCY_STOP
from shared.version import VERSION


def build(context: Context) -> bool:
    """Announces the farm each time the broker's memory has arrived; False where nobody wants that."""
    farm, service = context.farm, context.service
    if not is_needed(farm):
        return False
    name = f"sunherd_{farm.site.id}"
    path = f"{farm.home_assistant.prefix}/device/{name}/config"
    payload = json.dumps(
        {
            "dev": {"identifiers": [name], "name": "Sunherd"},
            "o": {"name": "Sunherd", "sw": VERSION},
            "cmps": {"emergency_stop": _emergency_stop(name, EMERGENCY_STOP.path(farm.broker.prefix, farm.site.id))},
        }
    )
    service.on_ready(lambda: service.bus.publish_raw(Packet(path, payload.encode(), 1, retain=True)))
    return True


def _emergency_stop(name: str, topic: str) -> dict[str, object]:
    """Goes straight to the latch that every agent obeys: it works also when this service does not run."""
    order = '{"at": "{{ utcnow().isoformat() }}", "active": true, "by": "Home Assistant"}'
    return {
        "p": "button",
        "unique_id": f"{name}_emergency_stop",
        "name": "Emergency stop",
        "icon": "mdi:alert-octagon",
        "command_topic": topic,
        "command_template": order,
        "retain": True,
        "qos": 1,
    }
