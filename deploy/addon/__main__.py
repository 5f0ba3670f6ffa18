"""Starts the farm inside a Home Assistant add-on: reads the form, finds the broker, then runs the embedded farm."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.addon.broker_choice import NoBrokerError, choose_broker, remember_choice, remembered_choice
from deploy.addon.health import ALIVE_FILE, sign_of_life
from deploy.addon.options import OPTIONS_FILE, Form, OptionsError, as_yaml, form_of, in_words_of_the_form, read_options
from deploy.addon.privileges import give_up_root
from deploy.addon.supervisor import SUPERVISOR_URL, TOKEN_VARIABLE, SupervisorError, offered_broker
from deploy.broker import BrokerError
from deploy.connection import STATE_DIRECTORY
from deploy.embedded import SERVICES, WATCH, AlreadyRunningError, Plan, alone_in, run_farm
from services.ha_discovery import needed as ha_discovery
from shared.clock import SystemClock
from shared.launch import EXIT_BAD_INPUT, LOG_LEVEL_VARIABLE, set_up_log
from shared.settings import FarmFileError, FarmSettings, load_farm
from shared.settings.document import read_document
from shared.version import VERSION

FARM_FILE = "farm.yaml"
EXIT_TRY_AGAIN = 1


@dataclass(frozen=True)
class Places:
    """Where Home Assistant has put what belongs to the add-on."""

    data: Path
    """Ours alone: options.json, the farm's memory, its logs."""
    config: Path
    """The owner sees it as a folder of addon_configs; a farm.yaml there goes before the form."""
    supervisor_url: str
    alive_file: Path = ALIVE_FILE


def main(arguments: Sequence[str] | None = None) -> int:
    """The add-on's only command."""
    places = _places(arguments)
    # As the container's first process we would otherwise not hear a SIGTERM before the farm runs.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    set_up_log("addon")
    _say(f"Sunherd {VERSION}")
    try:
        options = read_options(places.data / OPTIONS_FILE)
        give_up_root(places.data)
        farm_file, form = _prepare(options, places)
        _find_broker(form, farm_file, places)
        _say(_who_sees_it(load_farm(farm_file)))
        return _run(farm_file, places)
    except (OptionsError, FarmFileError, BrokerError, AlreadyRunningError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    except (SupervisorError, NoBrokerError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_TRY_AGAIN
    except PermissionError as error:
        sys.stderr.write(f"{error.filename}: may not be read. Fix: let all users read it (mode 644).\n")
        return EXIT_BAD_INPUT


def _places(arguments: Sequence[str] | None) -> Places:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.addon",
        description="Runs the farm as a Home Assistant add-on. The defaults are what the supervisor provides.",
        epilog="With a farm.yaml in the --config directory that file describes the farm; else the add-on's form does.",
    )
    parser.add_argument("--data", type=Path, default=Path("/data"), help="options and memory (default: %(default)s)")
    parser.add_argument(
        "--config", type=Path, default=Path("/config"), help="the owner's folder (default: %(default)s)"
    )
    parser.add_argument("--supervisor", default=SUPERVISOR_URL, metavar="URL", help="its API (default: %(default)s)")
    parser.add_argument("--alive", type=Path, default=ALIVE_FILE, help="the file for the health check")
    found = parser.parse_args(arguments)
    return Places(found.data.absolute(), found.config.absolute(), found.supervisor.rstrip("/"), found.alive)


def _prepare(options: dict[str, object], places: Places) -> tuple[Path, Form]:
    """The farm file that counts, with all that it needs in the environment. Raises OptionsError, FarmFileError."""
    own_file = places.config / FARM_FILE
    core_url = f"{places.supervisor_url}/core"
    has_own = own_file.exists()
    form = form_of(options, core_url, os.environ.get("TZ") or "UTC", own_file=has_own)
    os.environ |= form.secrets
    os.environ[LOG_LEVEL_VARIABLE] = form.log_level.upper()
    farm_file = own_file if has_own else places.data / FARM_FILE
    if not has_own:
        farm_file.write_text(as_yaml(form.farm), encoding="utf-8")
    _lend_token(farm_file, core_url)
    farm = _checked(farm_file, form, has_own=has_own)
    count = f"{len(farm.miners)} miner{'' if len(farm.miners) == 1 else 's'}"
    _say(f"{own_file if has_own else 'The options'}: {count}" + (", observed only" if farm.observe else ""))
    return farm_file, form


def _lend_token(farm_file: Path, core_url: str) -> None:
    """Through the supervisor the add-on's own token counts; for any other address the owner gives one."""
    battery = read_document(farm_file).data.get("battery")
    source = battery.get("home_assistant") if isinstance(battery, dict) else None
    url = source.get("url") if isinstance(source, dict) else None
    token = os.environ.get(TOKEN_VARIABLE)
    if token and isinstance(url, str) and url.rstrip("/") == core_url:
        os.environ["HA_TOKEN"] = token


def _checked(farm_file: Path, form: Form, *, has_own: bool) -> FarmSettings:
    """All that is wrong with form and farm file, at once."""
    problems = list(form.problems)
    try:
        farm = load_farm(farm_file)
    except FarmFileError as error:
        if has_own and not problems:
            raise
        problems += [
            problem.render(str(farm_file)) if has_own else in_words_of_the_form(problem) for problem in error.problems
        ]
        raise OptionsError(problems) from error
    if problems:
        raise OptionsError(problems)
    return farm


def _find_broker(form: Form, farm_file: Path, places: Places) -> None:
    """Puts the shared broker into the environment, unless the owner's farm file names one."""
    broker = read_document(farm_file).data.get("broker")
    if isinstance(broker, dict) and broker.get("url"):
        return
    token = os.environ.get(TOKEN_VARIABLE, "")
    remembered = remembered_choice(places.data)
    chosen = choose_broker(form.broker, remembered, lambda: offered_broker(places.supervisor_url, token))
    remember_choice(places.data, chosen)
    if chosen is None:
        return
    os.environ["SUNHERD_BROKER__URL"] = chosen.url
    if chosen.username:
        os.environ["SUNHERD_BROKER__USERNAME"] = chosen.username
    if chosen.password:
        os.environ["MQTT_PASSWORD"] = chosen.password
    _say(f"Broker: Home Assistant's, {chosen.url}")


def _who_sees_it(farm: FarmSettings) -> str:
    """Whether the miners become devices in Home Assistant, said in the log: nobody should look for them in vain."""
    if ha_discovery.is_needed(farm):
        return "Home Assistant: each miner becomes a device of its MQTT integration"
    if not farm.miners:
        return "Home Assistant: there is no miner to show"
    if farm.broker.url is None:
        return "Home Assistant: shown nothing, because it cannot listen to the add-on's own broker (option broker)"
    return "Home Assistant: shown nothing, as you wish"


def _run(farm_file: Path, places: Places) -> int:
    state = places.data / STATE_DIRECTORY
    clock = SystemClock()
    # The farm's children need the supervisor's token by no other name than HA_TOKEN.
    os.environ.pop(TOKEN_VARIABLE, None)
    with alone_in(state):
        code = run_farm(Plan(farm_file, state, (*SERVICES, WATCH), clock), sign_of_life(places.alive_file, clock))
    _say("Stopped. The miners stay as they are, and nobody watches the battery until the next start.")
    return code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
