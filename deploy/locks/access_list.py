"""Makes mosquitto's access list of the table of topics: `python -m deploy.locks.access_list > mosquitto/access.list`.

What is not named is denied. mosquitto looks at reading when it delivers: it takes any subscription, and sends nothing.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.soc_bridge.presets import PORTAL, plan
from shared.settings import MqttSourceSettings
from shared.topics import TOPICS, Identity

DEFAULT_PREFIX = "sunherd"
OWN_ID = "%c"
"""mosquitto puts the client's id here; a service's client id is its instance."""

_PREFIX = re.compile(r"[a-z0-9_-]+")
_HEAD = """\
# Who may write and read what. Generated from shared/topics.py by `python -m deploy.locks.access_list`: do not edit.
# Lines of your own belong into mosquitto/own/access.list (docs/broker.md).
"""


@dataclass(frozen=True)
class Rule:
    """One line of the list. `access`: read, write or readwrite."""

    access: str
    topic_filter: str

    def line(self, kind: str = "topic") -> str:
        return f"{kind} {self.access} {self.topic_filter}\n"


def access_list(prefix: str = DEFAULT_PREFIX) -> str:
    """The whole file. Raises ValueError for a prefix that is none."""
    if not _PREFIX.fullmatch(prefix):
        message = f"{prefix!r} is not a prefix: use small letters, digits, - and _, as in broker.prefix"
        raise ValueError(message)
    parts = [_HEAD]
    for identity in Identity:
        rules = [*farm_rules(identity, prefix), *foreign_rules(identity)]
        parts.append(f"\nuser {identity.value}\n" + "".join(rule.line() for rule in rules))
    parts.append("\n# Everybody: only what bears the own client id.\n")
    parts += [rule.line("pattern") for rule in own_rules(prefix)]
    return "".join(parts)


def farm_rules(identity: Identity, prefix: str) -> Iterator[Rule]:
    """The farm's own topics, for every id."""
    for topic in TOPICS:
        may_read, may_write = topic.may_read(identity), topic.may_write(identity)
        if may_read or may_write:
            yield Rule(_access(may_read, may_write), topic.filter(prefix))


def own_rules(prefix: str) -> Iterator[Rule]:
    """What each client may do under its own id."""
    for topic in TOPICS:
        if topic.own:
            yield Rule("readwrite", topic.filter(prefix).replace("+", OWN_ID))


def foreign_rules(identity: Identity) -> Iterator[Rule]:
    """Topics of other programs on the same broker."""
    if identity is Identity.HOME_ASSISTANT:
        yield Rule("readwrite", "homeassistant/#")  # its discovery, and its word that it has started
    elif identity is Identity.HA_DISCOVERY:
        yield Rule("readwrite", "homeassistant/device/+/config")
        yield Rule("read", "homeassistant/status")
    elif identity is Identity.FLEET:
        yield Rule("read", "$SYS/#")  # the broker's own load
    elif identity is Identity.SOC_BRIDGE:
        yield from _battery_rules()


def _battery_rules() -> Iterator[Rule]:
    """Where known sources put the state of charge, if this broker is theirs as well."""
    for preset in ("victron", "solar_assistant", "evcc"):
        base = plan(MqttSourceSettings(preset=preset)).base.replace(PORTAL, "+")
        yield Rule("read", f"{base}/#")
        if base.startswith("N/"):
            yield Rule("write", f"R{base.removeprefix('N')}/keepalive")
    # Home Assistant's statestream shares its base with the announcements of devices: only the states.
    states = plan(MqttSourceSettings(preset="statestream", state_of_charge="sensor.any")).alive
    if states is not None:
        yield Rule("read", states)


def _access(may_read: bool, may_write: bool) -> str:
    return "readwrite" if may_read and may_write else "write" if may_write else "read"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the list."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.locks.access_list",
        description="Prints the access list for mosquitto: who may write and read which topic. "
        "The committed one, mosquitto/access.list, is for the prefix sunherd.",
        epilog="Another broker.prefix: python -m deploy.locks.access_list --prefix home > mosquitto/own/access.list, "
        "then restart the broker, which appends that file to its list.",
    )
    parser.add_argument("--prefix", default=DEFAULT_PREFIX, help="broker.prefix of the farm (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(access_list(options.prefix))
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
