"""What the health file says, and how it is judged."""

from pathlib import Path

import pytest

from shared.health import LIVE_SECONDS, Health, judge, main


def line_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "seconds", "live", "ready", "sentence"),
    [
        ("100.0 90.0\n", 101.0, True, True, "ready for 11 s"),
        ("100.0 90.0 no connection to the broker\n", 101.0, True, False, "not ready for 11 s: no connection to the"),
        ("100.0 90.0\n", 100.0 + LIVE_SECONDS, True, True, "ready for 30 s"),
        ("100.0 90.0\n", 100.1 + LIVE_SECONDS, False, False, "has not stirred for 20 s"),
        # Of another boot of the machine: as old as can be.
        ("100.0 90.0\n", 7.0, False, False, "has not stirred"),
        ("", 7.0, False, False, "cannot be read"),
        ("yes\n", 7.0, False, False, "cannot be read"),
    ],
)
def test_a_line_is_judged(line: str, seconds: float, live: bool, ready: bool, sentence: str) -> None:
    assert judge("live", line, seconds)[0] is live
    answer, said = judge("ready", line, seconds)
    assert (answer, sentence in said) == (ready, True), said


def test_it_tells_since_when_a_service_is_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "health"
    health = Health(str(file))
    health.stirred(10.0, "no connection to the broker")
    health.stirred(15.0, "no connection to the broker")
    assert line_of(file) == "15.000 10.000 no connection to the broker\n"
    health.stirred(20.0)
    health.stirred(25.0)
    assert line_of(file) == "25.000 20.000\n"
    health.stirred(30.0, "no connection to the broker")
    assert line_of(file) == "30.000 30.000 no connection to the broker\n"
    assert list(tmp_path.iterdir()) == [file], "nothing else is left behind"


def test_a_file_that_cannot_be_written_is_said_once_and_hurts_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    health = Health(str(tmp_path / "nowhere" / "health"))
    health.stirred(1.0)
    health.stirred(2.0)
    assert capsys.readouterr().err.count("nobody can see that this process is well") == 1


def test_without_variables_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Health.from_environment({}).stirred(1.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["soon", "0", "-5", "1e9", "inf"])
def test_a_time_to_hang_must_be_one(text: str) -> None:
    with pytest.raises(ValueError, match=f"SUNHERD_HANG_EXIT_SECONDS: '{text}' is no time: write seconds"):
        Health.from_environment({"SUNHERD_HANG_EXIT_SECONDS": text})


def test_the_command_explains_itself_and_its_misuse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--help"]) == 0
    assert "python -m shared.health live" in capsys.readouterr().out
    assert main(["alive"]) == 2
    monkeypatch.delenv("SUNHERD_HEALTH_FILE", raising=False)
    assert main(["live"]) == 2
    assert "set SUNHERD_HEALTH_FILE" in capsys.readouterr().err
    monkeypatch.setenv("SUNHERD_HEALTH_FILE", str(tmp_path / "health"))
    assert main(["live"]) == 1
    assert capsys.readouterr().out == "no sign of life yet\n"


def test_help_teaches_both_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert "live" in said
    assert "ready" in said


def test_a_hang_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is no time"):
        Health.from_environment({"SUNHERD_HANG_EXIT_SECONDS": "soon"})
