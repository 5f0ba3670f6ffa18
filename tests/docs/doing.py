"""Runs a command of the pages as its reader would, in the sandbox."""

import re
from pathlib import Path
from subprocess import CompletedProcess

import typer.main

# typer brings click along, and shows these nowhere else.
from typer._click.exceptions import MissingParameter, NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

from deploy.console.app import build
from tests.docs.commands import Shown
from tests.docs.sandbox import FILES, Sandbox, sunherd, sunherd_for_a_while

STAY = {"up": "first decision", "watch": "Watching", "--watch": "TOTAL:", "-w": "TOTAL:"}
"""Commands that end by Ctrl-C, and what they have said by then."""
ORDERS = {"override", "maintenance", "set", "unset", "identify", "clear", "stop", "resume", "restart", "cycle"}
"""Commands that make the farm do something."""
EDITS = {"init", "import", "miners"}
"""Commands that write a farm file: each in a directory of its own."""
PERHAPS_NOT_DONE: dict[str, str] = {
    "clear": "refused unless the rig has been given up on",
    "cycle": "refused while the rig may not be switched, or has its time to come back",
    "restart": "refused while the miner is paused, or has its time to come back",
}
"""Requests whose refusal is a good answer: exit code 1, and a sentence that begins with `not done`."""


def read_as_given(words: tuple[str, ...]) -> None:
    """Reads the words as `sunherd` would, and runs nothing. Raises UsageError."""
    command = typer.main.get_command(build())
    rest, parent, name = list(words), None, "sunherd"
    while isinstance(command, TyperGroup):
        context = command.make_context(name, rest, parent=parent)
        rest = [*context._protected_args, *context.args]  # nothing else tells them in this order
        if not rest:
            return
        parent = context
        found, known, rest = command.resolve_command(context, rest)
        assert found is not None
        assert known is not None
        name, command = found, known
    command.make_context(name, rest, parent=parent)


def is_only_named(shown: Shown) -> bool:
    """Whether it is a name in a sentence, such as `sunherd miners`, and not meant to be whole."""
    try:
        read_as_given(shown.words)
    except NoArgsIsHelpError:
        return True
    except MissingParameter:
        return not any(word.startswith("-") or not re.fullmatch("[a-z]+", word) for word in shown.words)
    except UsageError:
        return False
    return False


def does_what_it_should(shown: Shown, farm: Sandbox, directory: Path) -> None:
    """Runs it, and fails unless it ends well."""
    if is_only_named(shown):
        return
    done = run(shown, farm, directory)
    said = f"{shown.page}:{shown.line}: {shown}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    if done.returncode == 1 and command_of(list(shown.words)) in PERHAPS_NOT_DONE:
        assert ": not done: " in done.stdout, said
    else:
        assert done.returncode == 0, said
    assert "Traceback" not in done.stderr, said


def run(shown: Shown, farm: Sandbox, directory: Path) -> CompletedProcess[str]:
    """Runs it where it belongs, and takes back what it did to the farm."""
    words = [in_the_sandbox(word) for word in shown.words]
    what = command_of(words)
    if what in EDITS:
        apart = farm.apart(directory, with_farm_file=what == "miners")
        return sunherd(apart, [*words, *answers(words, farm)], HA_TOKEN="demo-token")
    if what == "up":
        apart = farm.apart(directory, with_farm_file=True, observe=True)  # its miners have a farm already
        return sunherd_for_a_while(apart, words, STAY["up"])
    stays = next((STAY[word] for word in words if word in STAY), None)
    if stays is not None:
        return sunherd_for_a_while(farm.directory, words, stays)
    done = sunherd(farm.directory, [*words, *answers(words, farm)])
    for back in takes_back(words):
        undone = sunherd(farm.directory, back)
        assert undone.returncode == 0, f"{back}: {undone.stdout}{undone.stderr}"
    return done


def command_of(words: list[str]) -> str:
    """The command, behind the options that stand before it."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return word
        if word in {"--farm", "--log-file", "--log-level"}:
            next(rest)
    return ""


def in_the_sandbox(word: str) -> str:
    """A network of the pages is this machine: no test asks another one."""
    return re.sub(r"\d+\.\d+\.\d+\.\d+/\d+", "127.0.0.1/32", word)


def answers(words: list[str], farm: Sandbox) -> list[str]:
    """What the sandbox's own addresses are, and what a person at the terminal would be asked for."""
    what = command_of(words)
    if what == "init":
        battery = ["--ha-url", farm.home_assistant_url, "--sensor", "sensor.battery_soc"]
        where = ["--port", farm.port_of("s19-20"), "--kasa-target", "127.0.0.1"]
        return ["--yes", *where, *battery, "--time-zone", "Europe/Lisbon", "--output", "made.yaml"]
    if words[:2] == ["discover", "miners"]:
        return ["--port", farm.port_of("s19-20")]
    if words[:2] == ["discover", "kasa"]:
        return ["--target", "127.0.0.1", "--port", farm.port_of("rig-7")]
    if words[:2] == ["miners", "remove"] and "--yes" not in words:
        return ["--yes"]
    if what == "import" and not any(name in words for name in FILES):
        return ["miners.json", "--ha-url", farm.home_assistant_url, "--sensor", "sensor.battery_soc"]
    return []


def takes_back(words: list[str]) -> list[list[str]]:
    """What puts the farm as it was before."""
    what = command_of(words)
    names = [word for word in words[1:] if re.fullmatch(r"(?:s19|bitaxe|rig)-\d+|garage", word)]
    if what == "stop" and "--all" in words:
        return [["resume"]]
    if what in {"override", "maintenance", "stop"} and "automatic" not in words:
        return [["override", *names, "automatic"]]
    return [["unset", *names]] if what == "set" else []
