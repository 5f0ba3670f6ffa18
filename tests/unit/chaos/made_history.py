"""A sound history, made by hand: two miners, three agents, a battery that falls at 20 s and recovers at 45 s."""

from dataclasses import replace

from tests.chaos.checker import check
from tests.chaos.field import cast_of
from tests.chaos.history import Beat, Control, History, Look, Ordered, Proclaimed, Shown, Told, Weight
from tests.chaos.plan import Blow, Trouble
from tests.chaos.times import Times

SECONDS, CALM_SECONDS = 70.0, 60.0
ENDED = SECONDS + CALM_SECONDS
TENDERS = {"m0": "vnish_agent-1", "m1": "vnish_agent-2"}
ENGINE_1, ENGINE_2 = "policy_engine-1", "policy_engine-2"
EPOCH = 1000
FALLS, STOPPED, RISES, STARTED = 20.0, 23.0, 45.0, 48.0


def told(at: float, device: str, **changes: object) -> Told:
    """A telemetry as all is well."""
    whole = Told(
        at=at,
        device=device,
        by=TENDERS[device],
        epoch=EPOCH,
        following="command",
        state="hashing",
        desired="normal",
        settled=True,
        reachable=True,
        age=0.05,
        retained=False,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def beat(at: float, instance: str, *, online: bool = True) -> Beat:
    service = instance.rpartition("-")[0]
    return Beat(at, service, instance, online, 1, (), (), {}, {}, retained=False)


def broken(history: History) -> set[str]:
    """The promises that it breaks."""
    return {one.rule for one in check(history).broken}


def trouble(blow: Blow, whom: str, begins: float, ends: float, detail: str = "") -> Trouble:
    return Trouble(begins, ends, blow, whom, detail)


def seconds(step: float) -> list[float]:
    """From before the chaos until the end."""
    count = int((SECONDS + CALM_SECONDS + 10) / step)
    return [-10 + step * number for number in range(count + 1)]


def made() -> History:
    """All promises are kept."""
    history = History(Times(), cast_of(3, 2), dict.fromkeys(TENDERS, (60.0, 65.0)), SECONDS, CALM_SECONDS)
    for at in seconds(2.0):
        history.told += [told(at + number / 3, device) for number, device in enumerate(TENDERS)]
    for at in seconds(5.0):
        pauses = FALLS <= at < RISES
        history.ordered += [Ordered(at, device, ENGINE_1, EPOCH, pauses, retained=False) for device in TENDERS]
        instances = [name for names in history.cast.replicas.values() for name in names]
        history.beats += [beat(at, name) for name in instances]
    history.proclaimed.append(Proclaimed(-9.0, ENGINE_1, EPOCH, retained=False))
    for at in seconds(1.0):
        history.looks.append(Look(at, frozenset() if STOPPED <= at < STARTED else frozenset(TENDERS)))
    for device, by in TENDERS.items():
        history.controls += [Control(STOPPED - 0.5, device, by, starts=False, took=True)]
        history.controls += [Control(STARTED - 0.5, device, by, starts=True, took=True)]
    history.shown = [Shown(0.0, 99.5), Shown(FALLS, 20.5), Shown(RISES, 99.5)]
    history.weights = [Weight(at, "vnish_agent", 3, 60.0, 90.0, 30, 60, (1, 2, 3)) for at in seconds(3.0)]
    return history
