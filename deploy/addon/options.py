"""The add-on's form, made into a farm file and secrets; what is wrong with it is said in the words of the form."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shared.settings import Problem
from shared.settings.problems import did_you_mean
from shared.settings.secrets import variable_of

OPTIONS_FILE = "options.json"
BROKERS = ("auto", "home_assistant", "own")
LOG_LEVELS = ("debug", "info", "warning", "error")
SECRET_OPTIONS = {
    "vnish_password": "VNISH_PASSWORD",
    "kasa_username": "KASA_USERNAME",
    "kasa_password": "KASA_PASSWORD",
}
KNOWN = ("observe", "state_of_charge", "miners", "broker", "discovery", "log_level", *SECRET_OPTIONS)
MINER_KEYS = (
    *("name", "driver", "host", "stop_soc", "resume_soc", "nominal_w", "max_w"),
    *("worker", "plug_host", "plug_outlet", "password"),
)
_PLUG_KEYS = {"plug_host": "host", "plug_outlet": "outlet"}
_NOT_IN_THE_FARM_FILE = {"name", "password", *_PLUG_KEYS}
_HEADER = """\
# Written anew at each start from the add-on's options: do not edit it here. To go beyond the form, copy this file as
# farm.yaml into the add-on's own folder (addon_configs); from then on that one counts, and the form's miners do not.
"""


class OptionsError(Exception):
    """The options cannot be used. The text is ready for people: one line per problem."""

    def __init__(self, problems: Iterable[str]) -> None:
        lines = list(dict.fromkeys(problems))
        count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in the options; nothing was started."
        super().__init__("\n".join([*lines, count]))


@dataclass(frozen=True)
class Form:
    """The filled-in form. `farm` is a farm file's data, `secrets` stand by the names of their variables."""

    farm: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    broker: str = "auto"
    log_level: str = "info"
    problems: tuple[str, ...] = ()


def read_options(path: Path) -> dict[str, Any]:
    """The options as Home Assistant has saved them. Raises OptionsError."""
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror}. Fix: start this as a Home Assistant add-on, which brings the file."
        raise OptionsError([message]) from error
    except ValueError as error:
        message = f"{path}: not valid JSON ({error}). Fix: save the options in the add-on's Configuration tab again."
        raise OptionsError([message]) from error
    if not isinstance(options, dict):
        message = f"{path}: not a form. Fix: save the options in the add-on's Configuration tab again."
        raise OptionsError([message])
    return {str(key): value for key, value in options.items()}


def form_of(options: Mapping[str, Any], core_url: str, time_zone: str, *, own_file: bool) -> Form:
    """The form's meaning. With an own farm file the parts of the form that describe the farm do not count."""
    given = {key: value for key, value in options.items() if not _is_empty(value)}
    problems = [*_strangers(given, KNOWN, ""), *_unknown_words(given)]
    miners = given.get("miners", [])
    secrets = {variable: str(given[key]) for key, variable in SECRET_OPTIONS.items() if key in given}
    farm: dict[str, Any] = {}
    if not own_file:
        entries = _entries(miners)
        problems += [*_missing(given, entries), *_unsound_entries(miners, entries)]
        secrets |= _passwords(entries)
        farm = {
            "observe": given.get("observe", True),
            "site": {"time_zone": time_zone},
            # Without an entity everything else is looked at all the same; its absence has been said above.
            "battery": {
                "home_assistant": {"url": core_url, "state_of_charge": given.get("state_of_charge", "sensor.missing")}
            },
            "miners": {str(entry["name"]): _miner(entry) for entry in entries if "name" in entry},
        }
        if given.get("discovery") is False:  # else it is shown wherever Home Assistant's own broker is used
            farm["home_assistant"] = {"discovery": False}
    return Form(farm, secrets, str(given.get("broker", "auto")), str(given.get("log_level", "info")), tuple(problems))


def as_yaml(farm: Mapping[str, Any]) -> str:
    """The text of a farm file."""
    stream = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # an owner reads it in our order
    yaml.dump(dict(farm), stream)
    return _HEADER + stream.getvalue()


