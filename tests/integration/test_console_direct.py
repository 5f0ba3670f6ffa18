"""Bitaxes and outlets that are told directly, because there is no broker."""

from pathlib import Path

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import LIVELY
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_server import AxeOsServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from shared.clock import SystemClock
from tests.bitaxe_farm import runs_at
from tests.console_farm import sunherd


def write(directory: Path, miners: str) -> str:
    (directory / "farm.yaml").write_text("broker: {url: 'mqtt://127.0.0.1:1'}\nminers:\n" + miners, encoding="utf-8")
    return str(directory / "farm.yaml")


@pytest.mark.parametrize("generation", ["2.12", "2.15"])
def test_a_bitaxe_is_paused_or_taken_to_its_lowest_point(tmp_path: Path, generation: str) -> None:
    miner = AxeOsStandIn(generation, clock=SystemClock(), pace=LIVELY)
    with AxeOsServer(miner) as server:
        file = write(tmp_path, f'  b1: {{driver: bitaxe, host: "127.0.0.1:{server.port}"}}\n')
        said = sunherd("--farm", file, "stop", "--all")
    assert "1 of 1 confirmed" in said.out, said.out
    if miner.firmware.pauses:
        assert not miner.hashing
        assert "b1: stopped" in said.out
    else:
        assert runs_at(miner) == (1100, 400)
        assert "b1: at its lowest point (400 MHz 1100 mV" in said.out
        assert "its firmware cannot pause" in said.out


def test_another_machine_at_the_address_is_told_nothing(tmp_path: Path) -> None:
    miner = AxeOsStandIn("2.15", clock=SystemClock(), pace=LIVELY)
    with AxeOsServer(miner) as server:
        file = write(tmp_path, f'  b1: {{driver: bitaxe, host: "127.0.0.1:{server.port}", mac: "02:00:00:00:00:01"}}\n')
        said = sunherd("--farm", file, "stop", "--all")
    assert said.code == 1
    assert miner.hashing
    assert not miner.controls()
    assert "another device answers at this address" in said.out


def test_an_ill_bitaxe_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.console.stopping.CONFIRM_SECONDS", 2.0)
    ill, well = (AxeOsStandIn("2.15", clock=SystemClock(), pace=LIVELY, name=name) for name in ("ill", "well"))
    ill.begin(Ill.SILENT)
    with AxeOsServer(ill) as one, AxeOsServer(well) as other:
        miners = f'  ill: {{driver: bitaxe, host: "127.0.0.1:{one.port}"}}\n'
        file = write(tmp_path, miners + f'  well: {{driver: bitaxe, host: "127.0.0.1:{other.port}"}}\n')
        said = sunherd("--farm", file, "stop", "--all")
    assert said.code == 1
    assert "ill: NOT REACHED" in said.out
    assert "well: stopped" in said.out
    assert not well.hashing


def test_of_a_strip_only_the_rigs_are_switched_off(tmp_path: Path) -> None:
    machine = KasaMachine("HS300", clock=SystemClock(), name="Shed")
    server = KasaServer(machine)
    server.start()
    strip = f'host: "127.0.0.1:{server.port}", protocol: legacy'
    rigs = "".join(
        f"  rig-{number}: {{driver: plug, nominal_w: 1100, plug: {{{strip}, outlet: {number}}}}}\n" for number in (2, 4)
    )
    said = sunherd("--farm", write(tmp_path, rigs), "stop", "--all")
    server.stop()
    assert "2 of 2 confirmed" in said.out, said.out
    assert [outlet.on for outlet in machine.outlets] == [True, False, True, False, True, True]
    assert machine.parent_switched == 0
    assert "rig-2: its outlet is off" in said.out


def test_an_outlet_that_is_never_switched_is_not_switched_here_either(tmp_path: Path) -> None:
    machine = KasaMachine("HS300", clock=SystemClock(), name="Shed")
    machine.outlets[1].alias = machine.outlets[4].alias = "Rack"
    server = KasaServer(machine)
    server.start()
    plug = f'{{host: "127.0.0.1:{server.port}", protocol: legacy, outlet: 2}}'
    file = write(tmp_path, f"  rig-2: {{driver: plug, nominal_w: 1100, plug: {plug}}}\n")
    with Path(file).open("a", encoding="utf-8") as opened:
        opened.write(f'never_switch: [{{host: "127.0.0.1:{server.port}", outlet: Rack}}]\n')
    said = sunherd("--farm", file, "stop", "--all")
    server.stop()
    assert said.code == 1
    assert all(outlet.on for outlet in machine.outlets)
    assert "rig-2: NOT REACHED" in said.out
    assert "never_switch" in said.out
