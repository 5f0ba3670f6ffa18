"""The agent of outlets over real sockets: the real library, the stand-ins' wires, and threads as in production."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.kasa_power_agent.kasa_link import KasaLink
from services.kasa_power_agent.link import Account, Language, Manners
from services.kasa_power_agent.search import main as search_main
from services.kasa_power_agent.wiring import account_of, build
from services.simulator.http import Wire
from services.simulator.kasa_klap import Account as DeviceAccount
from services.simulator.kasa_klap import KlapServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.mains import PlainRig
from shared.bus import Bus, MemoryBroker
from shared.clock import SystemClock
from shared.device import DeviceError, RefusedError, UnauthorizedError, UnreachableError
from shared.launch import Context
from shared.loops import ThreadRunner
from shared.messages import PlugCommand, PlugTelemetry
from shared.service import Service
from shared.settings import Address, FarmSettings, Secrets
from shared.topics import PLUG_COMMAND, PLUG_TELEMETRY
from tests.sockets import ServiceLoop
from tests.waiting import eventually

OWNER = DeviceAccount("owner@example.org", "Open Sesame")
ACCOUNT = Account(OWNER.username, OWNER.password)
CLOCK = SystemClock()


def link_to(
    server: KasaServer | KlapServer, account: Account | None = ACCOUNT, language: Language = "auto"
) -> KasaLink:
    return KasaLink(Manners(Address("127.0.0.1", server.port), language, account))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def serve(stack: ExitStack, machine: KasaMachine, *, account: bool) -> KasaServer | KlapServer:
    server: KasaServer | KlapServer = KlapServer(machine, OWNER) if account else KasaServer(machine)
    server.start()
    stack.callback(server.stop)
    return server


def told_by(link: KasaLink, *, meters: bool = True) -> list[bool | None]:
    return [outlet.on for outlet in link.read(meters=meters).outlets]


@pytest.mark.parametrize(
    ("model", "account", "outlets", "watts"),
    [
        ("HS103", False, 1, None),
        ("HS110", False, 1, 1100),
        ("KP115", False, 1, 1100),
        ("KP115", True, 1, 1100),
        ("HS300", False, 6, 1100),
        ("HS300", True, 6, 1100),
        ("KP303", False, 3, None),
        ("KP125M", True, 1, 1100),
    ],
)
def test_each_kind_is_read_and_switched(
    stack: ExitStack, model: str, account: bool, outlets: int, watts: float | None
) -> None:
    machine = KasaMachine(model, clock=CLOCK, name="Shed")
    machine.plug_in(PlainRig(1100, clock=CLOCK, boot_seconds=0), outlets)
    link = link_to(serve(stack, machine, account=account))
    stack.callback(link.close)
    device = link.read(meters=True)
    assert len(device.outlets) == outlets
    assert (device.model, device.mac, device.has_meter) == (model, machine.mac, watts is not None)
    last = device.outlets[-1]
    assert last.number == (outlets if outlets > 1 else None)
    assert (last.meter.power_w if last.meter else None) == watts
    link.switch(last.outlet_id, on=False)
    assert told_by(link, meters=False) == [True] * (outlets - 1) + [False]
    assert [outlet.on for outlet in machine.outlets] == [True] * (outlets - 1) + [False]
    link.switch(last.outlet_id, on=True)
    assert told_by(link) == [True] * outlets
    assert machine.parent_switched == 0


def test_watts_of_a_strip_are_never_told_from_memory(stack: ExitStack) -> None:
    link = link_to(serve(stack, KasaMachine("HS300", clock=CLOCK), account=False))
    stack.callback(link.close)
    assert all(outlet.meter is not None for outlet in link.read(meters=True).outlets)
    assert all(outlet.meter is None for outlet in link.read(meters=False).outlets)


@pytest.mark.parametrize("account", [None, Account("owner@example.org", "open sesame")])
@pytest.mark.parametrize("model", ["KP115", "KP125M"])
def test_a_device_that_wants_a_password(stack: ExitStack, model: str, account: Account | None) -> None:
    link = link_to(serve(stack, KasaMachine(model, clock=CLOCK), account=True), account)
    stack.callback(link.close)
    with pytest.raises(UnauthorizedError, match="KASA_PASSWORD") as caught:
        link.read(meters=False)
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_relay_that_is_refused(stack: ExitStack) -> None:
    machine = KasaMachine("HS300", clock=CLOCK)
    link = link_to(serve(stack, machine, account=False))
    stack.callback(link.close)
    outlet = link.read(meters=False).outlets[2]
    machine.faults.refuses = True
    with pytest.raises(RefusedError):
        link.switch(outlet.outlet_id, on=False)
    with pytest.raises(DeviceError):
        link.switch(machine.device_id, on=False)
    assert told_by(link) == [True] * 6


def test_a_device_that_dies_and_comes_back(stack: ExitStack) -> None:
    server = serve(stack, KasaMachine("KP115", clock=CLOCK), account=False)
    link = link_to(server)
    stack.callback(link.close)
    assert told_by(link) == [True]
    server.stop()
    with pytest.raises(UnreachableError):
        link.read(meters=False)
    server.start()
    assert told_by(link) == [True]


@pytest.mark.parametrize("garbage", [b"hello", b"{}", b'{"system": {"get_sysinfo": {}}}', b"[]", b"null"])
def test_a_stranger_at_the_address_is_no_plug(stack: ExitStack, garbage: bytes) -> None:
    machine = KasaMachine("KP115", clock=CLOCK)
    machine.faults.garbage = garbage
    link = link_to(serve(stack, machine, account=False), language="legacy")
    stack.callback(link.close)
    with pytest.raises(DeviceError):
        link.read(meters=False)
    machine.faults.garbage = None
    assert told_by(link) == [True]


def test_a_device_that_says_nothing_is_not_waited_for_for_ever(stack: ExitStack) -> None:
    machine = KasaMachine("KP115", clock=CLOCK)
    link = link_to(serve(stack, machine, account=False))
    stack.callback(link.close)
    assert told_by(link) == [True]
    machine.faults.wire = Wire.SILENCE
    with pytest.raises(UnreachableError):
        link.read(meters=False)
    machine.faults.wire = Wire.WHOLE
    assert told_by(link) == [True]


def test_the_account_of_one_plug_stands_above_that_of_all() -> None:
    everywhere = {"KASA_USERNAME": "a", "KASA_PASSWORD": "b"}
    own = {"RIG_7_PLUG_USERNAME": "c", "RIG_7_PLUG_PASSWORD": "d"}

    def found(environment: Mapping[str, str]) -> Account | None:
        return account_of(Secrets(environment, {}, Path("no-such-directory")), ["rig-6", "rig-7"])

    assert found({}) is None
    assert found(everywhere) == Account("a", "b")
    assert found(everywhere | own) == Account("c", "d")
    assert "d" not in repr(Account("c", "d")).removeprefix("Account")


class SocketPlugs:
    """The service as it is wired, in real threads, but for the broker."""

    def __init__(self, miners: dict[str, Any]) -> None:
        self.telemetry: dict[str, PlugTelemetry] = {}
        broker = MemoryBroker()
        self._watcher = Bus(broker.link(), CLOCK, instance="watcher")
        self._watcher.subscribe(PLUG_TELEMETRY, lambda got: self._heard(got.identifier, got.message))
        self._watcher.start()
        service = Service("kasa_power_agent", Bus(broker.link(), CLOCK, instance="agent"), CLOCK)
        farm = FarmSettings.model_validate({"miners": miners})
        secrets = Secrets(
            {"KASA_USERNAME": OWNER.username, "KASA_PASSWORD": OWNER.password}, {}, Path("no-such-directory")
        )
        assert build(Context(service, farm, secrets))
        self._runner = ThreadRunner()
        self._runner.spawn("service", ServiceLoop(service))

    def order(self, name: str, *, on: bool, **more: Any) -> None:
        now = CLOCK.now()
        about: dict[str, Any] = {
            "at": now,
            "engine": "e",
            "epoch": 1,
            "expires_at": now + timedelta(seconds=600),
            "since": now,
        }
        command = PlugCommand(**(about | {"on": on, "code": "test", "sentence": "for a test"} | more))
        self._watcher.publish(PLUG_COMMAND, name, command)

    def reads(self, name: str, *, on: bool) -> bool:
        told = self.telemetry.get(name)
        return told is not None and told.on is on

    def _heard(self, name: str, telemetry: PlugTelemetry | None) -> None:
        if telemetry is not None:
            self.telemetry[name] = telemetry

    def close(self) -> None:
        self._runner.stop()
        self._watcher.stop()


def test_a_strip_and_a_plug_with_password_are_cycled_side_by_side(stack: ExitStack) -> None:
    strip = KasaMachine("HS300", clock=CLOCK, aliases=("Rig 1", "Rig 2"))
    plug = KasaMachine("KP115", clock=CLOCK)
    rigs = [PlainRig(1100, clock=CLOCK) for _ in range(3)]
    strip.plug_in(rigs[0], 1)
    strip.plug_in(rigs[1], 2)
    plug.plug_in(rigs[2])
    for rig in rigs:
        rig.hang()
    strip_at, plug_at = (
        f"127.0.0.1:{serve(stack, machine, account=account).port}"
        for machine, account in ((strip, False), (plug, True))
    )
    miners = {
        "one": {"driver": "plug", "nominal_w": 1100, "plug": {"host": strip_at, "outlet": "Rig 1"}},
        "two": {"driver": "plug", "nominal_w": 1100, "plug": {"host": strip_at, "outlet": 2}},
        "three": {"driver": "plug", "nominal_w": 1100, "plug": {"host": plug_at, "protocol": "klap"}},
    }
    farm = SocketPlugs(miners)
    stack.callback(farm.close)
    assert eventually(lambda: all(farm.reads(name, on=True) for name in miners), 15)
    for name in miners:
        farm.order(name, on=True, cycle_at=CLOCK.now(), off_seconds=4)
    assert eventually(lambda: [rig.boots for rig in rigs] == [1, 1, 1], 30)
    assert eventually(lambda: all(farm.reads(name, on=True) for name in miners), 15)
    assert [switched.on for switched in plug.switched] == [False, True]
    assert sorted((each.outlet, each.on) for each in strip.switched) == [(0, False), (0, True), (1, False), (1, True)]
    assert strip.parent_switched == 0
    assert eventually(lambda: all(rig.hashing for rig in rigs))


def test_the_search_shows_every_outlet_and_who_wants_a_password(
    stack: ExitStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    strip = KasaMachine("HS300", clock=CLOCK, name="Shed", aliases=("Rig\x1b[2J 1", "Rig 2"))
    strip.outlets[1].on = False
    at = ["--target", "127.0.0.1", "--seconds", "1", "--port", str(serve(stack, strip, account=False).port)]
    assert search_main(at) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["address", "model", "alias", "outlet", "account"]
    assert [line.split()[0] for line in shown[1:]] == ["127.0.0.1"] * 6
    assert "1 Rig?[2J 1" in shown[1]
    assert shown[2].split()[-4:] == ["Rig", "2", "off", "no"]
    assert not strip.switched
    stack.close()
    locked = KlapServer(KasaMachine("KP115", clock=CLOCK, name="Attic"), OWNER, discovery=True)
    locked.start()
    stack.callback(locked.stop)
    at = ["--target", "127.0.0.1", "--seconds", "1"]
    assert search_main(at) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[-5:] == ["yes", "asks", "for", "the", "account"]
    monkeypatch.setenv("KASA_USERNAME", OWNER.username)
    monkeypatch.setenv("KASA_PASSWORD", OWNER.password)
    assert search_main(at) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[2:] == ["Attic", "-", "on", "yes"]


def test_a_search_that_finds_nothing_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert search_main(["--target", "127.0.0.24", "--seconds", "1"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "--target 192.168.1.255" in said.err


def test_the_help_of_the_search_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        search_main(["--help"])
    shown = capsys.readouterr().out
    assert "plug: {host: 192.168.1.50, outlet: Rig 7}" in shown
    assert "KASA_PASSWORD" in shown
    with pytest.raises(SystemExit):
        search_main(["--seconds", "0"])
