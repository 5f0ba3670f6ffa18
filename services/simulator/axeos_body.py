"""What a board's chips and regulator go through: warmth, and the work that becomes shares."""

from dataclasses import replace

from services.simulator.axeos_board import Board
from services.simulator.axeos_firmware import Pace
from services.simulator.axeos_warmth import AMBIENT_CELSIUS, Air, Approach

SHARE_DIFFICULTY = 1000
GIGAHASHES_PER_SHARE = SHARE_DIFFICULTY * 2**32 / 1e9
_REJECTED_EVERY = 200
_REGULATOR_PART = 0.7
AVERAGES_SECONDS = (60.0, 600.0, 3600.0)


class Body:
    """Between two changes everything in it is a formula of time, so that nothing has to be stepped."""

    def __init__(self, board: Board, pace: Pace, seconds: float) -> None:
        self._board = board
        self.ambient_celsius = AMBIENT_CELSIUS
        self.core_w = 0.0
        self.fan = 0.0
        self.real_ghs = 0.0
        """What its chips truly compute."""
        self._seconds = seconds
        self._work_gigahashes = 0.0
        warm = self.ambient_celsius
        self.chip = Approach(warm, warm, seconds, pace.warming_seconds)
        self.regulator = Approach(warm, warm, seconds, pace.warming_seconds * _REGULATOR_PART)
        self.told_ghs = Approach(0.0, 0.0, seconds, pace.hashrate_seconds)
        self.averages_ghs = self._no_averages(seconds)

    @property
    def shares(self) -> int:
        """Found since the last boot."""
        return int(self._work_gigahashes / GIGAHASHES_PER_SHARE)

    @property
    def rejected(self) -> int:
        return self.shares // _REJECTED_EVERY

    def pass_to(self, seconds: float) -> None:
        """Lets time pass."""
        self._work_gigahashes += self.real_ghs * max(0.0, seconds - self._seconds)
        self._seconds = seconds

    def settle(self, core_w: float, fan: float, real_ghs: float, *, told_ghs: float | None = None) -> None:
        """New conditions from now on. `told_ghs`: what it says it computes, where that is not so."""
        now = self._seconds
        self.core_w, self.fan, self.real_ghs = core_w, fan, real_ghs
        air = Air(self.ambient_celsius, fan)
        self.chip = self.chip.towards(air.chip_celsius(self._board, core_w), now)
        self.regulator = self.regulator.towards(air.regulator_celsius(self._board, core_w), now)
        told = real_ghs if told_ghs is None else told_ghs
        self.averages_ghs = tuple(average.towards(told, now) for average in self.averages_ghs)
        self.told_ghs = self.told_ghs.towards(told, now)
        if told == 0.0:
            self.told_ghs = Approach(0.0, 0.0, now, self.told_ghs.tau_seconds)  # an end is told at once

    def arrive(self) -> None:
        """Everything is where it was going, as after hours under these conditions."""
        self.chip, self.regulator, self.told_ghs, *averages = (
            replace(one, value=one.target) for one in (self.chip, self.regulator, self.told_ghs, *self.averages_ghs)
        )
        self.averages_ghs = tuple(averages)

    def forget(self) -> None:
        """A boot: counters and averages begin anew; warmth stays."""
        self._work_gigahashes = 0.0
        self.told_ghs = Approach(0.0, 0.0, self._seconds, self.told_ghs.tau_seconds)
        self.averages_ghs = self._no_averages(self._seconds)

    @staticmethod
    def _no_averages(seconds: float) -> tuple[Approach, ...]:
        return tuple(Approach(0.0, 0.0, seconds, tau) for tau in AVERAGES_SECONDS)
