"""What the add-on's start script does besides reading the form: the broker, the sign of life, and its refusals."""

import json
from pathlib import Path

import pytest

from deploy.addon.__main__ import main
from deploy.addon.broker_choice import NoBrokerError, choose_broker, remember_choice, remembered_choice
from deploy.addon.health import SILENT_SECONDS, WRITE_SECONDS, complaint, sign_of_life
from deploy.addon.supervisor import OfferedBroker, SupervisorError
from deploy.embedded import Plan, needed
from shared.clock import VirtualClock
from shared.settings import load_farm

SHARED = OfferedBroker("mqtt://core-mosquitto:1883", "addons", "secret")


def never() -> OfferedBroker | None:
    message = "nobody was to be asked"
    raise AssertionError(message)


@pytest.mark.parametrize(
    ("wish", "remembered", "offered", "chosen"),
    [
        ("auto", None, SHARED, SHARED),
        ("auto", None, None, None),
        ("auto", "home_assistant", SHARED, SHARED),
        ("home_assistant", None, SHARED, SHARED),
        ("home_assistant", "own", SHARED, SHARED),
    ],
)
def test_which_broker(
    wish: str, remembered: str | None, offered: OfferedBroker | None, chosen: OfferedBroker | None
) -> None:
    assert choose_broker(wish, remembered, lambda: offered) is chosen


@pytest.mark.parametrize(("wish", "remembered"), [("own", None), ("own", "home_assistant"), ("auto", "own")])
def test_its_own_broker_is_not_asked_about(wish: str, remembered: str | None) -> None:
    assert choose_broker(wish, remembered, never) is None


@pytest.mark.parametrize(("wish", "remembered"), [("auto", "home_assistant"), ("home_assistant", None)])
def test_it_does_not_fall_back_to_a_broker_without_memory(wish: str, remembered: str | None) -> None:
    with pytest.raises(NoBrokerError, match="Fix: "):
        choose_broker(wish, remembered, lambda: None)


def test_a_supervisor_that_does_not_answer_is_not_one_without_a_broker() -> None:
    def silent() -> OfferedBroker | None:
        message = "does not answer"
        raise SupervisorError(message)

    with pytest.raises(SupervisorError):
        choose_broker("auto", None, silent)


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    assert remembered_choice(tmp_path) is None
    remember_choice(tmp_path, SHARED)
    assert remembered_choice(tmp_path) == "home_assistant"
    remember_choice(tmp_path, None)
    assert remembered_choice(tmp_path) == "own"


