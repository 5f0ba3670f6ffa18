"""Orders to the simulated farm: what befalls which miner at which time of the day, such as `14:00 bitaxe-1 heat 73`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.http import Wire
from services.simulator.mains import PlainRig
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import Faults

MEND = "mend"
StandIn = VnishStandIn | AxeOsStandIn | PlainRig
_DAY = timedelta(days=1)
_WORDS = (3, 4)

_VNISH: dict[str, Callable[[VnishStandIn, float | None], None]] = {
    MEND: lambda miner, _value: _mend(miner),
    Ill.SILENT: lambda miner, _value: setattr(miner.faults, "wire", Wire.SILENCE),
    Ill.RESETS: lambda miner, _value: setattr(miner.faults, "wire", Wire.RESET),
    Ill.HALF: lambda miner, _value: setattr(miner.faults, "wire", Wire.HALF),
    Ill.GARBAGE: lambda miner, _value: setattr(miner.faults, "garbage", b"<html>"),
    Ill.REFUSES: lambda miner, _value: setattr(miner.faults, "server_error", True),
    Ill.LIES: lambda miner, _value: setattr(miner.faults, "yes_and_nothing", True),
    Ill.REBOOTS: lambda miner, _value: miner.restart(),
    Ill.HANGS: lambda miner, _value: miner.hang(),
    Ill.UNSTABLE: lambda miner, minutes: miner.frailty.become_unstable(minutes),
    Ill.FROZEN: lambda miner, _value: miner.freeze(),
}
_PLAIN: dict[str, Callable[[PlainRig, float | None], None]] = {
    MEND: lambda rig, _value: rig.mend(),
    Ill.HANGS: lambda rig, _value: rig.hang(),
    Ill.UNSTABLE: lambda rig, minutes: rig.frailty.become_unstable(minutes),
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
        _VNISH[order.what](miner, order.value)
    elif isinstance(miner, PlainRig):
        _PLAIN[order.what](miner, order.value)
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
        elif isinstance(miner, PlainRig) and order.what not in _PLAIN:
            found.append(f"{order.miner} has no API, and knows no {order.what!r}: {', '.join(map(str, _PLAIN))}")
    return found


def _mend(miner: VnishStandIn) -> None:
    miner.faults = Faults()
    miner.frozen = False
    miner.frailty.mend()


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
