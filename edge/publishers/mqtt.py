"""MQTT, ``mqtt://[user@]host[:port]/prefix``: sends events and state to a broker, and receives commands from it.

Topics below ``prefix/DEVICE/``:

===================== ======== ==================================================================================
``event``                      each event (``schema/event.json`` with device, boot_id and seq), at least once, in order
``state``             retained the newest event: what is written there now
``notice``                     each notice (``schema/notice.json`` with device, boot_id and seq), in order
``availability``      retained whether this program runs: ``online`` or ``offline`` (also sent by the last will)
``camera``            retained whether its camera gives frames: ``online`` or ``offline``
``camera/attributes`` retained the newest notice of the camera
``stats``             retained statistics, once a minute (``schema/stats.json``)
``reading``                    the answer to ``set/read`` (``schema/reading.json`` with device)
``paused``            retained ``ON`` or ``OFF``
``threshold``         retained 0 to 1
``image``             retained a JPEG of what was last read
``set/read``                   command, any payload: read now
``set/pause``                  command: ``ON`` or ``OFF``; empty: ``OFF``
``set/threshold``              command: 0 to 1, another ``min_confidence``; empty: that of the settings
===================== ======== ==================================================================================

A pause or threshold lasts until the program ends. Retained commands are ignored: nobody knows how old they are.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from edge.controls import Program
from edge.errors import PublishError
from edge.mqtt import address
from edge.mqtt.connection import TOO_LARGE, Connection, probe
from edge.publishers import home_assistant
from edge.publishers.courier import Channel, Entry
from edge.system.seldom import Seldom
from edge.system.text import parse_json
from edge.system.version import __version__
from edge.types import SCHEMA, timestamp
from edge.uri import File, OptionType

log = logging.getLogger(__name__)

STATS_SECONDS = 60.0
"""Time between two sendings of the statistics."""
IMAGE_SECONDS = 2.0
"""Shortest time between two pictures. Chosen: a current picture against network traffic."""
COMMAND_MAX_BYTES = 64
"""Bytes of a command's payload that are looked at; no valid command is longer."""
TAKEOVER_SECONDS = 10.0
"""A connection that is lost sooner than this may have been taken over by another client with the same id. Chosen."""
TAKEOVER_COUNT = 3
"""Connections in a row that must be lost within TAKEOVER_SECONDS before the error message names that cause. Chosen."""
BIRTH_SECONDS = 3.0
"""Longest delay, at random, before the answer to Home Assistant's birth message: a hundred devices must not all answer
at once. Chosen."""
ONLINE, OFFLINE = b"online", b"offline"
FLOOD_SECONDS = 3600.0
"""How long a topic is left out after a message there that was too large broke the connection. If it is retained, it
comes again with each subscription. Chosen: at most one such break an hour."""
COMPLAINT_SECONDS = 60.0
"""Shortest time between two log lines about wrong commands on one topic. Chosen: whoever tries one out sees a line."""
OVERHEAD_BYTES = 64
"""Most bytes of a packet besides topic and payload: header and properties."""
MESSAGE_FAULT_CODES = {0x90, 0x95, 0x99}
"""MQTT 5.0 reason codes (section 2.4) that blame the message: topic name invalid, packet too large, payload format
invalid. Another try cannot help."""
TEMPORARY_CODES = {0x80, 0x83, 0x97}
"""MQTT 5.0 reason codes (section 2.4) after which another try may help: unspecified error, implementation specific
error, quota exceeded."""
REFUSALS_MAX = 10
"""Refusals with one of TEMPORARY_CODES after which a message is dropped, so that it does not block the others."""


def _parse_discovery(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_/-]+", text):
        raise ValueError(text)
    return "" if text == "off" else text


Discovery = Annotated[str, OptionType("off, or Home Assistant's discovery prefix", _parse_discovery)]


class InFlight(NamedTuple):
    """One entry that was sent and is not acknowledged yet."""

    key: tuple[str, int]
    """Its ``boot_id`` and ``seq``."""
    numbers: tuple[int, ...]
    """The packet numbers of its messages."""
    refusal: str
    """Why it was not sent at all; empty if it was."""


