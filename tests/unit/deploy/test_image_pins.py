"""What pip installs into the images is what pyproject.toml pins."""

import tomllib
from pathlib import Path

from deploy.container.pins import files_of

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_each_extra_has_a_file_and_the_common_pins_one() -> None:
    files = files_of(PROJECT)
    assert set(files) == {"common.txt", *(f"{extra}.txt" for extra in PROJECT["optional-dependencies"])}
    assert files["common.txt"].splitlines() == PROJECT["dependencies"]
    assert files["policy-engine.txt"] == ""


def test_an_extra_of_extras_is_opened_up_and_each_pin_stands_once() -> None:
    embedded = files_of(PROJECT)["embedded.txt"].splitlines()
    extras = PROJECT["optional-dependencies"]
    assert set(extras["soc-bridge"] + extras["kasa-power-agent"]) <= set(embedded)
    assert not [pin for pin in embedded if pin.startswith("sunherd")]
    assert len(embedded) == len(set(embedded))
