"""Names as people give them, as a shell completes them, and the file that keeps what was said."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.console.app import build
from deploy.console.names import checked
from deploy.console.trouble import EXIT_BAD_INPUT, TroubleError

FARM = """\
miners:
  s19-20: {driver: vnish, host: 192.168.88.20}
  s19-21: {driver: vnish, host: 192.168.88.21}
  bitaxe-1: {driver: bitaxe, host: 192.168.88.31}
groups:
  garage: {members: [s19-20]}
"""


def completed(line: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    monkeypatch.chdir(directory)
    environment = {"_SUNHERD_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    found = CliRunner().invoke(build(), [], env=environment, prog_name="sunherd")
    assert found.exit_code == 0, found.exception
    return found.output.split()


def test_a_shell_completes_miners_and_groups_from_the_farm_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "farm.yaml").write_text(FARM, encoding="utf-8")
    assert completed("sunherd explain s19", tmp_path, monkeypatch) == ["s19-20", "s19-21"]
    assert completed("sunherd status g", tmp_path, monkeypatch) == ["garage"]
    assert completed("sunherd explain g", tmp_path, monkeypatch) == []


def test_a_shell_completes_from_the_farm_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.yaml").write_text(FARM, encoding="utf-8")
    assert completed("sunherd --farm other.yaml watch bit", tmp_path, monkeypatch) == ["bitaxe-1"]


@pytest.mark.parametrize("text", [None, "miners: [", "- a\n- b\n", "miners: 7\n", "\x00"])
def test_completion_offers_nothing_rather_than_failing(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "farm.yaml").write_text(text, encoding="utf-8")
    assert completed("sunherd explain s", tmp_path, monkeypatch) == []


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(TroubleError, match=r"s19-2O is no miner of this farm \(did you mean \"s19-20\"\?\)\. Fix: use"):
        checked(["s19-2O"], ("s19-20", "bitaxe-1"))
    with pytest.raises(TroubleError, match="neither a miner nor a group") as caught:
        checked(["x"], ("s19-20",), ("garage",))
    assert caught.value.exit_code == EXIT_BAD_INPUT
    assert checked(["garage", "s19-20"], ("s19-20",), ("garage",)) == ("garage", "s19-20")


def test_a_log_file_that_cannot_be_written_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    found = CliRunner().invoke(build(), ["--log-file", str(tmp_path / "file" / "log"), "status"])
    assert isinstance(found.exception, TroubleError)
    assert "cannot be written" in str(found.exception)


def test_help_says_the_exit_codes() -> None:
    found = CliRunner().invoke(build(), ["status", "--help"])
    assert "0 all is well; 1 something needs a person" in " ".join(found.output.split())
