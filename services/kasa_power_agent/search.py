"""Which plugs there are on the local network, and what to write in the farm file for them: `make plugs`."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from services.kasa_power_agent.link import Account, DeviceReading
from services.kasa_power_agent.wiring import account_of
from shared.launch import EXIT_BAD_INPUT
from shared.settings import Secrets
from shared.settings.load import farm_path

EXIT_NONE_FOUND = 1
_SECONDS_MAX = 60
_HEADINGS = ("address", "model", "alias", "outlet", "", "account", "")

NONE_FOUND = """\
No plug has answered on {target} within {seconds} s.
  - Plugs are heard on their own network only: give its broadcast address, such as --target 192.168.1.255.
  - A guest network or a router's "client isolation" keeps them apart from this machine.
  - A plug in another network is not found, and works all the same: write its address in the farm file.
"""
EPILOG = """\
Each line is an outlet. In the farm file, under the miner that hangs on it:

  plug: {host: 192.168.1.50}                    a plain plug
  plug: {host: 192.168.1.50, outlet: Rig 7}     an outlet of a strip, by its alias
  plug: {host: 192.168.1.50, outlet: 3}         or by the number printed on the housing, counted from 1

Where the column "account" says yes, set KASA_USERNAME and KASA_PASSWORD (your TP-Link account; upper and lower case
count) in the environment, in .env beside the farm file, or as secret files. For one plug alone:
<ID>_PLUG_USERNAME and <ID>_PLUG_PASSWORD.

What feeds your router, your broker or this machine belongs into never_switch: [{host: 192.168.1.50, outlet: 1}].
Nothing is switched by this command.
"""


@dataclass(frozen=True)
class Found:
    """One device that has answered. `reading` None: it says no more than that; `note` tells why."""

    address: str
    reading: DeviceReading | None = None
    needs_account: bool = False
    note: str = ""
    model: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table. Exits with 1 when no plug is found, and with 2 for a bad option."""
    options = _parser().parse_args(arguments)
    from services.kasa_power_agent.kasa_search import search  # it takes its time: not for --help

    target: str = options.target
    try:
        found = search(target, options.seconds, _account(), options.port)
    except OSError as error:
        sys.stderr.write(f"{target}: {error.strerror or 'no way there'}. Fix: give your network's broadcast address.\n")
        return EXIT_BAD_INPUT
    if not found:
        sys.stderr.write(NONE_FOUND.format(target=target, seconds=options.seconds))
        return EXIT_NONE_FOUND
    sys.stdout.write(table(found))
    return 0


def table(found: Iterable[Found]) -> str:
    """One line for each outlet, or for a device that does not tell any. Ends with a newline."""
    rows: list[tuple[str, ...]] = [_HEADINGS]
    for device in sorted(found, key=lambda each: _order(each.address)):
        rows += _rows(device)
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def _rows(device: Found) -> list[tuple[str, ...]]:
    account = "yes" if device.needs_account else "no"
    reading = device.reading
    if reading is None:
        return [(device.address, device.model or "?", "?", "?", "", account, device.note)]
    states = {True: "on", False: "off", None: "?"}
    return [
        (
            device.address,
            reading.model or "?",
            _plain(reading.alias),
            "-" if outlet.number is None else f"{outlet.number} {_plain(outlet.alias)}",
            states[outlet.on],
            account,
            device.note,
        )
        for outlet in reading.outlets
    ]


def _plain(alias: str | None) -> str:
    """An alias is whatever somebody has typed: nothing of it may steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in alias or "?")


def _order(address: str) -> tuple[int, int, str]:
    try:
        return (0, int(ip_address(address)), address)
    except ValueError:
        return (1, 0, address)


def _account() -> Account | None:
    return account_of(Secrets.beside(farm_path()), [])


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= _SECONDS_MAX:
        message = f"give 1 to {_SECONDS_MAX}"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make plugs",
        description="Lists the Kasa plugs and strips that answer on the local network, with their outlets.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--target",
        default="255.255.255.255",
        help="the broadcast address to ask, such as 192.168.1.255; or one device (default: %(default)s)",
    )
    parser.add_argument("--seconds", type=_seconds, default=5, help="how long to wait for answers (default: 5)")
    parser.add_argument("--port", type=int, help="ask older devices on this port in place of 9999")
    return parser


if __name__ == "__main__":
    sys.exit(main())