def in_words_of_the_form(problem: Problem) -> str:
    """A problem of the farm file that was made from the form, named as the form names it."""
    steps = problem.place.split(".")
    place = problem.place
    if steps[0] == "miners" and len(steps) > 1:
        place = " ".join(["miners,", f"{steps[1]}:", *_key_in_the_form(steps[2:])]).rstrip(":")
    elif steps[-1] == "state_of_charge":
        place = "state_of_charge"
    elif steps == ["site", "time_zone"]:
        place = "time zone of Home Assistant"
    return Problem(0, "", f"{place}: {problem.cause}", problem.fix).render("option")


def _key_in_the_form(steps: list[str]) -> list[str]:
    if steps[:1] == ["plug"]:
        back = {key: name for name, key in _PLUG_KEYS.items()}
        return [back.get(steps[1], "plug_host") if len(steps) > 1 else "plug_host"]
    return steps[:1]


def _is_empty(value: object) -> bool:
    """What is left blank in the form comes as an empty text, or not at all."""
    return value is None or (isinstance(value, str) and not value.strip())


def _say(place: str, cause: str, fix: str) -> str:
    return Problem(0, "", f"{place}: {cause}", fix).render("option")


def _strangers(given: Mapping[str, Any], known: Iterable[str], where: str) -> Iterator[str]:
    known = list(known)
    for key in given:
        if key not in known:
            cause = f"there is no such option{did_you_mean(key, known)}"
            yield _say(f"{where}{key}", cause, f"remove it, or use one of: {', '.join(known)}")


def _unknown_words(given: Mapping[str, Any]) -> Iterator[str]:
    for key, words in (("broker", BROKERS), ("log_level", LOG_LEVELS)):
        if key in given and given[key] not in words:
            cause = f"{given[key]!r} is not allowed here{did_you_mean(str(given[key]), words)}"
            yield _say(key, cause, f"use one of: {', '.join(words)}")
    for key in ("observe", "discovery"):
        if not isinstance(given.get(key, True), bool):
            yield _say(key, f"{given[key]!r} is neither on nor off", "switch it on or off")


def _missing(given: Mapping[str, Any], entries: list[dict[str, Any]]) -> Iterator[str]:
    if "state_of_charge" not in given:
        fix = "give the entity of your battery's state of charge, such as sensor.battery_soc"
        yield _say("state_of_charge", "it is missing", fix)
    if not entries and isinstance(given.get("miners", []), list):
        yield _say("miners", "there are none", "add a miner with name, driver, host, stop_soc and resume_soc")


def _entries(miners: object) -> list[dict[str, Any]]:
    """Each miner's filled-in fields."""
    rows = miners if isinstance(miners, list) else []
    return [
        {str(key): value for key, value in row.items() if not _is_empty(value)} for row in rows if isinstance(row, dict)
    ]


def _unsound_entries(miners: object, entries: list[dict[str, Any]]) -> Iterator[str]:
    if not isinstance(miners, list) or len(entries) != len(miners):
        yield _say("miners", "not a list of miners", "write each miner as an entry of its own")
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("name", ""))
        where = f"miners, {name or f'number {number}'}: "
        if not name:
            yield _say(f"{where}name", "it is missing", "give each miner a name of its own, such as s19-20")
        elif name in seen:
            yield _say(f"{where}name", "another miner has this name, too", "rename one of the two")
        seen.add(name)
        yield from _strangers(entry, MINER_KEYS, where)
        if "plug_outlet" in entry and "plug_host" not in entry:
            yield _say(f"{where}plug_host", "it is missing", "give the address of the plug that has this outlet")


def _passwords(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {
        variable_of(str(entry["name"])): str(entry["password"])
        for entry in entries
        if "name" in entry and "password" in entry
    }


def _miner(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the farm file says of this miner."""
    miner = {key: entry[key] for key in MINER_KEYS if key in entry and key not in _NOT_IN_THE_FARM_FILE}
    plug = {key: entry[name] for name, key in _PLUG_KEYS.items() if name in entry}
    if "host" in plug:
        miner["plug"] = plug
    return miner
