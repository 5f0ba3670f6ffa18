"""What the commands say of themselves. `python -m tests.unit.deploy.test_console_help` writes the pages anew."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.console.app import build
from deploy.console.commands.act import KINDS
from shared.messages import OverrideKind

PAGES = Path(__file__).parent / "console_help"
COMMANDS = (
    "override",
    "maintenance",
    "cycle",
    "restart",
    "identify",
    "clear",
    "set",
    "unset",
    "settings",
    "stop",
    "resume",
)


def page(command: str) -> str:
    """At 80 columns, as in a narrow terminal."""
    done = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1"}).invoke(
        build(), [command, "--help"], terminal_width=80, prog_name="sunherd"
    )
    assert done.exit_code == 0, done.output
    return str(done.output)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_as_it_did(command: str) -> None:
    assert page(command) == (PAGES / f"{command}.txt").read_text(encoding="utf-8")


def test_each_command_is_told_in_one_line_beside_the_others() -> None:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(build(), ["--help"], terminal_width=80)
    told = {line.split()[0]: line for line in done.output.splitlines() if line.startswith("  ") and line.strip()}
    for command in COMMANDS:
        assert not told[command].endswith("..."), told[command]


def test_each_kind_of_override_has_a_word() -> None:
    assert {OverrideKind(kind) for kind in KINDS.values()} == set(OverrideKind) - {OverrideKind.MAINTENANCE}


if __name__ == "__main__":
    for command in COMMANDS:
        (PAGES / f"{command}.txt").write_text(page(command), encoding="utf-8")
