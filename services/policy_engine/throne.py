"""Being in charge: claims it, says so, and gives way to whoever has a higher epoch."""

import logging
from datetime import timedelta

from services.policy_engine.reign import Reign, Word
from shared.messages import EngineEpoch
from shared.station import Station
from shared.topics import ENGINE_EPOCH

log = logging.getLogger("services.policy_engine")


class Throne:
    """Holds our newest `Reign`, and publishes its epoch."""

    def __init__(self, service: Station, site: str, silence: timedelta) -> None:
        """`silence`: for how long another engine must not have been heard before we take its place."""
        self.reign = Reign(service.bus.instance)
        self._service = service
        self._site = site
        self._silence = silence

    @property
    def epoch(self) -> int | None:
        """Ours while we are in charge."""
        return self.reign.epoch

    def hear(self, engine: str, epoch: int) -> Word:
        """What it means that an engine has written under this epoch."""
        word = self.reign.judge(engine, epoch)
        self.reign = self.reign.hear(engine, epoch, self._service.clock.now())
        if word is Word.HIGHER:
            self._service.counts.add("stood_down")
            log.warning("%s has taken over with epoch %d: standing down until it is silent", engine, epoch)
        return word

    def claim(self) -> bool:
        """Takes charge if nobody else has it; says again that we have it where we do. False: somebody else does."""
        if self.reign.may_begin(self._service.clock.now(), self._silence):
            self.reign = self.reign.begin(self._service.clock.now())
            log.info("%s is in charge with epoch %s", self.reign.engine, self.reign.epoch)
        self.proclaim()
        return self.reign.epoch is not None

    def reclaim(self) -> bool:
        """Takes charge again after a rival that has fallen silent. True: just now."""
        rival = self.reign.rival
        if rival is None or not self.reign.may_begin(self._service.clock.now(), self._silence):
            return False
        log.warning("%s has been silent for too long: taking over again", rival)
        return self.claim()

    def proclaim(self) -> None:
        """Publishes our epoch while we are in charge."""
        if self.reign.epoch is not None:
            message = EngineEpoch(at=self._service.clock.now(), engine=self.reign.engine, epoch=self.reign.epoch)
            self._service.publish(ENGINE_EPOCH, self._site, message)
