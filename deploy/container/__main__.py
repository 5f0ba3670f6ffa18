"""Becomes one service, as soon as there is something for it to do: `python -m deploy.container vnish_agent`.

A container that ends is started again by Docker for ever. So where a service on a person's own machine would end (it
has nothing to do, or the farm file is wrong), here it waits until the farm file has changed; its health says why.
"""

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.container.demo_day import prepare_demo
from deploy.container.hindrance import Hindrance, hindrance, look_of
from shared.clock import SystemClock
from shared.health import HEALTH_FILE_VARIABLE, Health
from shared.launch import EXIT_BAD_INPUT, set_up_log
from shared.settings.load import farm_path
from shared.settings.secrets import EXPECTED_VARIABLE

log = logging.getLogger(__name__)

SERVICE_VARIABLE = "SUNHERD_SERVICE"
EMBEDDED, SIMULATOR = "embedded", "simulator"
_LOOK_SECONDS = 0.5
_SECRETS = {"soc_bridge": "HA_TOKEN", "pool_poller": "*_KEY"}
"""Each container is given only its own service's secrets, and must not miss those of others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.container",
        description="Waits for the farm file (SUNHERD_FARM) and for something to do, then becomes the service.",
        epilog="Its health, also while it waits: python -m shared.health live|ready",
    )
    default = os.environ.get(SERVICE_VARIABLE)
    parser.add_argument("service", nargs="?" if default else None, default=default, help="such as vnish_agent")
    service: str = parser.parse_args(arguments).service.replace("-", "_")
    # The first process of a container gets no signal that it does not ask for; the service asks for its own later.
    signal.signal(signal.SIGTERM, _end)
    if service == EMBEDDED:
        # Its services would all write into one file; it watches over them itself.
        os.environ.pop(HEALTH_FILE_VARIABLE, None)
        embedded: Callable[[], int] = importlib.import_module("deploy.embedded").main
        return embedded()
    set_up_log(service)
    os.environ.setdefault(EXPECTED_VARIABLE, _SECRETS.get(service, ""))
    if service == SIMULATOR:
        try:
            prepare_demo(farm_path().parent, os.environ)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{error}\n")
            return EXIT_BAD_INPUT
    _wait(service, farm_path())
    be: Callable[[], None] = importlib.import_module(f"services.{service}.__main__").main
    be()
    return 0


def _wait(service: str, farm: Path) -> None:
    """Returns when nothing hinders the service any more."""
    clock, health, nap = SystemClock(), Health.from_environment(os.environ), threading.Event()
    seen: object = None
    found: Hindrance | None = None
    while True:
        look = look_of(farm)
        if look != seen:
            seen, before = look, found
            found = hindrance(service, farm)
            if found is None:
                return
            if found != before:
                log.log(logging.WARNING if found.is_trouble else logging.INFO, "%s: %s", service, found.sentence)
        health.stirred(clock.seconds(), found.short if found is not None and found.is_trouble else "")
        nap.wait(_LOOK_SECONDS)


def _end(_number: int, _frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
