"""From what was heard to what is shown of the whole farm: mode, engine, battery, and what needs a person. Pure."""

from datetime import timedelta

from deploy.console.view.figures import clock_time, printable
from deploy.console.view.miner import miner_seen
from deploy.console.view.picture import Picture
from deploy.console.view.seen import (
    BatterySeen,
    EngineSeen,
    FarmSeen,
    GroupSeen,
    Mode,
    StopSeen,
)
from deploy.console.view.totals import total_of
from services.policy_engine.memory import NOT_READ
from services.policy_engine.wording import span
from shared.messages import Action, UnknownReason
from shared.topics import MINER_COMMAND, SITE_TELEMETRY

_AHEAD = timedelta(seconds=30)


def farm_seen(picture: Picture, names: tuple[str, ...] = ()) -> FarmSeen:
    """The farm, or these miners and groups of it."""
    facts = picture.facts
    miners = tuple(miner_seen(picture, name) for name in facts.members_of(names))
    found = {each.name: each for each in miners}
    groups = tuple(
        GroupSeen(name=group, members=members, total=total_of(found[name] for name in members if name in found))
        for group, members in facts.groups.items()
        if any(member in found for member in members)
    )
    battery, mode = battery_seen(picture), mode_of(picture)
    stop = picture.stop
    return FarmSeen(
        at=picture.now,
        site=facts.site,
        mode=mode,
        engine=engine_seen(picture),
        battery=battery,
        emergency_stop=None if stop is None else StopSeen(at=stop.at, by=stop.by, reason=stop.reason),
        miners=miners,
        groups=groups,
        total=total_of(miners),
        attention=tuple(_attention(picture, battery)),
    )


def mode_of(picture: Picture) -> Mode:
    """How the farm is led."""
    if picture.stop is not None:
        return Mode.EMERGENCY_STOP
    if not picture.has_engine():
        return Mode.NO_ENGINE
    commands = [picture.said(MINER_COMMAND, miner) for miner in picture.facts.miners]
    told = [each for each in commands if each is not None and each.code != NOT_READ]
    if told and all(each.action is Action.OBSERVE for each in told):
        return Mode.OBSERVING
    return Mode.AUTOMATIC


def engine_seen(picture: Picture) -> EngineSeen:
    """Who is in charge."""
    found = picture.engine()
    if found is None:
        return EngineSeen()
    return EngineSeen(instance=found[0], epoch=found[1], live=picture.has_engine())


def battery_seen(picture: Picture) -> BatterySeen | None:
    """The state of charge, while its confirmation is young enough for the engine; None where there is no battery."""
    site = picture.said(SITE_TELEMETRY, picture.facts.site)
    if site is None:
        unknown = BatterySeen(unknown=UnknownReason.STARTING.value, detail="nobody tells of the battery")
        return unknown if picture.facts.has_battery else None
    age = None if site.confirmed_at is None else picture.now - site.confirmed_at
    known = BatterySeen(
        detail=printable(site.detail),
        confirmed_at=site.confirmed_at,
        age_seconds=None if age is None else max(0.0, age.total_seconds()),
    )
    if site.unknown is not None:
        return known.model_copy(update={"unknown": site.unknown.value})
    if age is None or age < -_AHEAD or age >= picture.facts.soc_lasts:
        said = "never confirmed" if age is None else "its clock is ahead" if age < -_AHEAD else ""
        detail = said or f"{site.state_of_charge_percent:.1f} % was confirmed {span(age or timedelta())} ago"
        return known.model_copy(update={"unknown": UnknownReason.UNCONFIRMED.value, "detail": detail})
    return known.model_copy(update={"state_of_charge_percent": site.state_of_charge_percent})


def _attention(picture: Picture, battery: BatterySeen | None) -> list[str]:
    found: list[str] = []
    if not picture.is_connected:
        found.append("the broker is not reached: what stands here is of before")
    stop = picture.stop
    if stop is not None:
        since = clock_time(stop.at, picture.now, picture.facts.zone)
        reason = f": {printable(stop.reason)}" if stop.reason else ""
        found.append(f"emergency stop since {since} by {printable(stop.by)}{reason}; sunherd resume ends it")
    if not picture.has_engine():
        found.append(_no_engine(picture))
    if battery is not None and battery.state_of_charge_percent is None:
        found.append(f"SoC unknown: {battery.detail or battery.unknown}")
    return found


def _no_engine(picture: Picture) -> str:
    others = picture.other_engines()
    if others:
        return f"no engine is in charge yet: {', '.join(others)} is heard"
    return "no engine is heard: nothing is decided, and each agent goes to its failsafe when its lease has run out"
