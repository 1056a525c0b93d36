"""``mqtt://[user@]host[:port]/prefix``: what the device has to say, to an MQTT broker; and what it is told from there.

Below ``prefix/DEVICE/``:

===================== ======== ==================================================================================
``event``                      each event (``schema/event.json`` with device, boot_id and seq), at least once, in order
``state``             retained the newest event: what is written there now
``notice``                     each notice (``schema/notice.json`` with the same)
``availability``      retained ``online``, or ``offline`` (by the last will, too): of this program
``camera``            retained the same of its camera
``camera/attributes`` retained the newest notice of the camera
``stats``             retained how the program gets on, once a minute (``schema/stats.json``)
``reading``                    the answer to ``set/read`` (``schema/reading.json`` with device)
``paused``            retained ``ON`` or ``OFF``
``threshold``         retained 0 to 1
``image``             retained a JPEG of what was last read
``set/read``                   any payload: read now
``set/pause``         as given ``ON`` or ``OFF``; empty: ``OFF``
``set/threshold``     as given 0 to 1: another ``min_confidence``; empty: that of the settings
===================== ======== ==================================================================================

A pause or threshold lasts until the program ends. Whoever wants it to outlast that sends it retained: then it comes,
and holds, again with each connection, until an empty one removes it from the broker.
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
from edge.errors import PublishError, SettingsError
from edge.mqtt import address
from edge.mqtt.connection import TOO_LARGE, Connection, probe
from edge.publishers import home_assistant
from edge.publishers.courier import Channel, Entry
from edge.system.version import __version__
from edge.types import SCHEMA, timestamp
from edge.uri import File, Takes

log = logging.getLogger(__name__)

STATS_SECONDS = 60.0
"""How often the statistics are sent."""
PICTURE_SECONDS = 2.0
"""A picture is sent this often at most."""
COMMAND_BYTES = 64
"""A longer payload is no command."""
SHORT_SECONDS, SHORT_TIMES = 10.0, 3
"""Connections that are lost so soon, so many times in a row, are taken away by another one of the same name."""
BIRTH_SECONDS = 3.0
"""Home Assistant's birth is answered within this, at random: a hundred devices shall not speak at once."""
ONLINE, OFFLINE = b"online", b"offline"
LASTING = {"set/pause", "set/threshold"}
"""Commands that may be retained; ``set/read`` would ask again at each connection."""
OVERHEAD_BYTES = 64
"""What a packet has beside topic and payload, at most: header, properties."""
ITSELF = {0x90, 0x95, 0x99}
"""Reason codes that are a message's own fault: topic name, packet too large, payload format (MQTT 5.0, section 2.4)."""
FOR_NOW = {0x80, 0x83, 0x97}
"""Those that may pass: unspecified, implementation specific, quota exceeded."""
TRIES = 10
"""A message that was refused so often for now is dropped, so that the others get through."""


def _off_or_word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_/-]+", text):
        raise ValueError(text)
    return "" if text == "off" else text


Discovery = Annotated[str, Takes("off, or Home Assistant's discovery prefix", _off_or_word)]


class Sent(NamedTuple):
    """One entry on its way."""

    key: tuple[str, int]
    numbers: tuple[int, ...]
    """Of its messages."""
    refusal: str
    """Why it was not sent at all."""


