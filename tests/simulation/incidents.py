"""What each kind of incident does to a world when it begins and when it is over."""

from collections.abc import Callable
from datetime import timedelta

from shared.messages import OverrideKind
from tests.simulation.bitaxe import Bitaxe
from tests.simulation.bitaxes import BITAXE_KINDS
from tests.simulation.device import Machine
from tests.simulation.history import (
    DEVICE_FAULTS,
    HOUSE_FAULTS,
    WITH_OLD_MEMORY,
    WITHOUT_MEMORY,
)
from tests.simulation.network import Weather
from tests.simulation.rig_incidents import RIG_ACTS, Act
from tests.simulation.shape import History, Incident
from tests.simulation.wish_incidents import WISH_ACTS
from tests.simulation.world import World

_ATTENTION_SECONDS = 20.0
_LATE_WORD_SECONDS = 10.0


def schedule(world: World, history: History) -> None:
    """Puts every incident of a history into the world's calendar."""
    start = world.clock.seconds()
    for incident in history.incidents:
        begin, end = ACTS[incident.kind]
        world.scheduler.at(start + incident.at_seconds, _acting(world, incident, begin))
        if end is not None:
            world.scheduler.at(start + incident.at_seconds + incident.lasts_seconds, _acting(world, incident, end))


def _acting(world: World, incident: Incident, act: Act) -> Callable[[], None]:
    def go() -> None:
        world.attend(_ATTENTION_SECONDS)
        act(world, incident)

    return go


# --- processes


def _kill(world: World, incident: Incident) -> None:
    world.kill(incident.target)


def _start(world: World, incident: Incident) -> None:
    process = world.processes[incident.target]
    if not process.alive:
        process.start()


def _freeze(world: World, incident: Incident) -> None:
    world.processes[incident.target].freeze(incident.lasts_seconds)


def _age(world: World, incident: Incident, *, older: bool) -> None:
    process = world.processes[incident.target]
    world.kill(incident.target)
    process.older = older
    process.start()


def _set_clock(world: World, incident: Incident, *, wrong: bool) -> None:
    process = world.processes[incident.target]
    world.kill(incident.target)
    process.offset_seconds = incident.value if wrong else 0.0
    process.start()


def _plug(world: World, incident: Incident, *, plugged: bool) -> None:
    world.processes[incident.target].unplug(plugged=plugged)


def _rival(world: World, _incident: Incident) -> None:
    """A second engine takes over; a word of the first one comes late."""
    process = world.rival()
    if not process.alive:
        process.start()
    world.scheduler.after(_LATE_WORD_SECONDS, world.redeliver)


def _rival_goes(world: World, _incident: Incident) -> None:
    world.rival().kill()


# --- the wire


def _broker_gone(world: World, incident: Incident) -> None:
    world.lose_broker(forget=incident.value == WITHOUT_MEMORY)


def _broker_back(world: World, incident: Incident) -> None:
    world.restore_broker(old=incident.value == WITH_OLD_MEMORY)


def _bad_network(world: World, _incident: Incident) -> None:
    world.broker.weather = Weather(lost=0.2, doubled=0.2, late=0.3, late_seconds=90.0)


def _fair_network(world: World, _incident: Incident) -> None:
    world.broker.weather = Weather()
    world.scheduler.after(100.0, world.people.say_again)  # when what was late has come in


def _redeliver(world: World, _incident: Incident) -> None:
    """A client that thinks an old message had not arrived: paho has done so, see tests/museum/test_29."""
    world.redeliver()


# --- devices


def _device_fault(fault: str) -> tuple[Act, Act]:
    return (
        lambda world, incident: world.machines[incident.target].befall(fault, incident.value),
        lambda world, incident: world.machines[incident.target].pass_off(fault),
    )


def _mains_lost(world: World, incident: Incident) -> None:
    world.machines[incident.target].lose_mains()


def _mains_back(world: World, incident: Incident) -> None:
    world.machines[incident.target].mains_return()


