"""What `python -m tests.chaos` says, as far as it can be seen without a farm."""

import json
from pathlib import Path

import pytest

from tests.chaos import power
from tests.chaos.__main__ import main
from tests.chaos.checker import PROMISES, check
from tests.chaos.history import Look
from tests.chaos.plan import Blow
from tests.chaos.report import as_json, as_text, load_history, save_history
from tests.unit.chaos.made_history import made, trouble


def test_a_recorded_history_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, file = made(), tmp_path / "build" / "history.json"
    save_history(history, file)
    assert load_history(file) == history
    assert main(["--check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "All promises were kept." in said
    assert all(f"kept    {promise}" in said for promise in PROMISES)


def test_a_broken_promise_is_told_with_its_reason_and_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, file = made(), tmp_path / "history.json"
    history.looks = [Look(one.at, one.busy | {"m1"}) for one in history.looks]
    save_history(history, file)
    assert main(["--check", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"BROKEN  {power.STOPS}: 1 times" in said
    assert "m1 draws power until 44.0 s" in said


def test_the_report_for_programs_has_the_same() -> None:
    history = made()
    history.done = [trouble(Blow.KILL, "vnish_agent-3", 10.0, 12.0)]
    report = json.loads(as_json(history, check(history)))
    assert report["broken"] == []
    assert report["troubles"] == {"kill": 1}
    assert report["replicas"] == {"policy_engine": 2, "vnish_agent": 3, "soc_bridge": 2}
    assert set(report["kept"]) == set(PROMISES)


def test_many_breaks_of_one_promise_are_not_all_told() -> None:
    history = made()
    history.tracebacks = {f"log {number}": 1 for number in range(9)}
    lines = as_text(history, check(history))
    assert any("and 4 more, in the JSON" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--minutes", "0"], "take numbers above 0"),
        (["--miners", "0"], "take numbers above 0"),
        (["--joins", "2", "--replicas", "1"], "at least 2"),
        (["--joins", "2", "--engine-kills", "1"], "not allowed with"),
        (["--check", "nowhere.json"], "cannot be read as a history"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_is_no_history_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--check", str(tmp_path / "no.json")])
    assert "cannot be read as a history" in capsys.readouterr().err


def test_the_help_names_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(promise in said for promise in PROMISES)
