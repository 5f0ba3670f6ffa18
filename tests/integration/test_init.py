"""`sunherd init`: from nothing to a farm file that loads and answers, by options alone and by typing on a terminal."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.broker import start_broker
from shared.settings import FarmFileError, FarmSettings, Secrets, load_farm
from tests.finding_farm import PASSWORD, SOC, TOKEN, FindingFarm, finding_farm
from tests.typist import Typist, environment

PORT = 18_081
HOSTS = {
    "s19-20": "127.0.2.20",
    "s19-21": "127.0.2.121",
    "bitaxe-1": "127.0.2.31",
    "bitaxe-2": "127.0.2.254",
    "rig-7": "127.0.2.50",
}
SEARCH = (
    "--subnet",
    "127.0.2.0/24",
    "--port",
    str(PORT),
    "--kasa-target",
    "127.0.2.50",
    "--time-zone",
    "Europe/Lisbon",
)


@pytest.fixture(scope="module")
def farm() -> Iterator[FindingFarm]:
    with finding_farm(HOSTS, PORT) as started:
        yield started


def scripted(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.console", "init", *arguments],
        cwd=directory,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def loaded(directory: Path) -> FarmSettings:
    """By the secrets of `.env` alone: as the next shell will have it."""
    file = directory / "farm.yaml"
    return load_farm(file, Secrets({}, dotenv_values(directory / ".env"), directory / "none"))


def test_by_typing_five_devices_need_at_most_twelve_settings(farm: FindingFarm, tmp_path: Path) -> None:
    typist = Typist(tmp_path, "init", "--port", str(PORT), "--kasa-target", "127.0.2.50")
    typist.answer("Time zone", "Europe/Lisbon")
    typist.answer("Subnets to search", "127.0.2.0/24")
    typist.whisper("Web password", PASSWORD)
    typist.wait_for("s19-20: the password is right.")
    typist.answer("What hangs on it?", "rig-7")
    typist.answer("Watts of rig-7 [1100]")
    typist.answer("Home Assistant's URL", farm.home_assistant.url)
    typist.whisper("Long-lived token", TOKEN)
    typist.wait_for(f"1  {SOC}  76.2 %")
    typist.answer("Number or entity [1]")
    typist.wait_for(f"{SOC} says 76.2 % now.")
    typist.answer("Band in percent (stop-resume) [50-60]", "40-55")
    typist.answer("Other bands", "s19-121=70-80")
    typist.answer("Broker (own: bring one along) [own]")
    typist.answer("Write farm.yaml? [Y/n]")
    typist.wait_for("sunherd check --live")
    assert typist.end() == 0, typist.said
    assert typist.typed <= 12
    assert typist.asked <= 12
    assert PASSWORD not in typist.said
    assert TOKEN not in typist.said
    settings = loaded(tmp_path)
    assert settings.observe
    assert list(settings.miners) == ["s19-20", "s19-121", "bitaxe-31", "bitaxe-254", "rig-7"]
    assert (settings.miners["s19-20"].stop_soc, settings.miners["s19-121"].stop_soc) == (40, 70)
    assert settings.miners["bitaxe-31"].stop_soc is None
    assert settings.miners["rig-7"].nominal_w == 1100
    assert settings.battery is not None
    assert settings.battery.home_assistant is not None
    assert settings.battery.home_assistant.state_of_charge == SOC
    assert dotenv_values(tmp_path / ".env") == {"VNISH_PASSWORD": PASSWORD, "HA_TOKEN": TOKEN}
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert PASSWORD not in (tmp_path / "farm.yaml").read_text(encoding="utf-8")


def test_what_cannot_be_is_asked_again(farm: FindingFarm, tmp_path: Path) -> None:
    typist = Typist(tmp_path, "init", *SEARCH, "--broker", "own", VNISH_PASSWORD=PASSWORD)
    typist.answer("What hangs on it?", "Rig 7")
    typist.wait_for("cannot be a name. Fix:")
    typist.answer("What hangs on it?", "bitaxe-31")
    typist.answer("Home Assistant's URL", "http://127.0.0.1:1")
    typist.whisper("Long-lived token", TOKEN)
    typist.wait_for("cannot be reached. Fix:")
    typist.answer("Home Assistant's URL", farm.home_assistant.url)
    typist.whisper("Long-lived token", TOKEN)
    typist.answer("Number or entity", "sensor.solar_power")
    typist.wait_for("is no sensor that says a percentage now. Fix:")
    typist.answer("Number or entity", SOC)
    typist.answer("Band", "60-50")
    typist.wait_for("is no band. Fix:")
    typist.answer("Band", "50-60")
    typist.answer("Other bands", "s19-99=30-40")
    typist.wait_for("names no miner of this farm. Fix:")
    typist.answer("Other bands")
    typist.answer("Write farm.yaml?", "n")
    assert typist.end() == 1, typist.said
    assert list(tmp_path.iterdir()) == [], "nothing was written"


def test_by_options_alone_it_makes_a_farm_that_answers(farm: FindingFarm, tmp_path: Path) -> None:
    secrets = {"HA_TOKEN": TOKEN, "VNISH_PASSWORD": PASSWORD}
    battery = ("--ha-url", farm.home_assistant.url, "--sensor", SOC, "--miner-band", "bitaxe-31=20-30")
    done = scripted(tmp_path, *SEARCH, *battery, "--plug", "rig-7=127.0.2.50", "--watts", "rig-7=900", **secrets)
    assert done.returncode == 0, done.stderr
    settings = loaded(tmp_path)
    assert settings.miners["rig-7"].nominal_w == 900
    assert settings.miners["bitaxe-31"].resume_soc == 30
    assert settings.miners["s19-20"].mac == "02:00:00:00:00:20"
    assert (settings.site.time_zone, settings.broker.url) == ("Europe/Lisbon", None)
    live = subprocess.run(
        [sys.executable, "-m", "deploy.console", "check", "--live"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert live.returncode == 0, live.stdout + live.stderr
    assert "all fine" in live.stdout


def test_outlets_on_which_nothing_hangs_are_left_as_a_comment(farm: FindingFarm, tmp_path: Path) -> None:
    done = scripted(tmp_path, *SEARCH, VNISH_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert "  # nothing hangs on 127.0.2.50" in (tmp_path / "farm.yaml").read_text(encoding="utf-8")
    settings = loaded(tmp_path)
    assert settings.battery is None
    assert all(miner.stop_soc is None for miner in settings.miners.values())


def test_a_broker_is_proven_and_its_password_goes_into_the_environments_file_alone(tmp_path: Path) -> None:
    running = start_broker(tmp_path / "broker", port=0)
    try:
        url = f"mqtt://sunherd:{running.password}@127.0.0.1:{running.port}"
        done = scripted(tmp_path, "--time-zone", "UTC", "--broker", url)
    finally:
        running.stop()
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "farm.yaml").read_text(encoding="utf-8")
    assert running.password not in text + done.stdout + done.stderr
    assert dotenv_values(tmp_path / ".env") == {"MQTT_PASSWORD": running.password}
    assert loaded(tmp_path).broker.username == "sunherd"


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "words"),
    [
        (("--broker", "mqtt://127.0.0.1:1"), {}, 1, "cannot be reached"),
        (("--broker", "127.0.0.1"), {}, 2, "this is not the address of a broker. Fix:"),
        (("--ha-url", "http://127.0.0.1:1", "--sensor", SOC), {"HA_TOKEN": "x"}, 1, "cannot be reached. Fix:"),
        (("--ha-url", "http://127.0.0.1:1", "--sensor", SOC), {}, 2, "HA_TOKEN is missing. Fix:"),
        (("--time-zone", "Lisbon"), {}, 2, "'Lisbon' is not a time zone. Fix:"),
        (("--band", "60-50"), {}, 0, ""),  # without a battery there is no band
        (("--subnet", "8.8.8.0/24"), {}, 2, "is neither a private network nor one of this machine. Fix:"),
    ],
)
def test_options_that_cannot_be_used_are_named_and_nothing_is_written(
    arguments: tuple[str, ...], variables: dict[str, str], code: int, words: str, tmp_path: Path
) -> None:
    done = scripted(tmp_path, *arguments, **variables)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert (tmp_path / "farm.yaml").exists() is (code == 0)
    assert not (tmp_path / ".env").exists()


def test_what_would_not_load_is_not_written(farm: FindingFarm, tmp_path: Path) -> None:
    plug = ("--plug", "s19_20=127.0.2.50", "--watts", "s19_20=900")
    done = scripted(tmp_path, *SEARCH, *plug, VNISH_PASSWORD=PASSWORD)
    assert done.returncode == 2
    assert "its password variable S19_20_PASSWORD is that of s19-20, too. Fix: rename one of the two" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_several_sensors_none_is_guessed_without_a_terminal(farm: FindingFarm, tmp_path: Path) -> None:
    done = scripted(tmp_path, "--ha-url", farm.home_assistant.url, HA_TOKEN=TOKEN)
    assert done.returncode == 2
    assert "--sensor" in done.stderr
    assert SOC in done.stderr


def test_a_farm_file_is_not_overwritten_without_being_told_and_the_old_one_is_kept(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text("observe: true  # mine\n", encoding="utf-8")
    done = scripted(tmp_path, "--yes")
    assert done.returncode == 2
    assert "farm.yaml is there already, and was not touched. Fix: --overwrite" in done.stderr
    assert (tmp_path / "farm.yaml").read_text(encoding="utf-8") == "observe: true  # mine\n"
    assert scripted(tmp_path, "--yes", "--overwrite").returncode == 0
    assert (tmp_path / "farm.yaml.old").read_text(encoding="utf-8") == "observe: true  # mine\n"
    assert loaded(tmp_path).miners == {}


def test_secrets_that_stand_in_the_environments_file_stay_there(farm: FindingFarm, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f'# mine\nOTHER=1\nHA_TOKEN="{TOKEN}"', encoding="utf-8")
    battery = ("--ha-url", farm.home_assistant.url, "--sensor", SOC)
    done = scripted(tmp_path, *SEARCH, *battery, VNISH_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / ".env").read_text(encoding="utf-8")
    assert text.startswith(f'# mine\nOTHER=1\nHA_TOKEN="{TOKEN}"\n')
    assert text.count("HA_TOKEN") == 1
    assert dotenv_values(tmp_path / ".env")["VNISH_PASSWORD"] == PASSWORD


def test_what_is_made_without_its_secrets_would_not_load(farm: FindingFarm, tmp_path: Path) -> None:
    battery = ("--ha-url", farm.home_assistant.url, "--sensor", SOC)
    assert scripted(tmp_path, *battery, HA_TOKEN=TOKEN).returncode == 0
    (tmp_path / ".env").unlink()
    with pytest.raises(FarmFileError, match="the secret HA_TOKEN is missing"):
        load_farm(tmp_path / "farm.yaml", Secrets({}, {}, tmp_path))
