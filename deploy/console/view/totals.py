"""Sums over miners, and how many they cover. What is unknown is left out and said to be, never counted as 0. Pure."""

from collections.abc import Iterable
from math import isfinite

from deploy.console.view import figures
from deploy.console.view.seen import MinerSeen, Status, Total
from shared.messages import MinerState

_AT_REST = {Status.PAUSED, Status.OFF}


def total_of(miners: Iterable[MinerSeen]) -> Total:
    """The totals of these miners."""
    every = tuple(miners)
    online = [each for each in every if each.online]
    hashing = [each for each in online if each.state is MinerState.HASHING]
    hashrates = [0.0 if each.status in _AT_REST else each.hashrate_ths for each in online]
    known_ths = [each for each in hashrates if each is not None]
    known_w = [each.power_w for each in online if each.power_w is not None]
    pairs = [(each.power_w, each.hashrate_ths) for each in hashing if each.power_w is not None and each.hashrate_ths]
    sum_w, sum_ths = sum(watts for watts, _ in pairs), sum(ths for _, ths in pairs if ths is not None)
    return Total(
        miners=len(every),
        online=len(online),
        hashing=len(hashing),
        unknown=sum(each.online is None for each in every),
        hashrate_ths=_finite(sum(known_ths)) if known_ths else None,
        hashrate_known=len(known_ths),
        power_w=sum(known_w) if known_w else None,
        power_known=len(known_w),
        efficiency_j_per_th=_finite(sum_w / sum_ths) if sum_ths else None,
        efficiency_known=len(pairs),
    )


def total_line(total: Total) -> str:
    """`TOTAL: 2/3 online | 898.8 GH/s | 22.80 W | 25.37 J/TH`; a figure that covers fewer says from how many it is."""
    parts = [
        f"TOTAL: {total.online}/{total.miners} online",
        covered(figures.hashrate(total.hashrate_ths), total.hashrate_known, total.online),
        covered(figures.power(total.power_w), total.power_known, total.online),
        efficiency_text(total),
    ]
    parts += [f"{total.unknown} unknown"] if total.unknown else []
    return " | ".join(parts)


def efficiency_text(total: Total) -> str:
    """The efficiency of what hashes; a dash where nothing does."""
    if not total.hashing:
        return f"{figures.NOT_APPLICABLE if total.online else figures.UNKNOWN} J/TH"
    if total.efficiency_j_per_th is None:
        return f"{figures.UNKNOWN} J/TH"
    return covered(figures.efficiency(total.efficiency_j_per_th), total.efficiency_known, total.hashing)


def covered(figure: str, known: int, of: int) -> str:
    """A sum, and from how many it is where those are not all."""
    return figure if known >= of or figure == figures.UNKNOWN else f"{figure} (from {known} of {of})"


def _finite(value: float) -> float | None:
    """A figure beyond all measure is none: JSON has no word for it, either."""
    return value if isfinite(value) else None
