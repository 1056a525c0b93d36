"""The options ``rotation`` and ``flip`` of every source."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import pytest

from edge import sources
from edge.errors import SettingsError, SourceError, WedgedError
from edge.reading.reader import Reader
from edge.sources import open_source
from edge.sources.base import Camera, Source
from edge.sources.orientation import Orientation
from edge.sources.stream import Stream
from edge.sources.turned import TurnedSource, turned
from edge.types import Frame
from edge.uri import OptionType

CORNERS = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
"""10 lies at the top left, 60 at the bottom right."""

TURNED = {
    (0, "none"): [[10, 20, 30], [40, 50, 60]],
    (90, "none"): [[40, 10], [50, 20], [60, 30]],
    (180, "none"): [[60, 50, 40], [30, 20, 10]],
    (270, "none"): [[30, 60], [20, 50], [10, 40]],
    (0, "horizontal"): [[30, 20, 10], [60, 50, 40]],
    (0, "vertical"): [[40, 50, 60], [10, 20, 30]],
    (90, "horizontal"): [[10, 40], [20, 50], [30, 60]],
    (90, "vertical"): [[60, 30], [50, 20], [40, 10]],
    (180, "horizontal"): [[40, 50, 60], [10, 20, 30]],
    (180, "vertical"): [[30, 20, 10], [60, 50, 40]],
    (270, "horizontal"): [[60, 30], [50, 20], [40, 10]],
    (270, "vertical"): [[10, 40], [20, 50], [30, 60]],
}
"""Rotation and flip -> the picture, turned by hand."""


@pytest.mark.parametrize(("rotation", "flip"), TURNED)
def test_each_turn_is_the_one_that_a_hand_makes(rotation: int, flip: str) -> None:
    wide = np.full((4, 8), 99, np.uint8)
    wide[:2, :3] = CORNERS
    for pixels in (CORNERS.copy(), wide[:2, :3]):
        made = turned(pixels, Orientation(rotation, flip))
        assert made.tolist() == TURNED[rotation, flip]
        assert pixels.tolist() == CORNERS.tolist()
        if (rotation, flip) != (0, "none"):
            assert made.dtype == np.uint8 and made.flags.c_contiguous and not np.shares_memory(made, pixels)


def test_an_f_that_hangs_on_its_side_is_turned_clockwise() -> None:
    upright = np.full((60, 40), 240, np.uint8)
    cv2.putText(upright, "F", (5, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 20, 3)
    assert np.array_equal(turned(np.rot90(upright, 1), Orientation(90)), upright)


@pytest.mark.parametrize("scheme", ["files", "video", "synthetic"])
def test_every_source_takes_the_options(scheme: str, tmp_path: Path) -> None:
    picture = np.zeros((48, 64), np.uint8)
    picture[:24, :32] = 200
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48), False)
    writer.write(picture)
    writer.release()
    what = {
        "files": f"files:{tmp_path}/page.png?fps=0",
        "video": f"video:{tmp_path}/clip.avi?loop=0",
        "synthetic": "synthetic:?size=64x48&digits=1&seed=3",
    }[scheme]
    with open_source(what) as plain, open_source(f"{what}&rotation=90&flip=vertical") as turning:
        first, second = next(plain), next(turning)
    assert second.pixels.shape == (64, 48)
    assert np.array_equal(second.pixels, cv2.flip(cv2.rotate(first.pixels, cv2.ROTATE_90_CLOCKWISE), 0))
    assert (second.source, second.index, second.truth) == (first.source, first.index, first.truth)


def test_options_that_turn_nothing_add_nothing(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), CORNERS)
    with open_source(f"files:{tmp_path}?rotation=0&flip=none") as source:
        assert not isinstance(source, TurnedSource)


def test_a_reading_is_of_the_turned_picture(reader: Reader, page, tmp_path: Path) -> None:
    """Boxes lie where the digits are in the upright picture."""
    written = page("2357", height=300, width=500)
    cv2.imwrite(str(tmp_path / "page.png"), cv2.rotate(written, cv2.ROTATE_90_COUNTERCLOCKWISE))
    with open_source(f"files:{tmp_path}/page.png?rotation=90") as source:
        found = reader.read(next(source))
    expected = reader.read(Frame(written, "page"))
    assert found.text == "2357"
    assert [one.box for one in found.digits] == [one.box for one in expected.digits]


# --- network cameras: the query is the camera's


@pytest.mark.parametrize(
    ("text", "url", "options"),
    [
        ("rtsp://host/cam#rotation=90&flip=horizontal", "rtsp://host/cam", {"rotation": "90", "flip": "horizontal"}),
        ("http://h/c?rotation=90", "http://h/c?rotation=90", {}),
        ("https://h/c?a=b#flip=vertical", "https://h/c?a=b", {"flip": "vertical"}),
        ("rtsp://me:a#b=c@host/cam", "rtsp://me:a#b=c@host/cam", {}),
        ("rtsp://me:a#b=c@host/cam#rotation=180", "rtsp://me:a#b=c@host/cam", {"rotation": "180"}),
        ("http://h/c#top", "http://h/c#top", {}),
    ],
)
def test_the_options_of_a_url_follow_a_number_sign(text: str, url: str, options: dict[str, str]) -> None:
    parts = sources.split(text)
    assert (parts.what, parts.options) == (url, options)
    assert "a#b" not in parts.text


def test_a_url_with_a_turn_is_turned() -> None:
    with open_source("rtsp://127.0.0.1:9/cam#rotation=90") as source:
        assert isinstance(source, TurnedSource)
        assert source.name == "rtsp://127.0.0.1:9/cam"


@pytest.mark.parametrize("device", ["/dev/video0", "/dev/video99", "/dev/v4l/by-id/usb-Maker_Camera-video-index0"])
def test_a_device_needs_no_scheme(device: str) -> None:
    with open_source(f"{device}?size=800x600") as source:
        assert source.name == f"v4l2:{device}" and source.live


def test_a_wrong_option_of_a_device_is_named() -> None:
    with pytest.raises(SettingsError, match="no option 'sise', it has size, fps, .*; did you mean 'size'"):
        open_source("/dev/video0?sise=1x1")


# --- cameras that turn the picture themselves


class Sensor(Camera):
    """A camera that can rotate by 180 degrees and mirror in its sensor."""

    def __init__(
        self,
        what: str,
        *,
        rotation: Annotated[int, OptionType("0 or 180", lambda text: {"0": 0, "180": 180}[text])] = 0,
        flip: Annotated[str, OptionType("a flip", {"none": "none", "horizontal": "horizontal"}.__getitem__)] = "none",
    ) -> None:
        self.name = "sensor"
        Sensor.asked = (rotation, flip)

    def open(self) -> None:
        pass

    def read(self):
        return np.arange(6, dtype=np.uint8).reshape(2, 3), datetime.now(UTC)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("options", "in_sensor", "shape"),
    [
        ("rotation=180", (180, "none"), (2, 3)),
        ("rotation=180&flip=horizontal", (180, "horizontal"), (2, 3)),
        # All or nothing: first mirrored in the sensor and then rotated here would be another picture.
        ("rotation=90&flip=horizontal", (0, "none"), (3, 2)),
        ("flip=vertical", (0, "none"), (2, 3)),
        ("rotation=0", (0, "none"), (2, 3)),
    ],
)
def test_a_camera_does_what_it_can(options: str, in_sensor, shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.SCHEMES, "sensor", f"{__name__}:Sensor")
    with open_source(f"sensor:?{options}", frozen_seconds=0, deadline_seconds=30) as source:
        assert Sensor.asked == in_sensor
        assert next(source).pixels.shape == shape
        assert isinstance(source, TurnedSource) == (in_sensor == (0, "none") and options != "rotation=0")
        assert (source.state, source.live, source.name, source.wedged) == ("running", True, "sensor", False)
        assert source.dropped >= 0


@pytest.mark.parametrize("options", ["rotation=90", "flip=horizontal", "rotation=270&flip=vertical"])
def test_the_camera_of_a_pi_can_be_turned_too(options: str) -> None:
    with open_source(f"picamera2:0?{options}") as source:
        assert isinstance(source, TurnedSource)


# --- what passes through


class Scripted(Source):
    """Gives what it is told to."""

    live = True

    def __init__(self, *things: object) -> None:
        self.name, self.state, self.dropped, self.wedged = "scripted", "stalled", 7, True
        self.things, self.stopped, self.closed = list(things), 0, 0

    def __next__(self) -> Frame:
        thing = self.things.pop(0)
        if isinstance(thing, Exception):
            raise thing
        return thing

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        self.closed += 1


def test_errors_states_and_ends_pass_through() -> None:
    taken = datetime(2026, 11, 30, tzinfo=UTC)
    frame = Frame(CORNERS, "a", 3, taken, "12")
    inner = Scripted(SourceError("no frame"), frame, WedgedError("hangs"), StopIteration())
    source = TurnedSource(inner, Orientation(90, "none"))
    with pytest.raises(SourceError, match="no frame"):
        next(source)
    made = next(source)
    assert (made.source, made.index, made.captured_at, made.truth) == ("a", 3, taken, "12")
    assert made.reduced(2).shape == (1, 1)
    assert frame.pixels.shape == (2, 3)
    with pytest.raises(WedgedError):
        next(source)
    assert (source.state, source.dropped, source.wedged, source.live, source.name) == (
        "stalled", 7, True, True, "scripted",
    )  # fmt: skip
    assert list(source) == []
    source.stop()
    source.close()
    assert (inner.stopped, inner.closed) == (1, 1)


def test_an_unused_cache_of_the_frame_is_not_taken_along() -> None:
    """A smaller picture that the frame has made is that of the frame before it was turned."""
    frame = Frame(np.arange(64, dtype=np.uint8).reshape(4, 16), "a")
    assert frame.reduced(8).shape == (2, 8)
    made = next(TurnedSource(Scripted(frame), Orientation(90)))
    assert made.reduced(8).shape == (8, 2)


def test_the_stream_gets_its_url_without_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(Stream, "__init__", lambda self, url: given.append(url) or setattr(self, "name", "s"))
    open_source("http://127.0.0.1:9/cam?channel=1#flip=horizontal").close()
    assert given == ["http://127.0.0.1:9/cam?channel=1"]


def test_all_that_a_source_has_passes_through() -> None:
    """What is added to Source must be added to TurnedSource."""
    has = {name for name in (*Source.__annotations__, *vars(Source)) if not name.startswith("_")}
    inner = Scripted()
    inner.pages = False
    assert has <= {*vars(TurnedSource), *vars(TurnedSource(inner, Orientation(90)))}