class Mqtt(Channel):
    """The channel to one broker. Commands are left in the program's ``controls``."""

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
        if re.search(r"[+#/\0\s]", program.device) or not program.device:
            raise SettingsError(f"{self._address.name}: a device's name has no +, #, / or blank: {program.device!r}")
        self.name = self._address.name
        self._program = program
        self._discovery = home_assistant
        self._base = f"{self._address.prefix}/{program.device}/"
        self._connection: Connection | None = None
        self._attributes: str | None = None
        self._told: dict[str, bytes] = {}
        self._answers = program.controls.last_answer()[0]
        self._picture = 0
        self._pictured = self._statted = float("-inf")
        self._announce_at = float("inf")
        self._disowned = False
        self._began = 0.0
        self._short = 0
        self._narrow = False
        self._too_large: set[tuple[str, int]] = set()
        self._refusals: dict[tuple[str, int], int] = {}

    def connect(self) -> None:
        """Be let in, and say all that is retained anew: the broker may have forgotten it."""
        program = self._program
        client = f"{address.PREFIX}-{program.device}-{self._address.prefix}"
        will = (self._base + "availability", OFFLINE)
        connection = self._connection = Connection(self._address, client, will=will, taken=self._taken)
        if self._short >= SHORT_TIMES:
            connection.suspicion = f" again; has another program the same name there, {client}?"
        connection.open()
        self._began = time.monotonic()
        self._told.clear()
        self._picture, self._pictured, self._statted = 0, float("-inf"), float("-inf")
        self._answers = program.controls.last_answer()[0]
        # Our own availability, too: the will of a connection that the broker thought alive may come late.
        own = [self._base + leaf for leaf in ("set/read", "set/pause", "set/threshold", "availability")]
        connection.subscribe(own + ([f"{self._discovery}/status"] if self._discovery else []))
        self._announce()
        if newest := program.newest_event():
            connection.tell(self._base + "state", newest.encode())
        if self._attributes is not None:
            connection.tell(self._base + "camera/attributes", self._attributes.encode())
        self.tend()

    def check(self) -> None:
        """The files of the address are there, and what they should be."""
        self._address.check()

    def probe(self) -> str:
        """Whether the broker lets us in, asked under another name: a running service shall not be thrown out."""
        return probe(self._address)

    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Keep as many on their way as the broker wants, and settle them in order."""
        connection = self._open()
        flight: deque[Sent] = deque()
        try:
            topics = [_topics(entry) for entry in entries]
            newest = {retained: entry for entry, (_, retained) in zip(entries, topics, strict=True)}
            for entry, (leaf, retained) in zip(entries, topics, strict=True):
                while len(flight) >= (1 if self._narrow else connection.window):
                    yield self._settled(flight)
                # Of those on their way together only the newest is retained.
                flight.append(self._send(entry, leaf, retained if newest[retained] is entry else ""))
            while flight:
                yield self._settled(flight)
        except PublishError:
            if connection.lost_code == TOO_LARGE and flight:
                # Which one it was is known only where one was on its way alone.
                if self._narrow:
                    self._too_large.add(flight[0].key)
                self._narrow = True
            raise

    def _send(self, entry: Entry, leaf: str, retained: str) -> Sent:
        key, payload = (entry.boot_id, entry.seq), entry.text.encode()
        most = self._open().packet_bytes
        if key in self._too_large or (most and len(payload) + len(self._base) + OVERHEAD_BYTES > most):
            return Sent(key, (), f"too large for the broker ({len(payload):,} bytes)")
        numbers = [self._open().publish(self._base + leaf, payload)]
        if retained:
            if retained == "state":
                # While old ones are caught up with, what is written there now is the newest still.
                payload = (self._program.newest_event() or entry.text).encode()
            else:
                self._attributes = entry.text
            numbers.append(self._open().publish(self._base + retained, payload, retain=True))
        return Sent(key, tuple(numbers), "")

    def _settled(self, flight: deque[Sent]) -> str:
        """Wait until the broker has the oldest; gives why it will not."""
        key, numbers, refusal = flight[0]
        codes = {self._open().acknowledged(number) for number in numbers} - {0}
        if codes & ITSELF:
            refusal = f"refused by the broker (reason code 0x{min(codes & ITSELF):02x})"
        elif codes & FOR_NOW:
            self._refusals[key] = self._refusals.get(key, 0) + 1
            refusal = f"refused by the broker {TRIES} times (reason code 0x{min(codes):02x})"
            if self._refusals[key] < TRIES:
                raise PublishError(f"{self.name}: the broker takes no more now (reason code 0x{min(codes):02x})")
        elif codes:
            # The rights of our user, most likely: what is waiting shall not be lost over that.
            raise PublishError(
                f"{self.name}: the broker lets us not write to {self._base}# (reason code 0x{min(codes):02x}); "
                "see its access control list"
            )
        flight.popleft()
        self._refusals.pop(key, None)
        self._too_large.discard(key)
        return refusal

    def tend(self) -> None:
        """Camera, answers to commands, picture, statistics: what has changed since it was last said."""
        connection, program, now = self._open(), self._program, time.monotonic()
        connection.check()
        if now >= self._announce_at:
            self._announce()
        controls = program.controls
        self._tell("availability", ONLINE)
        self._tell("camera", ONLINE if program.camera_state() == "running" else OFFLINE)
        self._tell("paused", b"ON" if controls.paused else b"OFF")
        self._tell("threshold", f"{controls.threshold:g}".encode())
        answers, reading = controls.last_answer()
        if answers != self._answers and reading is not None:
            self._answers = answers
            body = reading.as_dict() | {"device": program.device}
            connection.acknowledged(connection.publish(self._base + "reading", _json(body)))
        if (
            now - self._pictured >= PICTURE_SECONDS
            and (picture := program.last_picture())
            and picture[0] != self._picture
        ):
            self._picture, self._pictured = picture[0], now
            connection.tell(self._base + "image", picture[1], json=False)
        if now - self._statted >= STATS_SECONDS:
            self._statted = now
            connection.tell(self._base + "stats", _json(self._stats()))

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

    def _tell(self, leaf: str, payload: bytes) -> None:
        if self._told.get(leaf) != payload:
            self._open().tell(self._base + leaf, payload, json=False)
            self._told[leaf] = payload

    def _announce(self) -> None:
        """Tell Home Assistant what there is; where it shall not know, take back what it was told before, once."""
        self._announce_at = float("inf")
        if self._discovery:
            topic = home_assistant.topic(self._discovery, self._program.device)
            body = home_assistant.discovery(self._program.device, self._base)
            self._open().tell(topic, _json(body))
        elif not self._disowned:
            self._disowned = True
            topic = home_assistant.topic("homeassistant", self._program.device)
            self._open().tell(topic, b"", json=False)

    def _open(self) -> Connection:
        if self._connection is None:
            raise PublishError(f"{self.name}: is closed")
        return self._connection

    def close(self) -> None:
        """Say ``offline`` where that goes, and disconnect."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        brief = self._began and time.monotonic() - self._began < SHORT_SECONDS
        self._short = self._short + 1 if brief and connection.lost else 0
        self._began = 0.0
        connection.goodbye(self._base + "availability", OFFLINE)
        connection.close()

    def stop(self) -> None:
        """End a wait for the broker."""
        if connection := self._connection:
            connection.stop()

    # --- paho's thread

    def _taken(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._base + "availability":
            if payload == OFFLINE and not retained:
                # The next ``tend`` says that it is not so.
                self._told.pop("availability", None)
        elif self._discovery and topic == f"{self._discovery}/status":
            if payload == ONLINE and not retained:
                self._announce_at = time.monotonic() + random.uniform(0, BIRTH_SECONDS)
        elif not retained or topic.removeprefix(self._base) in LASTING:
            self._command(topic.removeprefix(self._base), payload)

    def _command(self, leaf: str, payload: bytes) -> None:
        controls = self._program.controls
        text = payload[:COMMAND_BYTES].decode("utf-8", "replace")
        try:
            if leaf == "set/read":
                controls.request_reading()
            elif leaf == "set/pause":
                # Empty is how a retained message is removed.
                controls.pause({"ON": True, "OFF": False, "": False}[text])
            elif leaf == "set/threshold":
                controls.set_threshold(float(text) if text else None)
        except (KeyError, ValueError):
            takes = "ON or OFF" if leaf == "set/pause" else "a number from 0 to 1"
            log.warning("%s: %s%s is %s, not %r", self.name, self._base, leaf, takes, text)


class Mqtts(Mqtt):
    """The same by TLS."""

    secure = True


def _topics(entry: Entry) -> tuple[str, str]:
    """Where an entry goes, and where the newest of its kind is retained; empty: nowhere."""
    body: dict[str, Any] = json.loads(entry.text)
    if "event" in body:
        return "event", "state"
    return "notice", "camera/attributes" if body.get("notice") == "camera" else ""


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
