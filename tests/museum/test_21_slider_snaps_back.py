"""Museum 21, hass-miner 1: a slider showed what was wished for, then snapped back to what the miner reported.

Here a slider shows the setting that holds and never a wish: it moves once, when the engine has accepted, and stays.
What was refused it never shows, and says again what holds.
"""

from shared.messages import Choice, Number, Request, RequestKind
from shared.topics import MINER_CHOICE, MINER_EVENT, MINER_REQUEST
from tests.shown_farm import ShownFarm


def wish(farm: ShownFarm, **choose: Number) -> None:
    request = Request(at=farm.clock.now(), kind=RequestKind.CHOOSE, by="Home Assistant", choose=dict(choose))
    farm.write(MINER_REQUEST, "axe-1", request)


def seen_while(farm: ShownFarm, seconds: float) -> list[object]:
    """Each value that the slider shows, in order."""
    seen: list[object] = []
    for _ in range(int(seconds)):
        farm.reading("axe-1")
        farm.pass_seconds(1)
        value = farm.values("miner-axe-1")["stop_soc"]
        if not seen or seen[-1] != value:
            seen.append(value)
    return seen


def test_what_was_accepted_is_shown_once_and_stays() -> None:
    farm = ShownFarm()
    wish(farm, stop_soc=45.0)
    assert seen_while(farm, 5) == [40.0], "a wish is nothing to be shown"
    farm.write(MINER_CHOICE, "axe-1", Choice(at=farm.clock.now(), stop_soc=45.0))
    assert seen_while(farm, 60) == [45.0]


def test_what_was_refused_is_never_shown_and_what_holds_is_said_again() -> None:
    farm = ShownFarm()
    seen_while(farm, 7)
    wish(farm, stop_soc=90.0)
    said = farm.said("miner-axe-1")
    farm.event(MINER_EVENT, "axe-1", "request_refused")
    farm.pass_seconds(1)
    assert farm.said("miner-axe-1") == said + 1
    assert seen_while(farm, 30) == [40.0]
