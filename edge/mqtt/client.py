"""paho's client, which holds no large packet in memory: it skips messages that are too large."""

from __future__ import annotations

from collections.abc import Callable

from paho.mqtt.client import Client, MQTTMessage

PACKET_BYTES = 65_536
"""Largest packet that is taken from a broker, in bytes. MQTT allows 256 MB (3.1.1, section 2.2.3), and paho keeps all
of it in memory. Chosen: no command has more than 64 bytes, no state or statistics of a device more than 10 kB."""
_PIECE_BYTES = 16_384
"""How much of a packet that is too large is read at once. Chosen."""
UNSENT_PACKETS = 1_000
"""Most packets that wait to be sent. Chosen: about a hundred may wait for an honest broker that is slow."""
_PUBLISH, _QOS_2 = 0x30, 0x04
"""Type and quality of service in the first byte of a packet: MQTT 3.1.1, sections 2.2 and 3.3.1."""


class BoundedClient(Client):
    """A client that reads and drops the rest of a message that is larger than PACKET_BYTES.

    It also ends the connection if another packet is that large, or if a message has QoS 2: nobody asked for one, and
    paho would keep it until the broker releases it. So it does if the broker makes it answer without reading the
    answers, which paho would keep too.

    A broker of MQTT 5 sends nothing that large if CONNECT says so. With 3.1.1 only the length in a packet's header
    tells. paho reads it into ``_in_packet`` and calls ``_sock_recv`` for the rest; there it can be checked.
    """

    on_too_large: Callable[[str, int], None] = staticmethod(lambda topic, size: None)
    """Called with topic and size in bytes of each message that was skipped, by paho's thread."""

    @property
    def skipping(self) -> str:
        """Topic of the message that is too large and still arriving; empty if there is none."""
        return self._topic() if self._is_too_large() and self._in_packet["to_process"] else ""

    def _is_too_large(self) -> bool:
        packet = self._in_packet
        return bool(packet["have_remaining"]) and packet["remaining_length"] > PACKET_BYTES

    def _topic(self) -> str:
        # A PUBLISH begins with the length of the topic, and the topic: MQTT 3.1.1, section 3.3.2.
        head = self._in_packet["packet"]
        return head[2 : 2 + int.from_bytes(head[:2], "big")].decode("utf-8", "replace")

    def _sock_recv(self, bufsize: int) -> bytes:
        if len(self._out_packet) > UNSENT_PACKETS:
            raise ConnectionAbortedError("the broker reads nothing")
        packet = self._in_packet
        if packet["have_remaining"] and packet["command"] & (0xF0 | _QOS_2) == _PUBLISH | _QOS_2:
            raise ConnectionAbortedError("the broker sends a message with QoS 2")
        if not self._is_too_large():
            return super()._sock_recv(bufsize)
        if packet["command"] & 0xF0 != _PUBLISH:
            raise ConnectionAbortedError("the broker sends a packet that is too large")
        # What came of it shows that the broker is alive; its answer to our ping comes only after it.
        self._ping_t = 0.0
        # Its beginning is all that paho needs of it: the topic, and with QoS 1 the number to acknowledge.
        del packet["packet"][PACKET_BYTES:]
        return super()._sock_recv(min(bufsize, _PIECE_BYTES))

    def _handle_on_message(self, message: MQTTMessage) -> None:
        if self._is_too_large():
            self.on_too_large(self._topic(), self._in_packet["remaining_length"])
        elif self._is_utf8(message):
            super()._handle_on_message(message)

    def _is_utf8(self, message: MQTTMessage) -> bool:
        # Other topics are against MQTT 3.1.1, section 1.5.3, and nothing that was subscribed to.
        try:
            return bool(message.topic)
        except UnicodeDecodeError:
            return False
