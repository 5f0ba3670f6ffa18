"""What each incident of rigs, outlets and pools does to a world when it begins and when it is over."""

from collections.abc import Callable

from tests.simulation.device import Machine
from tests.simulation.rig import Rig, befall_frailty
from tests.simulation.rigs import PLUG_FAULTS, POOL_FAULTS
from tests.simulation.shape import Incident
from tests.simulation.world import World

Act = Callable[[World, Incident], None]


def _fails_alone(world: World, incident: Incident) -> None:
    world.pool.take_shares()
    machine = world.machines[incident.target]
    if incident.kind == "stops_hashing" and isinstance(machine, Machine):
        machine.freeze()
    elif isinstance(machine, Rig | Machine):
        befall_frailty(machine, incident.kind, incident.value)


def _person_mends(world: World, incident: Incident) -> None:
    machine = world.machines[incident.target]
    if isinstance(machine, Rig | Machine):
        machine.mend()


def _strip_fault(fault: str) -> tuple[Act, Act]:
    return lambda world, _incident: world.strip.befall(fault), lambda world, _incident: world.strip.pass_off(fault)


def _pool_fault(fault: str) -> tuple[Act, Act]:
    return lambda world, _incident: world.pool.befall(fault), lambda world, _incident: world.pool.pass_off(fault)


RIG_ACTS: dict[str, tuple[Act, Act | None]] = {
    **dict.fromkeys(("hangs", "unstable", "stops_hashing"), (_fails_alone, _person_mends)),
    **{fault: _strip_fault(fault) for fault in PLUG_FAULTS},
    **{fault: _pool_fault(fault) for fault in POOL_FAULTS},
    "pool_forgets": (
        lambda world, incident: world.pool.forget(incident.target),
        lambda world, incident: world.pool.remember(incident.target),
    ),
}
