"""Makes a draft of a farm: what is found on the given subnets, and what only its owner knows."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.console.finding.asking import Asker
from deploy.console.finding.draft import Band, Draft, DraftMiner, names_for, parse_band, parse_bands
from deploy.console.finding.found import FoundMiner
from deploy.console.finding.interview_battery import battery_of
from deploy.console.finding.interview_broker import broker_of
from deploy.console.finding.interview_plugs import Hanging, plugs_of
from deploy.console.finding.miners import plain, rows, search_miners, shown_address, table
from deploy.console.finding.passwords import prove_passwords
from deploy.console.finding.showing import Progress, searched_shown
from deploy.console.finding.subnets import USUAL_PREFIX_MIN, own_subnets, parse_subnets
from services.vnish_agent.wiring import PASSWORD_VARIABLE
from shared.clock import Clock
from shared.settings import Secrets
from shared.settings.secrets import variable_of

USUAL_BAND = "50-60"
_OF_CONTAINERS = ("docker", "br-", "veth", "virbr", "cni")
_LOCAL_TIME = Path("/etc/localtime")


@dataclass(frozen=True)
class Given:
    """What was said by options; None and nothing: to be asked for, else the default."""

    subnets: Sequence[str] = ()
    large: bool = False
    port: int = 80
    time_zone: str | None = None
    ha_url: str | None = None
    sensor: str | None = None
    band: str | None = None
    bands: Sequence[str] = ()
    broker: str | None = None
    broker_username: str | None = None
    kasa_targets: Sequence[str] = ()
    plugs: Sequence[str] = ()
    watts: Sequence[str] = ()


@dataclass
class Interview:
    """One run of it. `secrets` are those that are known already; `fresh` those that were typed."""

    asker: Asker
    given: Given
    secrets: Secrets
    clock: Clock
    farm_file: Path
    fresh: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """The names of the secrets that the farm needs, as far as they could be seen."""

    def draft(self) -> Draft:
        """Asks everything. Raises TroubleError where something that was given cannot be used."""
        zone = self.asker.ask(
            "Time zone",
            "Schedules and the day's starts go by the local time.",
            "--time-zone",
            self.given.time_zone,
            local_time_zone(),
            _time_zone,
        )
        subnets = self._subnets()
        miners = self._miners(subnets)
        hanging = self._plugs(subnets, miners)
        battery = battery_of(self.asker, self.given.ha_url, self.given.sensor, self.secrets, self.fresh, self.clock)
        miners = [*(_hung(miner, hanging) for miner in miners), *hanging.rigs]
        if battery is not None and miners:
            miners = self._banded(miners)
        broker = broker_of(
            self.asker, self.given.broker, self.given.broker_username, self.secrets, self.fresh, self.clock
        )
        self._note_used(miners, has_battery=battery is not None, has_broker=broker is not None)
        return Draft(zone, miners, battery, broker, hanging.loose)

    def _note_used(self, miners: Sequence[DraftMiner], *, has_battery: bool, has_broker: bool) -> None:
        self.used |= {"HA_TOKEN"} if has_battery else set()
        self.used |= {"MQTT_PASSWORD"} if has_broker else set()
        self.used |= {"KASA_USERNAME", "KASA_PASSWORD"} if any(miner.plug for miner in miners) else set()
        for miner in miners:
            if miner.driver == "vnish":
                self.used |= {PASSWORD_VARIABLE, variable_of(miner.name)}

    def _subnets(self) -> tuple[IPv4Network, ...]:
        own = list(dict.fromkeys(str(subnet) for subnet in own_subnets().values()))
        here = f" This machine stands in: {', '.join(own)}." if own else ""
        # Without a terminal nobody has named one, and then none is asked.
        default = likeliest_subnet(own_subnets()) if self.asker.asks else ""
        return self.asker.ask(
            "Subnets to search (none: no search)",
            f"Miners are looked for on the subnets that you name, and nowhere else.{here}",
            "--subnet",
            " ".join(self.given.subnets) or None,
            default,
            self._parsed_subnets,
        )

    def _parsed_subnets(self, text: str) -> tuple[IPv4Network, ...]:
        words = text.replace(",", " ").split()
        return () if words in ([], ["none"]) else parse_subnets(words, large=self.given.large)

    def _miners(self, subnets: Sequence[IPv4Network]) -> list[DraftMiner]:
        if not subnets:
            return []
        progress = Progress()
        searched = search_miners(subnets, self.clock, port=self.given.port, progress=progress.searched)
        progress.end()
        found = sorted(searched.found, key=lambda miner: miner.driver != "vnish")
        names = names_for((miner.driver, shown_address(miner.address), miner.model) for miner in found)
        if found:
            lines = rows(found, None, farm_read=False)
            self.asker.say(table([(name, *line[:-1]) for name, line in zip(["name", *names], lines, strict=True)]))
        self.asker.say(searched_shown(searched).rstrip())
        named = dict(zip(names, found, strict=True))
        prove_passwords(self.asker, named, self.secrets, self.fresh, self.clock)
        macs = [miner.mac for miner in found]
        return [_drafted(name, miner, is_only=macs.count(miner.mac) == 1) for name, miner in named.items()]

    def _plugs(self, subnets: Sequence[IPv4Network], miners: Sequence[DraftMiner]) -> Hanging:
        targets = list(self.given.kasa_targets) or [str(subnet.broadcast_address) for subnet in subnets]
        if not targets:
            return Hanging()
        names = [miner.name for miner in miners]
        given = self.given
        return plugs_of(self.asker, targets, names, given.plugs, given.watts, self.farm_file, self.fresh)

    def _banded(self, miners: list[DraftMiner]) -> list[DraftMiner]:
        fed = [miner.name for miner in miners if miner.driver != "bitaxe"]
        band = self.asker.ask(
            "Band in percent (stop-resume)",
            f"Below one state of charge they stop, above another they run again: {', '.join(fed) or 'none yet'}.",
            "--band",
            self.given.band,
            USUAL_BAND,
            parse_band,
        )
        names = [miner.name for miner in miners]
        own = self.asker.ask(
            "Other bands (name=30-40, ...; name=none)",
            "The lowest band has the highest priority. A Bitaxe has none, unless you give it one here.",
            "--miner-band",
            ", ".join(self.given.bands) or None,
            "",
            lambda text: parse_bands(text, names),
        )
        bands: dict[str, Band | None] = {**dict.fromkeys(fed, band), **own}
        return [replace(miner, band=bands.get(miner.name)) for miner in miners]


def likeliest_subnet(own: Mapping[str, IPv4Network]) -> str:
    """The first, by interface, that may hold miners: neither one of containers nor too large; else none."""
    for interface, subnet in own.items():
        if not interface.startswith(_OF_CONTAINERS) and subnet.prefixlen >= USUAL_PREFIX_MIN and subnet.is_private:
            return str(subnet)
    return "none"


def local_time_zone() -> str:
    """The time zone of this machine, as far as it tells; else UTC."""
    linked = str(_LOCAL_TIME.resolve()) if _LOCAL_TIME.exists() else ""
    for name in (os.environ.get("TZ", "").lstrip(":"), linked.partition("zoneinfo/")[2]):
        try:
            return _time_zone(name)
        except ValueError:
            continue
    return "UTC"


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        message = f"{text!r} is not a time zone. Fix: write one such as Europe/Lisbon"
        raise ValueError(message) from None
    if not text:
        message = "no time zone. Fix: write one such as Europe/Lisbon"
        raise ValueError(message)
    return text


def _drafted(name: str, miner: FoundMiner, *, is_only: bool) -> DraftMiner:
    remark = " ".join(plain(word) for word in (miner.model, miner.firmware) if word)
    mac = miner.mac if is_only else None
    return DraftMiner(name, miner.driver, shown_address(miner.address), mac, remark=remark)


def _hung(miner: DraftMiner, hanging: Hanging) -> DraftMiner:
    return replace(miner, plug=hanging.plugs.get(miner.name))


def on_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
