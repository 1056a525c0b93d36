"""Messages that are far too large, sent to real processes through a real broker; `python -m tests.hostile.payloads`
sends larger ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.large_messages import publish_large
from tests.hostile.listeners import edge_run, edge_watch, obeys
from tests.support.mosquitto import Broker, Listener, Wire, body, eventually, only_mosquitto

LARGE, ALLOWED = 30_000_000, 10.0
"""Bytes of a message; and by how many MB the memory may grow."""
pytestmark = only_mosquitto("keeps no message that large")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path / "broker")
    yield one
    one.kill()


@pytest.mark.parametrize("version", [3, 5])
def test_edge_run_goes_on_and_its_memory_stays(tmp_path: Path, broker: Broker, version: int) -> None:
    publish_large(broker.port, "home/desk/set/read", LARGE, retain=True)
    wire = Wire(broker.port)
    with Listener(broker.port, "home/desk/event") as heard, Listener(broker.port, "home/desk/threshold") as user:
        running = edge_run(tmp_path / "desk", wire.port, version)
        try:
            # The retained one comes at the start.
            heard.next("/event")
            obeys(user)
            running.forget_peak()
            wire.cut()
            obeys(user)
            publish_large(broker.port, "home/desk/set/pause", LARGE)
            publish_large(broker.port, "home/desk/set/threshold", LARGE, qos=0)
            # More of them than may be unacknowledged.
            for _ in range(21):
                publish_large(broker.port, "home/desk/set/pause", 70_000)
            obeys(user)
            assert running.growth() < ALLOWED
            running.goes_on()
            seqs = [body(message)["seq"] for message in heard.all()]
            seqs += [body(heard.next("/event"))["seq"] for _ in range(2)]
            assert seqs == list(range(seqs[0], seqs[-1] + 1)), "no event is lost"
        finally:
            said = running.close()
            wire.close()
    if version == 3:
        assert f"home/desk/set/read: a message of {LARGE + 20:,} bytes is ignored; look who may write there" in said
    assert "must be ON or OFF" not in said, said


@pytest.mark.parametrize("version", [3, 5])
def test_edge_watch_goes_on_and_its_memory_stays(tmp_path: Path, broker: Broker, version: int) -> None:
    state = {"event": "changed", "text": "42", "confidence": 0.9, "at": "2026-11-23T08:00:00.123456Z"}
    with Listener(broker.port, "home/shed/none") as device:
        device.say("home/attic/state", json.dumps(state), retain=True)
        publish_large(broker.port, "home/shed/state", LARGE, retain=True)
        running = edge_watch(tmp_path / "watch", broker.port, version)
        try:
            eventually(lambda: "attic" in [one["device"] for one in running.lines()])
            running.forget_peak()
            publish_large(broker.port, "home/shed/state", LARGE)
            publish_large(broker.port, "home/shed/camera", LARGE)
            device.say("home/shed/state", json.dumps(state))
            eventually(lambda: "shed" in [one["device"] for one in running.lines()])
            assert running.growth() < ALLOWED
        finally:
            running.close()


def test_a_slow_large_message_costs_one_connection_and_its_topic_an_hour(tmp_path: Path, broker: Broker) -> None:
    """On a slow network the answers of the broker are behind it, for longer than anybody waits for them."""
    publish_large(broker.port, "home/desk/set/read", LARGE, retain=True)
    wire = Wire(broker.port)
    with Listener(broker.port, "home/desk/event") as heard, Listener(broker.port, "home/desk/threshold") as user:
        running = edge_run(tmp_path / "desk", wire.port, 3)
        try:
            heard.next("/event")
            obeys(user)
            wire.bytes_a_second = 100_000
            wire.cut()
            # A proxy that is cut while the message arrives, as when ACK_SECONDS are over.
            threading.Timer(1.5, wire.cut).start()
            eventually(lambda: "home/desk/set/read: ignored for an hour" in running.error.read_text())
            wire.bytes_a_second = 0
            obeys(user)
        finally:
            running.close()
            wire.close()
