import errno
import importlib
import inspect
import itertools
import os
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.sources import SCHEMES, open_source
from edge.sources.base import Camera, Pace, Source
from edge.sources.image_paths import find_images
from edge.sources.stream import Stream
from edge.sources.synthetic import Synthetic
from edge.sources.v4l2 import V4l2


def grey(value):
    return np.full((20, 30), value, np.uint8)


def save(folder, **values):
    for name, value in values.items():
        assert cv2.imwrite(str(folder / f"{name}.png"), grey(value))


# --- the table and the URIs


def test_the_table_names_classes_that_exist():
    for where in SCHEMES.values():
        module, name = where.split(":")
        source = getattr(importlib.import_module(module), name)
        if inspect.isclass(source):
            assert issubclass(source, Camera) or callable(source.__next__)
            assert callable(source.close)
        else:
            assert inspect.signature(source, eval_str=True).return_annotation is Source


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("sinthetic:", "no source is called 'sinthetic', there are files:, video:"),
        ("sinthetic:", "did you mean 'synthetic:'?"),
        ("synthetic", "did you mean 'synthetic:'?"),
        ("nowhere.png", "no source, file or folder is called 'nowhere.png', there are files:, video:"),
        ("", "no source is called ''"),
        ("synthetic:?sed=1", "no option 'sed'"),
        ("synthetic:?sed=1", "did you mean 'seed'?"),
        ("synthetic:?seed=-1", "seed is a whole number from 0 to 4294967295, not '-1'"),
        ("synthetic:page", "takes only options"),
        ("synthetic:?size=200x200&digits=10", "use size=300x30 or more"),
        ("v4l2:/dev/video0?fps=0", "fps is a number from 1 to 240, not '0'"),
        ("picamera2:front", "a camera is named by its number"),
        ("picamera2:0?af=sometimes", "af is one of off, auto, continuous, not 'sometimes'"),
        ("picamera2:0?rotation=45", "rotation is 0, 90, 180 or 270, not '45'"),
        ("video:clip.avi?lop=1", "it has loop, rotation, flip; did you mean 'loop'?"),
        ("files:.?flip=left", "flip is one of none, horizontal, vertical, not 'left'"),
        (
            "rtsp://me:secret@host/cam?key=secret#rotate=90",
            "rtsp://host/cam: no option 'rotate', it has rotation, flip",
        ),
        ("http://host/cam#rotation=90&rotation=180", "option 'rotation' is given twice"),
        ("rtsp:///stream", "a network camera is written rtsp://host/path"),
        ("rtsp:", "a network camera is written rtsp://host/path"),
        ("rtsp:camera", "a network camera is written rtsp://host/path"),
        ("rtsp:camera:554/stream", "a network camera is written rtsp://host/path"),
        ("rtsp:/camera/stream", "a network camera is written rtsp://host/path"),
        ("http:", "a network camera is written rtsp://host/path"),
        ("https:camera", "a network camera is written rtsp://host/path"),
        ("http://a..b/stream", "a network camera is written http://host/path"),
        ("http://host:port/", "cannot be understood"),
    ],
)
def test_a_wrong_uri_is_refused_and_the_nearest_named(uri, problem):
    with pytest.raises(SettingsError) as error:
        open_source(uri)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("uri", ["picamera2:0?focus=auto", "v4l2:/dev/video0?flicker=50", "nofolder"])
def test_nothing_is_suggested_that_is_not_near(uri):
    with pytest.raises(SettingsError) as error:
        open_source(uri)
    assert "did you mean" not in str(error.value)
    assert "it has " in str(error.value) or "there are files:" in str(error.value)


# --- files


def test_files_come_in_natural_order(tmp_path):
    save(tmp_path, page10=10, page9=9, Page1=1)
    (tmp_path / "notes.txt").write_text("no image")
    save(tmp_path, **{"._page2": 2})
    with open_source(f"files:{tmp_path}") as source:
        frames = list(source)
        assert not source.live
    assert [f.pixels[0, 0] for f in frames] == [1, 9, 10]
    assert [f.index for f in frames] == [0, 1, 2]
    assert frames[0].source == str(tmp_path / "Page1.png")
    assert frames[0].captured_at is None


