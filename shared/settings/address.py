"""Where a device or a broker is on the network: a host name or address, with or without a port."""

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+")
_EXAMPLE = "write a name or an address such as 192.168.1.20 or miner.lan:8080"
PORT_MAX = 65_535
SIMULATED_AT_VARIABLE = "SUNHERD_SIMULATED_AT"
"""In a demo of several containers: the name of the one in which the simulator stands in for all devices."""


@dataclass(frozen=True)
class Address:
    """A host and a port. Two miners of one address are one miner."""

    host: str
    port: int = 80

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, or the demo's simulator: what answers there is nobody's real device."""
    try:
        return host in {"localhost", os.environ.get(SIMULATED_AT_VARIABLE)} or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(value: object, default_port: int = 80) -> Address:
    """`192.168.1.20`, `miner.lan:8080`, `[fe80::1]:80` or `http://miner.lan/`. Raises ValueError saying why not."""
    if isinstance(value, Address):
        return value
    if not isinstance(value, str) or not value.strip():
        message = f"{value!r} is not a host: {_EXAMPLE}"
        raise ValueError(message)
    text = value.strip()
    if text.count(":") > 1 and "[" not in text and "//" not in text:
        text = f"[{text}]"
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"{value!r} is not a host ({error}): {_EXAMPLE}"
        raise ValueError(message) from error
    if host is None or not _HOST.fullmatch(host):
        message = f"{value!r} is not a host: {_EXAMPLE}"
        raise ValueError(message)
    if parts.scheme not in {"", "http"}:
        message = f"{value!r} cannot be asked by {parts.scheme}, for only http is spoken here: {_EXAMPLE}"
        raise ValueError(message)
    return Address(host.lower(), default_port if port is None else port)


HostAndPort = Annotated[Address, BeforeValidator(parse_address)]


def _port_is_a_port(url: str) -> str:
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        message = f"{error} in the URL of the broker: write it like mqtt://192.168.1.10:1883"
        raise ValueError(message) from error
    return url


BrokerUrl = Annotated[str, Field(pattern=r"^mqtts?://[^/\s]+$"), AfterValidator(_port_is_a_port)]