def test_the_sign_of_life(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "alive"
    assert complaint(file, clock.seconds()) == "the farm has not started yet"
    stir = sign_of_life(file, clock)
    assert stir() is False
    assert complaint(file, clock.seconds()) is None
    clock.advance(SILENT_SECONDS + 1)
    assert "has not stirred for 61 s" in str(complaint(file, clock.seconds()))
    stir()
    assert complaint(file, clock.seconds()) is None


def test_it_is_written_now_and_then_only(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "alive"
    stir = sign_of_life(file, clock)
    stir()
    first = file.read_text(encoding="ascii")
    clock.advance(WRITE_SECONDS / 2)
    stir()
    assert file.read_text(encoding="ascii") == first


@pytest.mark.parametrize("text", ["", "soon", "1e9"])
def test_a_sign_of_life_that_makes_no_sense_is_none(tmp_path: Path, clock: VirtualClock, text: str) -> None:
    (tmp_path / "alive").write_text(text, encoding="ascii")
    assert complaint(tmp_path / "alive", clock.seconds()) is not None


@pytest.fixture
def started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "list[str]":
    """Arguments of a start that finds a sound form, as an ordinary user."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("deploy.addon.__main__.set_up_log", lambda _name: None)  # the log is the whole process's
    for variable in ("SUPERVISOR_TOKEN", "HA_TOKEN", "SUNHERD_LOG", "VNISH_PASSWORD"):
        monkeypatch.setenv(variable, "")  # so that what the script sets is taken back after the test
    (tmp_path / "config").mkdir()
    return ["--data", str(tmp_path), "--config", str(tmp_path / "config"), "--supervisor", "http://127.0.0.1:1"]


def test_without_a_token_it_says_so(
    tmp_path: Path, started_with: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    miner = {"name": "a", "driver": "vnish", "host": "192.168.1.20", "stop_soc": 73, "resume_soc": 75}
    options = {"state_of_charge": "sensor.soc", "miners": [miner]}
    (tmp_path / "options.json").write_text(json.dumps(options), encoding="utf-8")
    assert main(started_with) == 2
    told = capsys.readouterr().err
    assert "the secret HA_TOKEN is missing" in told
    assert "1 problem in the options; nothing was started." in told


def test_an_own_farm_file_is_complained_about_by_line(
    tmp_path: Path, started_with: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "options.json").write_text("{}", encoding="utf-8")
    (tmp_path / "config" / "farm.yaml").write_text("site: {}\nminres: {}\n", encoding="utf-8")
    assert main(started_with) == 2
    assert f"{tmp_path}/config/farm.yaml:2: minres: unknown key" in capsys.readouterr().err


def test_outside_home_assistant_it_says_what_it_needs(
    tmp_path: Path, started_with: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(started_with) == 2
    assert (
        "options.json: No such file or directory. Fix: start this as a Home Assistant add-on" in capsys.readouterr().err
    )


def test_the_supervisors_token_is_lent_to_the_supervisor_alone(
    tmp_path: Path, started_with: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "of-the-supervisor")
    (tmp_path / "options.json").write_text('{"broker": "own"}', encoding="utf-8")
    battery = "battery: {home_assistant: {url: 'http://192.168.1.5:8123', state_of_charge: sensor.soc}}\n"
    (tmp_path / "config" / "farm.yaml").write_text(battery, encoding="utf-8")
    assert main(started_with) == 2
    assert "the secret HA_TOKEN is missing" in capsys.readouterr().err


def test_without_a_supervisor_nothing_falls_back_to_an_empty_broker(
    tmp_path: Path, started_with: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(_url: str, _token: str) -> OfferedBroker | None:
        message = "does not answer"
        raise SupervisorError(message)

    monkeypatch.setattr("deploy.addon.__main__.offered_broker", silent)
    (tmp_path / "options.json").write_text("{}", encoding="utf-8")
    (tmp_path / "config" / "farm.yaml").write_text("observe: true\n", encoding="utf-8")
    assert main(started_with) == 1, "so that the watchdog tries again"
    assert "does not answer" in capsys.readouterr().err
    assert not (tmp_path / "broker-choice").exists()


@pytest.mark.parametrize(
    ("options", "offered", "shown", "told"),
    [
        ({}, SHARED, True, "each miner becomes a device"),
        ({"discovery": False}, SHARED, False, "as you wish"),
        ({}, None, False, "cannot listen to the add-on's own broker"),
        ({"broker": "own"}, SHARED, False, "cannot listen to the add-on's own broker"),
    ],
)
def test_on_home_assistants_own_broker_it_is_shown_the_farm(
    tmp_path: Path,
    started_with: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, object],
    offered: OfferedBroker | None,
    shown: bool,
    told: str,
) -> None:
    begun: list[list[str]] = []

    def run(plan: Plan, _ask: object) -> int:
        begun.append(needed(plan.modules, load_farm(plan.farm_file)))
        return 0

    for variable in ("SUNHERD_BROKER__URL", "SUNHERD_BROKER__USERNAME", "MQTT_PASSWORD"):
        monkeypatch.setenv(variable, "set by the script")
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SUPERVISOR_TOKEN", "of-the-supervisor")
    monkeypatch.setattr("deploy.addon.__main__.offered_broker", lambda _url, _token: offered)
    monkeypatch.setattr("deploy.addon.__main__.run_farm", run)
    miner = {"name": "a", "driver": "vnish", "host": "192.168.1.20", "stop_soc": 73, "resume_soc": 75}
    written = {"state_of_charge": "sensor.soc", "miners": [miner], **options}
    (tmp_path / "options.json").write_text(json.dumps(written), encoding="utf-8")
    assert main([*started_with, "--alive", str(tmp_path / "alive")]) == 0
    (modules,) = begun
    assert ("services.ha_discovery.__main__" in modules) is shown
    assert told in capsys.readouterr().out
