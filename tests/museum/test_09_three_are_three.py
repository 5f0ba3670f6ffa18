"""Museum 9. Seen in the rig restarter: a limit of three restarts made two, and then ended the watch of every rig.

Must happen: three are made; then the rig is unstable, an event says so, and the others go on.
"""

from shared.messages import Severity
from tests.watched_rigs import PLAIN, WatchedFarm, rules_for, told


def test_three_are_made_and_the_others_go_on() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN, "c": PLAIN}))
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(200)
    assert len(farm.rigs["a"].cycles) == 3
    assert farm.codes("a")[-1] == "unstable"
    farm.rigs["b"].hung = True
    farm.play(30)
    assert (len(farm.rigs["b"].cycles), farm.rigs["b"].works) == (1, True)
    assert len(farm.rigs["a"].cycles) == 3


def test_the_event_says_so() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(200)
    events = told(farm, "a")
    assert [event.code for event in events] == ["power_cycling", "power_cycling", "power_cycling", "unstable"]
    assert events[-1].severity is Severity.ERROR
    assert "3 tries in vain" in events[-1].sentence
    assert told(farm, "b") == []
