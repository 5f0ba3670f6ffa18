"""The page of all settings says what the models say, and its examples are farms that load."""

from pathlib import Path

import pytest

from deploy.settings_page import EXAMPLES, Setting, examples_by_path, page, settings
from shared.settings import Secrets, load_farm

PAGE = Path(__file__).parents[2] / "docs/settings.md"
SECRETS = Secrets({"HA_TOKEN": "t", "OUR_POOL_KEY": "k", "SOLO_AT_HOME_KEY": "k"}, {}, Path("/nowhere"))


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m deploy.settings_page > docs/settings.md"


@pytest.mark.parametrize("setting", settings(), ids=lambda setting: setting.path)
def test_each_setting_says_what_it_does(setting: Setting) -> None:
    assert len(setting.meaning) >= 6, f"{setting.path} has no text below it in shared/settings"
    assert setting.meaning.endswith((".", "?", "…"))
    assert setting.kind


def test_each_setting_stands_in_an_example() -> None:
    without = [setting.path for setting in settings() if setting.path not in examples_by_path()]
    assert not without, "write them into deploy/settings_examples"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_load(file: Path) -> None:
    farm = load_farm(file, SECRETS)
    assert farm.battery is not None
