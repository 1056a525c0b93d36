"""Faults of cameras: the program notices each one, and goes on when the camera is back."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError, WedgedError
from edge.loop import Tally, run
from edge.sources import open_source, supervisor
from edge.sources.stream import Stream
from edge.sources.supervisor import FrozenDetector, SupervisedCamera
from edge.types import Reading
from tests.faults.cameras import Faulty
from tests.faults.returning import Server
from tests.support.doubles import Sink
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
PATIENCE = patience(20.0)
"""Seconds after which a test gives up; what it waits for takes a fraction of one on an idle machine."""


@pytest.fixture
def source():
    """Makes a supervised source of a faulty camera, and closes it at the end."""
    made = []

    def make(camera, deadline=0.3, frozen=0.0):
        made.append((camera, SupervisedCamera(camera, deadline_seconds=deadline, frozen_seconds=frozen)))
        return made[-1][1]

    yield make
    for camera, supervised in made:
        camera.released.set()
        supervised.close()


def until_it_comes(source):
    """The next frame, however many deadlines pass."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return next(source)
        except SourceError:
            continue
    raise AssertionError("no frame came")


def until_it_fails(source):
    """The next error, however many frames come before."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            next(source)
        except SourceError as error:
            return str(error)
    raise AssertionError("no error came")


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


# --- each fault, and the way back


def test_a_camera_need_not_be_there_yet(source, caplog):
    camera = Faulty("absent")
    frames = source(camera, deadline=1.0)
    for _ in range(3):
        with pytest.raises(SourceError, match="faulty:absent: no such camera"):
            next(frames)
    assert frames.state == "starting"
    camera.fault, camera.node = "", 1
    assert until_it_comes(frames).index == 0
    assert frames.state == "running"
    assert lines(caplog) == [
        "faulty:absent: no such camera (retrying until it works)",
        "faulty:absent: frames come now",
    ]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("error", "the cable is loose"),
        ("garbage", r"gives no grey picture, but uint8 of shape \(48, 64, 2\)"),
        ("crash", "KeyError: 'ExposureTime'"),
    ],
)
def test_a_camera_that_fails_is_opened_again(source, caplog, fault, problem):
    camera = Faulty()
    frames = source(camera, deadline=1.0)
    before = next(frames)
    camera.fault = fault
    with caplog.at_level(logging.WARNING):
        until_it_fails(frames)
        with pytest.raises(SourceError, match=problem):
            next(frames)
        assert frames.state == "reopening"
        camera.fault = ""
        assert until_it_comes(frames).index > before.index
    assert camera.opened >= 2 and camera.closed >= 1
    assert frames.state == "running"
    assert len(lines(caplog)) == 2, "once when it begins and once when it ends"


def test_a_camera_that_is_plugged_in_again_ends_the_pause(source, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 600.0)
    camera = Faulty()
    frames = source(camera)
    next(frames)
    camera.fault, camera.node = "error", None
    until_it_fails(frames)
    camera.fault = "absent"
    until_it_fails(frames)
    camera.fault, camera.node = "", 2
    # The pause is ten minutes: only the device that appeared can have ended it.
    until_it_comes(frames)


@pytest.mark.parametrize("ill", [False, True], ids=["refused", "503"])
def test_a_network_camera_that_is_back_is_opened_at_once(ill, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 600.0)
    server = Server()
    port = server.server_port
    with open_source(f"http://127.0.0.1:{port}/cam", deadline_seconds=0.3) as frames:
        until_it_comes(frames)
        if ill:
            server.ill = True
        else:
            server.stop()
        until_it_fails(frames)
        end = time.monotonic() + PATIENCE
        # The change itself is worth a try, which fails; then it is away for ten minutes, as far as it knows.
        while frames.problem.find("gives no video") < 0:
            assert time.monotonic() < end
            until_it_fails(frames)
        if ill:
            server.ill = False
        else:
            server = Server(port)
        until_it_comes(frames)
    server.stop()


def test_a_camera_that_opens_but_gives_no_frame_is_opened_again_soon(monkeypatch):
    """The ribbon cable is loose: the camera opens, and no frame comes for ten seconds."""
    slept = []
    camera = Faulty()
    frames = SupervisedCamera(camera)
    monkeypatch.setattr(supervisor, "OPEN_LONG_SECONDS", 0.05)
    monkeypatch.setattr(camera, "read", lambda: time.sleep(0.1) or camera.gone())
    monkeypatch.setattr(
        SupervisedCamera, "_sleep", lambda self, seconds, there: slept.append(seconds) or len(slept) < 0
    )
    monkeypatch.setattr(camera, "gone", lambda: frames.stop() if len(slept) == 4 else _error(camera), raising=False)
    frames._work()
    assert len(slept) == 4 and all(0.25 <= seconds <= 0.5 for seconds in slept)


def _error(camera):
    raise SourceError(f"{camera.name}: no frame for 10 s")


def test_a_read_that_blocks_is_late_and_comes_back(source):
    camera = Faulty()
    frames = source(camera)
    next(frames)
    camera.fault = "silent"
    assert "no frame for 0.3 s" in until_it_fails(frames)
    assert frames.state == "stalled"
    camera.fault = ""
    camera.released.set()
    until_it_comes(frames)
    assert frames.state == "running"
    assert camera.opened == 1


@pytest.mark.parametrize("fault", ["shut", "silent"])
def test_a_call_that_never_returns_is_late_first_and_then_wedged(source, monkeypatch, fault):
    monkeypatch.setattr(Faulty, "wedged_seconds", 0.7)
    frames = source(Faulty(fault))
    late = 0
    with pytest.raises(WedgedError, match=f"faulty:{fault}: its driver has not answered for 0.7 s"):
        for _ in range(100):
            try:
                next(frames)
            except WedgedError:
                raise
            except SourceError:
                late += 1
    assert late >= 1
    assert frames.wedged
    frames.close()


def test_a_network_camera_may_wait_long_for_its_name():
    """resolv.conf(5): 3 name servers that do not answer, asked twice, 5 s each, for two search domains and none."""
    assert Stream("rtsp://cam.example.org/x").wedged_seconds > 3 * 2 * 5 * 3


def test_a_driver_that_only_raises_errors_is_not_wedged(source, monkeypatch):
    """Each call returns with an error; that may go on for ever."""
    monkeypatch.setattr(Faulty, "wedged_seconds", 0.5)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_SECONDS", 0.05)
    frames = source(Faulty("error"), deadline=0.1)
    for _ in range(12):
        with pytest.raises(SourceError) as error:
            next(frames)
        assert not isinstance(error.value, WedgedError)


def test_a_frozen_picture_is_noticed_and_no_old_one_is_given(source, caplog):
    camera = Faulty()
    frames = source(camera, frozen=0.5)
    next(frames)
    camera.fault = "frozen"
    end = time.monotonic() + PATIENCE
    while not any("its picture has been the same for 0.5 s" in line for line in lines(caplog)):
        assert time.monotonic() < end
        until_it_fails(frames)
    # Opened again, it still shows the same: that is not a frame.
    end = time.monotonic() + PATIENCE
    while camera.opened < 2 and time.monotonic() < end:
        with pytest.raises(SourceError):
            next(frames)
    with pytest.raises(SourceError):
        next(frames)
    assert frames.state in ("stalled", "reopening")
    camera.fault = ""
    until_it_comes(frames)
    assert frames.state == "running"


def test_a_picture_may_stay_the_same_if_frozen_seconds_is_0(source):
    camera = Faulty("frozen")
    frames = source(camera, frozen=0.0)
    for _ in range(20):
        next(frames)
    assert camera.opened == 1


def test_frozen_is_measured_in_seconds_and_not_in_frames():
    detector = FrozenDetector(10.0)
    one, other = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    other[39, 39] = 1
    assert [detector.is_frozen(one, now) for now in (100, 101, 109.9, 110, 111)] == [False, False, False, True, True]
    assert not detector.is_frozen(other, 111.1), "one pixel in the corner is another picture"
    assert not detector.is_frozen(one, 200)
    assert not detector.is_frozen(np.zeros((20, 20), np.uint8), 300)


def test_the_pause_grows_and_is_never_the_same_for_all(monkeypatch):
    """Two cameras on one hub shall not be opened in step for ever."""
    slept = []
    frames = SupervisedCamera(Faulty("absent"))
    monkeypatch.setattr(
        SupervisedCamera, "_sleep", lambda self, seconds, there: slept.append(seconds) or len(slept) == 9
    )
    monkeypatch.setattr(SupervisedCamera, "_run", lambda self: "no" if len(slept) < 10 else self.stop() or "")
    frames._work()
    most = [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 0.5]
    assert all(longest / 2 <= seconds <= longest for seconds, longest in zip(slept, most, strict=True)), (
        "doubled up to 30 s; from the start after the devices changed"
    )


def test_a_picture_of_another_size_is_a_picture(source, reader):
    camera = Faulty()
    frames = source(camera)
    sink = Sink()

    def change(frame):
        camera.fault = {0: "small", 1: "", 2: "small"}.get(len(sink.readings), "")
        return reader.read(frame)

    tally = run(frames, change, [sink], frames=5)
    assert tally.frames == 5
    assert [r.text for r in sink.readings] == [""] * 5


# --- the loop and the clock


def test_a_slow_reader_gets_the_newest_frame_and_skipped_ones_are_counted(source):
    camera = Faulty()
    frames = source(camera)
    first = next(frames)
    time.sleep(0.3)
    second = next(frames)
    assert second.index - first.index > 3
    frames.close()
    assert second.index - first.index - 1 <= frames.dropped <= camera.read_count - 2


def test_a_clock_that_jumps_back_changes_only_the_time_of_a_frame(source, monkeypatch):
    camera = Faulty()
    frames = source(camera, frozen=60.0)
    before = next(frames)
    camera.taken = datetime.now(UTC) - timedelta(days=3650)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 1e8)
    indices = [next(frames).index for _ in range(20)]
    assert indices == sorted(set(indices)) and indices[0] > before.index
    assert next(frames).captured_at < before.captured_at


def test_stop_ends_a_wait_and_the_frames(source):
    camera = Faulty("silent")
    frames = source(camera, deadline=60.0)
    threading.Timer(0.2, frames.stop).start()
    started = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - started < patience(10)
    frames.close()
    assert frames.wedged, "its thread is still in the driver"
    camera.released.set()


def test_close_releases_the_camera(source):
    camera = Faulty()
    frames = source(camera)
    next(frames)
    frames.close()
    frames.close()
    assert (camera.opened, camera.closed, frames.wedged) == (1, 1, False)
    assert list(frames) == []


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_ten_thousand_frames_leave_nothing_behind(source, monkeypatch):
    monkeypatch.setattr("tests.faults.cameras.time.sleep", lambda seconds: None)
    frames = source(Faulty(), frozen=10.0)

    def take(count):
        for _ in range(count):
            next(frames)
        gc.collect()
        return resident(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    memory, files, threads = take(1000)
    after = take(9000)
    assert after[0] - memory < 2 * 1024 * 1024
    assert after[1:] == (files, threads)


# --- the whole program

PROGRAM = """
import os, sys
from edge.sources import SCHEMES
from tests.faults.cameras import Faulty
SCHEMES["faulty"] = "tests.faults.cameras:Faulty"
Faulty.wedged_seconds = float(os.environ["WEDGED"])
from edge.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(fault, tmp_path, wedged="15"):
    command = [sys.executable, "-c", PROGRAM, "run", "--source", f"faulty:{fault}", "--source_deadline", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WEDGED": wedged}
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", ""),
        ("absent", "edge: faulty:absent: no such camera (retrying until it works)\n"),
        ("error", "edge: faulty:error: the cable is loose (retrying until it works)\n"),
        ("shut", "edge: faulty:shut: no frame for 1 s (retrying until it works)\n"),
        ("silent", "edge: faulty:silent: no frame for 1 s (retrying until it works)\n"),
    ],
)
def test_sigterm_ends_it_at_once_from_every_state(fault, said, tmp_path):
    with start(fault, tmp_path) as process:
        # Its first word: a reading, or what is wrong.
        first = (process.stderr if fault else process.stdout).readline()
        assert first == said if fault else first.startswith("{")
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        _, errors = process.communicate(timeout=patience(30))
        took = time.monotonic() - asked
    assert (process.returncode, errors) == (0, "")
    # Under a second on an idle machine; a driver that blocks would take a minute here.
    assert took < patience(10)


def test_a_wedged_driver_ends_the_process_for_systemd_to_start_it_again(tmp_path):
    with start("silent", tmp_path, wedged="0.7") as process:
        _, errors = process.communicate(timeout=patience(30))
    assert process.returncode == 1
    last = errors.splitlines()[-1]
    assert last.startswith("edge: faulty:silent: its driver has not answered for 0.7 s; ")


def test_a_late_camera_is_not_counted_as_failed(source):
    camera = Faulty("absent")
    threading.Timer(0.5, lambda: setattr(camera, "fault", "")).start()
    sink = Sink()

    def read(frame):
        return Reading(frame.source, frame.index, datetime.now(UTC), (), "blank", "m", 0.1)

    assert run(source(camera, deadline=0.1), read, [sink], frames=2) == Tally(frames=2, read=0, failed=0)
