"""The bus: typed topics over an MQTT broker, or over one in memory. The only package that imports paho."""

from shared.bus.broker_address import BrokerAddress
from shared.bus.bus import Bus, Received
from shared.bus.link import Arrival, Link, LinkListener, Packet
from shared.bus.memory import MemoryBroker, MemoryLink
from shared.bus.mqtt import MqttLink
from shared.bus.tls import TrustError

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
    "TrustError",
]
