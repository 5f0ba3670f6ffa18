"""Whatever happens to replicas and broker: no unit has two tenders that may act, and in the end each has one."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.replica_farm import ReplicaFarm

NAMES = ("a", "b", "c", "d")
UNITS = 12

incidents = st.lists(
    st.tuples(
        st.sampled_from(["join", "kill", "vanish", "leave", "freeze", "thaw", "broker", "amnesia", "hang", "answer"]),
        st.sampled_from(NAMES),
        st.sampled_from([0.25, 1.0, 3.0, 8.0, 20.0]),
    ),
    max_size=10,
)


def happen(farm: ReplicaFarm, what: str, name: str) -> None:
    replica = farm.replicas.get(name)
    alive = replica is not None and replica.running
    if what == "join" and not alive:
        farm.add(name)
    elif what == "hang":
        farm.hangs.update(farm.units)
    elif what == "answer":
        farm.hangs.clear()
    elif what in {"broker", "amnesia"} and farm.broker.running:
        farm.broker.kill(forget=what == "amnesia")
    elif what in {"broker", "amnesia"}:
        farm.broker.revive()
    elif replica is not None and alive:
        if what == "thaw" and replica.frozen:
            replica.thaw()
        elif what == "freeze":
            replica.freeze()
        elif what in {"kill", "vanish", "leave"} and farm.broker.running and not replica.frozen:
            getattr(replica, what)()


def may_act(farm: ReplicaFarm, unit: str) -> list[str]:
    """Who may raise something: not the frozen, nor those who know that they hear nobody."""
    return [
        name
        for name in farm.tending(unit)
        if not farm.replicas[name].frozen
        and not farm.replicas[name].replicas.is_fenced()
        and unit in farm.replicas[name].replicas.tended
    ]


@settings(max_examples=60, deadline=None)
@given(history=incidents, keeps=st.booleans())
@example(
    history=[
        ("hang", "a", 8.0),
        ("freeze", "a", 8.0),
        ("broker", "a", 0.25),
        ("join", "d", 8.0),
        ("answer", "b", 8.0),
        ("leave", "a", 8.0),
        ("thaw", "a", 8.0),
        ("amnesia", "d", 0.25),
        ("vanish", "a", 3.0),
        ("broker", "d", 0.25),
    ],
    keeps=True,
)  # two that had been cut off were unfenced before they heard of each other
def test_one_tender_at_most_at_any_time_and_exactly_one_in_the_end(
    history: list[tuple[str, str, float]], keeps: bool
) -> None:
    farm = ReplicaFarm(UNITS, keeps=keeps)
    farm.add("a", "b")
    for what, name, seconds in history:
        happen(farm, what, name)
        for _ in farm.moments(seconds):
            doubly = {unit: who for unit in farm.units if len(who := may_act(farm, unit)) > 1}
            assert not doubly, f"after {what} of {name}: {doubly}"

    farm.broker.revive()
    farm.hangs.clear()
    for replica in farm.replicas.values():
        if replica.running and replica.frozen:
            replica.thaw()
    if not any(replica.running for replica in farm.replicas.values()):
        farm.add("a")
    farm.pass_seconds(40)
    assert farm.is_whole(), farm.shares()
