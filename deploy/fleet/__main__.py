"""`python -m deploy.fleet`: what a person types, and which command it means."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from deploy.fleet.arguments import parser
from deploy.fleet.doctor import doctor
from deploy.fleet.engine import NoEngineError
from deploy.fleet.outcome import BAD_INPUT, FINE, WRONG, Teller
from deploy.fleet.pruning import prune
from deploy.fleet.reach import BadInputError
from deploy.fleet.rolling import restart_rolling
from deploy.fleet.scaling import scale, wanted_of
from deploy.fleet.session import Session
from deploy.fleet.status import status
from shared.duration import parse_duration

_TRUST_VARIABLE = "SSL_CERT_FILE"

Command = Callable[[Session, Teller], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    try:
        command = _command(options)
        if options.ca_file is not None:
            _trust(options.ca_file)
        session = Session(Path.cwd(), options.broker, options.project)
    except (BadInputError, ValueError) as error:
        return _complain(error)
    try:
        return command(session, Teller(as_json=options.json))
    except (BadInputError, NoEngineError) as error:
        return _complain(error)
    except KeyboardInterrupt:
        return FINE if getattr(options, "watch", False) else WRONG
    finally:
        session.close()


def _command(options: argparse.Namespace) -> Command:
    """What is to be done. Raises ValueError saying what is missing, before anything is touched."""
    if options.command == "status":
        return lambda session, teller: status(session, teller, watch=options.watch)
    if options.command == "doctor":
        return doctor
    if options.command == "prune":
        older_than = parse_duration(options.older_than)
        return lambda session, teller: prune(session, teller, older_than, sure=options.yes)
    within_seconds = _positive(parse_duration(options.within))
    if options.command == "scale":
        wanted = wanted_of(options.services)
        return lambda session, teller: scale(session, teller, wanted, within_seconds)
    if not options.rolling:
        message = (
            "Say --rolling: one container at a time, each waited for. All at once, with nobody at the devices "
            "meanwhile, is `docker compose restart`."
        )
        raise BadInputError(message)
    return lambda session, teller: restart_rolling(session, teller, options.services, within_seconds)


def _positive(duration: timedelta) -> float:
    if duration <= timedelta(0):
        message = "--within must be longer than nothing, such as 2min."
        raise BadInputError(message)
    return duration.total_seconds()


def _trust(file: Path) -> None:
    if not file.is_file():
        message = f"--ca-file: there is no {file}. Fix: give the authority.crt that `make certificates` has written."
        raise BadInputError(message)
    # OpenSSL's own variable: the only TLS of this process is the broker's, so that nothing else learns to trust it.
    os.environ[_TRUST_VARIABLE] = str(file)


def _complain(error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
