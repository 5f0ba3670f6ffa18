"""Which addresses may be asked: the subnets that a person names, and nothing beside them."""

import ipaddress
import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from deploy.console.trouble import TroubleError

USUAL_PREFIX_MIN = 20
LARGE_PREFIX_MIN = 16
_ROUTES = Path("/proc/net/route")
_ROUTE_FIELDS = 8
_SHARED_SPACE = IPv4Network("100.64.0.0/10")
"""Between customers and their provider (RFC 6598); neither private nor public to Python."""
_MASK_OF_ONE_HOST = 32


def parse_subnets(texts: Iterable[str], *, large: bool = False) -> tuple[IPv4Network, ...]:
    """The subnets as written, such as 192.168.88.0/24; each once. Raises TroubleError saying why not."""
    own = own_subnets().values()
    return tuple(dict.fromkeys(_parsed(text.strip(), large=large, own=list(own)) for text in texts))


def addresses_of(subnets: Sequence[IPv4Network]) -> list[IPv4Address]:
    """Every address that may be a device's, each once, in order: without those of network and broadcast."""
    return sorted({address for subnet in subnets for address in subnet.hosts()})


def own_subnets(routes: Path = _ROUTES) -> dict[str, IPv4Network]:
    """The subnets that this machine stands in, by interface and subnet; empty where it does not tell."""
    try:
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, IPv4Network] = {}
    for line in lines:
        fields = line.split()
        if len(fields) < _ROUTE_FIELDS or fields[2] != "00000000":
            continue  # through a router: not a subnet of ours
        subnet = IPv4Network(f"{_dotted(fields[1])}/{_dotted(fields[7])}")
        if 0 < subnet.prefixlen < _MASK_OF_ONE_HOST:
            found[f"{fields[0]} {subnet}"] = subnet
    return found


def none_given() -> TroubleError:
    """What is said where no subnet was named and nobody can be asked."""
    own = ", ".join(str(subnet) for subnet in dict.fromkeys(own_subnets().values()))
    here = f" This machine stands in: {own}." if own else ""
    return TroubleError(f"no subnet is given, and none is asked unasked.{here} Fix: add --subnet 192.168.88.0/24.")


def _parsed(text: str, *, large: bool, own: list[IPv4Network]) -> IPv4Network:
    try:
        subnet = ipaddress.ip_network(text, strict=False)
    except ValueError:
        message = f"{text!r} is not a subnet. Fix: write an address and its length, such as 192.168.88.0/24."
        raise TroubleError(message) from None
    if not isinstance(subnet, IPv4Network):
        message = f"{text}: only IPv4 subnets can be searched. Fix: write one such as 192.168.88.0/24."
        raise TroubleError(message)
    if subnet.prefixlen < LARGE_PREFIX_MIN:
        message = f"{subnet} is too large to be searched. Fix: name smaller ones, at most /{LARGE_PREFIX_MIN} each."
        raise TroubleError(message)
    if subnet.prefixlen < USUAL_PREFIX_MIN and not large:
        hosts = f"{subnet.num_addresses - 2} addresses"
        message = f"{subnet} has {hosts}. Fix: name a smaller one, or add --large if you mean it."
        raise TroubleError(message)
    if not _is_ones_own(subnet, own):
        message = (
            f"{subnet} is neither a private network nor one of this machine. Fix: name the network of your miners."
        )
        raise TroubleError(message)
    return subnet


def _is_ones_own(subnet: IPv4Network, own: list[IPv4Network]) -> bool:
    kinds = (subnet.is_private, subnet.is_link_local, subnet.subnet_of(_SHARED_SPACE))
    return any(kinds) or any(subnet.subnet_of(each) for each in own)


def _dotted(little_endian_hex: str) -> str:
    return socket.inet_ntoa(struct.pack("<L", int(little_endian_hex, 16)))
