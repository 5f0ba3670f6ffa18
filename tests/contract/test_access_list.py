"""The access list, the example of the environment and the services agree with the table of topics."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import shared.topics as table
from deploy.environment import PASSWORD_PREFIX
from deploy.locks.access_list import access_list, main
from shared.topics import TOPICS, Identity, Topic

ROOT = Path(__file__).parents[2]
FILE = ROOT / "mosquitto" / "access.list"
PEOPLE = {Identity.PEOPLE, Identity.HOME_ASSISTANT, Identity.FLEET}
"""Identities that are no service of ours."""
AGENTS = {"shared/agent.py", "shared/tender.py", "shared/statistician.py", "shared/miner_role.py", "shared/herald.py"}
"""What every agent of miners brings along."""


def test_the_committed_list_is_fresh() -> None:
    fix = "run: python -m deploy.locks.access_list > mosquitto/access.list"
    assert FILE.read_text(encoding="utf-8") == access_list(), fix


def test_another_prefix_is_another_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--prefix", "home"]) == 0
    text = capsys.readouterr().out
    assert text == access_list("home")
    assert "topic readwrite home/miner/+/command" in text
    assert re.search(r"^(topic|pattern) .*sunherd", text, re.MULTILINE) is None


@pytest.mark.parametrize("prefix", ["a/b", "#", "+", "", "Home", "a b"])
def test_a_prefix_that_is_none_is_refused(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--prefix", prefix])
    assert ended.value.code == 2
    assert "is not a prefix: use small letters" in capsys.readouterr().err


def test_every_topic_has_somebody_who_writes_it() -> None:
    for topic in TOPICS:
        assert topic.writers or topic.own, topic


def test_every_service_has_an_identity_and_every_identity_a_password_in_the_example() -> None:
    services = {path.parent.name.replace("_", "-") for path in (ROOT / "services").glob("*/__main__.py")}
    assert {identity.value for identity in set(Identity) - PEOPLE} == services
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(rf"^{PASSWORD_PREFIX}(\w+)=(.*)$", example, re.MULTILINE)
    assert sorted(names) == sorted((identity.value.upper().replace("-", "_"), "") for identity in Identity)


@pytest.mark.parametrize("identity", sorted(set(Identity) - PEOPLE))
def test_a_service_names_no_topic_that_it_may_neither_write_nor_read(identity: Identity) -> None:
    named = topics_in((ROOT / "services" / identity.replace("-", "_")).rglob("*.py"))
    if identity.endswith("-agent"):
        named |= topics_in(ROOT / file for file in AGENTS if (ROOT / file).exists())
    allowed = {topic for topic in TOPICS if topic.own or topic.may_read(identity) or topic.may_write(identity)}
    # Roles of outlets stand beside those of miners in the same rooms.
    if identity in {Identity.VNISH_AGENT, Identity.BITAXE_AGENT}:
        named -= {table.PLUG_COMMAND, table.PLUG_TELEMETRY, table.PLUG_EVENT}
    assert {topic.purpose for topic in named - allowed} == set()


def topics_in(files: Iterable[Path]) -> set[Topic[Any]]:
    """The topics that these files import."""
    names: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "shared.topics":
                names |= {alias.name for alias in node.names}
    return {found for name in names if isinstance(found := getattr(table, name), Topic)}
