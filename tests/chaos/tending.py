"""The rules of tending: each device has exactly one tender, apart from hand-overs that have a cause. Pure."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.causes import Broken, Causes, Span, told_of
from tests.chaos.history import Control
from tests.chaos.plan import AGENT, BROKER, Blow, Trouble
from tests.chaos.times import Times

ONE_TENDER = "a device changes its tender only for a cause"
ALWAYS_TENDED = "a device is never without a tender for longer than its bound"
TWO_HANDS = "two replicas order one device about only while it changes hands"
OUTSIDE = "no pause by a replica is taken for a person's"
CONFLICT = "no replica starts what another has just stopped"
TWO_HANDS_SECONDS = 10.0


def conflict_seconds_of(times: Times) -> float:
    """A stop begins a time off: nobody may decide upon a start within it. A second is for the way to the miner."""
    return times.minimum_off - 1.0


def changes(causes: Causes) -> Iterator[Broken]:
    """Each change from one tender to another follows a trouble, a join or a leave."""
    for device in causes.history.cast.miners:
        for before, after in itertools.pairwise(causes.fresh[device]):
            if before.by == after.by or after.at < 0:
                continue
            if not hand_over_causes(causes, {before.by, after.by}, before.at, after.at):
                sentence = (
                    f"{device} goes from {before.by} (last heard at {before.at:.1f} s) to {after.by} "
                    f"({after.at:.1f} s), and nothing that happened explains it"
                )
                yield Broken(ONE_TENDER, after.at, device, sentence)


def hand_over_causes(causes: Causes, whom: set[str], begins: float, ends: float) -> list[Trouble]:
    """The troubles by which a device may change hands now: those of the two, of the broker, and of whoever came."""
    long = causes.times.untended + causes.times.settle
    joins = [one.whom for one in causes.history.done if one.blow is Blow.JOIN]
    return causes.near(begins - long, ends, {*whom, *joins})


def gaps(causes: Causes) -> Iterator[Broken]:
    """Between two words of a device there is never more time than until the first calm moment, and a reading."""
    calm = calm_gap_seconds(causes)
    for device in causes.history.cast.miners:
        heard = [0.0, *(told.at for told in causes.fresh[device] if 0 < told.at < causes.history.ended)]
        for before, after in itertools.pairwise([*heard, causes.history.ended]):
            if after - before <= calm:
                continue

            def relevant(begins: float, ends: float, device: str = device) -> list[Span]:
                return causes.of_hearing_agent(device, begins, ends)

            allowed = causes.first_calm(before, calm, relevant) + calm
            if after > allowed:
                troubles = told_of(causes.near(before, after, causes.all_agents()))
                sentence = (
                    f"{device} is not heard of from {before:.1f} to {after:.1f} s; "
                    f"by {allowed:.1f} s somebody had to tend it ({troubles})"
                )
                yield Broken(ALWAYS_TENDED, before, device, sentence)


def calm_gap_seconds(causes: Causes) -> float:
    return 2 * causes.times.poll + causes.times.request + causes.times.margin


def two_hands(causes: Causes) -> Iterator[Broken]:
    """Two replicas that order one device about within some seconds need a cause; a start after a stop has only one."""
    for device, controls in _by_device(causes.history.controls).items():
        for before, after in itertools.pairwise(controls):
            if before.by == after.by or after.at < 0 or after.at - before.at > TWO_HANDS_SECONDS:
                continue
            both = f"{before.by} {_verb(before)} {device} at {before.at:.1f} s and {after.by} {_verb(after)} it at "
            both += f"{after.at:.1f} s"
            if not hand_over_causes(causes, {before.by, after.by}, before.at, after.at):
                yield Broken(TWO_HANDS, after.at, device, f"{both}, and nothing that happened explains it")
            elif _contradicts(causes, before, after) and not _just_thawed(causes, after):
                yield Broken(CONFLICT, after.at, device, both)


def outside_pauses(causes: Causes) -> Iterator[Broken]:
    """Nobody of this world touches a miner but the replicas: whoever tells of a person has mistaken another for one."""
    said: set[tuple[str, str]] = set()
    for told in causes.history.told:
        if told.outside_pause and (told.device, told.by) not in said:
            said.add((told.device, told.by))
            last = [one for one in causes.history.controls if one.device == told.device and one.at < told.at][-1:]
            who = f"; {_told_of(last[0])}" if last else ""
            sentence = f"{told.by} tells at {told.at:.1f} s that a person has paused {told.device}{who}"
            yield Broken(OUTSIDE, told.at, told.device, sentence)


def _told_of(control: Control) -> str:
    return f"the last order was that {control.by} {_verb(control)} it at {control.at:.1f} s"


def _contradicts(causes: Causes, before: Control, after: Control) -> bool:
    # The other way round is no conflict: whoever is cut off from the rest may lower, and nothing else.
    return after.starts and not before.starts and after.at - before.at <= conflict_seconds_of(causes.times)


def _just_thawed(causes: Causes, control: Control) -> bool:
    """A process that was stopped in the middle of a request ends it when it goes on: nobody can prevent that."""
    felt = causes.times.request + causes.times.margin
    return any(
        one.blow is Blow.FREEZE and one.whom == control.by and one.ends <= control.at <= one.ends + felt
        for one in causes.history.done
    )


def _verb(control: Control) -> str:
    return "starts" if control.starts else "stops"


def _by_device(controls: list[Control]) -> dict[str, list[Control]]:
    found: dict[str, list[Control]] = defaultdict(list)
    for control in sorted(controls, key=lambda one: one.at):
        if control.took:
            found[control.device].append(control)
    return found


# --- figures


def tended_after_kills(causes: Causes) -> list[float]:
    """After each kill of an agent, how long each of its devices was without a fresh word. In seconds."""
    return [one for trouble in _of_agents(causes, {Blow.KILL}) for one in _tended_again(causes, trouble)]


def tended_after_silence(causes: Causes) -> list[float]:
    """The same after one has fallen silent without a will: frozen, or in a black hole, long enough to be missed."""
    long = causes.times.untended + causes.times.settle + causes.times.poll
    silent = _of_agents(causes, {Blow.FREEZE, Blow.HOLD, Blow.HOLD_UP})
    missed = [one for one in silent if one.ends - one.begins > long]
    return [one for trouble in missed for one in _tended_again(causes, trouble)]


def _of_agents(causes: Causes, blows: set[Blow]) -> list[Trouble]:
    service_of = causes.history.cast.service_of
    return [one for one in causes.history.done if one.blow in blows and service_of(one.whom) == AGENT]


def _tended_again(causes: Causes, trouble: Trouble) -> Iterator[float]:
    for device in causes.history.cast.miners:
        before = causes.between(device, float("-inf"), trouble.begins)
        if before and before[-1].by == trouble.whom:
            after = next((told.at for told in causes.fresh[device] if told.at > trouble.begins), None)
            yield (causes.history.ended if after is None else after) - trouble.begins


def shares_of_joiners(causes: Causes) -> list[float]:
    """Which part of the devices each replica that joined has got, while nothing else was wrong with it."""
    found: list[float] = []
    for trouble in causes.history.done:
        if trouble.blow is Blow.JOIN and trouble.ends - trouble.begins > causes.times.untended:
            got = [
                device
                for device in causes.history.cast.miners
                if any(told.by == trouble.whom for told in causes.between(device, trouble.begins, trouble.ends))
            ]
            if not any(one.whom == BROKER for one in causes.near(trouble.begins, trouble.ends, ())):
                found.append(len(got) / len(causes.history.cast.miners))
    return found
