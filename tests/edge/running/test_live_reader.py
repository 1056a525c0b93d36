from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.controls import Controls
from edge.reading.reader import Reader
from edge.running import live_reader as room
from edge.running.live_reader import LiveReader
from edge.sources.synthetic import Synthetic
from edge.types import Event, Frame


@pytest.fixture
def desk(page):
    """A page with 2357 on it, as a frame, and a live_reader of its own reader."""
    with Reader() as reader, Synthetic() as source:
        yield Frame(page("2357"), "desk", 3), LiveReader(reader, source, Controls(reader.min_confidence))


def test_a_frame_is_read(desk):
    frame, live_reader = desk
    assert live_reader.read(frame).text == "2357"


def test_paused_it_goes_unread_unless_somebody_asks(desk):
    frame, live_reader = desk
    controls = live_reader._controls
    controls.pause(True)
    assert live_reader.read(frame) is None
    controls.request_reading()
    assert live_reader.read(frame).text == "2357"
    assert (controls.last_answer()[0], controls.last_answer()[1].text) == (1, "2357")
    assert live_reader.read(frame) is None
    controls.pause(False)
    assert live_reader.read(frame).text == "2357"


def test_another_threshold_is_that_of_the_next_frame(desk):
    frame, live_reader = desk
    sure = min(digit.confidence for digit in live_reader.read(frame).digits)
    live_reader._controls.set_threshold(1.0)
    assert live_reader.read(frame).text != "2357" or sure == 1.0
    live_reader._controls.set_threshold(0.6)
    assert live_reader.read(frame).text == "2357"


def test_the_picture_is_that_of_the_last_event(desk, page):
    frame, live_reader = desk
    reading = live_reader.read(frame)
    assert live_reader.picture.jpeg() is None, "a frame is no event"
    live_reader.publish(reading)
    assert live_reader.picture.jpeg() is None
    live_reader.publish(Event("appeared", datetime.now(UTC), "2357", "", 0.0, 0.9, reading))
    number, jpeg = live_reader.picture.jpeg()
    assert number == 1
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown.shape[0] >= 480 and shown.shape[1] >= 640
    live_reader.read(Frame(page("41"), "desk", 4))
    assert live_reader.picture.jpeg() == (1, jpeg)


def test_frames_a_second_are_those_of_the_last_minute(desk, monkeypatch):
    frame, live_reader = desk
    blank = Frame(np.full((48, 64), 200, np.uint8), "desk")
    now = live_reader._started
    monkeypatch.setattr(room.time, "monotonic", lambda: now)
    for _ in range(60):
        now += 10
        live_reader.read(blank)
    stats = live_reader.stats()
    assert stats["frames"] == 60 and stats["uptime_seconds"] == 600
    assert stats["fps"] == pytest.approx(0.1, abs=0.02)
    for _ in range(600):
        now += 0.1
        live_reader.read(blank)
    assert live_reader.stats()["fps"] == pytest.approx(10, abs=0.5)
