"""What agrees with a command, and what is to be done next where it does not. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from services.vnish_agent.facts import MinerSettings, watts_of
from services.vnish_agent.parse import STANDBY_MAX_W
from shared.messages import MinerState, OperatingPoint


class Move(StrEnum):
    """One bounded thing to do."""

    NONE = "none"
    WAIT = "wait"
    """Nothing to send; it must move by itself."""
    ON_THE_WAY = "on_the_way"
    """Nothing to send: it moves already."""
    STOP = "stop"
    START = "start"
    THROTTLE = "throttle"
    PRESET = "preset"
    RESTART = "restart"
    REBOOT = "reboot"


@dataclass(frozen=True)
class View:
    """Everything about a miner that decides the next move."""

    state: MinerState
    power_w: float | None = None
    throttled_percent: int | None = None
    live_preset: str | None = None
    settings: MinerSettings | None = None
    """None: not read, so unknown."""
    restart_required: bool = False
    reboot_required: bool = False


def next_move(view: View, point: OperatingPoint) -> Move:
    """NONE exactly when the view agrees with the point."""
    if point.is_pause:
        return _towards_pause(view)
    if view.state in {MinerState.RAMPING, MinerState.STOPPING}:
        return Move.ON_THE_WAY
    if view.state is MinerState.HASHING:
        return _towards_point(view, point)
    if view.state is MinerState.UNKNOWN:
        # A start into the unknown could put a second load on a battery that is not ready for it.
        return Move.WAIT
    return Move.PRESET if _settings_differ(view, point) else Move.START


def _towards_pause(view: View) -> Move:
    if view.state is MinerState.PAUSED:
        return Move.NONE
    if view.state is MinerState.STOPPING:
        return Move.ON_THE_WAY
    if view.state is MinerState.FAULT and view.power_w is not None and view.power_w < STANDBY_MAX_W:
        return Move.NONE
    return Move.STOP


def _towards_point(view: View, point: OperatingPoint) -> Move:
    if throttle_differs(view, point):
        return Move.THROTTLE
    if _settings_differ(view, point):
        return Move.PRESET
    if not _live_differs(view, point):
        return Move.NONE
    if view.reboot_required:
        return Move.REBOOT
    return Move.RESTART if view.restart_required else Move.ON_THE_WAY


def throttle_differs(view: View, point: OperatingPoint) -> bool:
    """Whether the point asks for a throttle that the miner does not report."""
    wanted = point.throttle_percent
    return wanted is not None and view.throttled_percent != wanted


def _settings_differ(view: View, point: OperatingPoint) -> bool:
    if point.preset is None:
        return False
    settings = view.settings
    if settings is None:
        # Not readable: only the live preset can tell. While it stands still that may be another than the chosen.
        return view.live_preset != point.preset
    if settings.switching and settings.top_preset != point.preset:
        return True
    return settings.preset != point.preset and not (settings.switching and _fits(settings.preset, point.preset))


def _live_differs(view: View, point: OperatingPoint) -> bool:
    if point.preset is None or view.live_preset is None:
        # Without /perf-summary (1.2.0) the settings and the restart flags are all there is.
        return point.preset is not None and (view.restart_required or view.reboot_required)
    if view.settings is not None and view.settings.switching:
        return not _fits(view.live_preset, point.preset)
    return view.live_preset != point.preset


def _fits(preset: str | None, wanted: str) -> bool:
    """Whether a preset draws no more than the wanted one: what the firmware's own switching may choose."""
    watts, most = watts_of(preset or ""), watts_of(wanted)
    return preset == wanted or (watts is not None and most is not None and watts <= most)
