"""Waits until the service that was just started reads, and until its broker has the first event; or says why not."""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.commands.doctor import output, report
from edge.commands.doctor.machine import Machine
from edge.commands.setup import cameras
from edge.commands.setup.dialogue import Dialogue
from edge.commands.setup.service import Service
from edge.errors import PublishError
from edge.mqtt.address import PREFIX, Address
from edge.mqtt.connection import Connection
from edge.running.systemd import STATUS
from edge.system.text import parse_json, printable

READING_SECONDS = 120.0
"""Longest wait for the first frame. Chosen: on a Pi Zero a start takes a quarter of it."""
EVENT_SECONDS = 60.0
"""Longest wait for the first event once frames are read: somebody may have to fetch a page. Chosen."""
LOOK_SECONDS = 0.5
"""Time between two looks. Chosen."""
TAKEN = "taken"
"""Stands for a topic where a device of this name was online before this one was started."""
MOST_HEARD = 100
"""Most messages that wait to be looked at. Chosen: an honest broker sends a few."""

Heard = queue.SimpleQueue[tuple[str, bytes]]
"""What came from the broker: the last part of the topic, and the payload."""


@contextmanager
def listening(address: Address | None, device: str) -> Iterator[Heard | None]:
    """Listen at the broker for what this device sends from now on; None without a broker, or if it does not answer."""
    if address is None:
        yield None
        return
    heard: Heard = queue.SimpleQueue()
    base = f"{address.prefix}/{device}/"

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        leaf = topic.removeprefix(base)
        # What is retained is from earlier; the device sends it again when it connects. It says offline when it ends.
        if retained and (leaf, payload) == ("availability", b"online"):
            heard.put((TAKEN, payload))
        elif not retained and heard.qsize() < MOST_HEARD:
            heard.put((leaf, payload))

    connection = Connection(address, f"{PREFIX}-setup-{secrets.token_hex(4)}", on_message=hear)
    try:
        connection.open()
        connection.subscribe([base + leaf for leaf in ("availability", "state", "event")])
    except PublishError:
        connection.close()
        yield None
        return
    try:
        yield heard
    finally:
        connection.close()


def wait(dialogue: Dialogue, machine: Machine, service: Service, heard: Heard | None, *, to_broker: bool) -> bool:
    """Wait for the first frame, and with a broker for the first event there; say what came. False if something failed.

    ``to_broker``: whether a broker was chosen, so that silence is worth an explanation. Ctrl-C ends the wait.
    """
    try:
        return _wait(dialogue, machine, service, heard, to_broker=to_broker)
    except KeyboardInterrupt:
        dialogue.say("\nThe service goes on.")
        return True


def _wait(dialogue: Dialogue, machine: Machine, service: Service, heard: Heard | None, *, to_broker: bool) -> bool:
    since = time.time()
    status = _until_reading(service)
    if status != STATUS["running"]:
        dialogue.say(f"The service gives no reading yet: {status or service.show('ActiveState') or 'unknown'}.")
        cameras.explain(dialogue, machine)
        service.explain(dialogue, since - READING_SECONDS)
        return False
    dialogue.part("service", "reads the camera, now and after every start of this machine")
    if not to_broker:
        return True
    online, text = _first_text(dialogue, heard) if heard else (False, None)
    if text is not None:
        dialogue.part("broker", f"has the first event: {printable(text) or 'nothing is written there'}")
        return True
    if online:
        dialogue.part("broker", "hears this device. Its first event comes when digits are in view")
        return True
    dialogue.say("The broker has heard nothing of this device yet; events wait until it does.")
    for finding in output.publishers(machine):
        if finding.level != "ok":
            dialogue.say(report.lines(finding))
    service.explain(dialogue, since - READING_SECONDS)
    return False


def _until_reading(service: Service) -> str:
    """The service's line of status: ``reading`` as soon as it reads, otherwise the one at the end of the wait."""
    until = time.monotonic() + READING_SECONDS
    while True:
        status = service.show("StatusText") if service.show("ActiveState") == "active" else ""
        if status == STATUS["running"] or time.monotonic() > until:
            return status
        time.sleep(LOOK_SECONDS)


def _first_text(dialogue: Dialogue, heard: Heard) -> tuple[bool, str | None]:
    """Whether the device came online at the broker, and the text of its first event there; None if none came."""
    online, told = False, time.monotonic() + 2
    until = time.monotonic() + EVENT_SECONDS
    while time.monotonic() < until:
        try:
            leaf, payload = heard.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if online and told and time.monotonic() > told:
                told = 0.0
                dialogue.say(
                    "Waiting for its first event: lay a page with digits before the camera (Ctrl-C: stop waiting)."
                )
            continue
        if leaf == TAKEN:
            dialogue.say("Another device of this name was online there already; --device NAME gives this one its own.")
            continue
        online = online or payload == b"online" or leaf in ("state", "event")
        if leaf in ("state", "event"):
            try:
                body = parse_json(payload)
            except ValueError:
                continue
            if isinstance(body, dict) and isinstance(body.get("text"), str):
                return True, " / ".join(body["text"].split("\n"))
    return online, None
