"""The whole agent: over real sockets as it is wired, and in virtual time where minutes pass."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from services.bitaxe_agent.client import AxeClient
from services.bitaxe_agent.wiring import POLL_SECONDS_MIN, build, manner_of, manners_of, scheduled
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import GENERATIONS, LIVELY
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_server import AxeOsServer
from shared.bus import Bus, MemoryBroker
from shared.clock import SystemClock, VirtualClock
from shared.launch import Context
from shared.loops import ThreadRunner
from shared.messages import PAUSE, Event, Following, MinerState, MinerTelemetry, OperatingPoint
from shared.service import Service
from shared.settings import Address, FarmSettings, Secrets
from shared.topics import MINER_COMMAND, MINER_EVENT, MINER_TELEMETRY
from tests.bitaxe_farm import BitaxeRig, closest_requests_seconds, orders, patches, runs_at, set_to
from tests.farm import miner_command
from tests.sockets import ServiceLoop
from tests.waiting import eventually

DAY, NIGHT = set_to(1150, 450), set_to(1250, 550)


class SocketBitaxes:
    """Stand-ins on real sockets, with an agent in real threads, wired as in production but for the broker."""

    def __init__(self, stand_ins: Mapping[str, AxeOsStandIn], clock: SystemClock, **miner: Any) -> None:
        self.telemetry: dict[str, MinerTelemetry] = {}
        self.events: list[Event] = []
        self._clock = clock
        self._stack = ExitStack()
        servers = {name: self._stack.enter_context(AxeOsServer(stand_in)) for name, stand_in in stand_ins.items()}
        miners = {
            name: {"driver": "bitaxe", "host": f"127.0.0.1:{server.port}", **miner} for name, server in servers.items()
        }
        broker = MemoryBroker()
        self._watcher = Bus(broker.link(), clock, instance="watcher")
        self._watcher.subscribe(MINER_TELEMETRY, lambda got: self._heard(got.identifier, got.message))
        self._watcher.subscribe(MINER_EVENT, lambda got: self._told(got.message))
        self._watcher.start()
        service = Service("bitaxe_agent", Bus(broker.link(), clock, instance="agent"), clock)
        farm = FarmSettings.model_validate({"miners": miners})
        assert build(Context(service, farm, Secrets({}, {}, Path("no-such-directory"))))
        self._runner = ThreadRunner()
        self._runner.spawn("service", ServiceLoop(service))

    def order(self, name: str, point: OperatingPoint) -> None:
        self._watcher.publish(MINER_COMMAND, name, miner_command(point, self._clock, lease_seconds=600))

    def last(self, name: str) -> MinerTelemetry:
        return self.telemetry[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()  # first: it ends the requests that wait for a silent stand-in
        self._runner.stop()
        self._watcher.stop()

    def _heard(self, name: str, telemetry: MinerTelemetry | None) -> None:
        if telemetry is not None:
            self.telemetry[name] = telemetry

    def _told(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_stop_reaches_it_and_it_is_read_back(generation: str) -> None:
    clock = SystemClock()
    stand_in = AxeOsStandIn(generation, clock=clock, pace=LIVELY)
    with SocketBitaxes({"b1": stand_in}, clock) as rig:
        assert eventually(lambda: "b1" in rig.telemetry and rig.last("b1").reachable, 15)
        rig.order("b1", PAUSE)
        if stand_in.firmware.pauses:
            assert eventually(lambda: not stand_in.hashing, 2)
            assert eventually(lambda: rig.last("b1").settled, 5)
            assert rig.last("b1").state is MinerState.PAUSED
        else:
            assert eventually(lambda: patches(stand_in) == [{"frequency": 400}], 2)
        assert rig.last("b1").firmware == stand_in.firmware.version


def test_a_ramp_over_real_sockets() -> None:
    clock = SystemClock()
    stand_ins = {name: AxeOsStandIn("2.15", clock=clock, pace=LIVELY, name=name) for name in ("a", "b", "c")}
    with SocketBitaxes(stand_ins, clock, steps=1, delay="2 s") as rig:
        assert eventually(lambda: len(rig.telemetry) == 3, 15)
        stand_ins["a"].begin(Ill.SILENT)
        for name in stand_ins:
            rig.order(name, NIGHT)
        assert eventually(lambda: runs_at(stand_ins["b"]) == runs_at(stand_ins["c"]) == (1250, 550), 10)
        assert eventually(lambda: rig.last("b").settled and rig.last("c").settled, 5)
        assert runs_at(stand_ins["a"]) != (1250, 550)


def test_a_connection_that_it_is_about_to_close_is_not_used_again() -> None:
    """Its answer does not say that it closes: a second request just then would be lost."""
    clock = SystemClock()
    stand_in = AxeOsStandIn("2.10", clock=clock, pace=replace(LIVELY, burst_requests=10_000))
    with AxeOsServer(stand_in) as server:
        client = AxeClient(Address("127.0.0.1", server.port), clock)
        for megahertz in range(450, 500):
            client.info()
            client.change({"frequency": megahertz})
        client.close()
    assert [sent["frequency"] for sent in patches(stand_in)] == list(range(450, 500))


def test_nothing_configured_starts_nothing(clock: VirtualClock, tmp_path: Path) -> None:
    service = Service("bitaxe_agent", Bus(MemoryBroker().link(), clock), clock)
    farm = FarmSettings.model_validate({"miners": {"s19": {"driver": "vnish", "host": "a"}}})
    assert build(Context(service, farm, Secrets({}, {}, tmp_path))) is False


def test_the_farm_file_becomes_manners() -> None:
    farm = FarmSettings.model_validate(
        {
            "miners": {
                "b1": {
                    "driver": "bitaxe",
                    "host": "http://192.168.1.100/",
                    "max_voltage_mv": 1200,
                    "profiles": {"eco": {"voltage_mv": 1060, "frequency_mhz": 420}},
                    "profile": "eco",
                    "steps": 3,
                    "delay": "4 s",
                    "schedule": "home",
                }
            },
            "schedules": {
                "home": [
                    {"from": "07:30", "to": "20:00", "voltage_mv": 1150, "frequency_mhz": 450},
                    {"from": "20:00", "to": "23:00", "profile": "eco"},
                    {"from": "23:00", "to": "07:30", "pause": True},
                ]
            },
            "rules": {"poll": "2 s"},
        }
    )
    timetable = farm.timetables()["b1"]
    manners = manners_of(farm.miners["b1"], timetable)
    assert (manners.limits.voltage_mv, manners.limits.frequency_mhz) == (1200, None), "not said: the chip's own"
    assert (manners.pace.steps, manners.pace.delay_seconds) == (3, 4)
    assert [str(wish) for wish in scheduled(timetable)] == ["450 MHz 1150 mV", "eco"]
    assert scheduled(None) == ()
    assert manner_of(farm).poll_seconds == POLL_SECONDS_MIN, "its web server would die of more"


# --- in virtual time


def test_it_is_read_every_ten_seconds_and_never_twice_in_one(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.4", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.run(120)
    assert 11 <= len([heard for heard in stand_in.heard if heard.path.endswith("/info")]) <= 13
    for frequency in (450, 455, 460, 465, 470):
        rig.order("b1", set_to(1150, frequency))
        rig.run(0.25)
    rig.run(60)
    assert closest_requests_seconds(stand_in) >= 1
    assert rig.last("b1").settled
    assert rig.last("b1").reachable
    rig.close()


@pytest.mark.parametrize("generation", ["2.4", "2.15"])
def test_an_emergency_stop_in_mid_ramp_is_sent_at_once(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(120)
    rig.order("b1", NIGHT)
    rig.run(33)
    before = len(stand_in.controls())
    rig.emergency_stop(active=True)
    rig.run(0.75)
    if stand_in.firmware.pauses:
        assert orders(stand_in)[-1] == "pause"
    else:
        assert patches(stand_in)[-1] == {"frequency": 400}
    assert len(stand_in.controls()) == before + 1
    rig.run(20)
    assert rig.last("b1").settled
    assert stand_in.hashing is not stand_in.firmware.pauses
    assert stand_in.undervolted == 0
    rig.close()


def test_an_emergency_stop_in_mid_ramp_waits_for_no_turn(clock: VirtualClock) -> None:
    """Neither for those that space the readings of many devices, nor for the second between two of one device."""
    generations = {f"b{number}": ("2.12", "2.15")[number % 2] for number in range(80)}
    stand_ins = {name: AxeOsStandIn(generation, clock=clock, name=name) for name, generation in generations.items()}
    rig = BitaxeRig(stand_ins, clock)
    for name in stand_ins:
        rig.order(name, DAY)
    rig.run(60)
    for name in stand_ins:
        rig.order(name, NIGHT)
    rig.run(20.25)
    began = clock.seconds()
    rig.emergency_stop(active=True)
    rig.run(0.5)
    for stand_in in stand_ins.values():
        stops = [heard for heard in stand_in.controls() if heard.at_seconds >= began]
        pauses = [("/api/system/pause", None)] if stand_in.firmware.pauses else [("/api/system", {"frequency": 400})]
        assert [(heard.path, heard.body) for heard in stops] == pauses
    rig.run(15)
    assert all(rig.last(name).settled for name in stand_ins)
    assert sum(stand_in.undervolted for stand_in in stand_ins.values()) == 0
    rig.close()


def test_alone_it_goes_to_its_safe_point(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", NIGHT)
    rig.run(120)
    rig.silence_engine()
    rig.run(60 + 120 + 90)
    assert rig.last("b1").following is Following.FAILSAFE
    assert runs_at(stand_in) == (1100, 400)
    assert rig.last("b1").settled
    rig.close()


def test_a_device_that_lies_becomes_a_fault(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.run(30)
    stand_in.begin(Ill.LIES)
    rig.order("b1", DAY)
    rig.run(180)
    assert (rig.last("b1").state, rig.last("b1").problem) == (MinerState.FAULT, "command_without_effect")
    assert len(patches(stand_in)) < 12, "its flash wears"
    stand_in.mend()
    rig.run(180)
    assert rig.codes("b1") == ["command_without_effect", "recovered"]
    assert runs_at(stand_in) == (1150, 450)
    rig.close()


def test_another_device_at_the_address_gets_nothing(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(120)
    stand_in.mac = "02:00:00:FF:FF:FF"
    rig.order("b1", NIGHT)
    before = len(stand_in.controls())
    rig.run(60)
    told = rig.last("b1")
    assert (told.reachable, told.problem, told.state) == (False, "another_device", MinerState.UNKNOWN)
    assert "another_device" in rig.codes("b1")
    assert len(stand_in.controls()) == before
    rig.close()


def test_a_power_cut_in_mid_ramp_is_resumed_from_the_reading(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.10", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(120)
    rig.order("b1", NIGHT)
    rig.run(18)
    stand_in.begin(Ill.OFF)
    rig.run(30)
    stand_in.end(Ill.OFF)
    rig.run(120)
    assert runs_at(stand_in) == (1250, 550)
    assert stand_in.undervolted == 0
    rig.close()


def test_a_restart_of_the_agent_in_mid_ramp_changes_nothing(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.10", clock=clock)
    first = BitaxeRig({"b1": stand_in}, clock)
    first.order("b1", NIGHT)
    first.run(120)
    first.order("b1", DAY)
    first.run(12)
    first.close()
    second = BitaxeRig({"b1": stand_in}, clock, broker=first.broker)
    second.run(90)
    assert runs_at(stand_in) == (1150, 450)
    assert stand_in.undervolted == 0
    ladder = second.last("b1").ladder
    assert ladder is not None
    assert ladder.normal == "525 MHz 1150 mV"
    second.close()


def test_a_pause_at_its_own_page_is_respected(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(120)
    stand_in.pause(paused=True)
    rig.run(60)
    assert rig.last("b1").outside_pause_since is not None
    assert orders(stand_in) == []
    rig.close()
