"""Looks whether a broker takes our login; nothing is published but the barrier that comes back to us alone."""

import logging
import os
from dataclasses import dataclass, field

from deploy.console.finding.finding import Looked, fine, wrong
from shared.bus import BrokerAddress, Bus, MqttLink, TrustError
from shared.clock import Clock
from shared.inbox import Inbox

_KIND = "broker"
WAIT_SECONDS = 5.0
_LINK_LOG = "shared.bus.mqtt"
_FIX = "look at broker.url, broker.username and MQTT_PASSWORD"


@dataclass(eq=False)
class Complaints(logging.Filter):
    """What the connections have complained of meanwhile, by address; kept from the log, because it is told here."""

    said: dict[str, str] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        """Never lets a record through."""
        if isinstance(record.args, tuple) and len(record.args) > 1:
            self.said[str(record.args[0])] = str(record.args[1])
        return False

    def listen(self) -> None:
        logging.getLogger(_LINK_LOG).addFilter(self)

    def end(self) -> None:
        logging.getLogger(_LINK_LOG).removeFilter(self)


def look_at_broker(address: BrokerAddress, prefix: str, clock: Clock, complaints: Complaints) -> Looked:
    """Logs in and hears itself. A user name that may hear nothing of its own is refused by this, too."""
    name = f"check-{os.getpid()}"
    inbox = Inbox(events_kept=1)
    try:
        bus = Bus(MqttLink(address, name), clock, prefix=prefix, instance=name)
    except TrustError as error:
        cause, _, fix = str(error).partition(" Fix: ")
        return wrong(_KIND, str(address), cause, fix or _FIX)
    bus.start(on_synced=inbox.ring)
    try:
        begun = clock.seconds()
        while not bus.is_synced() and clock.seconds() - begun < WAIT_SECONDS:
            inbox.wait(0.1)
            if str(address) in complaints.said:
                break
        if bus.is_synced():
            return fine(_KIND, str(address), "logged in")
        heard = bus.is_up()
    finally:
        bus.stop()
    if heard:
        said = f"it lets us in, and not hear topics below {prefix}/"
        return wrong(_KIND, str(address), said, "let this user read and write there: docs/broker.md")
    said, _, fix = complaints.said.get(str(address), f"no answer within {WAIT_SECONDS:g} s").partition(". Fix: ")
    return wrong(_KIND, str(address), said, fix or _FIX)
