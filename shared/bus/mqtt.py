"""The connection to a real broker, over paho.

paho's thread only decodes and hands over. MQTT 5 is tried first and 3.1.1 where the broker does not speak it;
nothing here depends on a feature of version 5.
"""

import logging
import random
import socket
import sys
import threading
from collections.abc import Sequence

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.bus.broker_address import BrokerAddress
from shared.bus.link import Arrival, Link, LinkListener, Packet
from shared.bus.thrifty import ThriftyClient
from shared.bus.tls import explain, soon_expired, trust
from shared.clock import SystemClock

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 10
_UNSUPPORTED_PROTOCOL = {"Unsupported protocol version", "Protocol error", "Malformed packet"}
_WHO_ARE_YOU = {"Not authorized", "Bad user name or password"}
_QUEUED_MESSAGES = 2000
_INFLIGHT_MESSAGES = 100
_FAREWELL_SECONDS = 2.0
_UNANSWERED_MAX = 2
_FENCE = "sunherd/fence"


class MqttLink(Link):
    """One paho client. `client_id` must be unique: two clients of one id throw each other out for ever.

    Raises TrustError where `ca_file` cannot be used.
    """

    def __init__(self, address: BrokerAddress, client_id: str) -> None:
        self._address = address
        self._trust = trust(address.ca_file) if address.tls else None
        self._client_id = client_id
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._listener: LinkListener | None = None
        self._will: Packet | None = None
        self._client: ThriftyClient | None = None
        self._up = False
        self._refusal: str | None = None
        self._said: str | None = None
        self._unanswered = 0
        self._stopped = False
        self._lock = threading.Lock()

    def start(self, listener: LinkListener, will: Packet | None) -> None:
        self._listener, self._will, self._stopped = listener, will, False
        self._open()

    def is_up(self) -> bool:
        return self._up

    def socket_options(self) -> dict[str, int]:
        """The options of the open socket that matter for latency; empty without a connection."""
        raw = self._client.socket() if self._client is not None else None
        if not isinstance(raw, socket.socket):
            return {}
        return {"TCP_NODELAY": raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)}

    def protocol_version(self) -> str:
        """The version in use: `5` or `3.1.1`."""
        return "5" if self._protocol is MQTTProtocolVersion.MQTTv5 else "3.1.1"

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        if self._client is not None and filters:
            self._client.subscribe(list(filters))

    def unsubscribe(self, filters: Sequence[str]) -> None:
        if self._client is not None and filters:
            self._client.unsubscribe(list(filters))

    def send(self, packet: Packet) -> bool:
        if self._client is None or not self._up:
            return False
        # QoS 1 that was accepted while the connection is dying is sent again by paho after the next connect.
        outcome = self._client.publish(packet.path, packet.payload, qos=packet.qos, retain=packet.retain)
        return outcome.rc in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}

    def tend(self) -> None:
        with self._lock:
            client = self._client
            if client is None or _thread_alive(client):
                return
            log.error("the network thread to %s has died: starting a new one", self._address)
            self._close(client)
            self._open()

    def stop(self, farewell: Packet | None) -> None:
        self._stopped = True
        with self._lock:
            client = self._client
            if client is None:
                return
            if farewell is not None and self._up:
                sent = client.publish(farewell.path, farewell.payload, qos=farewell.qos, retain=farewell.retain)
                try:
                    sent.wait_for_publish(_FAREWELL_SECONDS)
                except (RuntimeError, ValueError):
                    log.debug("no farewell: the connection went first")
            self._close(client)

    def _open(self) -> None:
        client = ThriftyClient(self._client_id, self._protocol, self._on_arrival)
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password)
        if self._trust is not None:
            client.tls_set_context(self._trust)
        if self._will is not None:
            client.will_set(self._will.path, self._will.payload, self._will.qos, self._will.retain)
        client.max_queued_messages_set(_QUEUED_MESSAGES)
        client.max_inflight_messages_set(_INFLIGHT_MESSAGES)
        # paho doubles the delay without jitter: each service has its own ceiling, so that they do not come in step.
        client.reconnect_delay_set(1, random.randint(8, 15))  # noqa: S311 - spreading, not secrecy
        client.suppress_exceptions = True  # an exception in a callback would end paho's thread in silence
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_unsubscribe = self._on_fence
        client.on_disconnect = self._on_disconnect
        # A session that the broker kept would replay old commands: retained topics are the memory, sessions are not.
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            client.connect_async(self._address.host, self._address.port, KEEPALIVE_SECONDS, clean_start=True)
        else:
            client.connect_async(self._address.host, self._address.port, KEEPALIVE_SECONDS)
        self._refusal = None
        self._client = client
        client.loop_start()

    def _close(self, client: ThriftyClient) -> None:
        client.disconnect()
        client.loop_stop()
        client.release()
        self._client = None
        self._went_down()

    def _went_down(self) -> None:
        if self._up:
            self._up = False
            if self._listener is not None:
                self._listener.link_down()

    # in paho's thread

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._unanswered = 0
        if reason.is_failure:
            self._refused(client, str(reason))
            return
        if self._said is not None:
            log.info("%s: connected", self._address)
        self._refusal = self._said = None
        ending = soon_expired(client.socket(), SystemClock().now())
        if ending is not None:
            log.warning("%s: %s", self._address, ending)
        # After this callback paho sends again what was not acknowledged before. Only the answer to this (which
        # unsubscribes from nothing) comes behind it: a newer value that we sent earlier would be overwritten.
        client.unsubscribe(_FENCE)

    def _on_connect_fail(self, client: paho.Client, _userdata: object) -> None:
        error = sys.exception()  # paho calls us where it has caught it, and does not hand it over
        if client is self._client and isinstance(error, OSError):
            self._say(f"cannot be reached: {explain(error, self._address)}")

    def _on_fence(
        self,
        client: paho.Client,
        _userdata: object,
        _mid: int,
        _reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if client is self._client and not self._up:
            self._up = True
            if self._listener is not None:
                self._listener.link_up()

    def _on_disconnect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if client is not self._client:
            return
        if not self._up and self._refusal is None:
            self._unanswered += 1
            if self._unanswered >= _UNANSWERED_MAX and self._protocol is MQTTProtocolVersion.MQTTv311:
                self._say("hangs up without a word. Fix: if this is its TLS port, write mqtts:// in broker.url")
            elif self._unanswered >= _UNANSWERED_MAX:
                self._step_down(client, f"no answer to CONNECT, {reason}")
        # The client that has just been opened in place of this one may be up already.
        if client is self._client:
            if self._up and not self._stopped:
                log.warning("%s: the connection has ended: %s; trying on", self._address, reason)
                self._said = ""
            self._went_down()

    def _refused(self, client: paho.Client, text: str) -> None:
        if text in _UNSUPPORTED_PROTOCOL:
            self._step_down(client, text)
        else:
            fix = ". Fix: MQTT_PASSWORD and broker.username" if text in _WHO_ARE_YOU else ""
            self._say(f"refuses the connection: {text}{fix}")
        self._refusal = text

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            log.error("%s %s (said once; trying on)", self._address, text)

    def _step_down(self, client: paho.Client, cause: str) -> None:
        """Leaves this client, in whose thread we are, for one that speaks 3.1.1."""
        if self._protocol is MQTTProtocolVersion.MQTTv311 or not self._lock.acquire(blocking=False):
            return  # `stop` or `tend` is at work on this client
        try:
            if self._stopped or self._client is None or client is not self._client:
                return
            log.info("%s does not speak MQTT 5 (%s): going on with 3.1.1", self._address, cause)
            self._protocol = MQTTProtocolVersion.MQTTv311
            client.disconnect()
            client.loop_stop()  # does not wait for its own thread
            self._client.release()
            self._open()
        finally:
            self._lock.release()

    def _on_arrival(self, arrival: Arrival) -> None:
        if self._listener is not None:
            self._listener.link_arrival(arrival)


def _no_delay(_client: paho.Client, _userdata: object, opened: object) -> None:
    # Without it each QoS 1 exchange waits up to 40 ms for Nagle's algorithm and the peer's delayed acknowledgement.
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _thread_alive(client: paho.Client) -> bool:
    thread = client._thread  # noqa: SLF001 - paho has no public way to ask whether its loop still runs
    return thread is not None and thread.is_alive()
