"""Announces devices to Home Assistant, and takes back those that are no more: ours alone, also of an earlier life."""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from services.ha_discovery.components import Paths
from services.ha_discovery.facts import Facts, facts_of
from services.ha_discovery.names import Name
from services.ha_discovery.payload import ORIGIN, Announcement, Device
from shared.bus import Arrival, Packet
from shared.bus.link import matches
from shared.station import Station
from shared.topics import MIRROR

_log = logging.getLogger(__name__)

APART_SECONDS = 5.0
"""Home Assistant drops a part of an announcement that comes while it still works on the one before."""


class Announcer:
    """Lives in the service's thread; the link's only hands over."""

    def __init__(self, station: Station, discovery_prefix: str, farm: Name) -> None:
        self._station = station
        self._discovery_prefix = discovery_prefix
        self._farm = farm
        self._remembered: dict[str, Mapping[str, Any]] = {}
        """What the broker remembers of our announcements, by device."""
        self._said: dict[str, tuple[bytes, float]] = {}
        """What has been said of each device, and when."""
        self._owners: dict[str, str] = {}
        """Which device has been announced with a MAC address."""
        self._doubled: set[str] = set()
        """Which devices have been told of as having the address of another."""
        self._arrivals: dict[str, bytes] = {}
        """What the link's thread has handed over, by device."""
        station.bus.subscribe_raw(self._path("+"), self._arrived)
        station.on_stop(lambda: station.bus.unsubscribe_raw([self._arrived]))

    def take_in(self) -> None:
        """What the broker remembers of us has arrived. What we have said ourselves is newer."""
        while self._arrivals:
            device, arrived = self._arrivals.popitem()
            payload = self._ours(arrived)
            if payload is not None and device not in self._said:
                self._remembered[device] = payload
                self._claim(facts_of(payload).mac, device)

    def facts(self, device: str) -> Facts:
        """What was known of a device when it was last announced."""
        return facts_of(self._remembered.get(device, {}))

    def say(self, paths: Paths, announcement: Announcement, *, again: bool) -> bool:
        """Announces a device where that is news, or in any case; False: it has to wait for its turn."""
        device, seconds = paths.name.device, self._station.clock.seconds()
        told = replace(announcement, device=self._alone(announcement.device), gone=self._platforms(device))
        payload = told.as_bytes(paths)
        before = self._said.get(device)
        if before is not None and not again:
            if payload == before[0]:
                return True
            if seconds - before[1] < APART_SECONDS:
                return False
        self._said[device] = (payload, seconds)
        self._remembered[device] = json.loads(payload)
        self._publish(self._path(device), payload)
        return True

    def withdraw_all_but(self, devices: Collection[str]) -> None:
        """Takes back whatever else we, or whoever showed this farm before us, have announced, with its Mirror."""
        for device in [each for each in self._remembered if each not in devices]:
            self._publish(self._path(device), b"")
            self._publish(self._remembered.pop(device)["state_topic"], b"")
            self._said.pop(device, None)
            self._owners = {mac: owner for mac, owner in self._owners.items() if owner != device}

    # --- inside

    def _alone(self, device: Device) -> Device:
        """Without the address of another one: Home Assistant would make one device of both, and never part them."""
        identifier = device.name.device
        owner = self._claim(device.mac, identifier)
        if owner == identifier:
            return device
        if identifier not in self._doubled:
            self._doubled.add(identifier)
            _log.warning("%s and %s tell one MAC address, %s: are they one device?", owner, identifier, device.mac)
        return replace(device, mac=None)

    def _claim(self, mac: str | None, device: str) -> str:
        return device if mac is None else self._owners.setdefault(mac.upper(), device)

    def _platforms(self, device: str) -> dict[str, str]:
        """Of all entities that it has had, by their places."""
        components = self._remembered.get(device, {}).get("components")
        if not isinstance(components, dict):
            return {}
        platforms = {place: each.get("platform") for place, each in components.items() if isinstance(each, dict)}
        return {place: platform for place, platform in platforms.items() if isinstance(platform, str)}

    def _publish(self, path: str, payload: bytes) -> None:
        self._station.bus.publish_raw(Packet(path, payload, qos=1, retain=True))

    def _path(self, device: str) -> str:
        return f"{self._discovery_prefix}/device/{device}/config"

    def _arrived(self, arrival: Arrival) -> None:
        if arrival.retained and arrival.payload:
            self._arrivals[arrival.path.split("/")[-2]] = arrival.payload

    def _ours(self, payload: bytes) -> Mapping[str, Any] | None:
        """An announcement of this very farm, on a Mirror of it; None for a neighbour's, or anybody else's."""
        try:
            match json.loads(payload):
                case {"origin": {"name": origin}, "state_topic": str(shows), "device": dict(device)} as found:
                    pass
                case _:
                    return None
        except ValueError:
            return None
        farm = self._farm.device
        is_ours = origin == ORIGIN and matches(MIRROR.filter(self._station.bus.prefix), shows)
        of_farm = device.get("via_device") == farm or device.get("identifiers") == [farm]
        return found if is_ours and of_farm else None
