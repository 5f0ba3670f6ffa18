from pathlib import Path

import pytest

from shared.settings import Secrets
from shared.settings.secrets import variable_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "HA_TOKEN").write_text("from file\n")
    (tmp_path / "mqtt_password").write_text(" lower case file ")
    (tmp_path / "EMPTY").write_text("\n")
    return tmp_path


def test_the_environment_comes_before_dotenv_before_a_file(directory: Path) -> None:
    assert Secrets({"HA_TOKEN": "environment"}, {"HA_TOKEN": "dotenv"}, directory).get("HA_TOKEN") == "environment"
    assert Secrets({}, {"HA_TOKEN": "dotenv"}, directory).get("HA_TOKEN") == "dotenv"
    assert Secrets({}, {}, directory).get("HA_TOKEN") == "from file"
    assert Secrets({}, {}, directory).get("MQTT_PASSWORD") == "lower case file"


@pytest.mark.parametrize("name", ["NOWHERE", "EMPTY"])
def test_a_secret_that_is_missing_or_empty_is_none(directory: Path, name: str) -> None:
    assert Secrets({"EMPTY": ""}, {"EMPTY": None}, directory).get(name) is None


def test_a_device_has_its_own_password_or_the_common_one(directory: Path) -> None:
    secrets = Secrets({"S19_20_PASSWORD": "own", "VNISH_PASSWORD": "common"}, {}, directory)
    assert secrets.password_of("s19-20", "VNISH_PASSWORD") == "own"
    assert secrets.password_of("s19-21", "VNISH_PASSWORD") == "common"
    assert variable_of("s19-20") == "S19_20_PASSWORD"


def test_dotenv_stands_beside_the_farm_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("HA_TOKEN=beside\n")
    monkeypatch.setenv("SUNHERD_SECRETS_DIR", str(tmp_path / "none"))
    assert Secrets.beside(tmp_path / "farm.yaml").get("HA_TOKEN") == "beside"


def test_no_secret_shows_in_a_text(directory: Path) -> None:
    secrets = Secrets({"HA_TOKEN": "very-secret"}, {"X": "very-secret"}, directory)
    assert "very-secret" not in f"{secrets} {secrets!r}"
