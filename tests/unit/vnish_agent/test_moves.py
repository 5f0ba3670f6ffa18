import pytest

from services.vnish_agent.facts import MinerSettings
from services.vnish_agent.moves import Move, View, next_move
from shared.messages import PAUSE, MinerState, OperatingPoint

PLAIN = OperatingPoint(name="normal", power_w=3250)
P2300 = OperatingPoint(name="2300 W", power_w=2300, preset="2300")
HALF = OperatingPoint(name="50 %", power_w=1500, throttle_percent=50)
SWITCHING = {"enabled": True, "top_preset": "2300"}


@pytest.mark.parametrize(
    ("state", "power_w", "move"),
    [
        (MinerState.HASHING, 3000, Move.STOP),
        (MinerState.RAMPING, 60, Move.STOP),
        (MinerState.STOPPING, 60, Move.ON_THE_WAY),
        (MinerState.PAUSED, 10, Move.NONE),
        (MinerState.PAUSED, None, Move.NONE),
        (MinerState.UNKNOWN, None, Move.STOP),
        (MinerState.UNKNOWN, 0, Move.STOP),
        (MinerState.FAULT, 0, Move.NONE),
        (MinerState.FAULT, 1200, Move.STOP),
        (MinerState.FAULT, None, Move.STOP),
    ],
)
def test_towards_a_pause(state: MinerState, power_w: float | None, move: Move) -> None:
    assert next_move(View(state, power_w), PAUSE) is move


@pytest.mark.parametrize(
    ("state", "move"),
    [
        (MinerState.HASHING, Move.NONE),
        (MinerState.RAMPING, Move.ON_THE_WAY),
        (MinerState.STOPPING, Move.ON_THE_WAY),
        (MinerState.PAUSED, Move.START),
        (MinerState.FAULT, Move.START),
        (MinerState.UNKNOWN, Move.WAIT),
    ],
)
def test_towards_hashing(state: MinerState, move: Move) -> None:
    assert next_move(View(state), PLAIN) is move


@pytest.mark.parametrize(
    ("view", "move"),
    [
        (View(MinerState.HASHING, live_preset="2300", settings=MinerSettings("2300")), Move.NONE),
        (View(MinerState.HASHING, live_preset="2620", settings=MinerSettings("2620")), Move.PRESET),
        (View(MinerState.HASHING, live_preset="2620", settings=MinerSettings("2300")), Move.ON_THE_WAY),
        (
            View(MinerState.HASHING, live_preset="2620", settings=MinerSettings("2300"), restart_required=True),
            Move.RESTART,
        ),
        (
            View(MinerState.HASHING, live_preset="2620", settings=MinerSettings("2300"), reboot_required=True),
            Move.REBOOT,
        ),
        # 1.2.0 has no live preset: settings and our own pending restart decide.
        (View(MinerState.HASHING, settings=MinerSettings("2300")), Move.NONE),
        (View(MinerState.HASHING, settings=MinerSettings("2300"), restart_required=True), Move.RESTART),
        (View(MinerState.HASHING, live_preset="2300"), Move.NONE),
        (View(MinerState.HASHING), Move.PRESET),
        (View(MinerState.PAUSED, settings=MinerSettings("2620")), Move.PRESET),
        (View(MinerState.PAUSED, live_preset="2620", settings=MinerSettings("2300")), Move.START),
    ],
)
def test_towards_a_preset(view: View, move: Move) -> None:
    assert next_move(view, P2300) is move


@pytest.mark.parametrize(
    ("live", "settings", "move"),
    [
        ("2300", MinerSettings("2300", SWITCHING), Move.NONE),
        ("1500", MinerSettings("2300", SWITCHING), Move.NONE),
        ("1500", MinerSettings("1500", SWITCHING), Move.NONE),
        ("2620", MinerSettings("2300", SWITCHING), Move.ON_THE_WAY),
        ("2300", MinerSettings("2300", {"enabled": True, "top_preset": "2620"}), Move.PRESET),
        ("2300", MinerSettings("2620", SWITCHING), Move.PRESET),
        ("1500", MinerSettings("2300", {"enabled": False, "top_preset": "2300"}), Move.ON_THE_WAY),
    ],
)
def test_the_firmwares_own_switching_is_respected_below_the_wanted_preset(
    live: str, settings: MinerSettings, move: Move
) -> None:
    assert next_move(View(MinerState.HASHING, live_preset=live, settings=settings), P2300) is move


def test_a_throttle_is_read_back() -> None:
    assert next_move(View(MinerState.HASHING, throttled_percent=50), HALF) is Move.NONE
    assert next_move(View(MinerState.HASHING, throttled_percent=100), HALF) is Move.THROTTLE
    assert next_move(View(MinerState.HASHING, throttled_percent=None), HALF) is Move.THROTTLE
