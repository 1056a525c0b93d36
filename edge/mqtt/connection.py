"""One connection to an MQTT broker; only this module and ``client`` import paho."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import LoginError, PublishError
from edge.mqtt.address import CREDENTIAL, PREFIX, Address, connection_problem
from edge.mqtt.client import PACKET_BYTES, BoundedClient
from edge.system.seldom import Seldom
from edge.system.text import one_line, printable
from edge.system.tls import speaks_tls

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
"""Time for each of the TCP connection, TLS and the broker's answer. Chosen."""
PROBE_SECONDS = 1.5
"""The same when only trying whether a broker is there, where somebody waits for the result. Chosen."""
ACK_SECONDS = 10.0
"""Longest wait for a message's acknowledgement. Then the connection counts as lost: some network failures drop all
packets without an error. Chosen."""
KEEPALIVE_SECONDS = 30
"""MQTT keep-alive: after so long without traffic the client sends a ping. The broker publishes the last will when it
has heard nothing for one and a half times as long (MQTT 5.0, section 3.1.2.10). Chosen."""
IN_FLIGHT_MAX = 20
"""Most messages that wait for their acknowledgement at the same time, unless the broker allows fewer. Chosen."""
GOODBYE_SECONDS = 0.1
"""At the end, time for each of the last acknowledgement and the DISCONNECT. Chosen: the courier has 0.25 s for both."""
REPORT_SECONDS = 3600.0
"""Shortest time between two log lines about the same fault of a broker or its other clients, over all connections to
it. Chosen."""
V3, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
UNSUPPORTED_VERSION, BAD_LOGIN, NOT_AUTHORIZED, TAKEN_OVER, TOO_LARGE = 0x84, 0x86, 0x87, 0x8E, 0x95
"""Reason codes of MQTT 5.0, section 2.4. paho translates the return codes of 3.1.1 to them."""
OnMessage = Callable[[str, bytes, bool], None]
"""Called with each received message (topic, payload, whether it was retained), by paho's thread."""


