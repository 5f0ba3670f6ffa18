"""Days of whole farms under every kind of fault, with every invariant looked at. `make simulate` plays thousands."""

import pytest

from tests.simulation.history import history_of
from tests.simulation.play import play
from tests.simulation.report import described, told
from tests.simulation.shape import History, Incident
from tests.simulation.shrink import shrunk

SEEDS_EACH = 8
CHUNKS = 12


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.timeout(300)
def test_nothing_is_broken_on_these_days(chunk: int) -> None:
    for seed in range(1 + chunk * SEEDS_EACH, 1 + (chunk + 1) * SEEDS_EACH):
        outcome = play(history_of(seed))
        again = f"python -m tests.simulation --seeds {seed} finds the shortest history"
        assert not outcome.breaches, f"{told(outcome)}\n{described(outcome.history)}\n{again}"


@pytest.mark.timeout(300)
def test_a_day_by_the_rules_of_an_owner_who_has_set_none() -> None:
    outcome = play(history_of(250), until_seconds=6 * 3600)
    assert not outcome.breaches, told(outcome)


def test_the_same_history_is_the_same_day() -> None:
    first, second = (play(history_of(7), until_seconds=6 * 3600) for _ in range(2))
    assert first.trace == second.trace
    assert first.counts == second.counts
    assert first.trace != play(history_of(8), until_seconds=6 * 3600).trace


def test_every_day_begins_with_a_decision_for_every_miner() -> None:
    outcome = play(History(3, ()), until_seconds=3600)
    assert outcome.counts["commands"] >= 2
    assert outcome.counts["readings"] >= 2


def test_the_shortest_history_holds_only_what_matters() -> None:
    incidents = tuple(Incident(float(at), kind) for at, kind in enumerate("abcdefghij"))

    def breaks(history: History) -> bool:
        kinds = {incident.kind for incident in history.incidents}
        return {"c", "h"} <= kinds

    shortest = shrunk(History(1, incidents), breaks)
    assert [incident.kind for incident in shortest.incidents] == ["c", "h"]
    assert shrunk(History(1, incidents), lambda _history: True).incidents == ()
