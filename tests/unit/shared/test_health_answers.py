"""What a container's health check is answered, without a process of its own."""

from pathlib import Path

import pytest

from shared.health import HANG_EXIT_VARIABLE, HEALTH_FILE_VARIABLE, Health, main


def test_without_a_file_nobody_can_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(HEALTH_FILE_VARIABLE, raising=False)
    assert main(["live"]) == 2
    assert HEALTH_FILE_VARIABLE in capsys.readouterr().err


def test_before_the_first_sign_of_life_it_is_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HEALTH_FILE_VARIABLE, str(tmp_path / "health"))
    assert main(["live"]) == 1
    assert "no sign of life yet" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["soon", "0", "-3"])
def test_a_time_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no time"):
        Health.from_environment({HEALTH_FILE_VARIABLE: str(tmp_path / "health"), HANG_EXIT_VARIABLE: text})
