"""What the farm, its groups and the replicas of its services are shown to be. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from services.ha_discovery.known import SITE_FRESH_SECONDS, FarmKnown, GroupKnown, Moment
from services.ha_discovery.people import automatic, setting
from services.ha_discovery.shown import Shown, Values, rounded
from shared.messages import Number, Presence

ENGINES = "policy_engine"
GONE_AFTER = timedelta(days=1)
_NAMED_MAX = 5
_HANGING = {"hangs", "given_up"}


def totals(members: Iterable[Shown]) -> Values:
    """Sums over those that answer, and how many those are. Of nobody there is no sum, which is not 0."""
    there = [each.values for each in members if each.available]
    powers = [value for each in there if isinstance(value := each.get("power"), int | float)]
    hashrates = [value for each in there if isinstance(value := each.get("hashrate"), int | float)]
    return {
        "power": rounded(sum(powers), 1.0) if powers else None,
        "power_covers": len(powers),
        "hashrate": rounded(sum(hashrates), 0.01) if hashrates else None,
        "hashrate_covers": len(hashrates),
        "miners_hashing": sum(is_hashing(each) for each in there) if there else None,
        "miners_covered": len(there),
    }


def is_hashing(values: Values) -> bool:
    """Whether people would say that it hashes: not by its own word alone where the watchdog has found otherwise."""
    return values.get("state") == "hashing" and values.get("health") not in _HANGING


def group_shown(of_file_w: float | None, known: GroupKnown, members: Sequence[Shown], moment: Moment) -> Shown:
    """A group: what is wanted of it, and the sums of its members."""
    chosen = None if known.choice is None else known.choice.max_w
    return Shown(
        available=True,
        values={
            **automatic(known.override, moment.now),
            "max_w": setting(chosen, of_file_w),
            **totals(members),
            "miners": len(members),
        },
    )


def farm_shown(
    known: FarmKnown, miners: Mapping[str, Shown], moment: Moment, *, battery: bool, observed: bool
) -> Shown:
    """The whole farm."""
    percent = _state_of_charge(known, moment)
    mode = _mode(known, moment, observed=observed)
    needs = _needs(miners, led=moment.has_service(ENGINES), battery_known=percent is not None or not battery)
    return Shown(
        available=True,
        values={
            **totals(miners.values()),
            "miners": len(miners),
            "state_of_charge": rounded(percent, 0.1),
            "mode": mode,
            "emergency_stop_active": known.stop is not None,
            "emergency_stop_at": None if known.stop is None else known.stop.at.isoformat(),
            "emergency_stop_by": None if known.stop is None else known.stop.by,
            "problem": _is_needed(needs, miners),
            "problem_sentence": "; ".join(needs) or None,
        },
    )


def service_shown(presence: Presence, moment: Moment) -> Shown:
    """One replica of a service. What it told last of its work holds only while it is heard."""
    running = _runs(presence, moment)
    values: dict[str, Number | None] = {
        "running": running,
        "version": presence.version or None,
        "tends": presence.tends if running else None,
    }
    return Shown(available=True, values=values)


def is_shown(presence: Presence, moment: Moment) -> bool:
    """Whether a replica is still worth a device: one that has been away for a day is not."""
    return _runs(presence, moment) is not False or moment.now - presence.at < GONE_AFTER


def _runs(presence: Presence, moment: Moment) -> bool | None:
    """None: the broker remembers it, and it has had no three beats to be heard."""
    member = moment.roster.member(presence.instance)
    if member is None or not member.is_possible(moment.seconds):
        return False
    return True if member.is_live(moment.seconds) else None


def _state_of_charge(known: FarmKnown, moment: Moment) -> float | None:
    heard = known.site_heard_seconds
    if known.site is None or heard is None or moment.seconds - heard > SITE_FRESH_SECONDS:
        return None
    return known.site.state_of_charge_percent


def _mode(known: FarmKnown, moment: Moment, *, observed: bool) -> str:
    if known.stop is not None:
        return "emergency_stop"
    if not moment.has_service(ENGINES):
        return "no_engine"
    return "observing" if observed else "automatic"


def _is_needed(needs: Sequence[str], miners: Mapping[str, Shown]) -> bool | None:
    """Whether a person is needed; None: nothing speaks for it, but of some miner nothing is known at all.

    One that has just not answered is no such miner: it has a health, and becomes a problem in its time.
    """
    if needs:
        return True
    untold = (shown.values.get("problem") is None and shown.values.get("health") is None for shown in miners.values())
    return None if any(untold) else False


def _needs(miners: Mapping[str, Shown], *, led: bool, battery_known: bool) -> list[str]:
    """What a person should look at, the gravest first."""
    found = []
    if not led:
        found.append("no policy engine is heard: each agent keeps to its failsafe")
    if not battery_known:
        found.append("the state of charge is unknown")
    names = [name for name, shown in miners.items() if shown.values.get("problem")]
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return [*found, f"miners: {', '.join(names[:_NAMED_MAX])}{more}"] if names else found
