"""Both halves of what can be seen of a farm at one moment."""

from dataclasses import dataclass

from deploy.fleet.container import Container
from deploy.fleet.finding import Finding
from deploy.fleet.heard import Heard


@dataclass(frozen=True)
class Snapshot:
    """What is seen at one moment. None is unknown: of that half nothing can be said."""

    containers: tuple[Container, ...] | None
    heard: Heard | None
    no_docker: str = ""
    no_broker: Finding | None = None
