"""The bridge and its Home Assistant in one thread, driven by a virtual clock: the real loops, every fault."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from services.simulator.home_assistant_in_process import connector
from services.simulator.home_assistant_talk import Fault, HomeAssistantCore
from services.simulator.http_in_process import InProcessSession
from services.soc_bridge.sources.home_assistant import Doors
from services.soc_bridge.wiring import build
from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.messages import Event, SiteTelemetry, UnknownReason
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import SERVICE_EVENT, SITE_TELEMETRY

TOKEN = "a-long-lived-token"
SOC = "sensor.battery_soc"
PERCENT = {"unit_of_measurement": "%"}
HOST = "ha.test:8123"
TICK_SECONDS = 0.05
LATEST_SECONDS = 200.0
"""The value is unconfirmed after 60 s; the rest is for whatever the loops were doing just then."""

SILENCED = [Fault.RESTARTING, Fault.FROZEN, Fault.NONSENSE, Fault.BROKEN]


class BridgeRig:
    """One bridge. Loops take their turns one after another; `acts` happen while one of them waits."""

    def __init__(self, *, token: str = TOKEN, url: str = f"http://{HOST}") -> None:
        self.clock = VirtualClock()
        self.core = HomeAssistantCore(token=TOKEN, clock=self.clock)
        self.core.set_state(SOC, "80.0", PERCENT)
        self.told: list[SiteTelemetry] = []
        self.codes: list[str] = []
        self.acts: list[tuple[float, Callable[[], None]]] = []
        broker = MemoryBroker()
        ear = Bus(broker.link(), self.clock, instance="ear")
        ear.subscribe(SITE_TELEMETRY, self._heard)
        ear.subscribe(SERVICE_EVENT, self._noted)
        ear.start()
        self.runner = SteppedRunner()
        bus = Bus(broker.link(), self.clock, instance="bridge")
        self.service = Service("soc_bridge", bus, self.clock, runner=self.runner)
        section = {"url": url, "state_of_charge": SOC, "poll": "30 s"}
        farm = FarmSettings.model_validate({"battery": {"home_assistant": section, "unconfirmed_after": "60 s"}})
        doors = Doors(
            session=lambda: InProcessSession({HOST: self.core.handle}, lambda seconds: self.wait(seconds, _never)),
            connect=connector({HOST: self.core}, self.wait),
        )
        assert build(Context(self.service, farm, Secrets({"HA_TOKEN": token}, {}, Path("/nonexistent"))), doors)
        self.service.start()

    def wait(self, seconds: float, until: Callable[[], bool]) -> None:
        end = self.clock.seconds() + seconds
        while not until() and self.clock.seconds() < end:
            self.service.step()
            self.clock.advance(TICK_SECONDS)
            for turns in self.runner.loops.values():
                turns.due_in_seconds -= TICK_SECONDS
            due = [act for at, act in self.acts if at <= self.clock.seconds()]
            self.acts = [(at, act) for at, act in self.acts if at > self.clock.seconds()]
            for act in due:
                act()

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.clock.seconds() + seconds
        while not until() and self.clock.seconds() < end:
            for turns in self.runner.loops.values():
                if turns.due_in_seconds <= 0:
                    turns.step()
            self.service.step()
            if all(turns.due_in_seconds > 0 for turns in self.runner.loops.values()):
                self.wait(TICK_SECONDS, _never)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.acts.append((self.clock.seconds() + seconds, act))

    @property
    def now(self) -> SiteTelemetry:
        return self.told[-1]

    def _heard(self, received: Received[SiteTelemetry]) -> None:
        if received.message is not None:
            self.told.append(received.message)

    def _noted(self, received: Received[Event]) -> None:
        if received.message is not None:
            self.codes.append(received.message.code)


def _never() -> bool:
    return False


@pytest.fixture
def rig() -> BridgeRig:
    made = BridgeRig()
    made.run(2)
    assert made.now.state_of_charge_percent == 80
    assert made.core.subscribed
    return made


def test_a_pushed_change_arrives_while_the_push_waits(rig: BridgeRig) -> None:
    asked = rig.core.requests
    rig.later(1, lambda: rig.core.set_state(SOC, "70.5"))
    start = rig.clock.seconds()
    rig.run(10, lambda: rig.now.state_of_charge_percent == 70.5)
    assert 1 <= rig.clock.seconds() - start < 1.2
    assert rig.core.requests == asked, "nothing was asked for"


def test_a_value_that_stands_still_is_confirmed_for_ever(rig: BridgeRig) -> None:
    rig.run(600)
    assert rig.now.state_of_charge_percent == 80
    assert rig.now.confirmed_at is not None
    assert (rig.clock.now() - rig.now.confirmed_at).total_seconds() < 25
    assert rig.codes == ["soc_known"]


@pytest.mark.parametrize("fault", SILENCED)
def test_silence_is_said_then_unknown_then_healed(rig: BridgeRig, fault: Fault) -> None:
    rig.core.order(fault)
    rig.core.cut()
    rig.run(40)
    assert "source_silent" in rig.codes
    assert rig.now.state_of_charge_percent == 80, "not yet stale"
    rig.run(LATEST_SECONDS, lambda: rig.now.unknown is not None)
    assert rig.now.unknown is UnknownReason.UNREACHABLE
    assert rig.now.confirmed_at is not None
    assert (rig.now.at - rig.now.confirmed_at).total_seconds() > 60
    rig.core.set_state(SOC, "66")
    rig.core.order(None)
    rig.run(40, lambda: rig.now.state_of_charge_percent == 66 and rig.core.subscribed)
    assert rig.now.state_of_charge_percent == 66
    assert rig.core.subscribed
    assert rig.codes.count("source_silent") == 1


def test_an_open_push_that_falls_silent_is_left(rig: BridgeRig) -> None:
    rig.core.order(Fault.FROZEN)
    rig.core.set_state(SOC, "20")
    rig.run(LATEST_SECONDS, lambda: rig.now.unknown is not None)
    assert rig.now.unknown is not None
    assert 80 not in {told.state_of_charge_percent for told in rig.told if told.unknown is not None}


def test_a_thaw_in_the_middle_of_a_handshake_lets_it_go_on(rig: BridgeRig) -> None:
    rig.core.order(Fault.FROZEN)
    rig.core.cut()
    rig.run(LATEST_SECONDS, lambda: rig.now.unknown is not None)
    rig.core.set_state(SOC, "66")
    rig.later(3.3, lambda: rig.core.order(None))
    rig.run(40, lambda: rig.core.subscribed)
    rig.run(1)
    assert rig.now.state_of_charge_percent == 66


def test_unavailable_is_told_at_once(rig: BridgeRig) -> None:
    rig.core.order(Fault.UNAVAILABLE)
    rig.run(0.6)
    assert rig.now.unknown is UnknownReason.UNAVAILABLE
    rig.core.order(None)
    rig.run(0.6)
    assert rig.now.state_of_charge_percent == 80


def test_without_push_the_polls_carry_on(rig: BridgeRig) -> None:
    rig.core.order(Fault.NO_PUSH)
    rig.run(5)
    rig.core.set_state(SOC, "60")
    rig.run(32)
    assert rig.now.state_of_charge_percent == 60
    assert not rig.core.subscribed
    assert "source_silent" not in rig.codes


def test_a_removed_sensor_is_missed_at_once(rig: BridgeRig) -> None:
    rig.core.remove(SOC)
    rig.run(0.6)
    assert rig.now.unknown is UnknownReason.NO_SUCH_SENSOR


def test_a_wrong_token_is_tried_rarely() -> None:
    rig = BridgeRig(token="wrong")
    rig.run(3600)
    assert rig.now.unknown is UnknownReason.UNAUTHORIZED
    assert 4 <= rig.core.logins_refused <= 25


def test_another_host_is_nobody() -> None:
    rig = BridgeRig(url="http://other.test:8123")
    rig.run(10)
    assert rig.now.unknown is UnknownReason.UNREACHABLE
    assert rig.core.requests == 0


def history(seed: int) -> list[SiteTelemetry]:
    random.seed(seed)
    rig = BridgeRig()
    for fault in (None, *SILENCED):
        rig.core.order(fault)
        rig.core.set_state(SOC, str(50 + len(rig.told)))
        rig.run(45)
    rig.core.order(None)
    rig.run(30)
    return rig.told


def test_a_seed_decides_the_whole_history() -> None:
    assert history(1) == history(1)
    assert history(1) != history(2), "the waits are drawn"
