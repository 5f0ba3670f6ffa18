"""The rules of power: no miner hashes that the battery cannot feed. Judged by what the stand-ins saw. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.causes import Broken, Causes, Span, told_of
from tests.chaos.history import Control, Shown
from tests.chaos.plan import Blow

STARTS, STOPS = "a miner starts only when the battery allows it", "a miner stops when the battery needs it to"


@dataclass(frozen=True)
class Spell:
    """A time in which a miner must not hash. `due`: when it must begin to stop; before, old knowledge may be used."""

    begins: float
    due: float
    ends: float
    why: str


def spells(shown: list[Shown], stop: float, ends: float, stale_pause: float) -> list[Spell]:
    """All times in which the battery was below a miner's band, or unknown."""
    found: list[Spell] = []
    begins: float | None = None
    due, why = 0.0, ""
    for one in shown:
        is_bad = one.percent is None or one.percent < stop
        if is_bad:
            own_due = one.at if one.percent is not None else one.at + stale_pause
            said = "unknown" if one.percent is None else f"{one.percent:g} %, below {stop:g} %"
            if begins is None or own_due < due:
                begins, due, why = one.at if begins is None else begins, own_due, said
        elif begins is not None:
            found.append(Spell(begins, due, one.at, why))
            begins = None
    if begins is not None:
        found.append(Spell(begins, due, ends, why))
    return found


def stops(causes: Causes) -> Iterator[Broken]:
    """No miner draws power for longer than its bound after it should have stopped."""
    history = causes.history
    for device, (stop, _resume) in history.bands.items():
        for spell in spells(history.shown, stop, history.ended, history.times.stale_pause):
            deadline = stop_deadline(causes, device, spell.due)
            late = [look.at for look in history.looks if deadline < look.at < spell.ends and device in look.busy]
            if late:
                sentence = (
                    f"{device} draws power until {late[-1]:.1f} s; the battery is {spell.why} since "
                    f"{spell.begins:.1f} s, and by {deadline:.1f} s it had to stand still "
                    f"({told_of(causes.near(spell.begins, deadline, causes.everybody(device)))})"
                )
                yield Broken(STOPS, late[0], device, sentence)


def stop_deadline(causes: Causes, device: str, due: float) -> float:
    """By when a miner that is to stop at a time must stand still: the earliest of three chains.

    1. From the battery to the miner nothing is wrong for as long as a reaction takes.
    2. Old knowledge of the battery is not used for longer than `stale_pause`: from then on, engine and agent suffice.
    3. A command ends with lease and grace: from then on, its tender alone suffices, and nobody need hear anybody.
    """
    times = causes.times
    unheard = due + times.stale_pause
    skews = [abs(float(one.detail)) for one in causes.history.done if one.blow is Blow.SKEW and one.begins <= unheard]
    alone = unheard + times.alone + max(skews, default=0.0)

    def engine(begins: float, ends: float) -> list[Span]:
        return [*causes.of_engine(begins, ends), *causes.of_hearing_agent(device, begins, ends)]

    def whole(begins: float, ends: float) -> list[Span]:
        return [*causes.of_source(), *engine(begins, ends)]

    def agent(begins: float, ends: float) -> list[Span]:
        return causes.of_agent_alone(device, begins, ends)

    react = times.reaction
    chains = ((due, whole), (unheard, engine), (alone, agent))
    return min(causes.first_calm(begins, react, relevant) + react for begins, relevant in chains)


def starts(causes: Causes) -> Iterator[Broken]:
    """Whoever starts a miner has known, not too long ago, that it may hash."""
    for control in causes.history.controls:
        if control.starts and control.took and control.at >= 0:
            stop, resume = causes.history.bands[control.device]
            since = control.at - start_age_max(causes, control)
            if not _may_hash(causes.history.shown, stop, resume, since, control.at):
                last = [one for one in causes.history.shown if one.at <= control.at][-1:]
                shows = "unknown" if not last or last[0].percent is None else f"{last[0].percent:g} %"
                sentence = (
                    f"{control.by or 'somebody'} starts {control.device} at {control.at:.1f} s; the battery is "
                    f"{shows}, and since {since:.1f} s it has never let it run (it resumes above {resume:g} %)"
                )
                yield Broken(STARTS, control.at, control.device, sentence)


def start_age_max(causes: Causes, control: Control) -> float:
    """How old the knowledge behind a start may be: fresh where nothing is wrong, else as staleness and lease allow."""
    times, at = causes.times, control.at
    oldest = times.start_of_old
    whom = [control.by, *causes.engines(at - oldest, at), *causes.bridges(), control.device]
    troubles = causes.near(at - oldest, at, whom)
    spans = [span for one in troubles for span in causes.felt(one)]
    if not any(begins <= at and at - times.reaction <= ends for begins, ends in spans):
        return times.reaction
    # A process that is stopped between decision and request sends the request when it goes on: one, and no more.
    frozen = [one for one in troubles if one.blow is Blow.FREEZE and one.whom == control.by]
    thawed = [one for one in frozen if one.ends <= at <= one.ends + times.request + times.margin]
    skews = [abs(float(one.detail)) for one in troubles if one.blow is Blow.SKEW]
    return oldest + sum(one.ends - one.begins for one in thawed) + max(skews, default=0.0)


def _may_hash(shown: list[Shown], stop: float, resume: float, begins: float, ends: float) -> bool:
    """Whether at any moment of this time the battery, with its hysteresis, would have let a miner run."""
    latched_off, lets = False, True
    before_lets = True
    for one in shown:
        if one.at > ends:
            break
        if one.percent is not None and one.percent < stop:
            latched_off = True
        elif one.percent is not None and one.percent > resume:
            latched_off = False
        lets = one.percent is not None and not latched_off
        if one.at <= begins:
            before_lets = lets
        elif lets:
            return True
    return before_lets
