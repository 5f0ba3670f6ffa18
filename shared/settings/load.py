"""Loads a farm file: either the settings, or every problem in it at once."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from shared.duration import parse_duration
from shared.settings.address import parse_address
from shared.settings.bitaxe import bitaxe_findings
from shared.settings.document import Document, Place, read_document
from shared.settings.enabled import ONLY_VARIABLE, without_disabled, without_others
from shared.settings.farm import FarmSettings
from shared.settings.miner import complaint_about_band
from shared.settings.plug_findings import plug_findings
from shared.settings.pool_findings import pool_findings, pool_keys
from shared.settings.problems import Problem, did_you_mean, explain
from shared.settings.schedule import as_written
from shared.settings.schedule_findings import schedule_findings
from shared.settings.secrets import Secrets, variable_of

FARM_VARIABLE = "SUNHERD_FARM"

Finding = tuple[Place, str, str]


class FarmFileError(Exception):
    """The farm file cannot be used. Its text is ready for people: one line per problem."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        lines = [problem.render(file) for problem in self.problems]
        count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in {file}; nothing was started."
        super().__init__("\n".join([*lines, count]))


def farm_path() -> Path:
    """Where the farm file is: `SUNHERD_FARM`, else `farm.yaml` here."""
    return Path(os.environ.get(FARM_VARIABLE, "farm.yaml"))


def load_farm(path: Path, secrets: Secrets | None = None) -> FarmSettings:
    """The settings of a farm file. Raises FarmFileError with all problems, FileNotFoundError without a file."""
    farm = without_disabled(load_whole_farm(path, secrets))
    farm, problems = without_others(farm, os.environ.get(ONLY_VARIABLE, ""))
    if problems:
        raise FarmFileError(str(path), problems)
    return farm


def load_whole_farm(path: Path, secrets: Secrets | None = None) -> FarmSettings:
    """The same with the miners that are disabled: for whoever lists or changes the file."""
    secrets = secrets or Secrets.beside(path)
    document = read_document(path)
    problems = list(document.problems)
    findings: list[Finding] = []
    farm: FarmSettings | None = None
    try:
        farm = FarmSettings(**_section_names(document.data, findings))
    except ValidationError as error:
        explained = explain(error, FarmSettings)
        findings += [(as_written(place, document.lines), cause, fix) for place, cause, fix in explained]
    except SettingsError as error:
        problems.append(
            Problem(0, "environment", str(error), "write a section's variable as JSON, or set single values")
        )
    findings += _cross_findings(document.data)
    problems += [_problem(document, finding) for finding in findings]
    problems += list(_missing_secrets(document, secrets))
    if problems or farm is None:
        raise FarmFileError(str(path), problems)
    return farm


def _section_names(data: dict[Any, Any], findings: list[Finding]) -> dict[str, Any]:
    """The data without keys that could not stand as keyword arguments, or would steer the settings library."""
    sound = {key: value for key, value in data.items() if isinstance(key, str) and not key.startswith("_")}
    findings += [((str(key),), "unknown key", "remove it") for key in data if key not in sound]
    return sound


def _problem(document: Document, finding: Finding) -> Problem:
    place, cause, fix = finding
    name = ".".join(str(part) for part in place if part != "[key]")
    variable = "SUNHERD_" + "__".join(str(part) for part in place).upper()
    if variable in os.environ:
        return Problem(0, f"environment variable {variable}", cause, fix)
    return Problem(document.line_of(place), name, cause, fix)


def _cross_findings(data: dict[str, Any]) -> list[Finding]:
    """What no single key shows. Works on raw data, so that it is said together with all the rest."""
    miners = _mapping(data.get("miners"))
    groups = _mapping(data.get("groups"))
    return [
        *_slow_polls(data),
        *_unsound_bands(miners),
        *_nowhere_to_be_found(miners),
        *bitaxe_findings(miners),
        *schedule_findings(data),
        *pool_findings(data),
        *_shared_addresses(miners),
        *plug_findings(data),
        *_colliding_variables(miners),
        *_unknown_members(groups, miners),
        *_shared_ids(groups, miners),
        *_batteryless_bands(data, miners),
    ]


