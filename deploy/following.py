"""An embedded farm follows its farm file: what is newly needed is started, and others are told where it listens."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.supervise import Supervisor
from shared.clock import Clock
from shared.follow import LOOK_SECONDS, Follower, report
from shared.inputs import Inputs, inputs_of, keep_inputs
from shared.launch import objection
from shared.settings import FarmSettings
from shared.settings.document import read_document

log = logging.getLogger(__name__)

_FIX = "Fix: stop the farm and start it again; until then it keeps its own."


class FarmFollower:
    """For the supervising process, which has one thread: `look` is called often, and looks every 2 s.

    The services look for themselves. This one calls out for all of them when the file is wrong, and reads it for
    whoever is forked from now on.
    """

    def __init__(
        self,
        farm_file: Path,
        clock: Clock,
        needed: Callable[[FarmSettings], Iterable[str]],
        tell: Callable[[Inputs], None],
        *,
        own_broker: bool,
    ) -> None:
        """`needed`: the modules that a farm calls for. `tell`: says where and what the farm is now."""
        self._file = farm_file
        self._clock = clock
        self._needed = needed
        self._tell = tell
        self._own_broker = own_broker
        self._follower = Follower(farm_file, inputs_of(farm_file), objection)
        self._looked_at_seconds = clock.seconds()

    def look(self, supervisor: Supervisor) -> None:
        """Has the supervisor run what the farm file calls for by now."""
        now = self._clock.seconds()
        if now - self._looked_at_seconds < LOOK_SECONDS:
            return
        self._looked_at_seconds = now
        news = self._follower.look()
        if news is None:
            return
        report(news, self._file)
        if news.inputs is not None:
            log.info("the farm file has changed")
            keep_inputs(self._file, news.inputs)
            supervisor.need(self._needed(news.inputs.farm))
            try:
                self._tell(news.inputs)
                self._mind_broker()
            except OSError as error:  # a full disk must not end the farm
                log.warning(
                    "%s: %s. Fix: make room; others do not know of the change yet", error.filename, error.strerror
                )

    def _mind_broker(self) -> None:
        section = read_document(self._file).data.get("broker")
        if self._own_broker and isinstance(section, dict) and section.get("url"):
            log.error(
                "broker.url stands in %s now, and this farm runs on a broker of its own. %s", self._file.name, _FIX
            )
