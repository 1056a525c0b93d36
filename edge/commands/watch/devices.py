"""Follows the devices below a topic prefix on an MQTT broker: gives each change as it comes."""

from __future__ import annotations

import contextlib
import queue
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edge import uri
from edge.errors import PublishError, SettingsError
from edge.mqtt.address import Address, Version, parse
from edge.mqtt.connection import Connection
from edge.system.backoff import Backoff
from edge.system.seldom import Seldom
from edge.system.text import parse_json
from edge.uri import File

TOPICS = ("availability", "camera", "state", "stats")
"""The retained topics of a device that are subscribed to. ``edge.publishers.mqtt`` describes them."""
INBOX_MESSAGES, INBOX_SECONDS = 100, 1.0
"""Messages that wait to be shown, and how long another one waits for a place; then it is dropped. The broker is not
listened to meanwhile. Chosen: at most 6 MB, whoever floods the broker and however slowly the output is taken."""
TICK_SECONDS = 0.2
"""How often a stop, a lost connection and the time are checked. Chosen: people notice no delay."""
MOST_DEVICES = 2_000
"""Most devices that are followed; later ones are left out. Chosen: four times as many as are tested on one broker."""
NAME_CHARACTERS, TEXT_CHARACTERS, TIME_CHARACTERS = 200, 4_000, 40
"""Most characters of a device's name (with more it is left out), of its text and of a time, which are cut off. Chosen:
with MOST_DEVICES at most 32 MB, whoever may write to the broker."""
SILENT_SECONDS = 5.0
"""If no device is known after this time, the prefix may be wrong. Chosen: retained messages come at once."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the broker has of one device; a field is None if it has nothing."""

    device: str
    text: str | None = None
    """The text that is written there now, lines joined by ``\\n``; empty if there is none."""
    confidence: float | None = None
    """Its confidence, 0 to 1."""
    since: str | None = None
    """When the text appeared, RFC 3339."""
    camera: str | None = None
    """``online`` or ``offline``."""
    availability: str | None = None
    """``online`` or ``offline``, of the program."""
    backlog: int | None = None
    """Events that were waiting to be sent, by its newest statistics."""


@dataclass(frozen=True, slots=True)
class Change:
    """The state of all devices after a message, or the problem with the connection."""

    devices: Mapping[str, Device]
    """All known devices by name."""
    device: Device | None = None
    """The device that changed; None if none did, or if one was removed."""
    problem: str = ""
    """Why there is no connection; empty if there is one."""


def address(text: str) -> Address:
    """The broker of a URI like that of the devices, with a user who may read. Raises SettingsError."""
    scheme = text.partition(":")[0]
    if scheme not in ("mqtt", "mqtts"):
        raise SettingsError("edge watch needs the URI of a broker: mqtt://[user@]host[:port]/topic-prefix, or mqtts://")
    parts = uri.split(uri.without_login(text))
    login = re.search("//.*@", text)
    what = f"{login[0]}{parts.what.removeprefix('//')}" if login else parts.what
    return parse(what, secure=scheme == "mqtts", **uri.read_options(parts, _options))


def _options(
    *, ca: File = "", cert: File = "", key: File = "", password_file: File = "", version: Version = 0
) -> None: ...


def watch(place: Address, stopping: Callable[[], bool]) -> Iterator[Change | None]:
    """Each change of a device, and None at least every TICK_SECONDS without one, until ``stopping()`` is true.

    Raises PublishError if the first connection fails. If a connection is lost later, that is given as a Change, and it
    is made again.
    """
    devices: dict[str, Device] = {}
    backoff, reported = Backoff(), Seldom()
    first = True
    while not stopping():
        inbox: queue.Queue[tuple[str, bytes, bool]] = queue.Queue(INBOX_MESSAGES)
        name = f"edge-watch-{secrets.token_hex(4)}"
        connection = Connection(
            place, name, on_message=lambda *message, inbox=inbox: _put(inbox, message), reported=reported
        )
        try:
            connection.open()
            connection.subscribe([f"{place.prefix}/+/{topic}" for topic in TOPICS])
            first = False
            backoff.reset()
            yield Change(devices)
            yield from _changes(connection, inbox, devices, place.prefix, stopping)
        except PublishError as error:
            if first:
                raise
            yield Change(devices, problem=str(error))
        finally:
            connection.close()
        until = time.monotonic() + backoff.pause()
        while not stopping() and time.monotonic() < until:
            time.sleep(TICK_SECONDS)
            yield None


def _put(inbox: queue.Queue[tuple[str, bytes, bool]], message: tuple[str, bytes, bool]) -> None:
    with contextlib.suppress(queue.Full):
        inbox.put(message, timeout=INBOX_SECONDS)


def _changes(
    connection: Connection,
    inbox: queue.Queue[tuple[str, bytes, bool]],
    devices: dict[str, Device],
    prefix: str,
    stopping: Callable[[], bool],
) -> Iterator[Change | None]:
    while not stopping():
        try:
            full_topic, payload, _ = inbox.get(timeout=TICK_SECONDS)
        except queue.Empty:
            connection.check()
            yield None
            continue
        name, _, topic = full_topic.removeprefix(f"{prefix}/").partition("/")
        before = devices.get(name)
        if before is None and (len(devices) >= MOST_DEVICES or len(name) > NAME_CHARACTERS):
            yield None
            continue
        after = updated(before or Device(name), topic, payload)
        if after is None:
            devices.pop(name, None)
            yield Change(devices)
        elif after != before:
            devices[name] = after
            yield Change(devices, after)


def updated(device: Device, topic: str, payload: bytes) -> Device | None:
    """The device after a message; unchanged if the message is not valid; None if the device was removed.

    A long text is cut off. A device is removed from a broker by an empty retained message as its availability.
    """
    if topic in ("availability", "camera"):
        if not payload and topic == "availability":
            return None
        state = payload.decode("utf-8", "replace") if len(payload) <= 16 else ""
        if state not in ("online", "offline"):
            return device
        return replace(device, camera=state) if topic == "camera" else replace(device, availability=state)
    try:
        body = parse_json(payload) if payload else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return device
    if topic == "state":
        text, sure, since = body.get("text"), body.get("confidence"), body.get("at")
        if isinstance(text, str) and _is_number(sure) and isinstance(since, str):
            return replace(device, text=text[:TEXT_CHARACTERS], confidence=sure, since=since[:TIME_CHARACTERS])
    elif topic == "stats" and isinstance(backlog := body.get("backlog"), int):
        return replace(device, backlog=backlog)
    return device


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
