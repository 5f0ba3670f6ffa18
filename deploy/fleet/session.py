"""Both halves of what can be seen, each of which may be missing: the containers, and what is said over MQTT."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.connection import newest_connection
from deploy.fleet.container import BROKER_SERVICE, Container
from deploy.fleet.ear import Ear
from deploy.fleet.engine import Engine, NoEngineError
from deploy.fleet.finding import Finding
from deploy.fleet.heard import Standing
from deploy.fleet.probe import SILENT, why_not
from deploy.fleet.reach import PORT, PROJECT_VARIABLE, reach_of, variables_of
from deploy.fleet.snapshot import Snapshot
from shared.clock import SystemClock
from shared.membership import BEATS_TOLERATED
from shared.service import BEAT_SECONDS

_FIRST_SECONDS, _OPEN_SECONDS = 2.0, 10.0
PATIENCE_SECONDS = BEATS_TOLERATED * BEAT_SECONDS + 1.0
"""Whoever has not been heard after this is silent."""
_DEMO_SERVICE, _DEMO_CLOCK = "simulator", "/farm/clock"


class Session:
    """Opens what can be opened, and says of the rest why not. To be closed."""

    def __init__(self, directory: Path, broker: str | None = None, project: str | None = None) -> None:
        """`broker`, `project`: where the owner has said so. Raises BadInputError."""
        self.directory = directory
        self.variables: Mapping[str, str] = variables_of(directory)
        self.engine: Engine | None = None
        self.no_docker = ""
        try:
            self.engine = Engine(project or self.variables.get(PROJECT_VARIABLE) or None, directory)
            containers = self.engine.containers(usage=True)
            port = self.engine.published_port(BROKER_SERVICE, PORT)
        except NoEngineError as error:
            self.engine, self.no_docker, containers, port = None, str(error), (), None
        embedded = None if containers else newest_connection()
        clock = self._demo_clock(containers)
        reach = reach_of(self.variables, url=broker, published_port=port, embedded=embedded, clock=clock)
        self.ear = Ear(reach)
        self._listen_in()

    def _listen_in(self) -> None:
        """Waits for a slow broker, but not for one that will not do."""
        if not self.ear.open(_FIRST_SECONDS) and self._why_not().code == SILENT:
            self.ear.listen(_OPEN_SECONDS - _FIRST_SECONDS, self.ear.is_ready)

    def _why_not(self) -> Finding:
        return why_not(self.ear.reach.address, self.ear.refusal())

    def _demo_clock(self, containers: tuple[Container, ...]) -> SystemClock | None:
        """A demo lives by a fast clock, which its simulator has left for all others."""
        for container in containers:
            if self.engine is not None and container.service == _DEMO_SERVICE and container.is_running:
                with suppress(ValueError, KeyError, TypeError, NoEngineError):
                    text = json.loads(self.engine.file(container, _DEMO_CLOCK) or b"{}")["clock"]
                    return SystemClock.from_variable(text)
        return None

    def look(self, *, usage: bool = True) -> Snapshot:
        """Everything, now."""
        containers: tuple[Container, ...] | None = None
        if self.engine is not None:
            try:
                containers = self.engine.containers(usage=usage)
            except NoEngineError as error:
                self.no_docker = str(error)
        if self.ear.is_ready():
            return Snapshot(containers, self.ear.heard(), self.no_docker)
        return Snapshot(containers, None, self.no_docker, self._why_not())

    def hear_everybody(self) -> None:
        """Listens until each replica that may be there has been heard, or has had its three beats."""
        if self.ear.is_ready():
            self.ear.listen(PATIENCE_SECONDS, lambda: not self.ear.heard().of(Standing.POSSIBLE))

    def close(self) -> None:
        """Lets go of both."""
        self.ear.close()
        if self.engine is not None:
            self.engine.close()
