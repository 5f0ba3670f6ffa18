"""From a history that breaks an invariant to the shortest one that still does."""

from collections.abc import Callable

from tests.simulation.shape import History, Incident

Breaks = Callable[[History], bool]


def shrunk(history: History, breaks: Breaks) -> History:
    """Leaves out incidents, many at a time and then one by one, as long as it still breaks.

    Zeller and Hildebrandt's delta debugging: the result is minimal in that no single incident can be left out.
    """
    incidents = history.incidents
    share = max(1, len(incidents) // 2)
    while incidents:
        shorter = _without_a_share(history, incidents, share, breaks)
        if shorter is not None:
            incidents, share = shorter, max(1, min(share, len(shorter) // 2))
        elif share == 1:
            break
        else:
            share //= 2
    return History(history.seed, incidents)


def _without_a_share(
    history: History, incidents: tuple[Incident, ...], share: int, breaks: Breaks
) -> tuple[Incident, ...] | None:
    for begin in range(0, len(incidents), share):
        rest = incidents[:begin] + incidents[begin + share :]
        if breaks(History(history.seed, rest)):
            return rest
    return None