class Connection:
    """One connection to a broker, used for one try. It keeps what paho's thread reports until somebody asks."""

    def __init__(
        self,
        address: Address,
        client: str,
        *,
        will: tuple[str, bytes] | None = None,
        on_message: OnMessage | None = None,
        timeout_seconds: float = 0.0,
        reported: Seldom | None = None,
    ) -> None:
        """``client`` is the client id: a second connection with the same id ends the first.

        ``will`` is topic and payload of the last will, which is retained. ``timeout_seconds`` 0 means CONNECT_SECONDS.
        ``reported`` is shared by the connections that are made one after another.
        """
        self._address = address
        self._client_id = client
        self._will = will
        self._timeout_seconds = timeout_seconds or CONNECT_SECONDS
        self._message_handler = on_message
        self._changed = threading.Condition()
        self._answer: ReasonCode | None = None
        self._acks: dict[int, int] = {}
        self._unwaited: dict[int, float] = {}
        self._stopped = False
        self._paho: BoundedClient | None = None
        self.lost = ""
        """Why the connection ended; empty while it is open."""
        self.lost_code = 0
        """The broker's reason code for that; 0 if it gave none."""
        self.suspicion = ""
        """What to add to ``lost`` if the broker gave no reason."""
        self.in_flight_max = IN_FLIGHT_MAX
        """Most messages that may wait for their acknowledgement at the same time."""
        self.packet_bytes = 0
        """The largest packet that the broker accepts, in bytes; 0: any."""
        self.version = 0
        """MQTT version, 5 or 3 (3.1.1); 0 before the connection is open."""
        self.cut_short = ""
        """Topic of a message that was too large and still arriving when the connection ended; empty if none was."""
        self._reported = reported or Seldom()

    def open(self) -> None:
        """Connect and log in; PublishError says what is wrong and what to do."""
        address = self._address
        if address.version:
            return self._open(V5 if address.version == 5 else V3)
        try:
            return self._open(V5)
        except PublishError:
            # An old broker answers that it does not support this version, or just closes the connection.
            if not self._rejects_version_5() or self._stopped:
                raise
        return self._open(V3)

    def _rejects_version_5(self) -> bool:
        if self._answer is not None:
            return self._answer.value == UNSUPPORTED_VERSION
        return bool(self.lost)

    def _open(self, version: MQTTProtocolVersion) -> None:
        address = self._address
        self.close()
        self._answer, self.lost, self.lost_code = None, "", 0
        self._acks.clear()
        self._unwaited.clear()
        # Without paho's own reconnecting: it would send unacknowledged messages again, and so do we.
        paho = BoundedClient(
            CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=version, reconnect_on_failure=False
        )
        paho.connect_timeout = self._timeout_seconds
        paho.on_connect, paho.on_disconnect = self._on_connect, self._on_disconnect
        paho.on_publish, paho.on_message, paho.on_subscribe = self._on_publish, self._on_message, self._on_subscribe
        paho.on_too_large = self._on_too_large
        if address.secure:
            paho.tls_set_context(address.tls_context())
        password = address.password_now() if address.user else None
        if address.user:
            paho.username_pw_set(address.user, password)
        if self._will:
            paho.will_set(self._will[0], self._will[1], qos=1, retain=True)
        try:
            if version == V5:
                limit = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                limit.MaximumPacketSize = PACKET_BYTES
                paho.connect(address.host, address.port, KEEPALIVE_SECONDS, clean_start=True, properties=limit)
            else:
                paho.connect(address.host, address.port, KEEPALIVE_SECONDS)
        except (OSError, ValueError) as error:
            raise PublishError(f"{address.name}: {connection_problem(address, error)}") from error
        self._paho = paho
        paho.loop_start()
        self.version = 5 if version == V5 else 3
        # An old broker may close the connection because of version 5: look for other causes only at the last try.
        if problem := self._await_answer(is_last_try=version == V3 or address.version == 5):
            self.close()
            refused = self._answer is not None and self._answer.value in (BAD_LOGIN, NOT_AUTHORIZED)
            raise (LoginError if refused else PublishError)(f"{address.name}: {problem}")

    def _await_answer(self, is_last_try: bool) -> str:
        """Wait for the broker's answer; returns why it refuses us, or an empty string if we are connected."""
        with self._changed:
            self._changed.wait_for(lambda: self._answer or self.lost or self._stopped, self._timeout_seconds)
        if self._answer is None:
            if not self.lost:
                return "does not answer; is it a broker?"
            return self._closed_cause() if is_last_try and not self._stopped else self.lost
        if not self._answer.is_failure:
            return self.lost
        code, user = self._answer.value, self._address.user
        if code in (BAD_LOGIN, NOT_AUTHORIZED):
            who = f"user {user!r} or its password" if user else "clients without a user"
            return (
                f"the broker refuses {who} ({self._answer}); the user is part of the URI, the password is in "
                f"password_file=FILE or systemd's credential {CREDENTIAL}"
            )
        return f"the broker refuses the connection ({self._answer})"

    def _closed_cause(self) -> str:
        """Why the broker may have closed the connection instead of answering."""
        address = self._address
        if self.suspicion:
            return self.lost
        if address.secure:
            return self.lost if address.cert else f"{self.lost}; it may require a client certificate: cert=FILE"
        if speaks_tls(address.host, address.port, PROBE_SECONDS):
            return f"{address.host}:{address.port} seems to require TLS; use mqtts:// (usual port: 8883)"
        return self.lost

    # --- only for the thread that opened it

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, json: bool = True) -> int:
        """Send a message with QoS 1; returns its number for ``wait_for_ack``. PublishError: the connection is lost."""
        paho = self._open_client()
        properties = None
        if json and self.version == 5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = "application/json"
            properties.PayloadFormatIndicator = 1
        sent = paho.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise PublishError(f"{self._address.name}: {self.lost or 'the connection to the broker was lost'}")
        return sent.mid

    def wait_for_ack(self, number: int) -> int:
        """Wait for a message's acknowledgement; returns its reason code (0 from brokers of MQTT 3.1.1).

        PublishError: the connection is lost, or nothing came for ACK_SECONDS.
        """
        with self._changed:
            self._changed.wait_for(lambda: number in self._acks or self.lost or self._stopped, ACK_SECONDS)
            if number in self._acks:
                return self._acks.pop(number)
        self._open_client()
        raise PublishError(f"{self._address.name}: the broker has not acknowledged a message for {ACK_SECONDS:g} s")

    def send_retained(self, topic: str, payload: bytes, *, json: bool = True) -> None:
        """Send a retained message without waiting for its acknowledgement; ``check`` looks for that later."""
        self._unwaited[self.publish(topic, payload, retain=True, json=json)] = time.monotonic()

    def check(self) -> None:
        """PublishError if the connection is lost, or a retained message is not acknowledged after ACK_SECONDS."""
        self._open_client()
        for number in [number for number in self._unwaited if number in self._acks]:
            del self._unwaited[number], self._acks[number]
        if self._unwaited and time.monotonic() - min(self._unwaited.values()) > ACK_SECONDS:
            raise PublishError(f"{self._address.name}: the broker has not acknowledged a message for {ACK_SECONDS:g} s")

    def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe to topics; their messages go to ``on_message``.

        With QoS 0: after a lost connection a clean session gets nothing again, whatever the QoS. With QoS 1, Mosquitto
        2.0 would count messages that are too large for us as unacknowledged, and after 20 of them send no others.
        """
        paho = self._open_client()
        if topics:
            paho.subscribe([(topic, 0) for topic in topics])

    def _open_client(self) -> Client:
        if self._stopped or self.lost or self._paho is None:
            raise PublishError(f"{self._address.name}: {self.lost or 'is closed'}")
        return self._paho

    def send_last(self, topic: str, payload: bytes) -> None:
        """Send a last retained message, and wait GOODBYE_SECONDS at most for its acknowledgement."""
        paho = self._paho
        if paho is None or self.lost:
            return
        number = paho.publish(topic, payload, qos=1, retain=True).mid
        with self._changed:
            self._changed.wait_for(lambda: number in self._acks or self.lost, GOODBYE_SECONDS)

    def close(self) -> None:
        """Send DISCONNECT if possible, so that the broker does not publish the last will, and close the connection."""
        paho, self._paho = self._paho, None
        if paho is None:
            return
        self.cut_short = paho.skipping
        if not self.lost:
            paho.disconnect()
            with self._changed:
                self._changed.wait_for(lambda: self.lost, GOODBYE_SECONDS)
        link = paho.socket()
        # Unsent data in a full socket would keep paho's thread waiting for ever.
        with contextlib.suppress(OSError, AttributeError):
            link.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        paho.loop_stop()
        if link:
            # paho's thread may leave it open when it is told to end.
            link.close()

    def stop(self) -> None:
        """End every wait; any thread may call it."""
        self._stopped = True
        with self._changed:
            self._changed.notify_all()

    # --- called by paho's thread

    def _on_connect(self, paho: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self.in_flight_max = min(IN_FLIGHT_MAX, getattr(properties, "ReceiveMaximum", IN_FLIGHT_MAX))
        self.packet_bytes = getattr(properties, "MaximumPacketSize", 0)
        with self._changed:
            self._answer = reason
            self._changed.notify_all()

    def _on_disconnect(self, paho: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        problem = (
            f"the broker ended the connection ({reason})"
            if by_broker
            else f"the connection to the broker was lost{self.suspicion}"
        )
        if by_broker and reason.value == TAKEN_OVER:
            problem = f"another program uses the same client id {self._client_id!r}; give each device its own name"
        with self._changed:
            # paho calls this again when its loop has ended, without the broker's reason.
            if not self.lost:
                self.lost, self.lost_code = problem, reason.value if by_broker else 0
            self._changed.notify_all()

    def _on_publish(self, paho: Client, data: Any, number: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._acks[number] = reason.value if reason.is_failure else 0
            self._changed.notify_all()

    def _on_subscribe(self, paho: Client, data: Any, number: int, reasons: list[ReasonCode], properties: Any) -> None:
        if any(reason.is_failure for reason in reasons) and self._reported.is_due("subscription", REPORT_SECONDS):
            log.warning(
                "%s: the broker does not let us subscribe, so commands do not arrive; see its access control list",
                self._address.name,
            )

    def _on_too_large(self, topic: str, size: int) -> None:
        # Whoever may write there may do so often.
        if self._reported.is_due("size", REPORT_SECONDS):
            log.warning(
                "%s: %s: a message of %s bytes is ignored; look who may write there",
                self._address.name,
                printable(topic)[:200],
                f"{size:,}",
            )

    def _on_message(self, paho: Client, data: Any, message: MQTTMessage) -> None:
        try:
            if self._message_handler:
                self._message_handler(message.topic, bytes(message.payload), message.retain)
        except Exception as error:
            # No message from outside may end paho's thread.
            if self._reported.is_due("message", REPORT_SECONDS):
                topic = printable(message.topic)[:200]
                log.warning("%s: %s: %s", self._address.name, topic, one_line(error, 200))


def probe(address: Address) -> str:
    """Try whether the broker lets us in; returns its MQTT version in words. PublishError says what is wrong."""
    connection = Connection(address, f"{PREFIX}-doctor-{secrets.token_hex(4)}", timeout_seconds=PROBE_SECONDS)
    try:
        connection.open()
        return f"MQTT {'5' if connection.version == 5 else '3.1.1'}"
    finally:
        connection.close()