class Mqtt(Channel):
    """The channel to one broker. Commands go to the program's ``controls``."""

    secure = False

    def __init__(
        self,
        what: str,
        program: Program,
        *,
        ca: File = "",
        cert: File = "",
        key: File = "",
        password_file: File = "",
        version: address.Version = 0,
        home_assistant: Discovery = "homeassistant",
    ) -> None:
        self._address = address.parse(
            what, secure=self.secure, ca=ca, cert=cert, key=key, password_file=password_file, version=version
        )
        address.check_device(program.device, self._address.name)
        self.name = self._address.name
        self._program = program
        self._discovery = home_assistant
        self._base = f"{self._address.prefix}/{program.device}/"
        self._connection: Connection | None = None
        self._reported = Seldom()
        self._attributes: str | None = None
        self._last_sent: dict[str, bytes] = {}
        self._answer_number = program.controls.last_answer()[0]
        self._image_number = 0
        self._image_sent_at = self._stats_sent_at = float("-inf")
        self._announce_at = float("inf")
        self._discovery_removed = False
        self._connected_at = 0.0
        self._takeovers = 0
        self._one_at_a_time = False
        self._too_large: set[tuple[str, int]] = set()
        self._refusals: dict[tuple[str, int], int] = {}
        self._flooded: dict[str, float] = {}
        """Topics that are left out -> until when, by the monotonic clock."""

    def connect(self) -> None:
        """Connect and subscribe, and send all retained messages again, because the broker may have lost them."""
        program = self._program
        client = f"{address.PREFIX}-{program.device}-{self._address.prefix}"
        will = (self._base + "availability", OFFLINE)
        connection = self._connection = Connection(
            self._address, client, will=will, on_message=self._on_message, reported=self._reported
        )
        if self._takeovers >= TAKEOVER_COUNT:
            connection.suspicion = f" again; does another program use the same client id, {client}?"
        connection.open()
        self._connected_at = time.monotonic()
        self._last_sent.clear()
        self._image_number, self._image_sent_at, self._stats_sent_at = 0, float("-inf"), float("-inf")
        self._answer_number = program.controls.last_answer()[0]
        connection.subscribe([topic for topic in self._topics() if topic not in self._flooded])
        self._announce()
        if newest := program.newest_event():
            connection.send_retained(self._base + "state", newest.encode())
        if self._attributes is not None:
            connection.send_retained(self._base + "camera/attributes", self._attributes.encode())
        self.tend()

    def _topics(self) -> list[str]:
        """What it subscribes to; also ``availability``: the last will of an earlier connection may arrive late."""
        own = [self._base + leaf for leaf in ("set/read", "set/pause", "set/threshold", "availability")]
        return own + ([f"{self._discovery}/status"] if self._discovery else [])

    def check(self) -> None:
        """PublishError if a file of the address (password, certificates) cannot be used."""
        self._address.check()

    def probe(self) -> str:
        """Try whether the broker lets us in, with another client id, so that a running service stays connected."""
        return probe(self._address)

    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Send as many at once as the broker allows, and yield their results in order."""
        connection = self._open()
        in_flight: deque[InFlight] = deque()
        try:
            topics = [_topics_of(entry) for entry in entries]
            newest = {retained: entry for entry, (_, retained) in zip(entries, topics, strict=True)}
            for entry, (leaf, retained) in zip(entries, topics, strict=True):
                while len(in_flight) >= (1 if self._one_at_a_time else connection.in_flight_max):
                    yield self._await_oldest(in_flight)
                # Only the newest entry of this batch is also sent retained.
                in_flight.append(self._send(entry, leaf, retained if newest[retained] is entry else ""))
            while in_flight:
                yield self._await_oldest(in_flight)
        except PublishError:
            if connection.lost_code == TOO_LARGE and in_flight:
                # It is known which one was too large only if it was sent alone: next time send one at a time.
                if self._one_at_a_time:
                    self._too_large.add(in_flight[0].key)
                self._one_at_a_time = True
            raise

    def _send(self, entry: Entry, leaf: str, retained: str) -> InFlight:
        key, payload = (entry.boot_id, entry.seq), entry.text.encode()
        if not leaf:
            return InFlight(key, (), "damaged in the events database")
        limit = self._open().packet_bytes
        if key in self._too_large or (limit and len(payload) + len(self._base) + OVERHEAD_BYTES > limit):
            return InFlight(key, (), f"too large for the broker ({len(payload):,} bytes)")
        numbers = [self._open().publish(self._base + leaf, payload)]
        if retained:
            if retained == "state":
                # While a backlog is sent, the state is still the newest event of all.
                payload = (self._program.newest_event() or entry.text).encode()
            else:
                self._attributes = entry.text
            numbers.append(self._open().publish(self._base + retained, payload, retain=True))
        return InFlight(key, tuple(numbers), "")

    def _await_oldest(self, in_flight: deque[InFlight]) -> str:
        """Wait until the broker has acknowledged the oldest; returns why it never will, or an empty string."""
        key, numbers, refusal = in_flight[0]
        codes = {self._open().wait_for_ack(number) for number in numbers} - {0}
        if codes & MESSAGE_FAULT_CODES:
            refusal = f"refused by the broker (reason code 0x{min(codes & MESSAGE_FAULT_CODES):02x})"
        elif codes & TEMPORARY_CODES:
            self._refusals[key] = self._refusals.get(key, 0) + 1
            refusal = f"refused by the broker {REFUSALS_MAX} times (reason code 0x{min(codes):02x})"
            if self._refusals[key] < REFUSALS_MAX:
                raise PublishError(f"{self.name}: the broker accepts no more now (reason code 0x{min(codes):02x})")
        elif codes:
            # Most likely our user lacks rights. Keep the entries until somebody fixes that.
            raise PublishError(
                f"{self.name}: the broker does not let us write to {self._base}# (reason code 0x{min(codes):02x}); "
                "see its access control list"
            )
        in_flight.popleft()
        self._refusals.pop(key, None)
        self._too_large.discard(key)
        return refusal

    def tend(self) -> None:
        """Send what has changed: camera state, answers to commands, picture, statistics."""
        connection, program, now = self._open(), self._program, time.monotonic()
        connection.check()
        if now >= self._announce_at:
            self._announce()
        for topic in [topic for topic, until in self._flooded.items() if now >= until]:
            del self._flooded[topic]
            connection.subscribe([topic])
        controls = program.controls
        self._send_if_changed("availability", ONLINE)
        self._send_if_changed("camera", ONLINE if program.camera_state() == "running" else OFFLINE)
        self._send_if_changed("paused", b"ON" if controls.paused else b"OFF")
        self._send_if_changed("threshold", f"{controls.threshold:g}".encode())
        answers, reading = controls.last_answer()
        if answers != self._answer_number and reading is not None:
            self._answer_number = answers
            body = reading.as_dict() | {"device": program.device}
            connection.wait_for_ack(connection.publish(self._base + "reading", _json(body)))
        if (
            now - self._image_sent_at >= IMAGE_SECONDS
            and (picture := program.last_picture())
            and picture[0] != self._image_number
        ):
            self._image_number, self._image_sent_at = picture[0], now
            connection.send_retained(self._base + "image", picture[1], json=False)
        if now - self._stats_sent_at >= STATS_SECONDS:
            self._stats_sent_at = now
            connection.send_retained(self._base + "stats", _json(self._stats()))

    def _stats(self) -> dict[str, Any]:
        delivery = self.delivery()
        return {
            "schema": SCHEMA,
            "device": self._program.device,
            "at": timestamp(datetime.now(UTC)),
            "version": __version__,
            **self._program.stats(),
            "backlog": delivery.backlog,
            "oldest_seconds": round(delivery.oldest_seconds, 3),
            "lost": delivery.dropped,
            "sent": delivery.sent,
            "refused": delivery.refused,
            "failures": delivery.failures,
        }

    def _send_if_changed(self, leaf: str, payload: bytes) -> None:
        if self._last_sent.get(leaf) != payload:
            self._open().send_retained(self._base + leaf, payload, json=False)
            self._last_sent[leaf] = payload

    def _announce(self) -> None:
        """Send Home Assistant's discovery message; with ``home_assistant=off`` remove an earlier one, once."""
        self._announce_at = float("inf")
        if self._discovery:
            topic = home_assistant.topic(self._discovery, self._program.device)
            body = home_assistant.discovery(self._program.device, self._base)
            self._open().send_retained(topic, _json(body))
        elif not self._discovery_removed:
            self._discovery_removed = True
            topic = home_assistant.topic("homeassistant", self._program.device)
            self._open().send_retained(topic, b"", json=False)

    def _open(self) -> Connection:
        if self._connection is None:
            raise PublishError(f"{self.name}: is closed")
        return self._connection

    def close(self) -> None:
        """Send ``offline`` if possible, and disconnect."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        brief = self._connected_at and time.monotonic() - self._connected_at < TAKEOVER_SECONDS
        self._takeovers = self._takeovers + 1 if brief and connection.lost else 0
        self._connected_at = 0.0
        connection.send_last(self._base + "availability", OFFLINE)
        connection.close()
        if (topic := connection.cut_short) in self._topics():
            self._flooded[topic] = time.monotonic() + FLOOD_SECONDS
            log.warning("%s: %s: ignored for an hour; a message there is too large to wait for", self.name, topic)

    def stop(self) -> None:
        """End a wait for the broker."""
        if connection := self._connection:
            connection.stop()

    # --- called by paho's thread

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._base + "availability":
            if payload == OFFLINE and not retained:
                # It is wrong, because we are online: the next ``tend`` sends that again.
                self._last_sent.pop("availability", None)
        elif self._discovery and topic == f"{self._discovery}/status":
            if payload == ONLINE and not retained:
                self._announce_at = time.monotonic() + random.uniform(0, BIRTH_SECONDS)
        elif not retained:
            self._command(topic.removeprefix(self._base), payload)

    def _command(self, leaf: str, payload: bytes) -> None:
        controls = self._program.controls
        text = payload[:COMMAND_MAX_BYTES].decode("utf-8", "replace")
        try:
            if leaf == "set/read":
                controls.request_reading()
            elif leaf == "set/pause":
                # A retained message is removed by an empty one.
                controls.pause({"ON": True, "OFF": False, "": False}[text])
            elif leaf == "set/threshold":
                controls.set_threshold(float(text) if text else None)
        except (KeyError, ValueError):
            if not self._reported.is_due(leaf, COMPLAINT_SECONDS):
                return
            wanted = "ON or OFF" if leaf == "set/pause" else "a number from 0 to 1"
            log.warning("%s: %s%s must be %s, not %r", self.name, self._base, leaf, wanted, text)


class Mqtts(Mqtt):
    """The same with TLS."""

    secure = True


def _topics_of(entry: Entry) -> tuple[str, str]:
    """The topic of an entry, empty if it is damaged; and where the newest of its kind is retained, or none."""
    try:
        body = parse_json(entry.text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return "", ""
    if "event" in body:
        return "event", "state"
    return "notice", "camera/attributes" if body.get("notice") == "camera" else ""


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
