"""Orders to the simulated farm: what befalls which miner at which time of the day, such as `14:00 bitaxe-1 heat 73`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.http import Wire
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import Faults

MEND = "mend"
StandIn = VnishStandIn | AxeOsStandIn
_DAY = timedelta(days=1)
_WORDS = (3, 4)

_VNISH: dict[str, Callable[[VnishStandIn], None]] = {
    MEND: lambda miner: setattr(miner, "faults", Faults()),
    Ill.SILENT: lambda miner: setattr(miner.faults, "wire", Wire.SILENCE),
    Ill.RESETS: lambda miner: setattr(miner.faults, "wire", Wire.RESET),
    Ill.HALF: lambda miner: setattr(miner.faults, "wire", Wire.HALF),
    Ill.GARBAGE: lambda miner: setattr(miner.faults, "garbage", b"<html>"),
    Ill.REFUSES: lambda miner: setattr(miner.faults, "server_error", True),
    Ill.LIES: lambda miner: setattr(miner.faults, "yes_and_nothing", True),
    Ill.REBOOTS: VnishStandIn.restart,
}


@dataclass(frozen=True)
class Order:
    """One line. It comes every day."""

    at: time
    """In the site's time zone."""
    miner: str
    what: str
    value: float | None = None

    def is_due(self, since: datetime, now: datetime, zone: tzinfo) -> bool:
        """Whether its time lies after `since` and not after `now`."""
        day = since.astimezone(zone).date()
        while day <= now.astimezone(zone).date():
            if since < datetime.combine(day, self.at, zone) <= now:
                return True
            day += _DAY
        return False


def parse_orders(text: str) -> tuple[Order, ...]:
    """Orders from one text, with commas between them. Raises ValueError, which says what is wrong."""
    return tuple(_parse(line.strip()) for line in text.split(",") if line.strip())


def carry_out(order: Order, miner: StandIn) -> None:
    """Lets it befall the miner."""
    if isinstance(miner, VnishStandIn):
        _VNISH[order.what](miner)
    elif order.what == MEND:
        miner.mend()
    else:
        miner.begin(Ill(order.what), order.value)


def complaints(orders: Iterable[Order], miners: Mapping[str, StandIn]) -> list[str]:
    """What no miner of this farm can be ordered."""
    found = []
    for order in orders:
        miner = miners.get(order.miner)
        if miner is None:
            found.append(f"no miner is called {order.miner!r}: there are {', '.join(miners) or 'none'}")
        elif isinstance(miner, VnishStandIn) and order.what not in _VNISH:
            found.append(f"{order.miner} runs VNish, which knows no {order.what!r}: {', '.join(map(str, _VNISH))}")
    return found


def _parse(line: str) -> Order:
    words = line.split()
    try:
        at, miner, what = time.fromisoformat(words[0]), words[1], words[2]
        value = float(words[3]) if len(words) == _WORDS[1] else None
    except (ValueError, IndexError):
        words = []
    if len(words) not in _WORDS or what not in {MEND, *Ill}:
        message = f"{line!r} is no order: write it like '14:00 bitaxe-1 heat 73'; known are {', '.join([*Ill, MEND])}"
        raise ValueError(message)
    return Order(at, miner, what, value)
