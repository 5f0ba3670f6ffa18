"""Tells an embedded farm what a person wants: pause, force on, maintenance, emergency stop: `make tell`."""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from deploy.connection import NONE_HERE, Connection, newest_connection
from shared.bus import Received
from shared.duration import parse_duration
from shared.launch import EXIT_BAD_INPUT, set_up_log
from shared.messages import EmergencyStop, Override, OverrideKind
from shared.service import Service
from shared.topics import EMERGENCY_STOP, GROUP_OVERRIDE, MINER_OVERRIDE

_ANSWER_SECONDS = 5.0

Order = Callable[[Service, datetime | None], None]
"""Publishes; is told when the emergency stop was ordered that stands at present."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Publishes one retained word and waits until the broker has it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    set_up_log("tell")
    connection = newest_connection()
    if connection is None:
        sys.stderr.write(NONE_HERE)
        return EXIT_BAD_INPUT
    try:
        order = _order(options, connection)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    return _deliver(connection.service("teller"), order)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.tell",
        description="Tells the farm that runs embedded here what you want.",
        epilog="Examples: pause s19-20 --for 2h; force-on s19-20 --for 1h; automatic s19-20; emergency-stop; resume.",
    )
    parser.add_argument("what", choices=[*_KINDS, "emergency-stop", "resume"])
    parser.add_argument("who", nargs="?", help="a miner or group; not for emergency-stop and resume")
    parser.add_argument("--for", dest="duration", help="how long, such as 2h or 30min; force-on needs it")
    parser.add_argument("--reason", default="")
    return parser


def _order(options: argparse.Namespace, farm: Connection) -> Order:
    """What to publish. Raises ValueError saying what is missing."""
    by = getpass.getuser()
    if options.what in {"emergency-stop", "resume"}:
        active = options.what == "emergency-stop"
        return lambda service, standing: service.publish(
            EMERGENCY_STOP,
            farm.site,
            EmergencyStop(
                at=service.clock.now(),
                active=active,
                by=by,
                reason=options.reason,
                lifts=None if active else standing,
            ),
        )
    if options.who not in {*farm.miners, *farm.groups}:
        known = ", ".join([*farm.miners, *farm.groups])
        asked = "say which miner or group" if options.who is None else f"{options.who!r} is neither a miner nor a group"
        message = f"{asked}; known: {known}"
        raise ValueError(message)
    duration = None if options.duration is None else parse_duration(options.duration)
    if options.what == "force-on" and duration is None:
        message = "force-on silences the battery rule and must end: say for how long, such as --for 1h"
        raise ValueError(message)
    topic = GROUP_OVERRIDE if options.who in farm.groups else MINER_OVERRIDE

    def publish(service: Service, _standing: datetime | None) -> None:
        service.publish(topic, options.who, _override(service, _KINDS[options.what], duration, by, options.reason))

    return publish


def _override(service: Service, kind: OverrideKind, duration: timedelta | None, by: str, reason: str) -> Override:
    now = service.clock.now()
    return Override(at=now, kind=kind, by=by, until=None if duration is None else now + duration, reason=reason)


def _deliver(service: Service, order: Order) -> int:
    """Publishes once connected; the broker's echo proves that it has arrived."""
    heard: list[bool] = []
    stops: list[datetime] = []

    def back(received: Received[Override] | Received[EmergencyStop]) -> None:
        if not received.retained:
            heard.append(True)
            service.request_stop()
        elif isinstance(received.message, EmergencyStop) and received.message.active:
            stops.append(received.message.at)

    deadline = service.clock.seconds() + _ANSWER_SECONDS
    service.on(EMERGENCY_STOP, back)
    service.on(MINER_OVERRIDE, back)
    service.on(GROUP_OVERRIDE, back)
    service.on_ready(lambda: order(service, max(stops, default=None)))
    service.every(0.1, lambda: service.request_stop() if service.clock.seconds() > deadline else None)
    service.run()
    if not heard:
        sys.stderr.write(f"The broker did not answer within {_ANSWER_SECONDS:g} s: nothing was told.\n")
        return 1
    sys.stdout.write("Told.\n")
    return 0


_KINDS = {
    "pause": OverrideKind.PAUSE,
    "force-on": OverrideKind.FORCE_ON,
    "maintenance": OverrideKind.MAINTENANCE,
    "automatic": OverrideKind.AUTOMATIC,
}

if __name__ == "__main__":
    sys.exit(main())
