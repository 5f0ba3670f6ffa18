"""The broker of last resort: amqtt in a process of its own, with its memory mirrored to a file.

`python -m deploy.amqtt_broker <directory> <port>`; ends on SIGTERM. It speaks MQTT 3.1.1 only.
"""

import asyncio
import base64
import binascii
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker, RetainedApplicationMessage
from amqtt.contexts import BrokerConfig
from amqtt.mqtt.constants import QOS_0
from amqtt.session import Session
from pwdlib.hashers.argon2 import Argon2Hasher

from deploy.broker import HOST, USERNAME

log = logging.getLogger(__name__)

MIRROR_SECONDS = 1.0
MIRROR_FILE = "retained.json"

_FIRST_PACKET_SECONDS = 10.0
_LENGTH_BYTES_MAX = 4
_LEVEL_OF_3_1_1 = 4
_WRONG_PROTOCOL_LEVEL = b"\x20\x02\x00\x01"  # CONNACK, return code 1


class Steady(dict[str, Any]):
    """A dict that may be changed while it is iterated: amqtt 0.12 does so across awaits, and loses messages by it."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Sequence[tuple[str, Any]]:  # type: ignore[override] # a list of the moment instead of a view
        return list(super().items())


class MirroredBroker(Broker):
    """amqtt without three of its defects, and with a memory that outlives it."""

    def __init__(self, config: BrokerConfig, mirror: Path) -> None:
        super().__init__(config)
        self._subscriptions = Steady()
        self._retained_messages = Steady()
        self._mirror = mirror
        self._changed = False

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        # amqtt reads a CONNECT of MQTT 5 as if it were one of 3.1.1, and may wait for ever for the rest of it.
        try:
            head = await asyncio.wait_for(_head_of_connect(reader), _FIRST_PACKET_SECONDS)
        except (TimeoutError, EOFError, OSError):
            writer.close()
            return
        if head[-1] == _LEVEL_OF_3_1_1:
            await self._client_connected(listener_name, _Rest(reader, head), StreamWriterAdapter(writer))
            return
        writer.write(_WRONG_PROTOCOL_LEVEL)
        writer.close()

    async def _start_listeners(self) -> None:
        for topic, (data, qos) in read_mirror(self._mirror).items():
            self._retained_messages[topic] = RetainedApplicationMessage(None, topic, data, qos)
        await super()._start_listeners()

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        await super().retain_message(source_session, topic_name, data, qos)
        self._changed = True

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        # To a clean session, QoS 0 loses nothing on loopback, whereas amqtt may lose count of acknowledgements.
        topic_filter, qos = subscription
        return await super().add_subscription((topic_filter, QOS_0 if session.clean_session else qos), session)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Sends what is retained to a session that asked for it.

        amqtt calls this at each connect for the filters of *all* sessions, and waits for all acknowledgements at once.
        """
        topic_filter, _ = subscription
        handler = self._get_handler(session)
        asked = any(of.client_id == session.client_id for of, _ in self._subscriptions.get(topic_filter, []))
        if handler is None or not asked:
            return
        for topic in self._retained_messages:
            # Looked up at the last moment: an older value must not follow a newer one that came in meanwhile.
            retained = self._retained_messages.get(topic)
            if retained is not None and self._matches(topic, topic_filter):
                await handler.mqtt_publish(topic, retained.data, QOS_0, retain=True)

    async def keep_mirror(self) -> None:
        """Writes the memory down, at most once in `MIRROR_SECONDS`; for ever."""
        while True:
            await asyncio.sleep(MIRROR_SECONDS)
            if self._changed:
                self.save()

    def save(self) -> None:
        """Writes the memory down now."""
        self._changed = False
        memory = {topic: (message.data, message.qos or 0) for topic, message in self._retained_messages.items()}
        try:
            write_mirror(self._mirror, memory)
        except OSError as error:
            self._changed = True
            log.warning("the broker's memory could not be saved: %s", error)


async def _head_of_connect(reader: asyncio.StreamReader) -> bytes:
    """The first packet as far as its protocol level, which is the last byte. Source: MQTT 3.1.1, section 3.1.2."""
    seen = await reader.readexactly(2)
    while seen[-1] & 0x80 and len(seen) <= _LENGTH_BYTES_MAX:
        seen += await reader.readexactly(1)
    return seen + await reader.readexactly(7)


class _Rest(StreamReaderAdapter):
    """A stream whose first bytes have been read already."""

    def __init__(self, reader: asyncio.StreamReader, seen: bytes) -> None:
        super().__init__(reader)
        self._seen = seen

    async def read(self, n: int = -1) -> bytes:
        seen, self._seen = self._seen[:n], self._seen[n:]
        return seen + await super().read(n - len(seen)) if len(seen) < n else seen


def read_mirror(file: Path) -> dict[str, tuple[bytes, int]]:
    """What was retained when the file was written; nothing where it is missing, or damaged by a power cut."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return {topic: (base64.b64decode(data, validate=True), int(qos)) for topic, (data, qos) in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, binascii.Error) as error:
        log.warning("the broker starts without memory: %s is damaged (%s)", file, error)
        return {}


def write_mirror(file: Path, memory: dict[str, tuple[bytes | bytearray, int]]) -> None:
    """Replaces the file in one step: a reader finds the old memory or the new one, never half of it."""
    entries = {topic: (base64.b64encode(data).decode("ascii"), qos) for topic, (data, qos) in memory.items()}
    temporary = file.with_name(file.name + ".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        json.dump(entries, opened)
    temporary.replace(file)


def configuration(directory: Path, port: int) -> BrokerConfig:
    """One listener on loopback; one user, whose password stands in `directory`."""
    password = (directory / "password").read_text(encoding="utf-8").strip()
    # The password is long and random, so a quick hash is as good as a slow one.
    hashed = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
    users = directory / "users-amqtt"
    users.touch(mode=0o600)
    users.write_text(f"{USERNAME}:{hashed}\n", encoding="utf-8")
    return BrokerConfig.from_dict(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(users)}},
        }
    )


async def serve(directory: Path, port: int) -> None:
    """Runs the broker until SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    broker = MirroredBroker(configuration(directory, port), directory / MIRROR_FILE)
    await broker.start()
    mirroring = asyncio.create_task(broker.keep_mirror())
    await stopping.wait()
    mirroring.cancel()
    broker.save()
    # Connections may be half open: waiting for their farewells would only delay the end.
    logging.shutdown()
    os._exit(0)


def main() -> None:
    """The broker's own process: directory and port as arguments."""
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    log.setLevel(logging.INFO)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
