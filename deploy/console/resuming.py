"""Lifts an emergency stop: what stood is said, and that it is over is proven. Starts nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.console.line import Line
from deploy.console.scene import Place
from shared.latch import UNDATED
from shared.messages import EmergencyStop, Following
from shared.topics import EMERGENCY_STOP, MINER_TELEMETRY

ECHO_SECONDS = 5.0
FOLLOW_SECONDS = 5.0
"""Agents look at their devices at once when a stop is lifted, and tell what they follow."""
HEARD = (EMERGENCY_STOP, MINER_TELEMETRY)


@dataclass(frozen=True)
class Standing:
    """The stops that stand, each with where."""

    topic: EmergencyStop | None
    file: EmergencyStop | None

    def __bool__(self) -> bool:
        return self.topic is not None or self.file is not None

    def sentences(self, place: Place) -> Iterator[str]:
        """For people."""
        if self.topic is not None:
            yield f"On the broker: {_told(self.topic)}"
        if self.file is not None:
            yield f"In {place.latch.path}: {_told(self.file)}"

    def resume(self, line: Line, by: str, reason: str) -> EmergencyStop | None:
        """What lifts them on the broker; None where only a file stands that nobody can read."""
        dated = [stop.at for stop in (self.topic, self.file) if stop is not None and stop.at != UNDATED]
        if not dated:
            return None
        return EmergencyStop(at=line.clock.now(), active=False, by=by, reason=reason, lifts=max(dated))


def standing(line: Line | None, place: Place, site: str) -> Standing:
    """What stands now, as far as it can be seen. `line` None: nobody knows what the broker holds."""
    topic = None if line is None else line.word(EMERGENCY_STOP, site)
    return Standing(topic if topic is not None and topic.active else None, place.latch.read())


def lift(line: Line, site: str, resume: EmergencyStop) -> bool:
    """Publishes it; whether the broker has given it back, and no other stop since."""
    line.say(EMERGENCY_STOP, site, resume)

    def is_lifted() -> bool:
        word = line.word(EMERGENCY_STOP, site)
        return word is not None and not word.active and (word.lifts or word.at) >= (resume.lifts or resume.at)

    return line.listen(ECHO_SECONDS, is_lifted)


def still_stopped(line: Line) -> list[str]:
    """The miners whose agents still follow a stop, after a moment."""

    def stopped() -> list[str]:
        told = line.words(MINER_TELEMETRY).items()
        return sorted(name for name, reading in told if reading.following is Following.EMERGENCY_STOP)

    line.listen(FOLLOW_SECONDS, lambda: not stopped())
    return stopped()


def _told(stop: EmergencyStop) -> str:
    reason = f": {stop.reason}" if stop.reason else ""
    when = "" if stop.at == UNDATED else f" since {stop.at.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"emergency stop by {stop.by}{when}{reason}"
