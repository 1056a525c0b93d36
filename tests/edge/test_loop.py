import logging
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.errors import SourceError, WedgedError
from edge.loop import Tally, run
from edge.sources.base import Source
from edge.types import Box, Digit, Frame, Notice, Reading
from tests.support.doubles import Sink


class Script(Source):
    """A source that follows a script: a number is a frame with so many digits, an error is raised."""

    def __init__(self, *script, live=False):
        self.live = live
        self._script = list(script)
        self.asked = 0

    def __next__(self):
        if not self._script:
            raise StopIteration
        self.asked += 1
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return Frame(np.full((4, 4), step, np.uint8), "script", self.asked - 1)

    def close(self):
        pass


def read(frame):
    digits = (Digit(7, 0.9, 0, Box(0, 0, 1, 1)),) * int(frame.pixels[0, 0])
    return Reading(frame.source, frame.index, datetime.now(UTC), digits, None if digits else "blank", "m", 0.1)


def test_every_frame_is_read_and_goes_to_every_publisher_in_order():
    sinks = Sink(), Sink()
    assert run(Script(2, 0, 1), read, sinks) == Tally(frames=3, read=2, failed=0)
    assert [r.text for r in sinks[0].readings] == ["77", "", "7"]
    assert sinks[0].readings == sinks[1].readings


def test_a_bad_file_is_one_line_in_the_log_and_the_next_one_is_read(caplog):
    sink = Sink()
    with caplog.at_level(logging.WARNING):
        tally = run(Script(1, SourceError("a.png: is empty"), 1), read, [sink])
    assert tally == Tally(frames=2, read=2, failed=1)
    assert [r.getMessage() for r in caplog.records] == ["a.png: is empty"]
    assert [r.frame for r in sink.readings] == [0, 2]


def test_a_camera_that_is_late_is_waited_for_and_nothing_is_lost():
    sink, heard = Sink(), []
    source = Script(1, SourceError("camera: gone"), SourceError("camera: gone"), 1, live=True)
    source.state = "reopening"
    assert run(source, read, [sink], on_alive=heard.append) == Tally(frames=2, read=2, failed=0)
    assert heard == ["running", "reopening", "reopening", "running"]


def test_the_watchdog_is_fed_only_after_a_frame_or_a_wait_for_the_camera():
    heard = []

    def refuse(frame):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(Script(1, live=True), refuse, [], on_alive=heard.append)
    run(Script(SourceError("a.png: is empty")), read, [], on_alive=heard.append)
    assert heard == []


def test_a_wedged_driver_ends_the_loop():
    source = Script(1, WedgedError("camera: does not answer"), 1, live=True)
    with pytest.raises(WedgedError, match="camera: does not answer"):
        run(source, read, [])
    assert source.asked == 2


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_it_takes_no_more_frames_than_asked(frames):
    source = Script(1, 1, 1)
    assert run(source, read, [], frames=frames).frames == frames
    assert source.asked == frames


def test_it_stops_between_frames():
    sink = Sink()
    source = Script(1, 1, 1)
    tally = run(source, read, [sink], should_stop=lambda: len(sink.readings) == 2)
    assert tally.frames == len(sink.readings) == source.asked == 2


def test_the_publishers_may_come_from_a_generator():
    sink = Sink()
    run(Script(1, 1), read, (s for s in [sink]))
    assert len(sink.readings) == 2


def test_a_change_of_the_camera_s_state_is_published_once_with_its_reason():
    sink = Sink()
    source = Script(1, SourceError("camera: gone"), SourceError("camera: gone"), 1, live=True)
    source.name = "camera"
    states = iter(["running", "reopening", "reopening", "running"])
    run(source, read, [sink], should_stop=lambda: setattr(source, "state", next(states, "running")))
    assert [(n.subject, n.state, n.name, n.reason) for n in sink.notices] == [
        ("camera", "reopening", "camera", "camera: gone"),
        ("camera", "running", "camera", None),
    ]


def test_what_happens_between_two_frames_is_published_between_them():
    sink, notice = Sink(), Notice("model", "accepted", "m", datetime.now(UTC), None)
    seen = []

    def between():
        seen.append(len(sink.readings))
        return [notice] if len(seen) == 2 else []

    run(Script(1, 1, 1), read, [sink], between_frames=between)
    assert seen == [1, 2, 3]
    assert sink.notices == [notice]


def test_a_folder_that_is_back_is_well_before_a_file_arrives():
    sink = Sink()
    source = Script(SourceError("scans: cannot be watched"), SourceError("no file for 2 s"), 1, live=True)
    states = iter(["reopening", "running", "running"])
    run(source, read, [sink], between_frames=lambda: setattr(source, "state", next(states)) or ())
    assert [(notice.state, notice.reason) for notice in sink.notices] == [
        ("reopening", "no file for 2 s"), ("running", None),
    ]  # fmt: skip
