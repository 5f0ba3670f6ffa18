"""The add-on's config.yaml against what the documentation of Home Assistant allows, and against our own code.

Source: developer documentation, add-on configuration; the supervisor ignores keys that it does not know, so that a slip
of the pen would be silent: here it is not.
"""

import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from deploy.addon import options
from deploy.addon.options import BROKERS, LOG_LEVELS, MINER_KEYS, form_of
from deploy.addon.pack import ROOT, PackError, pack
from deploy.addon.privileges import USER_ID
from shared.settings.miner import MinerSettings
from shared.version import VERSION

ADDON = ROOT / "deploy" / "home-assistant" / "sunherd"

TEXT = {"type": "string", "minLength": 1}
SWITCH = {"type": "boolean"}
RANGE = r"(\(\d*(\.\d+)?,\d*(\.\d+)?\))?"
ELEMENT = {
    "type": "string",
    "pattern": rf"^(bool|email|url|port|(str|password|int|float){RANGE}|match\(.*\)|list\(.+\)|device(\(.*\))?)\??$",
}
DOCUMENTED: dict[str, Any] = {
    "name": TEXT,
    "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    "slug": {"type": "string", "pattern": r"^[-_.A-Za-z0-9]+$"},
    "description": TEXT,
    "arch": {"type": "array", "items": {"enum": ["armhf", "armv7", "aarch64", "amd64", "i386"]}, "minItems": 1},
    "homeassistant": {"type": "string", "pattern": r"^\d{4}\.\d+\.\d+$"},
    "stage": {"enum": ["stable", "experimental", "deprecated"]},
    "startup": {"enum": ["initialize", "system", "services", "application", "once"]},
    "boot": {"enum": ["auto", "manual", "manual_only"]},
    "init": SWITCH,
    "timeout": {"type": "integer", "minimum": 10, "maximum": 300},
    "tmpfs": SWITCH,
    "homeassistant_api": SWITCH,
    "services": {"type": "array", "items": {"type": "string", "pattern": "^(mqtt|mysql):(provide|want|need)$"}},
    "map": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "type": {"enum": ["addon_config", "homeassistant_config", "ssl", "share", "media", "backup", "data"]},
                "path": {"type": "string", "pattern": "^/.+"},
                "read_only": SWITCH,
            },
            "required": ["type"],
            "additionalProperties": False,
        },
    },
    "backup": {"enum": ["hot", "cold"]},
    "backup_exclude": {"type": "array", "items": TEXT},
    "options": {"type": "object"},
    "schema": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                ELEMENT,
                {"type": "array", "items": {"type": "object", "additionalProperties": ELEMENT}, "maxItems": 1},
            ]
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": DOCUMENTED,
    "required": ["name", "version", "slug", "description", "arch"],
    "additionalProperties": False,
}


def read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((ADDON / name).read_text(encoding="utf-8"))


@pytest.fixture
def config() -> dict[str, Any]:
    found = read("config.yaml")
    assert isinstance(found, dict)
    return found


def test_it_is_what_the_documentation_allows(config: dict[str, Any]) -> None:
    jsonschema.validate(config, SCHEMA)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"versoin": "1.0.0"},
        {"arch": ["x86"]},
        {"schema": {"observe": "boolean"}},
        {"schema": {"x": "float(-90,90)"}},
        {"timeout": 5},
        {"services": ["mqtt"]},
        {"map": [{"type": "config"}]},
    ],
)
def test_the_check_can_fail(config: dict[str, Any], spoiled: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**config, **spoiled}, SCHEMA)


def test_its_version_is_ours(config: dict[str, Any]) -> None:
    assert config["version"] == VERSION


def test_form_and_code_know_the_same_options(config: dict[str, Any]) -> None:
    assert set(config["schema"]) == set(options.KNOWN)
    (miner,) = config["schema"]["miners"]
    assert set(miner) == set(MINER_KEYS)
    assert config["schema"]["broker"] == f"list({'|'.join(BROKERS)})"
    assert config["schema"]["log_level"] == f"list({'|'.join(LOG_LEVELS)})"


def test_the_form_offers_every_driver(config: dict[str, Any]) -> None:
    (miner,) = config["schema"]["miners"]
    annotation = MinerSettings.model_fields["driver"].annotation
    assert re.fullmatch(r"list\((.*)\)", miner["driver"])[1].split("|") == list(annotation.__args__)  # type: ignore[union-attr,index]


def test_every_option_has_a_default_or_may_be_blank(config: dict[str, Any]) -> None:
    """One that has neither would keep the owner of a farm.yaml from starting."""
    for name, kind in config["schema"].items():
        assert name in config["options"] or kind.endswith("?"), name
    assert not [
        name for name, kind in config["schema"].items() if str(kind).endswith("?") and name in config["options"]
    ]


def test_the_defaults_say_what_is_missing_and_nothing_else(config: dict[str, Any]) -> None:
    form = form_of(config["options"], "http://supervisor/core", "UTC", own_file=False)
    assert [line.split(":")[1].strip() for line in form.problems] == ["state_of_charge", "miners"]


def test_every_option_is_explained_in_english(config: dict[str, Any]) -> None:
    told = read("translations/en.yaml")["configuration"]
    assert list(told) == list(config["schema"])
    assert list(told["miners"]["fields"]) == list(config["schema"]["miners"][0])
    assert all(entry["name"] for entry in [*told.values(), *told["miners"]["fields"].values()])


def test_nothing_is_promised_that_nobody_serves(config: dict[str, Any]) -> None:
    assert not {"ingress", "webui", "ports", "watchdog"} & set(config)
    assert not {"privileged", "full_access", "docker_api", "host_network", "hassio_api", "devices"} & set(config)


def test_the_image_becomes_the_user_that_it_makes() -> None:
    text = (ADDON / "Dockerfile").read_text(encoding="utf-8")
    assert f"useradd --uid {USER_ID} " in text
    assert "HEALTHCHECK" in text
    assert ":latest" not in text


def test_a_packed_addon_has_all_that_its_dockerfile_needs(tmp_path: Path) -> None:
    folder = pack(tmp_path / "addon")
    assert (tmp_path / "addon" / "repository.yaml").is_file()
    for name in ("config.yaml", "Dockerfile", "DOCS.md", "CHANGELOG.md", "translations/en.yaml"):
        assert (folder / name).is_file(), name
    for name in ("pyproject.toml", "README.md", "LICENSE", "deploy/addon/__main__.py", "shared/version.py"):
        assert (folder / "source" / name).is_file(), name
    assert not list(folder.rglob("__pycache__"))
    assert len(list(folder.rglob("config.yaml"))) == 1, "the supervisor looks for them in every folder"
    pack(tmp_path / "addon")  # again, in place of the old one


def test_packing_replaces_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(PackError, match="Fix: "):
        pack(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    with pytest.raises(PackError, match="no checkout"):
        pack(tmp_path / "other", root=tmp_path)