def test_a_path_that_exists_needs_no_scheme(tmp_path, monkeypatch):
    save(tmp_path, a=1, b=2)
    assert [f.pixels[0, 0] for f in open_source(str(tmp_path / "b.png"))] == [2]
    monkeypatch.chdir(tmp_path)
    assert [f.source for f in open_source("a.png")] == ["a.png"]
    assert [f.index for f in itertools.islice(open_source(".?loop=1"), 3)] == [0, 1, 2]


def test_a_glob_takes_what_it_matches(tmp_path):
    save(tmp_path, a1=1, a2=2, b1=3)
    assert [f.pixels[0, 0] for f in open_source(f"files:{tmp_path}/a?.png")] == [1, 2]
    assert [f.pixels[0, 0] for f in open_source(f"files:{tmp_path}/**/*1.png")] == [1, 3]


def test_what_is_no_file_in_a_folder_is_passed_over(tmp_path):
    """A pipe would be waited for, and a device read, without an end."""
    save(tmp_path, **{"1": 1})
    (tmp_path / "2.png").mkdir()
    os.mkfifo(tmp_path / "3.png")
    (tmp_path / "4.png").symlink_to("/dev/zero")
    (tmp_path / "5.png").symlink_to(tmp_path / "1.png")
    assert [path.name for path in find_images(str(tmp_path))] == ["1.png", "5.png"]


def test_a_name_with_brackets_is_a_name(tmp_path):
    save(tmp_path, **{"scan[1]": 7})
    assert [f.pixels[0, 0] for f in open_source(f"files:{tmp_path}/scan[1].png")] == [7]


def test_an_unreadable_file_is_an_error_and_the_next_one_comes(tmp_path):
    save(tmp_path, a=1, c=3)
    (tmp_path / "b.png").write_bytes(b"")
    source = open_source(f"files:{tmp_path}")
    assert next(source).pixels[0, 0] == 1
    with pytest.raises(SourceError, match="b.png: is empty"):
        next(source)
    assert (frame := next(source)).pixels[0, 0] == 3
    assert frame.index == 1
    with pytest.raises(StopIteration):
        next(source)


def test_a_loop_begins_again_but_not_where_nothing_can_be_read(tmp_path):
    save(tmp_path, a=1, b=2)
    looped = itertools.islice(open_source(f"files:{tmp_path}?loop=1"), 5)
    assert [(f.index, f.pixels[0, 0]) for f in looped] == [(0, 1), (1, 2), (2, 1), (3, 2), (4, 1)]
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    source = open_source(f"files:{tmp_path}?loop=1")
    for _ in range(2):
        with pytest.raises(SourceError):
            next(source)
    with pytest.raises(StopIteration):
        next(source)


@pytest.mark.parametrize("what", ["missing.png", "*.jpg", "empty"])
def test_no_file_is_an_error_at_opening(tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"(no file matches|no image in this folder); "):
        open_source(f"files:{tmp_path}/{what}")


def test_a_closed_source_ends(tmp_path):
    save(tmp_path, a=1)
    for uri in (f"files:{tmp_path}?loop=1", "synthetic:?size=64x64&digits=0"):
        source = open_source(uri)
        next(source)
        source.close()
        source.close()
        assert list(source) == []


# --- video


