"""The pages about Home Assistant against the names that it is given, and against its own list of rules."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.home_assistant_kit.names import FARM_KEYS, GROUP_KEYS, MINER_KEYS, PLUG_KEYS, SERVICE_KEYS, WORKER_KEYS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("home-assistant.md", "home-assistant-quality.md")
TABLES: list[tuple[str, str, Mapping[str, tuple[str, ...]]]] = [
    ("The farm", "sunherd", FARM_KEYS),
    ("A miner", "{id}", MINER_KEYS),
    ("Its outlet", "{id}", PLUG_KEYS),
    ("Its worker at the pool", "{id}", WORKER_KEYS),
    ("A group", "{id}", GROUP_KEYS),
    ("A service", "{id}", SERVICE_KEYS),
]
RULES = {
    "Bronze": "action-setup appropriate-polling brands common-modules config-flow-test-coverage config-flow "
    "dependency-transparency docs-actions docs-conditions docs-high-level-description docs-installation-instructions "
    "docs-removal-instructions docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data "
    "test-before-configure test-before-setup unique-config-entry",
    "Silver": "action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters "
    "entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage",
    "Gold": "devices diagnostics discovery-update-info discovery docs-data-update docs-examples docs-known-limitations "
    "docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices "
    "entity-category entity-device-class entity-disabled-by-default entity-translations exception-translations "
    "icon-translations reconfiguration-flow repair-issues stale-devices",
    "Platinum": "async-dependency inject-websession strict-typing",
}
"""Source: developer documentation of Home Assistant, integration quality scale, 2026."""


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def under(heading: str, page: str) -> str:
    """What stands below a heading, up to the next one."""
    (found,) = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text_of(page), re.MULTILINE | re.DOTALL)
    return str(found)


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("heading", "identifier", "keys"), TABLES)
def test_the_tables_name_every_entity_and_no_other(
    heading: str, identifier: str, keys: Mapping[str, tuple[str, ...]]
) -> None:
    named = first_cells(under(heading, "home-assistant.md"))
    assert sorted(named) == sorted(f"{domain}.{identifier}_{key}" for domain, all_ in keys.items() for key in all_)


@pytest.mark.parametrize("tier", list(RULES))
def test_every_rule_of_the_quality_scale_is_answered(tier: str) -> None:
    assert sorted(first_cells(under(tier, "home-assistant-quality.md"))) == sorted(RULES[tier].split())


@pytest.mark.parametrize("page", PAGES)
def test_no_link_leads_nowhere(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", text_of(page)):
        file = target or page
        assert (DOCS / file).exists(), file
        assert not anchor or anchor in anchors(file), f"{file}#{anchor}"
