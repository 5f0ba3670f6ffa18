"""paho's client with a thriftier reading side: what comes together is read, handled and acknowledged together.

paho asks the system four times for each message (command, length, body, acknowledgement), wakes itself through a
socket pair for each answer, and fills a dozen objects that nobody here looks at. That was most of what a service paid
for a message. Whatever is not a plain whole PUBLISH or PUBACK goes paho's own way.
"""

import contextlib
import logging
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.bus.buffered import BufferedSocket
from shared.bus.link import Arrival

log = logging.getLogger(__name__)

_PACKETS_AT_ONCE = 100
"""So that acknowledgements and keepalives get their turn in a flood."""
_WRITE_BYTES = 65_536
_FEW = 10
PAUSE_SECONDS = 0.002
APART_SECONDS = 0.002
"""Messages that are further apart are written by whoever publishes them; a flood is joined by the network thread."""
_KIND = 0xF0
_SUCCESS = ReasonCode(PacketTypes.PUBACK)
_NO_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call] # paho has not typed it
_ACK = struct.Struct("!BBH")
_MID = struct.Struct("!H")


class ThriftyClient(paho.Client):
    """Overrides some of paho's inner methods: its version is pinned, and the contract tests cover them."""

    def __init__(self, client_id: str, protocol: MQTTProtocolVersion, on_arrival: Callable[[Arrival], None]) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, protocol=protocol)
        self._on_arrival = on_arrival
        self._acks = bytearray()
        # Held by whoever writes, and while a connection is begun anew: a new one must not begin with an old packet.
        # Reentrant, for paho calls back while it writes a DISCONNECT.
        self._writing = threading.RLock()
        self._written_at = 0.0
        self._version_5 = protocol is MQTTProtocolVersion.MQTTv5
        self.on_message = self._unpacked

    def loop_read(self, max_packets: int = _PACKETS_AT_ONCE) -> MQTTErrorCode:
        """Handles what has come, then acknowledges it by one write."""
        self._acks.clear()  # of a connection that ended before they were sent
        taken = 0
        for _ in range(max_packets):
            if self._took_publish():
                taken += 1
            elif not self._took_acknowledgement():
                outcome = self._packet_read()
                if outcome == MQTTErrorCode.MQTT_ERR_AGAIN:
                    break
                if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return self._loop_rc_handle(outcome)
            if not self._has_pending():
                break
        outcome = self._acknowledge()
        if 0 < taken < _FEW:
            self._pause()
        return outcome

    def release(self) -> None:
        """Closes the sockets of a client that has been stopped; paho leaves that to the garbage collector."""
        self._reset_sockets()

    def _pause(self) -> None:
        # Messages that come in one by one, but fast, would each wake two threads. What we send ends the pause, so
        # that no conversation is slowed down.
        if self._sockpairR is not None:
            with contextlib.suppress(OSError, ValueError):
                select.select([self._sockpairR], [], [], PAUSE_SECONDS)

    def _took_publish(self) -> bool:
        if self._in_packet["command"] or not isinstance(self._sock, BufferedSocket):
            return False  # paho is in the middle of a packet, or reads this socket (TLS) by itself
        try:
            found = self._sock.take_publish(version_5=self._version_5)
        except OSError:
            return False  # paho meets it once more and knows what it means
        if found is None:
            return False
        self._last_bytes_received = paho.time_func()
        if found.mid:
            self._send_puback(found.mid)
        self._arrived(Arrival(found.path, found.payload, found.retained))
        return True

    def _took_acknowledgement(self) -> bool:
        if self._in_packet["command"] or not isinstance(self._sock, BufferedSocket):
            return False
        mid = self._sock.take_puback()
        if mid is None:
            return False
        self._last_bytes_received = paho.time_func()
        self._acknowledged(mid)
        return True

    def _arrived(self, arrival: Arrival) -> None:
        try:
            self._on_arrival(arrival)
        except Exception:
            # It would end the network thread in silence.
            log.exception("handling %s failed", arrival.path)

    def _unpacked(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        self._on_arrival(Arrival(message.topic, bytes(message.payload), message.retain))

    def _has_pending(self) -> bool:
        pending = getattr(self._sock, "pending", None)
        return pending is not None and pending() > 0

    def _send_puback(self, mid: int) -> MQTTErrorCode:
        self._acks += _ACK.pack(MessageType.PUBACK, 2, mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _acknowledge(self) -> MQTTErrorCode:
        if not self._acks:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        self._out_packet.append(_out_packet(bytes(self._acks)))
        return self.loop_write()

    def reconnect(self) -> MQTTErrorCode:
        """As paho does it."""
        with self._writing:
            return super().reconnect()

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: paho.MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        own = _out_packet(packet, command, mid, qos, info)
        self._out_packet.append(own)
        if self._wrote_at_once(own):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        # Who finds another's packet before his own need not wake the network thread: its sender does, or has done so,
        # and the thread takes all before it rests. A count would not do: two senders could each see the other's.
        with contextlib.suppress(BlockingIOError, IndexError):
            if self._out_packet[0] is own and self._sockpairW is not None:
                self._sockpairW.send(b"0")
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _wrote_at_once(self, own: Any) -> bool:
        """Whether the whole packet has gone out, without waking the network thread for it."""
        now = paho.time_func()
        if not _may_be_joined(own) or now - self._written_at < APART_SECONDS:
            return False
        if not self._writing.acquire(blocking=False):
            return False
        try:
            opened, self._written_at = self._sock, now
            # Other kinds of sockets (TLS) are not for two threads.
            if not isinstance(opened, BufferedSocket) or len(self._out_packet) != 1 or self._out_packet[0] is not own:
                return False
            sent = 0
            with contextlib.suppress(OSError, ValueError):  # paho meets it once more and knows what it means
                sent = opened.send(own["packet"])
            own["pos"], own["to_process"] = sent, own["to_process"] - sent
            if own["to_process"] > 0:
                return False
            self._out_packet.popleft()
        finally:
            self._writing.release()
        with self._msgtime_mutex:
            self._last_msg_out = now
        return True

    def _packet_write(self) -> MQTTErrorCode:
        with self._writing:
            # One write for all that waits: a thousand commands are a few writes, not a thousand.
            waiting, size = [], 0
            while self._out_packet and size < _WRITE_BYTES and _may_be_joined(self._out_packet[0]):
                packet = self._out_packet.popleft()
                waiting.append(packet["packet"][packet["pos"] :])
                size += packet["to_process"]
            if waiting:
                self._out_packet.appendleft(_out_packet(b"".join(waiting)))
            return super()._packet_write()

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        if cmd != "PUBACK":
            return super()._handle_pubackcomp(cmd)
        # Reason and properties are for `on_publish`, which nobody here sets: they need not be read.
        (mid,) = _MID.unpack_from(self._in_packet["packet"])
        return self._acknowledged(mid)

    def _acknowledged(self, mid: int) -> MQTTErrorCode:
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, _SUCCESS, _NO_PROPERTIES)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        # paho leaves the socket of a failed handshake to the garbage collector.
        if self._ssl_context is None:
            message = "TLS without a context"
            raise ValueError(message)
        wrapped = self._ssl_context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            wrapped.settimeout(self._connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _create_socket(self) -> Any:
        opened = super()._create_socket()
        return BufferedSocket(opened) if type(opened) is socket.socket else opened


def _out_packet(
    packet: bytes | bytearray,
    command: int = MessageType.PUBACK,
    mid: int = 0,
    qos: int = 1,
    info: paho.MQTTMessageInfo | None = None,
) -> Any:
    """Bytes that wait to be written, as paho keeps them; a PUBACK is what it does nothing more about."""
    size = len(packet)
    return {"command": command, "mid": mid, "qos": qos, "pos": 0, "to_process": size, "packet": packet, "info": info}


def _may_be_joined(packet: Any) -> bool:
    # paho does more after a DISCONNECT or a QoS 0 PUBLISH has been written.
    kind, qos = int(packet["command"]) & _KIND, int(packet["qos"])
    return kind == MessageType.PUBACK or (kind == MessageType.PUBLISH and qos > 0)