@pytest.fixture
def video(tmp_path):
    """Three frames of greys 40, 120, 200, as MJPEG."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48), False)
    for value in (40, 120, 200):
        writer.write(np.full((48, 64), value, np.uint8))
    writer.release()
    return path


def test_a_video_gives_its_frames_in_grey(video):
    with open_source(f"video:{video}") as source:
        frames = list(source)
    assert [f.pixels.shape for f in frames] == [(48, 64)] * 3
    assert [f.pixels.dtype for f in frames] == [np.uint8] * 3
    assert [float(f.pixels.mean()) for f in frames] == pytest.approx([40, 120, 200], abs=4)
    assert [(f.index, f.source) for f in frames] == [(n, str(video)) for n in range(3)]


def test_a_looped_video_begins_again(video):
    frames = list(itertools.islice(open_source(f"video:{video}?loop=1"), 5))
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    assert float(frames[3].pixels.mean()) == pytest.approx(40, abs=4)


def test_what_is_no_video_is_said_in_one_line(tmp_path, capfd):
    noise = tmp_path / "noise.avi"
    noise.write_bytes(b"no video" * 100)
    for path, problem in (
        (tmp_path / "missing.avi", "no such video file"),
        (tmp_path, "no such video file"),
        (noise, "not a video that OpenCV can read"),
    ):
        with pytest.raises(SourceError) as error:
            open_source(f"video:{path}")
        assert str(error.value).startswith(f"{path}: {problem}")
    assert capfd.readouterr().err == ""


def test_a_video_without_a_frame_is_one_error_and_the_end(video):
    data = video.read_bytes()
    header = data.index(b"movi") + 4
    for damaged in (data[:header], data[:header] + bytes(len(data) - header)):
        video.write_bytes(damaged)
        source = open_source(f"video:{video}?loop=1")
        with pytest.raises(SourceError, match="clip.avi: no frame of this video can be decoded"):
            next(source)
        assert list(source) == []


def test_a_closed_video_ends(video):
    source = open_source(f"video:{video}?loop=1")
    source.close()
    source.close()
    assert list(source) == []


# --- v4l2 (without a real camera: only the failures are tested)


def test_a_missing_camera_says_what_to_do(capfd):
    camera = V4l2("/dev/video99")
    assert camera.availability() is None
    with pytest.raises(SourceError, match=r"/dev/video99: no such camera; .*v4l2-ctl --list-devices"):
        camera.open()
    camera.close()
    assert capfd.readouterr().err == ""


def test_what_is_no_camera_says_what_to_do(capfd):
    camera = V4l2("/dev/null", size=(320, 240), fps=15)
    with pytest.raises(SourceError, match=r"/dev/null: cannot be opened as a camera; "):
        camera.open()
    camera.close()
    assert capfd.readouterr().err == ""


def test_availability_changes_when_a_camera_appears_or_its_permissions_change(tmp_path):
    camera = V4l2(str(tmp_path / "video0"))
    seen = [camera.availability()]
    (tmp_path / "video0").touch()
    seen.append(camera.availability())
    (tmp_path / "video0").chmod(0o600)
    seen.append(camera.availability())
    assert len(set(seen)) == 3


def test_availability_has_the_errno_of_opening_the_camera(tmp_path):
    """A plain file, a folder and /dev/null: each with its errno. EBUSY would be in the same place."""
    (tmp_path / "video0").touch()
    plain = V4l2(str(tmp_path / "video0")).availability()
    if plain[2] == errno.ENOSYS:
        pytest.skip("an ioctl of cameras is unknown here, as to qemu-user")
    assert plain[2] == errno.ENOTTY
    (tmp_path / "video1").mkdir()
    assert V4l2(str(tmp_path / "video1")).availability()[2] == errno.EISDIR
    assert V4l2("/dev/null").availability()[2] == errno.ENOTTY


# --- rtsp, http


class Mjpeg(BaseHTTPRequestHandler):
    """A cheap network camera: it sends some JPEGs and closes the connection."""

    def do_GET(self):
        Mjpeg.asked = self.path
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for value in [40] * 20 + [200] * 20:
            jpeg = cv2.imencode(".jpg", np.full((48, 64), value, np.uint8))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *said):
        pass


def test_a_network_camera_gives_grey_frames_and_its_password_is_not_shown():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mjpeg)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    camera = Stream(f"http://me:secret@127.0.0.1:{server.server_port}/cam.mjpg?channel=1")
    try:
        camera.open()
        pictures = [camera.read()[0]]
        with pytest.raises(SourceError, match="the stream has ended"):
            while True:
                pictures.append(camera.read()[0])
    finally:
        camera.close()
        server.shutdown()
        server.server_close()
    assert Mjpeg.asked == "/cam.mjpg?channel=1"
    assert 20 < len(pictures) <= 40
    assert {p.shape for p in pictures} == {(48, 64)}
    assert float(pictures[0].mean()) == pytest.approx(40, abs=4)
    assert camera.name == f"http://127.0.0.1:{server.server_port}/cam.mjpg"


def test_a_network_camera_that_is_not_there_is_one_line(capfd):
    camera = Stream("rtsp://me:secret@127.0.0.1:9/cam")
    with pytest.raises(SourceError) as error:
        camera.open()
    camera.close()
    assert str(error.value).startswith("rtsp://127.0.0.1:9/cam: gives no video; ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("scheme", "answer", "seen"),
    [
        ("http", b"HTTP/1.0 200 OK\r\n\r\n", b"200"),
        ("http", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"503"),
        ("rtsp", b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", b"404"),
        ("http", b"", b""),
        ("https", b"never asked", b""),
    ],
)
def test_a_network_camera_is_probed(scheme, answer, seen):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with server.accept()[0] as connection:
                if scheme != "https":
                    heard.append(connection.recv(500))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        camera = Stream(f"{scheme}://me:secret@127.0.0.1:{port}/cam?channel=1")
        assert camera.availability() == seen
        thread.join()
    assert camera.availability() is None
    asked = {
        "http": b"HEAD /cam?channel=1 HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % port,
        "rtsp": b"DESCRIBE rtsp://127.0.0.1:%d/cam?channel=1 RTSP/1.0\r\nCSeq: 1\r\nHost: 127.0.0.1:%d\r\n\r\n"
        % (port, port),
    }
    assert heard == ([asked[scheme]] if scheme in asked else [])


def test_a_network_camera_that_gives_no_answer_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert Stream(f"http://127.0.0.1:{server.getsockname()[1]}/").availability() == b""


# --- synthetic


def take(count, options=""):
    return list(itertools.islice(open_source(f"synthetic:?size=240x120&digits=3&{options}seed=7"), count))


def test_a_seed_always_gives_the_same_frames():
    first, second, other = take(3), take(3), take(3, "difficulty=0&")
    assert [f.truth for f in first] == [f.truth for f in second] == [f.truth for f in other]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0].pixels, other[0].pixels)
    third = next(open_source("synthetic:?size=240x120&digits=3&seed=8"))
    assert not np.array_equal(first[0].pixels, third.pixels)


def test_a_page_has_its_lines_and_tells_the_truth():
    frame = next(Synthetic(size=(240, 200), digits=3, lines=2))
    assert frame.pixels.shape == (200, 240)
    assert [len(line) for line in frame.truth.split("\n")] == [3, 3]
    assert frame.truth.replace("\n", "").isdecimal()
    assert abs(datetime.now(UTC) - frame.captured_at) < timedelta(minutes=1)


def test_a_blank_page_has_nothing_on_it():
    frame = next(Synthetic(size=(64, 48), digits=0, difficulty=0))
    assert frame.truth == ""
    assert (frame.pixels == 255).all()


def test_a_page_is_held_with_fresh_noise():
    frames = take(4, "hold=2&")
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert frames[0].truth == frames[1].truth != frames[2].truth
    near, far = (np.abs(frames[0].pixels.astype(int) - f.pixels).mean() for f in frames[1:3])
    assert 0 < near < far


def test_it_ends_after_its_frames():
    assert len(list(open_source("synthetic:?size=64x64&digits=1&frames=3"))) == 3


def test_it_is_live_if_it_has_an_fps():
    assert open_source("synthetic:?fps=10").live
    assert not open_source("synthetic:").live


# --- pace


def test_a_pace_keeps_its_frames_a_second():
    pace = Pace(50)
    started = time.monotonic()
    assert all(pace.wait() for _ in range(6))
    # The first is due at once, the sixth 5/50 s later; how much later still is the machine's affair.
    assert time.monotonic() - started >= 0.1


def test_a_late_frame_is_not_followed_by_a_rush():
    pace = Pace(20)
    pace.wait()
    time.sleep(0.2)
    started = time.monotonic()
    for _ in range(3):
        pace.wait()
    assert time.monotonic() - started >= 0.05


def test_files_keep_the_pace_too(tmp_path):
    save(tmp_path, a=1, b=2, c=3)
    started = time.monotonic()
    assert len(list(open_source(f"files:{tmp_path}?fps=40"))) == 3
    assert time.monotonic() - started >= 0.05