def _mapping(value: object) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _slow_polls(data: dict[str, Any]) -> Iterator[Finding]:
    """While the push is down only polls confirm: they must come well before a value counts as stale."""
    poll = _mapping(_mapping(data.get("battery")).get("home_assistant")).get("poll")
    stale = _mapping(data.get("rules")).get("stale_no_start", "5 min")
    try:
        too_slow = poll is not None and 2 * parse_duration(poll) > parse_duration(stale)
    except ValueError:
        return
    if too_slow:
        cause = f"{poll} is more than half of rules.stale_no_start ({stale})"
        yield (
            ("battery", "home_assistant", "poll"),
            cause,
            "poll more often: between two polls the value would go stale",
        )


def _unsound_bands(miners: dict[str, Any]) -> Iterator[Finding]:
    """Also where another error of the same miner keeps the model from looking at its band."""
    for name, miner in miners.items():
        ends = [_mapping(miner).get(key) for key in ("stop_soc", "resume_soc")]
        if all(end is None or (isinstance(end, int | float) and not isinstance(end, bool)) for end in ends):
            complaint = complaint_about_band(*ends)
            if complaint is not None:
                yield ("miners", name), *complaint


def _nowhere_to_be_found(miners: dict[str, Any]) -> Iterator[Finding]:
    """A miner needs the address of its web page, or, where it has none, an outlet and its nominal power."""
    for name, miner in miners.items():
        keys = _mapping(miner)
        needed = {"vnish": ("host",), "bitaxe": ("host",), "plug": ("plug", "nominal_w")}
        for key in needed.get(str(keys.get("driver")), ()):
            if keys.get(key) is None:
                yield ("miners", name, key), "this key is missing", f"add {key}: ..."


def _shared_addresses(miners: dict[str, Any]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, miner in miners.items():
        try:
            address = str(parse_address(_mapping(miner).get("host")))
        except ValueError:
            continue
        if address in seen:
            cause = f"{address} is already the address of {seen[address]}"
            yield ("miners", name, "host"), cause, "give each miner its own address; two rules on one rig would fight"
        seen.setdefault(address, name)


def _colliding_variables(miners: dict[str, Any]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in miners:
        variable = variable_of(name)
        if variable in seen:
            cause = f"its password variable {variable} is that of {seen[variable]}, too"
            yield ("miners", name), cause, "rename one of the two"
        seen.setdefault(variable, name)


def _unknown_members(groups: dict[str, Any], miners: dict[str, Any]) -> Iterator[Finding]:
    for name, group in groups.items():
        members = _mapping(group).get("members")
        for index, member in enumerate(members if isinstance(members, list) else []):
            if str(member) not in miners:
                cause = f"no miner is called {member!r}{did_you_mean(str(member), miners)}"
                yield ("groups", name, "members", index), cause, "name a miner of this file"


def _shared_ids(groups: dict[str, Any], miners: dict[str, Any]) -> Iterator[Finding]:
    for name in groups:
        if name in miners:
            yield ("groups", name), f"{name} is a miner's id already", "give the group another name"


def _batteryless_bands(data: dict[str, Any], miners: dict[str, Any]) -> Iterator[Finding]:
    if data.get("battery") is not None:
        return
    for name, miner in miners.items():
        if "stop_soc" in _mapping(miner):
            fix = "add a battery section with home_assistant or mqtt"
            yield ("miners", name, "stop_soc"), "there is no battery whose state of charge could be read", fix


def _missing_secrets(document: Document, secrets: Secrets) -> Iterator[Problem]:
    battery = _mapping(document.data.get("battery"))
    if "home_assistant" in battery and secrets.lacks("HA_TOKEN"):
        line = document.line_of(("battery", "home_assistant"))
        fix = "create a long-lived token in Home Assistant and set HA_TOKEN in the environment, .env or a secret file"
        yield Problem(line, "battery.home_assistant", "the secret HA_TOKEN is missing", fix)
    for miner, variable in pool_keys(document.data).items():
        if secrets.lacks(variable):
            line = document.line_of(("miners", miner, "worker"))
            fix = f"set {variable} in the environment, .env or a secret file; a key that may only read is enough"
            yield Problem(line, f"miners.{miner}.worker", f"the secret {variable} is missing", fix)
