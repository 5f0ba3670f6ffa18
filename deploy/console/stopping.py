"""Stops the farm, or some of it: the word to all who listen, then the devices themselves where it is not obeyed."""

import socket
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from deploy.console.direct.effort import Effort, Outcome, Result
from deploy.console.direct.farm import prepare, units_of
from deploy.console.line import Line
from deploy.console.obedience import PROOF_SECONDS, Obedience
from deploy.console.scene import Scene
from deploy.console.trouble import TroubleError
from shared.bus import TrustError
from shared.clock import Clock
from shared.inbox import Inbox
from shared.launch import address_of
from shared.messages import MinerState, MinerTelemetry
from shared.settings import Secrets
from shared.topics import EMERGENCY_STOP, GROUP_OVERRIDE, MINER_OVERRIDE, MINER_TELEMETRY, SERVICE_PRESENCE

BROKER_SECONDS = 1.0
"""An emergency waits no longer for a broker."""
CONFIRM_SECONDS = 20.0
"""So long is waited for readings that show it. A large miner takes some seconds to shut down."""
_LOOK_SECONDS = 0.05
_HEARD = (EMERGENCY_STOP, MINER_OVERRIDE, GROUP_OVERRIDE, MINER_TELEMETRY, SERVICE_PRESENCE)
_UNKNOWN = Result(Outcome.NOT_REACHED, "nobody tends it, and no farm file says where it is")


@dataclass(frozen=True)
class Order:
    """What is to be stopped, and how that is said over the broker."""

    names: tuple[str, ...]
    everything: bool
    tell: Callable[[Line], bool]
    """Publishes it; whether the broker has it."""
    direct: bool = False
    """Tell the devices at once, whoever obeys."""


@dataclass(frozen=True)
class Ending:
    """What has come of it. `broker`: empty where the broker has the word, else what is wrong."""

    results: dict[str, Result]
    broker: str


class Direct:
    """The devices themselves, each begun with at most once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._clock = scene.place.clock
        self._efforts: list[Effort] = []
        self._begun: set[str] = set()

    def prepare(self) -> None:
        """What takes its time and tells nobody anything yet."""
        if self._scene.farm is not None:
            # What is not installed shows at the devices that need it, by name.
            with suppress(ImportError):
                prepare(self._scene.farm)

    def begin(self, names: Collection[str]) -> None:
        """Tells these miners. Without a farm file nobody knows where they are."""
        farm, fresh = self._scene.farm, set(names) - self._begun
        if farm is None or not fresh:
            return
        self.prepare()
        self._begun |= fresh
        secrets = Secrets.beside(self._scene.place.farm_file)
        self._efforts.append(Effort(units_of(farm, fresh, secrets, self._clock), self._clock))

    def results(self) -> dict[str, Result]:
        """The newest of each miner that has been begun with."""
        return {name: result for effort in self._efforts for name, result in effort.results().items()}

    def close(self) -> None:
        """Begins nothing more."""
        for effort in self._efforts:
            effort.close()

    def has_begun(self, name: str) -> bool:
        """Whether it is being told directly."""
        return name in self._begun


def stop(order: Order, scene: Scene) -> Ending:
    """Stops, and waits until all of it is confirmed or given up."""
    direct = Direct(scene)
    if order.direct:
        direct.begin(order.names)
    with ExitStack() as opened:
        opened.callback(direct.close)
        line, trouble = quick_line(scene, opened)
        if line is None:
            direct.begin(order.names)
            _listen_to_nobody(scene.place.clock, CONFIRM_SECONDS, lambda: _is_over(order, direct, None))
            return Ending(_results(order, direct, None), trouble)
        obedience = Obedience(line, everything=order.everything, since=line.clock.now())
        if not order.tell(line):
            trouble = f"the broker has not taken it within {BROKER_SECONDS:g} s"
        direct.prepare()
        # Whom nobody tends is told at once; who is in somebody's care has a moment to be obeyed for.
        direct.begin([name for name in order.names if not obedience.is_tended(name)])
        line.listen(PROOF_SECONDS, lambda: not _unproven(order, direct, obedience))
        direct.begin(_unproven(order, direct, obedience))
        line.listen(CONFIRM_SECONDS, lambda: _is_over(order, direct, obedience))
        return Ending(_results(order, direct, obedience), trouble)


def quick_line(scene: Scene, opened: ExitStack) -> tuple[Line | None, str]:
    """A line to the broker, or what is wrong, within `BROKER_SECONDS` or little more."""
    connection = scene.connection
    if connection is None:
        return None, "where the broker is, nobody knows without a farm file"
    address = address_of(connection.url, connection.username, connection.password, connection.ca_file)
    try:
        # A port that refuses says so at once; the client would try it again and again.
        socket.create_connection((address.host, address.port), timeout=BROKER_SECONDS).close()
        return opened.enter_context(Line(connection, _HEARD, patience_seconds=BROKER_SECONDS)), ""
    except OSError:
        return None, f"the broker at {address.host}:{address.port} is not there"
    except (TroubleError, TrustError) as error:
        return None, str(error)


def _unproven(order: Order, direct: Direct, obedience: Obedience) -> list[str]:
    return [name for name in order.names if not direct.has_begun(name) and obedience.reading(name) is None]


def _is_over(order: Order, direct: Direct, obedience: Obedience | None) -> bool:
    return all(result.is_final for result in _results(order, direct, obedience).values())


def _results(order: Order, direct: Direct, obedience: Obedience | None) -> dict[str, Result]:
    told = direct.results()
    seen = {name: None if obedience is None else obedience.reading(name) for name in order.names}
    return {name: _result(told.get(name), reading) for name, reading in seen.items()}


def _result(told: Result | None, reading: MinerTelemetry | None) -> Result:
    """What is known of one miner, by its own answer and by its agent's."""
    if reading is None or (told is not None and told.outcome is Outcome.CONFIRMED):
        return told or _UNKNOWN
    if reading.settled is True:
        paused = reading.state is MinerState.PAUSED
        words = "stopped" if paused else "as low as it can: its firmware cannot pause"
        return Result(Outcome.CONFIRMED, words, is_final=True)
    words = f"its agent obeys; still {reading.state}"
    return told if told is not None and told.outcome is Outcome.SENT else Result(Outcome.SENT, words)


def _listen_to_nobody(clock: Clock, seconds: float, until: Callable[[], bool]) -> None:
    """As a line listens, where there is none."""
    bell, deadline = Inbox(), clock.seconds() + seconds
    while not until() and clock.seconds() < deadline:
        bell.wait(_LOOK_SECONDS)
