"""The bus: typed topics over an MQTT broker, or over one in memory. The only package that imports paho."""

from shared.bus.bus import Bus, Received
from shared.bus.link import Arrival, Link, LinkListener, Packet
from shared.bus.memory import MemoryBroker, MemoryLink
from shared.bus.mqtt import BrokerAddress, MqttLink

__all__ = [
    "Arrival",
    "BrokerAddress",
    "Bus",
    "Link",
    "LinkListener",
    "MemoryBroker",
    "MemoryLink",
    "MqttLink",
    "Packet",
    "Received",
]
