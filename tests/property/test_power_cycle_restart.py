"""The agent of outlets is killed at any moment of a power cycle: power comes back, and it was cut exactly once."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from tests.plug_farm import HOST, PlugFarm, rig_on, s19_on


class Killed(BaseException):  # nobody catches it
    """The process ends here."""


class Doom:
    """Ends the process at its so-many-th deed: a message sent, a device asked, or a device switched."""

    def __init__(self, farm: PlugFarm, deeds: int) -> None:
        self._left = deeds
        self._link, self._strip = farm.link, farm.links[HOST]
        self._originals = (farm.link.send, self._strip.read, self._strip.switch)
        send, read, switch = self._originals
        farm.link.send = self._before_and_after(send)  # type: ignore[method-assign]
        self._strip.read = self._before_and_after(read)  # type: ignore[method-assign]
        self._strip.switch = self._before_and_after(switch)  # type: ignore[method-assign]

    def lift(self) -> None:
        """The next process lives."""
        self._strip.read, self._strip.switch = self._originals[1:]  # type: ignore[method-assign]

    def _before_and_after(self, deed: Callable[..., Any]) -> Callable[..., Any]:
        def doomed(*arguments: object, **more: object) -> Any:
            self._count()
            result = deed(*arguments, **more)
            self._count()
            return result

        return doomed

    def _count(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1


def lives_until(farm: PlugFarm, seconds: float) -> bool:
    """Whether the process outlives this time."""
    try:
        farm.run(seconds)
    except Killed:
        farm.kill()
        return False
    return True


@given(deeds=st.integers(0, 40), again=st.integers(0, 40), away=st.sampled_from([0, 3, 15]), api=st.booleans())
@settings(max_examples=120, deadline=None)
def test_exactly_one_cut_and_power_at_the_end(deeds: int, again: int, away: float, api: bool) -> None:
    clock = VirtualClock()
    machine = KasaMachine("KP115", clock=clock, name="Rig 7")
    machine.plug_in(PlainRig(1100, clock=clock))
    farm = PlugFarm({"m": s19_on() if api else rig_on()}, {HOST: machine}, clock)
    farm.order("m", on=True)
    farm.run(25)
    ordered_at = farm.cycle("m")
    for deed in (deeds, again):
        doom = Doom(farm, deed)
        alive = lives_until(farm, 60)
        doom.lift()
        if not alive:
            end = clock.seconds() + away
            while clock.seconds() < end:
                clock.advance(1)
            farm.renew("m")
            farm.launch()
    farm.run(120)
    assert [switched.on for switched in machine.switched] == [False, True]
    told = farm.last("m")
    assert (told.on, told.settled, told.last_cycle_at, told.cycle_off_since) == (True, True, ordered_at, None)
