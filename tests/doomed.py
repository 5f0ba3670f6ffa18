"""A service as a process that may end at any of its deeds: a message sent, a device asked, a relay moved."""

from collections.abc import Callable

from services.kasa_power_agent.link import DeviceReading, PlugLink
from services.simulator.http import Handler, Request, Response
from shared.bus import Bus, MemoryBroker, MemoryLink, Packet
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.service import Service
from tests.kasa_in_process import InProcessStrip


class Killed(BaseException):  # nobody catches it
    """The process ends here."""


class Living:
    """One service as a process. It may be doomed to end at its so-many-th deed: a message, a request, a switch."""

    def __init__(
        self, name: str, build: Callable[["Living"], object], broker: MemoryBroker, clock: VirtualClock
    ) -> None:
        self.name = name
        self.alive = False
        self.failures = 0
        self.left: int | None = None
        self._build, self._broker, self._clock = build, broker, clock

    def start(self) -> None:
        self.link: MemoryLink = self._broker.link()
        send = self.link.send
        self.link.send = lambda packet: self._send(send, packet)  # type: ignore[method-assign] # the only door
        self.runner = SteppedRunner()
        self.service = Service(
            self.name, Bus(self.link, self._clock, instance=self.name), self._clock, runner=self.runner
        )
        self.alive, self.left = True, None
        assert self._build(self) is not False
        self.service.start()

    def start_again(self) -> None:
        """Unless it is there."""
        if not self.alive:
            self.start()

    def kill(self) -> None:
        """It ends where it stands, without a word."""
        if self.alive:
            self.alive = False
            self.failures += self.service.counts["handler_failed"]
            self.link.cut()

    def deed(self) -> None:
        """It is about to do something that others notice, or has just done so."""
        if self.left == 0 and self.alive:
            raise Killed
        self.left = None if self.left is None else self.left - 1

    def step(self) -> None:
        if not self.alive:
            return
        try:
            self.service.step()
            for turns in list(self.runner.loops.values()):
                if turns.due_in_seconds <= 0:
                    turns.step()
        except Killed:
            self.kill()

    def pass_seconds(self, seconds: float) -> None:
        for turns in self.runner.loops.values():
            turns.due_in_seconds -= seconds

    def _send(self, send: Callable[[Packet], bool], packet: Packet) -> bool:
        self.deed()
        sent = send(packet)
        self.deed()
        return sent


class DoomedStrip(PlugLink):
    """The strip, as one process of its agent reaches it."""

    def __init__(self, strip: InProcessStrip, process: Living) -> None:
        self._strip, self._process = strip, process

    def read(self, *, meters: bool) -> DeviceReading:
        self._process.deed()
        return self._strip.read(meters=meters)

    def switch(self, outlet_id: str, *, on: bool) -> None:
        self._process.deed()
        self._strip.switch(outlet_id, on=on)
        self._process.deed()

    def close(self) -> None:
        """The strip outlives its agent."""


def doomed(handler: Handler, process: Living) -> Handler:
    def handle(request: Request) -> Response:
        process.deed()
        response = handler(request)
        if request.method != "GET":
            process.deed()
        return response

    return handle
