"""What people do who choose and limit: when it begins, and when it is over."""

from datetime import timedelta

from shared.messages import OverrideKind
from tests.simulation.rig_incidents import Act
from tests.simulation.shape import Incident
from tests.simulation.wishes import BAND, CAP, LIMIT, chosen, taken_back
from tests.simulation.world import World


def _limit(world: World, incident: Incident) -> None:
    until = world.clock.now() + timedelta(seconds=incident.lasts_seconds)
    world.people.override(incident.target, OverrideKind.LIMIT, until, incident.value)


def _chosen(kind: str) -> tuple[Act, Act]:
    return (
        lambda world, incident: world.people.choose(
            incident.target, chosen(kind, world.rules.miners[incident.target], incident.value)
        ),
        lambda world, incident: world.people.choose(incident.target, taken_back(kind)),
    )


WISH_ACTS: dict[str, tuple[Act, Act | None]] = {LIMIT: (_limit, None), BAND: _chosen(BAND), CAP: _chosen(CAP)}
