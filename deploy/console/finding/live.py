"""Connects to everything that a farm file names, side by side, and tells of each whether it is as written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from deploy.connection import Connection
from deploy.console.finding.crew import Crew, Job
from deploy.console.finding.finding import Finding, Looked, wrong
from deploy.console.finding.live_battery import look_at_home_assistant, look_at_topics
from deploy.console.finding.live_broker import Complaints, look_at_broker
from deploy.console.finding.live_miners import look_at_bitaxe, look_at_vnish
from deploy.console.finding.live_plugs import look_at_plugs, plugs_by_device
from deploy.console.finding.live_pools import PoolLook
from services.pool_poller.spacing import Spacings
from services.pool_poller.wiring import accounts_of
from shared.clock import Clock
from shared.launch import address_of
from shared.settings import FarmSettings, Secrets

WHOLE_SECONDS = 45.0
CLOCKS_APART = timedelta(seconds=10)
"""A lease is refused as one from the future at 30 s."""
_AT_ONCE = 64
_LOOK_SECONDS = 0.1
_KINDS = ("broker", "battery", "miner", "plug", "pool", "clock")


@dataclass(frozen=True)
class Subject:
    """What is to be looked at. `connection` None: no broker is named, and none runs here."""

    farm: FarmSettings
    secrets: Secrets
    connection: Connection | None
    clock: Clock


def look_at_everything(subject: Subject, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """One finding for each thing, in order of their kinds. Ends within `WHOLE_SECONDS`, whatever hangs."""
    crew: Crew[Looked] = Crew(_AT_ONCE)
    complaints = Complaints()
    complaints.listen()
    findings: list[Finding] = []
    ahead: dict[str, timedelta] = {}
    try:
        jobs = list(_jobs(subject, complaints))
        for name, job in jobs:
            crew.give(name, job)
        ends = subject.clock.seconds() + WHOLE_SECONDS
        while crew.unfinished and subject.clock.seconds() < ends:
            done = crew.take(_LOOK_SECONDS)
            if done is not None:
                looked = _looked(*done)
                findings += looked.findings
                ahead |= looked.ahead
            if progress is not None:
                progress(len(jobs) - len(crew.unfinished), len(jobs))
        findings += [_hangs(name) for name in crew.unfinished]
    finally:
        crew.dismiss()
        complaints.end()
    return sorted([*findings, *_clocks(ahead)], key=lambda each: (_KINDS.index(each.kind), each.name))


def _jobs(subject: Subject, complaints: Complaints) -> Iterator[tuple[str, Job[Looked]]]:
    farm, secrets, clock = subject.farm, subject.secrets, subject.clock
    if subject.connection is not None:
        there = subject.connection
        address = address_of(there.url, there.username, there.password, there.ca_file)
        yield "broker", partial(look_at_broker, address, there.prefix, clock, complaints)
    yield from _battery_jobs(subject, complaints)
    timetables = farm.timetables()
    for name, miner in farm.miners.items():
        if miner.host is not None and miner.driver == "vnish":
            yield f"miner {name}", partial(look_at_vnish, name, miner, miner.host, secrets, clock)
        elif miner.host is not None and miner.driver == "bitaxe":
            yield f"miner {name}", partial(look_at_bitaxe, name, miner, miner.host, timetables.get(name), clock)
    for plugs in plugs_by_device(farm).values():
        yield f"plug {', '.join(plugs)}", partial(look_at_plugs, farm, plugs, secrets, clock)
    spacings = Spacings()
    for account, workers in accounts_of(farm).items():
        yield f"pool {'/'.join(account)}", PoolLook(farm, account, workers, secrets, clock, spacings)


def _battery_jobs(subject: Subject, complaints: Complaints) -> Iterator[tuple[str, Job[Looked]]]:
    battery, secrets, clock = subject.farm.battery, subject.secrets, subject.clock
    if battery is None:
        return
    if battery.home_assistant is not None:
        token = secrets.get("HA_TOKEN") or ""
        yield "battery home_assistant", partial(look_at_home_assistant, battery, token, clock)
    source = battery.mqtt
    if source is not None and source.url is not None:
        address = address_of(source.url, source.username, secrets.get("SOURCE_MQTT_PASSWORD"))
        yield "battery mqtt", partial(look_at_topics, source, address, clock, complaints)
    elif source is not None and subject.connection is None:
        said = "it comes over the farm's own broker, which does not run now: nobody knows what is told there"
        yield "battery mqtt", partial(wrong, "battery", "mqtt", said, "start the farm (sunherd up), and check again")
    elif source is not None and subject.connection is not None:
        there = subject.connection
        address = address_of(there.url, there.username, there.password, there.ca_file)
        yield "battery mqtt", partial(look_at_topics, source, address, clock, complaints)


def _looked(name: str, result: Looked | Exception) -> Looked:
    if isinstance(result, Looked):
        return result
    kind, _, rest = name.partition(" ")
    said = f"looking at it failed ({type(result).__name__})"
    return Looked((Finding(kind, rest or kind, said, "nobody knows how it is: look at it yourself, and report this"),))


def _hangs(name: str) -> Finding:
    kind, _, rest = name.partition(" ")
    said = f"it was not done with within {WHOLE_SECONDS:g} s"
    return Finding(kind, rest or kind, said, "check again; if it stays so, restart the device")


def _clocks(ahead: dict[str, timedelta]) -> Iterator[Finding]:
    """Nobody knows whose clock is wrong; but two that disagree are always worth a look."""
    for whose, by in ahead.items():
        if abs(by) > CLOCKS_APART:
            way = "ahead of" if by > timedelta(0) else "behind"
            said = f"the clock of {whose} is {abs(by).total_seconds():.0f} s {way} this machine's"
            yield Finding("clock", whose, said, "let both set their clocks from the network (NTP)")
        else:
            yield Finding("clock", whose, f"agrees with this machine's within {CLOCKS_APART.total_seconds():g} s")
