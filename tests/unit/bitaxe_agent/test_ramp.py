"""The next step from one setting to another."""

import pytest

from services.bitaxe_agent.aim import Reach, aim_at, clamped
from services.bitaxe_agent.protection import HeatLimits, Protection
from services.bitaxe_agent.ramp import Action, Move, Ramp, View, below, towards, towards_pause
from services.bitaxe_agent.setting import Setting
from shared.device import RefusedError
from shared.messages import PAUSE, MinerState, OperatingPoint
from tests.bitaxe_farm import set_to

DAY, NIGHT = Setting(1150, 450), Setting(1250, 550)


def way(begin: Setting, end: Setting, steps: int = 5) -> list[tuple[str, float]]:
    """All steps of a way, for a device that follows."""
    ramp, here = Ramp(begin, end, steps), begin
    taken: list[tuple[str, float]] = []
    for _ in range(100):
        action = towards(View(MinerState.HASHING, here, may_rise=True), end, ramp)
        if action.move is Move.NONE:
            return taken
        if action.move is Move.VOLTAGE:
            here = Setting(action.millivolts, here.frequency_mhz)
            taken.append(("mV", float(action.millivolts)))
        else:
            assert action.move is Move.FREQUENCY
            here = Setting(here.voltage_mv, action.megahertz)
            taken.append(("MHz", action.megahertz))
    pytest.fail("never arrives")


def test_down_the_frequency_first() -> None:
    assert way(NIGHT, DAY) == [
        *(("MHz", float(value)) for value in (530, 510, 490, 470, 450)),
        *(("mV", float(value)) for value in (1230, 1210, 1190, 1170, 1150)),
    ]


def test_up_the_voltage_first() -> None:
    assert way(DAY, NIGHT) == [
        *(("mV", float(value)) for value in (1170, 1190, 1210, 1230, 1250)),
        *(("MHz", float(value)) for value in (470, 490, 510, 530, 550)),
    ]


@pytest.mark.parametrize(
    ("begin", "end", "steps"),
    [
        (Setting(1150, 450), Setting(1150, 550), [("MHz", 550)]),
        (Setting(1250, 450), Setting(1150, 550), [("mV", 1150), ("MHz", 550)]),
        (Setting(1150, 550), Setting(1250, 450), [("MHz", 450), ("mV", 1250)]),
    ],
)
def test_mixed_ways_have_a_safe_order_too(begin: Setting, end: Setting, steps: list[tuple[str, float]]) -> None:
    assert way(begin, end, steps=1) == steps


def test_the_steps_are_not_smaller_than_worth_while_and_the_last_one_arrives() -> None:
    assert way(Setting(1150, 450), Setting(1157, 462.5)) == [("mV", 1157), ("MHz", 460), ("MHz", 462.5)]
    assert [value for _, value in way(Setting(1150, 400), Setting(1150, 487.5), steps=3)] == [429, 458, 487.5]


def test_in_a_hurry_it_goes_down_in_one_go() -> None:
    view = View(MinerState.HASHING, NIGHT, in_a_hurry=True)
    assert towards(view, DAY, Ramp(NIGHT, DAY, 5)) == Action(Move.FREQUENCY, megahertz=450)
    view = View(MinerState.HASHING, Setting(1250, 450), in_a_hurry=True)
    assert towards(view, DAY, Ramp(NIGHT, DAY, 5)) == Action(Move.VOLTAGE, millivolts=1150)


def test_what_is_above_the_limits_comes_down_to_them_in_one_go() -> None:
    limits, ramp = Setting(1250, 600), Ramp(Setting(1400, 850), DAY, 20)
    view = View(MinerState.HASHING, Setting(1400, 850), limits=limits)
    assert towards(view, DAY, ramp) == Action(Move.FREQUENCY, megahertz=600)
    view = View(MinerState.HASHING, Setting(1400, 450), limits=limits)
    assert towards(view, DAY, ramp) == Action(Move.VOLTAGE, millivolts=1250)


@pytest.mark.parametrize(
    ("view", "move"),
    [
        (View(MinerState.HASHING, DAY), Move.COOL),
        (View(MinerState.RAMPING, DAY), Move.START),
        (View(MinerState.FAULT, DAY), Move.FAILED),
        (View(MinerState.UNKNOWN, DAY), Move.UNKNOWN),
        (View(MinerState.HASHING, None, may_rise=True), Move.UNKNOWN),
        (View(MinerState.PAUSED, DAY), Move.RESUME),
        (View(MinerState.PAUSED, Setting(1300, 600)), Move.FREQUENCY),
        (View(MinerState.HASHING, NIGHT), Move.NONE),
        (View(MinerState.RAMPING, NIGHT), Move.START),
        (View(MinerState.FAULT, NIGHT), Move.FAILED),
        (View(MinerState.UNKNOWN, NIGHT), Move.UNKNOWN),
        (View(MinerState.HASHING, NIGHT, clear_first=True), Move.CLEAR),
        (View(MinerState.HASHING, NIGHT, fan_to_return=True), Move.FAN),
    ],
)
def test_nothing_rises_but_what_hashes_and_is_cool(view: View, move: Move) -> None:
    assert towards(view, NIGHT, Ramp(DAY, NIGHT, 5)).move is move


def test_a_pause() -> None:
    assert towards_pause(View(MinerState.PAUSED, DAY)).move is Move.NONE
    assert {towards_pause(View(state, DAY)).move for state in MinerState if state is not MinerState.PAUSED} == {
        Move.PAUSE
    }
    lower = View(MinerState.HASHING, Setting(1000, 50))
    assert below(lower, DAY, Ramp(DAY, DAY, 5)).move is Move.NONE, "lower than the floor is as good"
    assert below(View(MinerState.HASHING, None), DAY, Ramp(DAY, DAY, 5)).move is Move.UNKNOWN


# --- where to go

REACH = Reach({"quiet": Setting(1100, 400), "efficient": DAY, "night": NIGHT}, Setting(1250, 600), Setting(1100, 400))


@pytest.mark.parametrize(
    ("point", "setting"),
    [
        (set_to(1150, 450), DAY),
        (set_to(1400, 900), Setting(1250, 600)),
        (set_to(1123, 433.5), Setting(1123, 433.5)),
        (OperatingPoint(name="night", power_w=20), NIGHT),
    ],
)
def test_a_command_is_cut_to_the_limits(point: OperatingPoint, setting: Setting) -> None:
    assert clamped(point, REACH) == setting


@pytest.mark.parametrize(
    "point", [set_to(1050, 450), set_to(1150, 300), OperatingPoint(name="1500 W", power_w=1500, preset="1500")]
)
def test_what_the_ladder_does_not_span_is_refused(point: OperatingPoint) -> None:
    with pytest.raises(RefusedError):
        clamped(point, REACH)


def test_where_nobody_knows_what_it_bears_only_what_it_has_is_taken() -> None:
    unknown = Reach({"450 MHz 1150 mV": DAY}, None, DAY)
    assert clamped(set_to(1150, 450), unknown) == DAY
    with pytest.raises(RefusedError, match="not known"):
        clamped(set_to(1150, 440), unknown)


def test_before_the_first_reading_nothing_can_be_aimed_at() -> None:
    with pytest.raises(RefusedError, match="not read yet"):
        aim_at(PAUSE, Reach.of(None, None), None, Protection(HeatLimits()))
