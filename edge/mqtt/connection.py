"""One connection to an MQTT broker. The only door of paho."""

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

from edge.errors import PublishError
from edge.mqtt.address import CREDENTIAL, PREFIX, Address, why_not
from edge.system.text import one_line
from edge.system.tls import speaks_tls

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
"""For the TCP connection, for TLS and for the broker's answer, each."""
PROBE_SECONDS = 1.5
"""The same for a look whether it is there."""
ACK_SECONDS = 10.0
"""A broker that has not acknowledged a message for so long is behind a hole in the network."""
KEEPALIVE_SECONDS = 30
"""A broker that is silent for so long is asked for a sign of life, and misses us after one and a half of it."""
WINDOW = 20
"""So many messages may be on their way at once, unless the broker wants fewer."""
GOODBYE_SECONDS = 0.1
"""For the last acknowledgement, and for the DISCONNECT, each."""
V3, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
UNSUPPORTED_VERSION, BAD_LOGIN, NOT_AUTHORIZED, TAKEN_OVER, TOO_LARGE = 0x84, 0x86, 0x87, 0x8E, 0x95
"""Reason codes: MQTT 5.0, section 2.4. paho gives those for the return codes of 3.1.1 too."""
Taken = Callable[[str, bytes, bool], None]
"""Takes a message: topic, payload, whether it was retained. The network's thread calls it."""


