"""The devices below a topic prefix, as their broker knows them: each change as it comes."""

from __future__ import annotations

import json
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
from edge.uri import File

LEAVES = ("availability", "camera", "state", "stats")
"""The retained topics of a device that are listened to: ``edge.publishers.mqtt`` describes them."""
PAYLOAD_BYTES = 65536
"""A larger message is none of a device's."""
TICK_SECONDS = 0.2
"""How soon a stop, a lost connection and the clock are noticed."""
SILENT_SECONDS = 5.0
"""What is retained comes at once: where nothing has after this, the prefix may be wrong."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the broker has of one device; None where it has nothing."""

    device: str
    text: str | None = None
    """What is written there now, lines joined by ``\\n``; empty where nothing is."""
    confidence: float | None = None
    """How sure that is, 0 to 1."""
    since: str | None = None
    """Since when, RFC 3339."""
    camera: str | None = None
    """``online`` or ``offline``."""
    availability: str | None = None
    """The same, of the program."""
    backlog: int | None = None
    """Events that waited to be sent when it last said so."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a message made of the devices, or that there is no connection."""

    devices: Mapping[str, Device]
    """All that are known, by name."""
    device: Device | None = None
    """The one that changed."""
    problem: str = ""
    """Why no messages come; empty where they do."""


def address(text: str) -> Address:
    """Where the broker is: the URI that the devices have, with a user who may read; SettingsError where it is none."""
    scheme = text.partition(":")[0]
    if scheme not in ("mqtt", "mqtts"):
        raise SettingsError("what is watched is a broker: mqtt://[user@]host[:port]/topic-prefix, or mqtts://")
    parts = uri.split(uri.without_login(text))
    login = re.search("//.*@", text)
    what = f"{login[0]}{parts.what.removeprefix('//')}" if login else parts.what
    return parse(what, secure=scheme == "mqtts", **uri.read_options(parts, _options))


def _options(
    *, ca: File = "", cert: File = "", key: File = "", password_file: File = "", version: Version = 0
) -> None: ...


def watch(place: Address, stopping: Callable[[], bool]) -> Iterator[Change | None]:
    """Each change of a device as it comes, and None where none came for a while; until ``stopping()``.

    The first connection has to come about, or a PublishError says why not; a later one that is lost is a Change, and is
    made again.
    """
    devices: dict[str, Device] = {}
    backoff = Backoff()
    first = True
    while not stopping():
        inbox: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        name = f"edge-watch-{secrets.token_hex(4)}"
        connection = Connection(place, name, on_message=lambda *message, inbox=inbox: inbox.put(message))
        try:
            connection.open()
            connection.subscribe([f"{place.prefix}/+/{leaf}" for leaf in LEAVES])
            first = False
            backoff.reset()
            yield Change(devices)
            yield from _hear(connection, inbox, devices, place.prefix, stopping)
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


def _hear(
    connection: Connection,
    inbox: queue.SimpleQueue[tuple[str, bytes, bool]],
    devices: dict[str, Device],
    prefix: str,
    stopping: Callable[[], bool],
) -> Iterator[Change | None]:
    while not stopping():
        try:
            topic, payload, _ = inbox.get(timeout=TICK_SECONDS)
        except queue.Empty:
            connection.check()
            yield None
            continue
        name, _, leaf = topic.removeprefix(f"{prefix}/").partition("/")
        before = devices.get(name)
        after = learnt(before or Device(name), leaf, payload)
        if after is None:
            devices.pop(name, None)
            yield Change(devices)
        elif after != before:
            devices[name] = after
            yield Change(devices, after)


def learnt(device: Device, leaf: str, payload: bytes) -> Device | None:
    """What is known of a device after a message; as before where it makes no sense. None: the device is gone.

    A device is gone when its availability is removed from the broker, by an empty retained message.
    """
    if leaf in ("availability", "camera"):
        if not payload and leaf == "availability":
            return None
        said = payload.decode("utf-8", "replace") if len(payload) <= 16 else ""
        if said not in ("online", "offline"):
            return device
        return replace(device, camera=said) if leaf == "camera" else replace(device, availability=said)
    try:
        body = json.loads(payload) if 0 < len(payload) <= PAYLOAD_BYTES else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return device
    if leaf == "state":
        text, sure, since = body.get("text"), body.get("confidence"), body.get("at")
        if isinstance(text, str) and _is_number(sure) and isinstance(since, str):
            return replace(device, text=text, confidence=sure, since=since)
    elif leaf == "stats" and isinstance(backlog := body.get("backlog"), int):
        return replace(device, backlog=backlog)
    return device


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
