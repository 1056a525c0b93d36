"""The web server within the test's process: slow jobs, bugs, and viewers that disconnect."""

import contextlib
import http.client
import json
import logging
import os
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from edge.controls import Program
from edge.errors import ImageError
from edge.publishers.base import Delivery, Publisher
from edge.running.saved_vision import SavedVision
from edge.types import Frame, Notice
from edge.vision.settings import VisionSettings
from edge.web import bounded_server, upload
from edge.web.app import Backend
from edge.web.server import MAX_CONNECTIONS, WebServer
from edge.web.upload import MAX_WAITING
from tests.support.patience import patience


class Camera:
    """Gives a new frame each time, and counts how often it was asked."""

    def __init__(self, pixels, reader):
        self._frame = Frame(pixels, "test")
        self._sight = reader.analyse(self._frame)
        self.asked = 0

    @property
    def newest(self):
        self.asked += 1
        return self._frame, self._sight

    def frame_age(self):
        return 0.0


@pytest.fixture
def camera(page, reader):
    return Camera(page("27"), reader)


@pytest.fixture
def made(tmp_path, camera, reader, monkeypatch):
    """Makes a WebServer; parts of its backend may be given."""
    levels = {name: logging.getLogger(name).level for name in ("asyncio", "uvicorn.error")}
    with contextlib.ExitStack() as stack:

        def make(**parts):
            given = {
                "program": Program(device="test", stats=lambda: {"frames": 7}),
                "live_reader": camera,
                "reader": reader,
                "saved_vision": SavedVision(str(tmp_path), VisionSettings(), ()),
                **parts,
            }
            return stack.enter_context(contextlib.closing(WebServer("127.0.0.1:0", Backend(**given), folder=tmp_path)))

        yield make
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def ask(web, path, data=None, method=None):
    """Status, headers, body."""
    link = http.client.HTTPConnection("127.0.0.1", web.port, timeout=patience(20))
    with contextlib.closing(link):
        link.request(method or ("GET" if data is None else "POST"), path, data)
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()


@contextlib.contextmanager
def listening(web, path):
    """The lines of an answer without end."""
    with socket.create_connection(("127.0.0.1", web.port), 20) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
        with link.makefile("rb") as lines:
            yield lines


def soon(true):
    until = time.monotonic() + patience(20)
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def stuck(monkeypatch):
    """An event; decoding of sent pictures hangs until it is set."""
    go = threading.Event()

    def decode(data, name):
        assert go.wait(patience(60))
        raise ImageError("was read at last")

    monkeypatch.setattr(upload, "decode", decode)
    yield go
    go.set()


class Delayed(Publisher):
    """Says how it is as soon as it may; until then the store is locked."""

    name = "delayed"

    def __init__(self):
        self.go = threading.Event()
        self.asked = threading.Event()

    def delivery(self):
        self.asked.set()
        assert self.go.wait(patience(60))
        return Delivery(connected=True)


def test_a_locked_store_delays_only_the_status(made):
    publisher = Delayed()
    web = made(publishers=[publisher])
    seen = []
    asker = threading.Thread(target=lambda: seen.append(ask(web, "/api/status")))
    asker.start()
    try:
        assert publisher.asked.wait(patience(20))
        assert ask(web, "/healthz")[0] == ask(web, "/api/corrections")[0] == ask(web, "/api/events")[0] == 200
        assert not seen
    finally:
        publisher.go.set()
        asker.join()
    assert json.loads(seen[0][2])["publishers"][0]["connected"]


def test_a_name_that_is_not_unicode_is_shown(made):
    name = os.fsdecode(b"d\xff")
    web = made(program=Program(device=name), source=name)
    shown = [json.loads(ask(web, "/api/status")[2])]
    with listening(web, "/api/live") as lines:
        shown.append(next(json.loads(line[6:]) for line in lines if line.startswith(b"data: ") and b"device" in line))
    assert [(one["device"], one["source"]) for one in shown] == [(name, name)] * 2


def test_the_aim_of_the_newest_frame_is_answered_and_streamed(made):
    web = made()
    status, _, body = ask(web, "/api/aim")
    answer = json.loads(body)
    assert status == 200 and answer["next_step"] is None and answer["digit_pixels"] > answer["needed_pixels"]
    with listening(web, "/api/live") as lines:
        soon(lambda: next(lines).startswith(b"event: aim"))
        streamed = json.loads(next(lines).removeprefix(b"data: "))
    assert {**streamed, "frame": 0} == {**answer, "frame": 0}


