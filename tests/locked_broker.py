"""The bundled broker as it is committed, `mosquitto/start.sh` and all; only its paths and ports are this test's."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from deploy.broker import find_mosquitto
from shared.bus import BrokerAddress
from shared.topics import Identity
from tests.waiting import eventually

COMMITTED = Path(__file__).parents[1] / "mosquitto"
AUDITOR = "auditor"
"""A user of the owner's own, who may do everything."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def password_of(user: str) -> str:
    return f"password-of-{user}"


def variable_of(identity: str) -> str:
    return "SUNHERD_BROKER_PASSWORD_" + identity.upper().replace("-", "_")


class LockedBroker:
    """One mosquitto, with all files below `directory`."""

    def __init__(self, directory: Path, **replaced: str) -> None:
        """`replaced`: other values of options of mosquitto.conf."""
        self.program = find_mosquitto()
        if self.program is None:
            pytest.skip("MOSQUITTO IS NOT INSTALLED: the locked broker is not tested")
        self.config, self.data = directory / "config", directory / "data"
        # The name of a socket may have about 100 characters only.
        self.work = Path(tempfile.mkdtemp(prefix="sunherd-locked-"), "work")
        self.log = directory / "broker.log"
        self.port, self.tls_port = free_port(), free_port()
        shutil.copytree(COMMITTED, self.config, ignore=shutil.ignore_patterns("own", "certificates"))
        self.data.mkdir(exist_ok=True)
        for file in self.config.iterdir():
            file.write_text(self._adapted(file.read_text(encoding="utf-8"), file.name, replaced), encoding="utf-8")
        self.add_user(AUDITOR, "topic readwrite #")
        self.process: subprocess.Popen[bytes] | None = None

    def _adapted(self, text: str, name: str, replaced: dict[str, str]) -> str:
        for path, ours in (("/mosquitto/config", self.config), ("/mosquitto/data", self.data)):
            text = text.replace(path, str(ours))
        text = text.replace("/tmp/mosquitto", str(self.work))
        text = text.replace("listener 1883", f"listener {self.port} 127.0.0.1")
        text = text.replace("listener 8883", f"listener {self.tls_port} 127.0.0.1")
        for option, value in replaced.items():
            text = "\n".join(
                f"{option} {value}" if line.startswith(option + " ") else line for line in text.split("\n")
            )
        if name == "mosquitto.conf" and os.geteuid() == 0:
            text += "\nuser root\n"  # it would become another user, who cannot read this directory
        return text

    def add_user(self, name: str, *rules: str) -> None:
        """One of the owner's own users."""
        own = self.config / "own"
        own.mkdir(exist_ok=True)
        plain = own / "new"
        plain.write_text(f"{name}:{password_of(name)}\n", encoding="utf-8")
        tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
        subprocess.run([tool, "-U", str(plain)], check=True, timeout=20)
        with (own / "passwords").open("a", encoding="utf-8") as passwords:
            passwords.write(plain.read_text(encoding="utf-8"))
        plain.unlink()
        with (own / "access.list").open("a", encoding="utf-8") as rules_file:
            rules_file.write("\n".join([f"user {name}", *rules, ""]))

    def start(self, **variables: str) -> None:
        """Starts it and waits until it listens. `variables` replace the environment's passwords."""
        passwords = {variable_of(identity): password_of(identity) for identity in Identity}
        self.work.parent.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUNHERD")}
        kept["PATH"] += ":/usr/sbin"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["sh", str(self.config / "start.sh")],
                env=kept | passwords | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        assert eventually(self._listens, 30), self.said()

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None
        shutil.rmtree(self.work.parent, ignore_errors=True)

    def address(self, user: str, *, password: str | None = None) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.port, user, password or password_of(user))

    def client(self, user: str, client_id: str | None = None) -> "Client":
        return Client(self, user, client_id or f"{user}-1")


class Client:
    """A bare client that keeps what it hears as (topic, payload)."""

    def __init__(self, broker: LockedBroker, user: str, client_id: str) -> None:
        self.client_id = client_id
        self.heard: list[tuple[str, bytes]] = []
        self.retained: list[tuple[str, bytes]] = []
        # 3.1.1: a denied message is acknowledged like any other, so that only its arrival tells.
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv311)
        self.paho.username_pw_set(user, password_of(user))
        self.paho.max_queued_messages_set(0)
        self.paho.max_inflight_messages_set(100)
        self.paho.on_message = self._arrived
        self._granted = 0
        self.paho.on_subscribe = self._subscribed
        self.paho.connect("127.0.0.1", broker.port, keepalive=60)
        self.paho.loop_start()
        assert eventually(self.paho.is_connected, 20), broker.said()

    def _arrived(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        (self.retained if message.retain else self.heard).append((message.topic, bytes(message.payload)))

    def _subscribed(self, *_what: object) -> None:
        self._granted += 1

    def subscribe(self, *filters: str) -> None:
        """Returns when the broker has granted them; what is retained may still be on its way."""
        before = self._granted
        self.paho.subscribe([(topic_filter, 1) for topic_filter in filters])
        assert eventually(lambda: self._granted > before, 20)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> None:
        self.paho.publish(topic, payload, qos=1, retain=retain)

    def has_heard(self, topic: str, payload: bytes) -> bool:
        return (topic, payload) in self.heard

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()
