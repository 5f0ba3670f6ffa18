"""Searches subnets for miners: knocks everywhere, asks whoever opens, and tells what nobody knows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from deploy.console.finding.crew import Crew
from deploy.console.finding.found import FoundMiner
from deploy.console.finding.knock import KNOCK_SECONDS, Door, Knocker
from deploy.console.finding.subnets import addresses_of
from shared.clock import Clock
from shared.settings import Address, FarmSettings

WEB_PORT = 80
_ASKED_AT_ONCE = 32
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Searched:
    """What a search came to."""

    found: tuple[FoundMiner, ...] = ()
    mute: tuple[Address, ...] = ()
    """They listen, and do not answer: nobody knows what they are."""
    others: int = 0
    """Web servers of something else."""
    asked: int = 0
    not_asked: tuple[IPv4Address, ...] = ()
    """This machine itself could not ask them."""
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it is known of every address that no miner was missed there."""
        return not self.mute and not self.not_asked


@dataclass
class _Tally:
    found: list[FoundMiner] = field(default_factory=list)
    mute: list[Address] = field(default_factory=list)
    others: int = 0


Progress = Callable[[int, int, int], None]
"""Takes how many addresses are settled, of how many, and how many miners have been found."""


def search_miners(
    subnets: Sequence[IPv4Network],
    clock: Clock,
    *,
    port: int = WEB_PORT,
    wait_seconds: float = KNOCK_SECONDS,
    progress: Progress | None = None,
) -> Searched:
    """Asks every address of the subnets, and none beside them. Names are not resolved, redirects not followed."""
    begun = clock.seconds()
    addresses = addresses_of(subnets)
    crew: Crew[FoundMiner | None] = Crew(_ASKED_AT_ONCE)
    tally = _Tally()

    opened: list[IPv4Address] = []
    knocker = Knocker(addresses, port, clock, opened.append, wait_seconds)
    more = knocker.step()
    # It takes its time: meanwhile the first answers are on their way.
    from deploy.console.finding.stranger import who_is

    try:
        while more or opened:
            more = more and knocker.step()
            while opened:
                where = Address(str(opened.pop()), port)
                crew.give(str(where), partial(who_is, where, clock))
            _take(crew, tally, port, 0.0)
            _tell(progress, knocker, len(addresses), tally)
        while crew.unfinished:
            _take(crew, tally, port, _LOOK_SECONDS)
            _tell(progress, knocker, len(addresses), tally)
    finally:
        knocker.close()
        crew.dismiss()
    return _summed_up(tally, knocker, clock.seconds() - begun)


def known_as(miner: FoundMiner, farm: FarmSettings | None) -> str | None:
    """Its name in the farm file: by its address, else by its MAC. None: it is not in there, as far as that shows."""
    miners = {} if farm is None else farm.miners
    for name, settings in miners.items():
        if settings.host == miner.address:
            return name
    macs = {settings.mac.upper(): name for name, settings in miners.items() if settings.mac is not None}
    return macs.get((miner.mac or "").upper())


def shown_address(address: Address) -> str:
    """As a farm file has it: without the port that goes without saying."""
    return str(address).removesuffix(f":{WEB_PORT}")


def rows(found: Iterable[FoundMiner], farm: FarmSettings | None, *, farm_read: bool) -> list[tuple[str, ...]]:
    """One for each miner, under its headings."""
    headings = ("address", "driver", "model", "firmware", "MAC", "state", "in the farm file")
    return [
        headings,
        *(
            (
                shown_address(miner.address),
                miner.driver,
                plain(miner.model),
                plain(miner.firmware),
                plain(miner.mac),
                str(miner.state),
                (known_as(miner, farm) or "no") if farm_read else "?",
            )
            for miner in found
        ),
    ]


def as_json(searched: Searched, farm: FarmSettings | None, *, farm_read: bool) -> dict[str, Any]:
    """The same for programs; null is unknown."""
    return {
        "found": [
            {
                "address": shown_address(miner.address),
                "driver": miner.driver,
                "model": miner.model,
                "firmware": miner.firmware,
                "mac": miner.mac,
                "state": str(miner.state),
                "in_farm": known_as(miner, farm),
                "in_farm_known": farm_read,
            }
            for miner in searched.found
        ],
        "mute": [shown_address(address) for address in searched.mute],
        "others": searched.others,
        "asked": searched.asked,
        "not_asked": [str(address) for address in searched.not_asked],
        "seconds": round(searched.seconds, 3),
    }


def plain(text: str | None) -> str:
    """What a device says of itself must not steer a terminal, nor a farm file."""
    return "".join(letter if letter.isprintable() else "?" for letter in text) if text else "?"


def table(lines: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as they need to be. Ends with a newline."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def _take(crew: Crew[FoundMiner | None], tally: _Tally, port: int, seconds: float) -> None:
    done = crew.take(seconds)
    while done is not None:
        name, result = done
        if isinstance(result, FoundMiner):
            tally.found.append(result)
        elif result is None:
            tally.others += 1
        else:
            # Silence, or an error that nobody foresaw: either way nobody knows what is there.
            tally.mute.append(Address(name.rsplit(":", 1)[0], port))
        done = crew.take(0.0)


def _summed_up(tally: _Tally, knocker: Knocker, seconds: float) -> Searched:
    not_asked = tuple(address for address, door in knocker.doors.items() if door is Door.NOT_ASKED)
    return Searched(
        found=tuple(sorted(tally.found, key=lambda miner: _order(miner.address))),
        mute=tuple(sorted(tally.mute, key=_order)),
        others=tally.others,
        asked=len(knocker.doors) - len(not_asked),
        not_asked=not_asked,
        seconds=seconds,
    )


def _tell(progress: Progress | None, knocker: Knocker, of: int, tally: _Tally) -> None:
    if progress is not None:
        progress(len(knocker.doors), of, len(tally.found))


def _order(address: Address) -> tuple[int, int]:
    return int(IPv4Address(address.host)), address.port
