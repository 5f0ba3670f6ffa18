"""What the command line says when it cannot do what was asked: one sentence with its Fix, and no traceback."""

import os
from pathlib import Path

import pytest

from tests.unit.deploy.console_run import Console


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(tmp_path / "farm.yaml", monkeypatch, capsys)


def test_no_farm_file(console: Console) -> None:
    said = console("check")
    assert said.code == 2
    assert "sunherd init" in said.err


def test_an_authority_that_cannot_be_read(console: Console) -> None:
    console.farm.write_text(
        "broker: {url: 'mqtts://127.0.0.1:1', ca_file: /nowhere/ca.crt}\n"
        "miners: {a: {driver: bitaxe, host: 127.0.0.1}}\n",
        encoding="utf-8",
    )
    said = console("settings", "a")
    assert said.code == 2
    assert "/nowhere/ca.crt" in said.err
    assert "Traceback" not in said.err


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_farm_file_that_may_not_be_read(console: Console) -> None:
    console.farm.write_text("miners: {}\n", encoding="utf-8")
    console.farm.chmod(0)
    said = console("status")
    assert said.code == 2
    assert "Fix: run this as its owner" in said.err
