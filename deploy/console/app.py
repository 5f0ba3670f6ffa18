"""The command line: options that stand before any command, and the commands of each room."""

import logging
import sys
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import Annotated

import typer

from deploy.console.commands import act, choose, find, imports, init, miners, see, stop, up
from deploy.console.given import Given
from deploy.console.said import SAID_LOG
from deploy.console.trouble import EXIT_BAD_INPUT, TroubleError
from shared.bus import TrustError
from shared.settings import FarmFileError
from shared.version import VERSION

_ROOMS = (init, find, miners, imports, up, see, act, choose, stop)
_LOG_DAYS_KEPT = 30
_LEVELS = ("debug", "info", "warning", "error")


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="sunherd",
        help="Herds Bitcoin miners by the sun.",
        epilog="Begin with: sunherd init. Exit codes: 0 fine, 1 something is wrong, 2 bad input or nobody there.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    for room in _ROOMS:
        room.add_to(app)
    return app


def main() -> None:
    """The command `sunherd`."""
    try:
        build()()
    except TroubleError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except (FarmFileError, TrustError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_BAD_INPUT)
    except FileNotFoundError as error:
        sys.stderr.write(f"{error.filename} is not there. Fix: sunherd init makes a farm file; --farm names another.\n")
        sys.exit(EXIT_BAD_INPUT)
    except PermissionError as error:
        sys.stderr.write(f"{error.filename} may not be read or written. Fix: run this as its owner.\n")
        sys.exit(EXIT_BAD_INPUT)


def _before(
    context: typer.Context,
    farm: Annotated[
        Path | None, typer.Option(help="The farm file (default: SUNHERD_FARM, else farm.yaml here).", metavar="FILE")
    ] = None,
    log_level: Annotated[str, typer.Option(help=f"One of {', '.join(_LEVELS)}.")] = "warning",
    log_file: Annotated[
        Path | None, typer.Option(help="Also write what is said into this file, a new one each day.", metavar="FILE")
    ] = None,
    *,
    version: Annotated[bool, typer.Option("--version", help="Say the version, and end.")] = False,
) -> None:
    if version:
        typer.echo(VERSION)
        raise typer.Exit
    if log_level.lower() not in _LEVELS:
        message = f"--log-level {log_level} is unknown. Fix: use one of {', '.join(_LEVELS)}."
        raise TroubleError(message)
    _set_up_log(log_level.upper(), log_file)
    context.obj = Given(farm)


def _set_up_log(level: str, file: Path | None) -> None:
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(level)
    # What a command says is on the screen already; it goes into the file alone.
    terminal.addFilter(lambda record: record.name != SAID_LOG)
    handlers: list[logging.Handler] = [terminal]
    if file is not None:
        handlers.append(_by_day(file, level))
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.DEBUG if level == "DEBUG" else logging.INFO, format=form, handlers=handlers)


def _by_day(file: Path, level: str) -> logging.Handler:
    """A new file after each midnight, the old one with its date behind its name."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        by_day = TimedRotatingFileHandler(file, when="midnight", backupCount=_LOG_DAYS_KEPT, encoding="utf-8")
    except OSError as error:
        message = f"--log-file {file} cannot be written: {error.strerror}. Fix: name a file in a directory of yours."
        raise TroubleError(message) from error
    by_day.setLevel(logging.DEBUG if level == "DEBUG" else logging.INFO)
    return by_day
