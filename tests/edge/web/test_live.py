"""Frames are made once for all viewers, only while one waits for them, and a failing frame does not stop them."""

import asyncio
import logging
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.model.classifier import Model
from edge.reading.reader import Reader
from edge.types import Frame
from edge.web import live
from edge.web.error_log import ErrorLog
from edge.web.live import LiveStream
from edge.web.pictures import describe_frame
from edge.web.worker import Worker
from tests.support.files import card, with_card


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(live, "MAX_FPS", 100.0)


class Camera:
    """Gives a new frame each time, and counts how many were shown."""

    def __init__(self, bad=()):
        self.frames = self.shown = 0
        self._bad = bad

    def newest(self):
        self.frames += 1
        return object()

    async def show(self, newest):
        self.shown += 1
        if self.shown in self._bad:
            raise IndexError("labels[10]")
        return f'"{self.shown}"'

    async def aim(self, newest):
        return "{}"

    async def status(self):
        return {}

    def live(self):
        return LiveStream(self.newest, self.show, self.aim, self.status, ErrorLog())


async def views(stream, many):
    """The next frames that a viewer gets."""
    found = []
    async with asyncio.timeout(20):
        while len(found) < many:
            event = await anext(stream)
            if event.startswith("event: view"):
                found.append(event)
    return found


def test_a_frame_that_fails_is_logged_once_and_the_next_ones_are_shown(caplog):
    async def watch():
        camera = Camera(bad=(1, 3, 4, 5, 8))
        stream = camera.live().events()
        await views(stream, 5)
        await stream.aclose()

    with caplog.at_level(logging.ERROR):
        asyncio.run(watch())
    assert [record.name for record in caplog.records] == ["edge.web.error_log"]
    assert "showing a view" in caplog.text and "IndexError" in caplog.text


def test_a_status_that_waits_does_not_delay_the_frames():
    class Locked(Camera):
        async def status(self):
            await asyncio.Event().wait()

    async def watch():
        stream = Locked().live().events()
        await views(stream, 5)
        await stream.aclose()

    asyncio.run(watch())


def test_aims_come_at_their_own_rate_each_of_the_newest_frame(monkeypatch):
    monkeypatch.setattr(live, "AIM_SECONDS", 0.2)

    class Aimed(Camera):
        aims = 0

        async def aim(self, newest):
            self.aims += 1
            return str(self.aims)

    async def watch():
        camera = Aimed()
        stream = camera.live().events()
        found = []
        async with asyncio.timeout(20):
            while len(found) < 3:
                event = await anext(stream)
                if event.startswith("event: aim"):
                    found.append(event)
        await stream.aclose()
        assert found == [f"event: aim\ndata: {n}\n\n" for n in (1, 2, 3)]
        assert camera.shown > 2 * camera.aims

    asyncio.run(watch())


def test_a_frame_that_stays_the_newest_is_aimed_and_shown_once():
    class Still(Camera):
        frame = object()
        aims = 0

        def newest(self):
            return self.frame

        async def aim(self, newest):
            self.aims += 1
            return "{}"

    async def watch():
        camera = Still()
        of = camera.live()
        stream = of.events()
        async with asyncio.timeout(20):
            kinds = {(await anext(stream)).split("\n")[0] for _ in range(3)}
        assert kinds == {"event: view", "event: aim", "event: status"}
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(2.5 * live.MAX_FPS**-1)
        waiting.cancel()
        assert (camera.shown, camera.aims) == (1, 1)
        await of.stop()

    asyncio.run(watch())


def test_a_producer_that_has_ended_is_started_again():
    async def watch():
        of = Camera().live()
        first = of.events()
        await views(first, 1)
        of._producers[0].cancel()
        await asyncio.sleep(0.05)
        second = of.events()
        await views(second, 3)
        await views(first, 3)
        await first.aclose()
        await second.aclose()

    asyncio.run(watch())


def test_a_device_that_stops_while_a_frame_is_made_logs_nothing(caplog):
    async def watch():
        begun, end = threading.Event(), threading.Event()
        worker = Worker("shows frames")

        def work():
            begun.set()
            end.wait(20)
            return "{}"

        async def show(newest):
            return await worker.run(work)

        async def status():
            return {}

        stream = LiveStream(object, show, show, status, ErrorLog())
        viewer = asyncio.create_task(views(stream.events(), 1))
        await asyncio.to_thread(begun.wait, 20)
        worker.cancel_waiting()
        await asyncio.sleep(0.05)
        await stream.stop()
        end.set()
        with pytest.raises(StopAsyncIteration):
            await viewer
        assert worker.close(20)

    with caplog.at_level(logging.ERROR):
        asyncio.run(watch())
    assert not caplog.records


def test_no_frames_are_made_for_a_viewer_that_stops_receiving():
    async def watch():
        camera = Camera()
        of = camera.live()
        stuck = of.events()
        await views(stuck, 2)
        await asyncio.sleep(0.1)
        before = camera.frames
        await asyncio.sleep(0.5)
        assert camera.frames == before
        other = of.events()
        await views(other, 3)
        assert camera.frames > before
        await stuck.aclose()
        await other.aclose()

    asyncio.run(watch())


def test_no_frames_are_made_without_viewers():
    async def watch():
        camera = Camera()
        stream = camera.live().events()
        await views(stream, 2)
        await stream.aclose()
        before = camera.frames
        await asyncio.sleep(0.3)
        assert camera.frames == before

    asyncio.run(watch())


def test_a_frame_has_the_labels_of_the_model_that_read_it(tmp_path):
    """By the time it is shown, another model may be in use, perhaps with fewer classes."""
    names = tuple(name if name.isdigit() else f"class {name}" for name in card().labels)
    (tmp_path / "other.tflite").write_bytes(with_card(replace(card(), labels=names)))
    letter = np.full((480, 640), 230, np.uint8)
    cv2.putText(letter, "W", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 5, 30, 9, cv2.LINE_AA)
    frame = Frame(letter, "test")
    with Reader(tmp_path / "other.tflite") as reader:
        analysis = reader.analyse(frame)
        reader.use_model(Model())
        assert describe_frame(frame.pixels, analysis)["candidates"][0]["top"][0][0].startswith("class ")
