"""Shows what an embedded farm says on its topics, one line per message: `make topics`."""

import argparse
import sys
from collections.abc import Sequence

from deploy.connection import NONE_HERE, newest_connection
from shared.bus import Arrival
from shared.launch import EXIT_BAD_INPUT, set_up_log


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints retained messages first, then live ones, until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.listen",
        description="Shows the topics of the farm that runs embedded here: the demo's, or your own.",
    )
    parser.add_argument("filter", nargs="?", default="sunherd/#", help="an MQTT filter (default: %(default)s)")
    options = parser.parse_args(arguments)
    set_up_log("listen")
    connection = newest_connection()
    if connection is None:
        sys.stderr.write(NONE_HERE)
        return EXIT_BAD_INPUT
    service = connection.service("listener")
    service.bus.subscribe_raw(options.filter, _show)
    service.run()
    return 0


def _show(arrival: Arrival) -> None:
    mark = "retained" if arrival.retained else "live"
    sys.stdout.write(f"{arrival.path} ({mark}) {arrival.payload.decode(errors='replace')}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
