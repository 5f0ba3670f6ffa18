"""The same trouble again and again, with nothing else wrong: what is measured then is that trouble alone. Pure."""

from dataclasses import dataclass

from tests.chaos.plan import ACTIVE, AGENT, Blow, Cast, Trouble, drill

_TAIL_SECONDS = 5.0


@dataclass(frozen=True)
class Drill:
    """One kind. `apart_seconds`: from one begin to the next, so that everybody has come to rest in between."""

    option: str
    blow: Blow
    lasting_seconds: float
    apart_seconds: float
    help: str
    strikes: str = AGENT
    """The engine in charge, or each agent in turn, or whoever joins."""

    def whom(self, cast: Cast) -> tuple[str, ...]:
        if self.strikes == ACTIVE:
            return (ACTIVE,)
        return cast.joiners if self.blow is Blow.JOIN else cast.replicas[AGENT]

    def troubles(self, cast: Cast, times: int) -> tuple[list[Trouble], float]:
        """All of them, and how long it takes in seconds."""
        planned = drill(self.blow, self.whom(cast), times, self.lasting_seconds, self.apart_seconds)
        return planned, times * self.apart_seconds + _TAIL_SECONDS


DRILLS = (
    Drill("engine-kills", Blow.KILL, 4.0, 16.0, "kills the engine in charge, so many times", ACTIVE),
    Drill(
        "engine-cuts",
        Blow.CUT,
        7.0,
        40.0,
        "cuts the engine in charge off; it returns before three beats are over",
        ACTIVE,
    ),
    Drill("engine-holds", Blow.HOLD, 30.0, 60.0, "puts the engine in charge into a black hole: nobody is told", ACTIVE),
    Drill("agent-kills", Blow.KILL, 25.0, 45.0, "kills each agent in turn"),
    Drill("agent-freezes", Blow.FREEZE, 30.0, 55.0, "freezes each agent in turn: no last will tells of it"),
    Drill("agent-cuts", Blow.CUT, 30.0, 55.0, "cuts each agent in turn off from the broker, and not from its miners"),
    Drill("joins", Blow.JOIN, 35.0, 60.0, "one more agent comes and goes"),
)