def _swap(world: World, incident: Incident, fault: Act) -> None:
    """Another device at the address, or ours again: nobody exchanges two miners without an outage in between."""
    machine = world.machines[incident.target]
    machine.befall("off")

    def plugged_in() -> None:
        machine.pass_off("off")
        fault(world, incident)

    world.scheduler.after(2 * world.farm.rules.poll.total_seconds() + 60, plugged_in)


def _fails(world: World, incident: Incident) -> None:
    machine = _vnish(world, incident)
    machine.befall("fails")
    machine.force_state("failure")


def _is_mended(world: World, incident: Incident) -> None:
    machine = _vnish(world, incident)
    machine.pass_off("fails")
    if machine.state == "failure":
        machine.force_state("stopped")


def _vnish(world: World, incident: Incident) -> Machine:
    machine = world.machines[incident.target]
    assert isinstance(machine, Machine)
    return machine


def _set_by_hand(world: World, incident: Incident) -> None:
    machine = world.machines[incident.target]
    assert isinstance(machine, Bitaxe)
    machine.set_by_hand(round(incident.value))


def _by_hand(world: World, incident: Incident, *, on: bool) -> None:
    machine = world.machines[incident.target]
    machine.start() if on else machine.stop()


# --- the house, the sun, people


def _house_fault(fault: str) -> tuple[Act, Act]:
    return (
        lambda world, _incident: world.house.begin(fault),
        lambda world, _incident: world.house.end(fault),
    )


def _soc_jumps(world: World, incident: Incident) -> None:
    world.set_state_of_charge(incident.value)


def _grid(world: World, _incident: Incident) -> None:
    world.site.grid_available = not world.site.grid_available


def _override(kind: OverrideKind) -> Act:
    def act(world: World, incident: Incident) -> None:
        until = world.clock.now() + timedelta(seconds=incident.lasts_seconds)
        world.people.override(incident.target, kind, None if kind is OverrideKind.AUTOMATIC else until)

    return act


ACTS: dict[str, tuple[Act, Act | None]] = {
    "kill": (_kill, _start),
    "freeze": (_freeze, None),
    "older": (
        lambda world, incident: _age(world, incident, older=True),
        lambda world, incident: _age(world, incident, older=False),
    ),
    "unplugged": (
        lambda world, incident: _plug(world, incident, plugged=False),
        lambda world, incident: _plug(world, incident, plugged=True),
    ),
    "clock_wrong": (
        lambda world, incident: _set_clock(world, incident, wrong=True),
        lambda world, incident: _set_clock(world, incident, wrong=False),
    ),
    "broker_gone": (_broker_gone, _broker_back),
    "bad_network": (_bad_network, _fair_network),
    "redelivered": (_redeliver, None),
    "rival": (_rival, _rival_goes),
    **{fault: _device_fault(fault) for fault in dict.fromkeys([*DEVICE_FAULTS, *BITAXE_KINDS])},
    "swapped": (
        lambda world, incident: _swap(world, incident, _device_fault("swapped")[0]),
        lambda world, incident: _swap(world, incident, _device_fault("swapped")[1]),
    ),
    **RIG_ACTS,
    **WISH_ACTS,
    "reboots": (_mains_lost, _mains_back),
    "fails": (_fails, _is_mended),
    "paused_outside": (lambda world, incident: _by_hand(world, incident, on=False), None),
    "set_outside": (_set_by_hand, None),
    "started_outside": (lambda world, incident: _by_hand(world, incident, on=True), None),
    **{fault: _house_fault(fault) for fault in HOUSE_FAULTS},
    "bad_value": (
        lambda world, incident: world.house.begin_bad_value(incident.target),
        lambda world, incident: world.house.end_bad_value(incident.target),
    ),
    "soc_jumps": (_soc_jumps, None),
    "grid_changes": (_grid, _grid),
    "pause": (_override(OverrideKind.PAUSE), None),
    "force_on": (_override(OverrideKind.FORCE_ON), None),
    "maintenance": (_override(OverrideKind.MAINTENANCE), None),
    "automatic": (_override(OverrideKind.AUTOMATIC), None),
    "emergency_stop": (
        lambda world, _incident: world.people.stop(),
        lambda world, _incident: world.people.resume(),
    ),
    "late_resume": (lambda world, _incident: world.people.late_resume(), None),
}