class Connection:
    """One connection to a broker; made anew for each try. What paho's thread finds out is kept here until asked for."""

    def __init__(
        self,
        address: Address,
        client: str,
        *,
        will: tuple[str, bytes] | None = None,
        taken: Taken | None = None,
        patience_seconds: float = 0.0,
    ) -> None:
        """``client`` is our name there: a second one of it ends the first. ``will``: topic and payload, retained.

        ``patience_seconds`` 0 is CONNECT_SECONDS.
        """
        self._address = address
        self._client_id = client
        self._will = will
        self._patience = patience_seconds or CONNECT_SECONDS
        self._taken = taken
        self._changed = threading.Condition()
        self._answer: ReasonCode | None = None
        self._acks: dict[int, int] = {}
        self._loose: dict[int, float] = {}
        self._stopped = False
        self._paho: Client | None = None
        self.lost = ""
        """Why the connection ended; empty while it stands."""
        self.lost_code = 0
        """The reason code of that, where the broker gave one."""
        self.suspicion = ""
        """What to add where the connection is lost without a word."""
        self.window = WINDOW
        """So many messages may be on their way at once."""
        self.packet_bytes = 0
        """The greatest packet that the broker takes; 0: any."""
        self.version = 0
        """5 or 3, once it stands."""

    def open(self) -> None:
        """Connect and be let in; PublishError says what is wrong and what mends it."""
        address = self._address
        if address.version:
            return self._open(V5 if address.version == 5 else V3)
        try:
            return self._open(V5)
        except PublishError:
            # An old broker says that it does not know this version, or just hangs up.
            if not self._old() or self._stopped:
                raise
        return self._open(V3)

    def _old(self) -> bool:
        if self._answer is not None:
            return self._answer.value == UNSUPPORTED_VERSION
        return bool(self.lost)

    def _open(self, version: MQTTProtocolVersion) -> None:
        address = self._address
        self.close()
        self._answer, self.lost, self.lost_code = None, "", 0
        self._acks.clear()
        self._loose.clear()
        # Not by its own reconnecting: what was on its way would be sent twice, by paho and by us.
        paho = Client(
            CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=version, reconnect_on_failure=False
        )
        paho.connect_timeout = self._patience
        paho.on_connect, paho.on_disconnect = self._on_connect, self._on_disconnect
        paho.on_publish, paho.on_message, paho.on_subscribe = self._on_publish, self._on_message, self._on_subscribe
        if address.secure:
            paho.tls_set_context(address.context())
        secret = address.secret() if address.user else None
        if address.user:
            paho.username_pw_set(address.user, secret)
        if self._will:
            paho.will_set(self._will[0], self._will[1], qos=1, retain=True)
        try:
            if version == V5:
                paho.connect(address.host, address.port, KEEPALIVE_SECONDS, clean_start=True)
            else:
                paho.connect(address.host, address.port, KEEPALIVE_SECONDS)
        except (OSError, ValueError) as error:
            raise PublishError(f"{address.name}: {why_not(address, error)}") from error
        self._paho = paho
        paho.loop_start()
        self.version = 5 if version == V5 else 3
        # An old broker hangs up on version 5: that is looked into only where no other is left to try.
        if problem := self._refusal(last=version == V3 or address.version == 5):
            self.close()
            raise PublishError(f"{address.name}: {problem}")

    def _refusal(self, last: bool) -> str:
        """Wait for the broker's answer; gives why we are not in, empty where we are. ``last``: no more is tried."""
        with self._changed:
            self._changed.wait_for(lambda: self._answer or self.lost or self._stopped, self._patience)
        if self._answer is None:
            if not self.lost:
                return "does not answer; is it a broker?"
            return self._hung_up() if last and not self._stopped else self.lost
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

    def _hung_up(self) -> str:
        """Why the broker may have hung up instead of an answer."""
        address = self._address
        if self.suspicion:
            return self.lost
        if address.secure:
            return self.lost if address.cert else f"{self.lost}; it may want a certificate of ours: cert=FILE"
        if speaks_tls(address.host, address.port, PROBE_SECONDS):
            return f"{address.host}:{address.port} seems to want TLS; use mqtts:// (usual port: 8883)"
        return self.lost

    # --- for the thread that opened it

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, json: bool = True) -> int:
        """Send a message, QoS 1, and give its number for ``acknowledged``; PublishError: the connection is lost."""
        paho = self._standing()
        properties = None
        if json and self.version == 5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = "application/json"
            properties.PayloadFormatIndicator = 1
        sent = paho.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise PublishError(f"{self._address.name}: {self.lost or 'the connection to the broker was lost'}")
        return sent.mid

    def acknowledged(self, number: int) -> int:
        """Wait for a message's acknowledgement, and give its reason code (0 from brokers of MQTT 3.1.1).

        PublishError: the connection is lost, or nothing came for ACK_SECONDS.
        """
        with self._changed:
            self._changed.wait_for(lambda: number in self._acks or self.lost or self._stopped, ACK_SECONDS)
            if number in self._acks:
                return self._acks.pop(number)
        self._standing()
        raise PublishError(f"{self._address.name}: the broker has not acknowledged a message for {ACK_SECONDS:g} s")

    def tell(self, topic: str, payload: bytes, *, json: bool = True) -> None:
        """Send a retained message that nobody waits for; ``check`` does later."""
        self._loose[self.publish(topic, payload, retain=True, json=json)] = time.monotonic()

    def check(self) -> None:
        """PublishError where the connection is lost, or what was told is not acknowledged after ACK_SECONDS."""
        self._standing()
        for number in [number for number in self._loose if number in self._acks]:
            del self._loose[number], self._acks[number]
        if self._loose and time.monotonic() - min(self._loose.values()) > ACK_SECONDS:
            raise PublishError(f"{self._address.name}: the broker has not acknowledged a message for {ACK_SECONDS:g} s")

    def subscribe(self, topics: Sequence[str], qos: int = 1) -> None:
        """Ask for messages; ``taken`` gets them."""
        self._standing().subscribe([(topic, qos) for topic in topics])

    def _standing(self) -> Client:
        if self._stopped or self.lost or self._paho is None:
            raise PublishError(f"{self._address.name}: {self.lost or 'is closed'}")
        return self._paho

    def goodbye(self, topic: str, payload: bytes) -> None:
        """Send a last retained message, where that goes in a tenth of a second."""
        paho = self._paho
        if paho is None or self.lost:
            return
        number = paho.publish(topic, payload, qos=1, retain=True).mid
        with self._changed:
            self._changed.wait_for(lambda: number in self._acks or self.lost, GOODBYE_SECONDS)

    def close(self) -> None:
        """Send DISCONNECT where that goes, so that the will is not published, and give the connection back."""
        paho, self._paho = self._paho, None
        if paho is None:
            return
        if not self.lost:
            paho.disconnect()
            with self._changed:
                self._changed.wait_for(lambda: self.lost, GOODBYE_SECONDS)
        link = paho.socket()
        # What a full socket holds would keep paho's thread for ever.
        with contextlib.suppress(OSError, AttributeError):
            link.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        paho.loop_stop()
        if link:
            # A thread that is told to end may leave it open.
            link.close()

    def stop(self) -> None:
        """End every wait; any thread may call it."""
        self._stopped = True
        with self._changed:
            self._changed.notify_all()

    # --- paho's thread

    def _on_connect(self, paho: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self.window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        self.packet_bytes = getattr(properties, "MaximumPacketSize", 0)
        with self._changed:
            self._answer = reason
            self._changed.notify_all()

    def _on_disconnect(self, paho: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        told = flags.is_disconnect_packet_from_server
        line = (
            f"the broker ended the connection ({reason})"
            if told
            else f"the connection to the broker was lost{self.suspicion}"
        )
        if told and reason.value == TAKEN_OVER:
            line = f"another program has come as {self._client_id!r}; give each device a name of its own"
        with self._changed:
            # paho tells it again, when its loop has ended, without the broker's reason.
            if not self.lost:
                self.lost, self.lost_code = line, reason.value if told else 0
            self._changed.notify_all()

    def _on_publish(self, paho: Client, data: Any, number: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._acks[number] = reason.value if reason.is_failure else 0
            self._changed.notify_all()

    def _on_subscribe(self, paho: Client, data: Any, number: int, reasons: list[ReasonCode], properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            log.warning("%s: the broker lets us not subscribe: commands do not arrive", self._address.name)

    def _on_message(self, paho: Client, data: Any, message: MQTTMessage) -> None:
        try:
            if self._taken:
                self._taken(message.topic, bytes(message.payload), message.retain)
        except Exception as error:
            # Whatever a stranger sends, paho's thread goes on.
            log.warning("%s: %s: %s", self._address.name, message.topic, one_line(error, 200))


def probe(address: Address) -> str:
    """Whether the broker lets us in: gives a line that says so; PublishError says what is wrong."""
    connection = Connection(address, f"{PREFIX}-doctor-{secrets.token_hex(4)}", patience_seconds=PROBE_SECONDS)
    try:
        connection.open()
        return f"MQTT {'5' if connection.version == 5 else '3.1.1'}"
    finally:
        connection.close()
