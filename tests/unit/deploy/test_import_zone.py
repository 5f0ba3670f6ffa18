"""The time zone of a machine, as its own files say it."""

from pathlib import Path

import pytest

from deploy.console.importing.zone import zone_of_machine


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "etc").mkdir()
    return tmp_path


def test_nobody_knows(root: Path) -> None:
    assert zone_of_machine(root) is None


@pytest.mark.parametrize(("written", "zone"), [("Asia/Tokyo\n", "Asia/Tokyo"), ("nowhere", None), ("", None)])
def test_its_name_stands_in_a_file(root: Path, written: str, zone: str | None) -> None:
    (root / "etc/timezone").write_text(written, encoding="utf-8")
    assert zone_of_machine(root) == zone


def test_its_clock_is_a_link_into_the_zones(root: Path) -> None:
    (root / "etc/timezone").write_text("Asia/Tokyo", encoding="utf-8")
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Lisbon")
    assert zone_of_machine(root) == "Europe/Lisbon"


@pytest.mark.parametrize(("told", "zone"), [(":America/Lima", "America/Lima"), ("CET-1CEST,M3", None)])
def test_what_the_process_is_told_goes_first(
    root: Path, monkeypatch: pytest.MonkeyPatch, told: str, zone: str | None
) -> None:
    monkeypatch.setenv("TZ", told)
    assert zone_of_machine(root) == zone
