"""All services, killed at any moment: one cycle for one hang, and none of what is meant to be paused."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.messages import OverrideKind
from tests.whole_rigs import (
    ASIC,
    COOLDOWN_SECONDS,
    ENGINE,
    LEASE_AND_GRACE_SECONDS,
    PROCESSES,
    RIG,
    Whole,
)

PROPERTY = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Each example takes a second or two: what has failed is told as it is.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@dataclass(frozen=True)
class Kill:
    """The end of a process: at a moment after the hang, or at a deed after a cycle has been ordered."""

    process: str
    away_seconds: int
    at_seconds: int | None = None
    deeds: int = 0

    def come(self, world: Whole) -> None:
        if self.deeds:
            world.doom(self.process, self.deeds - 1, self.away_seconds)
        else:
            world.kill(self.process, self.away_seconds)


_NAMES, _HUNG = st.sampled_from(PROCESSES), st.sampled_from([RIG, ASIC])
_DEEDS = st.one_of(st.integers(0, 12), st.integers(0, 60))
_SHORT, _LONG = st.sampled_from([1, 5, 20, 60, 140]), st.sampled_from([1, 5, 20, 60, 140, 320, 500])


def _kill(process: str, away: st.SearchStrategy[int]) -> st.SearchStrategy[Kill]:
    at = st.one_of(st.none(), st.none(), st.integers(0, 700))
    return st.builds(Kill, st.just(process), away, at, _DEEDS)


BRIEF = st.lists(_NAMES.flatmap(lambda name: _kill(name, _SHORT if name == ENGINE else _LONG)), max_size=4)
"""The engine is never away for so long that agents go to their failsafes: those cut power, too."""
ANY = st.lists(_NAMES.flatmap(lambda name: _kill(name, _LONG)), max_size=4)
OUTAGES = st.lists(st.tuples(st.integers(0, 700), st.sampled_from([3, 30, 120])), max_size=1)


def let_happen(world: Whole, kills: list[Kill], outages: list[tuple[int, int]]) -> None:
    """Puts everything into the calendar. Those of no certain time come with the first order."""
    for kill in kills:
        if kill.at_seconds is not None:
            world.after(kill.at_seconds, lambda kill=kill: kill.come(world))  # type: ignore[misc] # bound in the loop
    for at, seconds in outages:
        world.after(at, lambda seconds=seconds: world.lose_broker(seconds))  # type: ignore[misc] # bound in the loop
    left = [kill for kill in kills if kill.at_seconds is None]

    def ordered() -> None:
        while left:
            left.pop().come(world)

    world.on_order = ordered


def well(world: Whole) -> dict[str, tuple[bool, bool, bool]]:
    """Of each miner: whether its outlet is on, whether it shall be, and whether the machine works."""
    return {name: (world.is_on(name), world.wants[name].on, one.hashing) for name, one in world.machines.items()}


ALL_WELL = dict.fromkeys([RIG, ASIC], (True, True, True))


@PROPERTY
@given(hung=_HUNG, kills=BRIEF, outages=OUTAGES, meter=st.booleans())
def test_one_hang_is_one_cycle(hung: str, kills: list[Kill], outages: list[tuple[int, int]], meter: bool) -> None:
    world = Whole(meter=meter).run(60)
    world.machines[hung].hang()
    let_happen(world, kills, outages)
    world.run(2700)
    (cut,) = world.cuts[hung]
    assert (cut.commanded_on, cut.worked) == (True, False)
    assert world.cuts[RIG if hung == ASIC else ASIC] == []
    assert well(world) == ALL_WELL
    assert world.failures() == 0


@PROPERTY
@given(hung=_HUNG, kills=ANY, outages=OUTAGES)
def test_whoever_is_away_nothing_is_cycled_in_vain(
    hung: str, kills: list[Kill], outages: list[tuple[int, int]]
) -> None:
    world = Whole().run(60)
    world.machines[hung].hang()
    let_happen(world, kills, outages)
    world.run(3600)
    for name in (RIG, ASIC):
        cycles = world.cycles(name)
        assert not [cut for cut in cycles if cut.worked], "it worked"
        assert len(cycles) <= (name == hung)
    assert well(world) == ALL_WELL
    assert world.failures() == 0


@PROPERTY
@given(
    ill=st.sampled_from([RIG, ASIC]),
    by=st.sampled_from(["person", "battery", "stop"]),
    paused_at=st.integers(0, 400),
    kills=BRIEF,
    outages=OUTAGES,
)
def test_what_is_meant_to_be_paused_is_never_cycled(
    ill: str, by: str, paused_at: int, kills: list[Kill], outages: list[tuple[int, int]]
) -> None:
    world = Whole().run(60)
    world.machines[ill].hang()
    let_happen(world, kills, outages)
    world.run(paused_at)
    pause(world, by)
    world.run(LEASE_AND_GRACE_SECONDS)  # whoever was away is told of it by then, or stops by itself
    before = {name: len(world.ordered[name]) for name in (RIG, ASIC)}
    was_on = {name: world.is_on(name) for name in (RIG, ASIC)}
    switched = len(world.machine.switched)
    world.run(1500)
    assert {name: len(world.ordered[name]) for name in (RIG, ASIC)} == before
    gone_on = [one for one in list(world.machine.switched)[switched:] if one.on and not was_on[RIG]]
    assert not gone_on, "an outlet was switched on during the pause"
    assert not world.is_on(RIG)
    assert {name: one.hashing for name, one in world.machines.items()} == {RIG: False, ASIC: False}
    resume(world, by)
    world.run(2400)
    assert well(world) == ALL_WELL
    assert len(world.ordered[ill]) <= 2


def pause(world: Whole, by: str) -> None:
    if by == "person":
        for name in (RIG, ASIC):
            world.person(name, OverrideKind.PAUSE)
    elif by == "stop":
        world.emergency(active=True)
    else:
        world.soc_percent = 40.0


def resume(world: Whole, by: str) -> None:
    if by == "person":
        for name in (RIG, ASIC):
            world.person(name, OverrideKind.AUTOMATIC)
    elif by == "stop":
        world.emergency(active=False)
    else:
        world.soc_percent = 80.0


@PROPERTY
@given(hung=_HUNG, kills=BRIEF, outages=OUTAGES, minutes=st.sampled_from([0.5, 2, 4]))
def test_what_hangs_again_and_again_is_given_up_on_within_its_budget(
    hung: str, kills: list[Kill], outages: list[tuple[int, int]], minutes: float
) -> None:
    world = Whole(tries=2).run(60)
    world.machines[hung].frailty.become_unstable(minutes)
    let_happen(world, kills, outages)
    world.run(4500)
    care = world.commands[hung].care
    cycles, hangs = world.cycles(hung), world.machines[hung].frailty.relapses + 1
    assert len(cycles) <= hangs
    assert care is not None
    seen = care.returned_at is not None
    assert seen or (len(world.ordered[hung]), care.code) == (2, "unstable")
    apart = [later.began - earlier.began for earlier, later in pairwise(cycles)]
    assert all(seconds >= COOLDOWN_SECONDS for seconds in apart)
    assert len(cycles) <= 6, "more than starts_per_day"
    assert world.cuts[RIG if hung == ASIC else ASIC] == []
