"""What a miner has done in each window of its schedule."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.messages.part import Message, Part, Percent, Watts

_NotNegative = Annotated[float, Field(ge=0)]


class WindowFigures(Part):
    """Sums over some time, and the averages that come of them. An average of nothing is left out, never 0."""

    samples: Annotated[int, Field(ge=0)] = 0
    """Readings that told both power and hashrate."""
    observed_seconds: _NotNegative = 0.0
    """How long somebody was looking."""
    online_seconds: _NotNegative = 0.0
    """For how long of that it could be read."""
    measured_seconds: _NotNegative = 0.0
    """For how long of that power and hashrate were known."""
    energy_wh: _NotNegative = 0.0
    hashes_th: _NotNegative = 0.0
    average_power_w: Watts | None = None
    average_hashrate_ths: _NotNegative | None = None
    efficiency_j_per_th: _NotNegative | None = None
    online_percent: Percent | None = None


class WindowStatistics(Part):
    """One window of a schedule, or the time between the windows."""

    window: str
    """Its label, such as `07:30-20:00`; `between` for the time between the windows."""
    began_at: AwareDatetime
    """When the newest spell of this window was first seen."""
    latest: WindowFigures
    """That spell alone."""
    since: AwareDatetime
    """When it was seen for the first time."""
    total: WindowFigures
    """All of them since then."""


class MinerStatistics(Message):
    """Also the memory of whoever keeps it: after a restart it goes on from here."""

    schedule: str
    now: str
    """The label of the window that holds at present."""
    windows: tuple[WindowStatistics, ...] = ()
