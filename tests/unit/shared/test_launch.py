"""How a service process begins, without the process; tests/integration has it with one."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ending import Ending
from shared.launch import Context, launch, set_up_log
from shared.service import Service


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    heeded = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler_before in heeded.items():
        signal.signal(number, handler_before)
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers, root.level = handlers, level


@pytest.fixture
def farm_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUNHERD_FARM", str(tmp_path / "farm.yaml"))
    monkeypatch.setenv("SUNHERD_LOG_DIR", str(tmp_path))
    return tmp_path / "farm.yaml"


def never(_context: Context) -> bool:
    pytest.fail("nothing may be built")


def test_a_wrong_file_ends_with_2_and_its_text(farm_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    farm_file.write_text("miner: {}")
    with pytest.raises(SystemExit) as ended:
        launch("probe", never)
    assert ended.value.code == 2
    assert 'unknown key (did you mean "miners"?)' in capsys.readouterr().err


def test_a_missing_file_ends_with_2_and_its_text(farm_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        launch("probe", never)
    assert ended.value.code == 2
    assert "No such file or directory. Fix: " in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["SUNHERD_EMBEDDED", "SUNHERD_FOLLOW"])
def test_nothing_to_do_is_a_good_end_where_nothing_can_change_that(
    farm_file: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "off")
    farm_file.write_text("observe: true")
    with pytest.raises(SystemExit) as ended:
        launch("probe", lambda _context: False)
    assert ended.value.code == 0


def test_what_is_built_is_run(farm_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    farm_file.write_text("broker: {prefix: farm}")
    ran: list[Service] = []

    def run(service: Service, _ending: Ending) -> None:
        ran.append(service)

    monkeypatch.setattr(Service, "run", run)
    monkeypatch.setenv("SUNHERD_FOLLOW", "off")

    launch("probe", lambda context: context.farm.broker.prefix == "farm")

    assert [service.name for service in ran] == ["probe"]
    assert "probe" in (farm_file.parent / "probe.log").read_text()


def test_without_a_directory_the_log_goes_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SUNHERD_LOG_DIR", raising=False)
    monkeypatch.setenv("SUNHERD_LOG", "warning")
    set_up_log("probe")
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")
    said = capsys.readouterr().err
    assert "WARNING x: loud" in said
    assert "quiet" not in said
