"""What the owner should know of the rules at the start, though nothing in them is wrong. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.policy_engine.rules import Rules
from shared.schedule import Spell, Timetable

_WEEK = timedelta(days=7)


def remarks(rules: Rules, now: datetime) -> Iterator[str]:
    """One sentence each: gaps in schedules, and caps that no stock board can keep."""
    timetables = [miner.timetable for miner in rules.miners.values() if miner.timetable is not None]
    for timetable in {each.schedule.name: each for each in reversed(timetables)}.values():
        yield from _gaps(timetable, now)
    for name, miner in rules.miners.items():
        if miner.max_w is not None and miner.stock_w is not None and miner.max_w < miner.stock_w:
            yield (
                f"{name} may draw {miner.max_w:g} W, and a stock board reads about {miner.stock_w:g} W "
                "(some of it only an estimate of the firmware): set as it came, it would always be held back"
            )
    yield from _tight_groups(rules)


def _gaps(timetable: Timetable, now: datetime) -> Iterator[str]:
    gaps = [spell for spell in _week(timetable, now) if spell.window is None]
    if not gaps:
        return
    first = gaps[0]
    when = "all week"
    if first.begins is not None and first.ends is not None:
        begins, ends = (edge.astimezone(timetable.zone) for edge in (first.begins, first.ends))
        when = f"from {begins:%A %H:%M} to {ends:%A %H:%M}"
        more = len(gaps) - 1
        when += f" and {more} more time{'s' if more > 1 else ''} within a week" if more else ""
    yield f"no window of {timetable.schedule.name} holds {when}: the owner's normal point does then"


def _week(timetable: Timetable, now: datetime) -> Iterator[Spell]:
    at = now
    while at < now + _WEEK:
        spell = timetable.spell_at(at)
        yield spell
        if spell.ends is None:
            return
        at = spell.ends


def _tight_groups(rules: Rules) -> Iterator[str]:
    for name, group in rules.groups.items():
        stock_w = [rules.miners[member].stock_w for member in group.members if member in rules.miners]
        total_w = sum(watts for watts in stock_w if watts is not None)
        if group.max_w is not None and None not in stock_w and group.max_w < total_w:
            yield (
                f"group {name} may draw {group.max_w:g} W, and its {len(stock_w)} miners read about {total_w:g} W "
                "as stock boards: some will always be held back"
            )