def test_why_no_frame_comes_is_part_of_the_status(made):
    problem = "picamera2:0: picamera2 is not installed; install it with: sudo apt install -y python3-picamera2"
    web = made(program=Program(device="desk", camera_problem=lambda: problem))
    assert json.loads(ask(web, "/api/status")[2])["camera_problem"] == problem
    assert json.loads(ask(made(), "/api/status")[2])["camera_problem"] is None


def test_a_slow_picture_delays_only_pictures(made, stuck):
    web = made(metrics=lambda: b"edge_digits 1\n")
    sender = threading.Thread(target=ask, args=(web, "/api/read", b"x"))
    sender.start()
    soon(lambda: web._site._read._upload_limit._count)
    for path in ("/metrics", "/api/status", "/api/history", "/api/corrections", "/healthz"):
        assert ask(web, path)[0] == 200
    with listening(web, "/api/live") as lines:
        soon(lambda: next(lines).startswith(b"event: view"))
    stuck.set()
    sender.join()


def test_a_slow_picture_does_not_delay_the_end(made, stuck):
    web, seen = made(), []
    sender = threading.Thread(target=lambda: seen.append(ask(web, "/api/read", b"x")))
    sender.start()
    soon(lambda: web._site._read._upload_limit._count)
    begun = time.monotonic()
    web.close()
    assert time.monotonic() - begun < 5, "about half a second"
    sender.join()
    assert seen[0][0] == 503 and "the device is stopping" in json.loads(seen[0][2])["error"]


def test_the_number_of_waiting_pictures_is_limited(made, stuck):
    web, seen = made(), []
    senders = [
        threading.Thread(target=lambda: seen.append(ask(web, "/api/read", b"x")[0])) for _ in range(MAX_WAITING + 4)
    ]
    for sender in senders:
        sender.start()
    soon(lambda: len(seen) == 4)
    assert seen == [503] * 4
    status, headers, body = ask(web, "/api/vision/preview")
    assert status == 503 and headers["Retry-After"] == "1" and "come again" in json.loads(body)["error"]
    stuck.set()
    for sender in senders:
        sender.join()
    assert seen[4:] == [422] * MAX_WAITING
    assert ask(web, "/api/vision/preview")[0] == 200


def test_a_bug_is_logged_once_and_answered_in_one_line(made, caplog):
    web = made(metrics=lambda: 1 / 0)
    for _ in range(3):
        status, _, body = ask(web, "/metrics")
        assert status == 500 and "see the device's log" in json.loads(body)["error"]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "answering '/metrics'" in record.message and "ZeroDivisionError" in caplog.text
    assert ask(web, "/healthz")[0] == 200


def test_no_frames_are_made_without_viewers_or_for_head_requests(made, camera):
    web = made()
    with listening(web, "/api/live") as lines:
        for _ in range(3):
            soon(lambda: next(lines).startswith(b"event: view"))
    assert camera.asked >= 3

    def rests():
        before = camera.asked
        time.sleep(0.5)
        return camera.asked == before

    soon(rests)
    status, headers, body = ask(web, "/api/live", method="HEAD")
    assert (status, headers["Content-Type"].partition(";")[0], body) == (200, "text/event-stream", b"")
    assert ask(web, "/api/events", method="HEAD")[0] == 200
    assert rests()


def test_notices_are_streamed_when_they_happen(made):
    """With the text that the store has, because it stores a notice before it is published."""
    text = '{"notice": "camera", "state": "stalled", "seq": 7}'
    web = made(newest_message=lambda: text)
    with listening(web, "/api/events") as lines:
        soon(lambda: next(lines).startswith(b": listening"))
        web.publish(Notice("camera", "stalled", "v4l2:", datetime.now(UTC), "no new picture"))
        soon(lambda: next(lines).strip() == b"event: event")
        assert next(lines).strip() == f"data: {text}".encode()


def test_idle_connections_make_room_for_new_ones(made):
    web = made()
    silent = [socket.create_connection(("127.0.0.1", web.port), 20) for _ in range(MAX_CONNECTIONS + 6)]
    try:
        for _ in range(3):
            begun = time.monotonic()
            assert ask(web, "/healthz")[0] == 200 and time.monotonic() - begun < bounded_server.REQUEST_SECONDS
    finally:
        for link in silent:
            link.close()
