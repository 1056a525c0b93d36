"""A V4L2 camera: which format is taken, what its options set, and what is said of a driver that lacks them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.sources import open_source, v4l2, v4l2_options, video_device
from edge.sources.v4l2 import DAMAGED_FRAMES, V4l2
from edge.sources.video_device import Layout, Mode, VideoDevice, within
from edge.sources.video_format import best_mode, is_packed, luminance
from tests.support.v4l2_driver import STRUCTS, Driver, Knob, request

# --- the structs and numbers of the kernel's header


@pytest.mark.parametrize("bits", [64, 32])
def test_structs_and_numbers_are_those_of_the_header(bits: int, tmp_path: Path) -> None:
    """As C compiles them for programs of 64 and of 32 bits."""
    if shutil.which("gcc") is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("gcc and the kernel's headers are not installed here")
    layouts = {
        "v4l2_fmtdesc": video_device.FORMAT, "v4l2_frmsizeenum": video_device.SIZE,
        "v4l2_frmivalenum": video_device.INTERVAL, "v4l2_queryctrl": video_device.CONTROL,
        "v4l2_querymenu": video_device.MENU, "v4l2_control": video_device.VALUE,
    }  # fmt: skip
    ours = {
        "VIDIOC_ENUM_FMT": video_device.ENUM_FMT, "VIDIOC_ENUM_FRAMESIZES": video_device.ENUM_FRAMESIZES,
        "VIDIOC_ENUM_FRAMEINTERVALS": video_device.ENUM_FRAMEINTERVALS, "VIDIOC_QUERYCTRL": video_device.QUERYCTRL,
        "VIDIOC_QUERYMENU": video_device.QUERYMENU, "VIDIOC_S_CTRL": video_device.S_CTRL,
        "V4L2_CID_AUTOGAIN": v4l2_options.AUTOGAIN, "V4L2_CID_GAIN": v4l2_options.GAIN,
        "V4L2_CID_POWER_LINE_FREQUENCY": v4l2_options.POWER_LINE_FREQUENCY,
        "V4L2_CID_EXPOSURE_AUTO": v4l2_options.EXPOSURE_AUTO, "V4L2_EXPOSURE_MANUAL": v4l2_options.EXPOSURE_MANUAL,
        "V4L2_CID_EXPOSURE_ABSOLUTE": v4l2_options.EXPOSURE_ABSOLUTE,
        "V4L2_CID_FOCUS_ABSOLUTE": v4l2_options.FOCUS_ABSOLUTE, "V4L2_CID_FOCUS_AUTO": v4l2_options.FOCUS_AUTO,
        "V4L2_CID_AUTO_FOCUS_START": v4l2_options.AUTO_FOCUS_START,
        "V4L2_CID_POWER_LINE_FREQUENCY_DISABLED": v4l2_options.POWER_LINE["off"],
        "V4L2_CID_POWER_LINE_FREQUENCY_50HZ": v4l2_options.POWER_LINE["50"],
        "V4L2_CID_POWER_LINE_FREQUENCY_60HZ": v4l2_options.POWER_LINE["60"],
        "V4L2_CID_POWER_LINE_FREQUENCY_AUTO": v4l2_options.POWER_LINE["auto"],
        "V4L2_BUF_TYPE_VIDEO_CAPTURE": video_device.CAPTURE, "V4L2_FRMSIZE_TYPE_DISCRETE": video_device.DISCRETE,
        "V4L2_FRMIVAL_TYPE_DISCRETE": video_device.DISCRETE,
        "(V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)": video_device.UNUSABLE,
    }  # fmt: skip
    checks = [f"sizeof(struct {name}) == {layout.size}" for name, layout in layouts.items()]
    checks += [f"{name} == {value}u" for name, value in ours.items()]
    size, number = (208, 0xC0D05604) if bits == 64 else (204, 0xC0CC5604)
    checks += [f"sizeof(struct v4l2_format) == {size}", f"VIDIOC_G_FMT == {number}u"]
    first = 8 if bits == 64 else 4
    for at, name in enumerate(("width", "height", "pixelformat", "field", "bytesperline")):
        checks.append(f"__builtin_offsetof(struct v4l2_format, fmt.pix.{name}) == {first + 4 * at}")
    code = "#include <linux/videodev2.h>\n" + "\n".join(f'_Static_assert({check}, "");' for check in checks)
    # A compiler for both may have the headers of its own architecture only.
    (tmp_path / "gnu").mkdir()
    (tmp_path / "gnu/stubs-32.h").touch()
    (tmp_path / "check.c").write_text(code)
    triplet = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    command = ["gcc", f"-m{bits}", "-fsyntax-only", f"-I{tmp_path}", f"-I/usr/include/{triplet}", "check.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if "unrecognized command-line option" in done.stderr:
        pytest.skip(f"gcc has no -m{bits} here")
    assert done.returncode == 0, done.stderr


def test_the_stand_in_has_the_sizes_of_the_program() -> None:
    requests = {
        2: video_device.ENUM_FMT, 4: video_device.G_FMT, 28: video_device.S_CTRL, 36: video_device.QUERYCTRL,
        37: video_device.QUERYMENU, 74: video_device.ENUM_FRAMESIZES, 75: video_device.ENUM_FRAMEINTERVALS,
    }  # fmt: skip
    theirs = {number: request(number, ctypes.sizeof(kind)) for number, kind, _ in STRUCTS.values()}
    assert requests.items() <= theirs.items()
    assert video_device.PICTURE.size == ctypes.sizeof(STRUCTS["v4l2_format"][1])


# --- the driver is asked


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A webcam such as are sold: YUYV is slow in large pictures."""
    made = Driver(
        {
            "YUYV": {(640, 480): [30, 15], (1280, 720): [10, 5], (1920, 1080): [5]},
            "MJPG": {(640, 480): [30], (1280, 720): [30], (1920, 1080): [30, 24]},
            "H264": {(1920, 1080): [30]},
        }
    )
    monkeypatch.setattr(video_device.fcntl, "ioctl", made.ioctl)
    return made


@pytest.fixture
def device(driver: Driver, tmp_path: Path):
    (tmp_path / "video0").touch()
    with VideoDevice(tmp_path / "video0") as opened:
        yield opened


def test_all_modes_are_found(device: VideoDevice) -> None:
    modes = device.modes((640, 480))
    assert len(modes) == 7
    assert modes[1] == Mode("YUYV", 1280, 720, 10)
    assert Mode("MJPG", 1920, 1080, 30) in modes


def test_of_a_range_of_sizes_the_next_is_taken(driver: Driver, device: VideoDevice) -> None:
    driver.formats = {"GREY": {(32, 2592, 16, 32, 1944, 2): [60, 30]}}
    assert device.modes((645, 481)) == [Mode("GREY", 640, 480, 60)]
    assert device.modes((8192, 16)) == [Mode("GREY", 2592, 32, 60)]
    assert within(100, 10, 90, 7) <= 90
    assert within(5, 7, 7, 0) == 7


def test_a_driver_that_says_nothing_has_no_modes(driver: Driver, device: VideoDevice) -> None:
    driver.formats = {}
    assert device.modes((640, 480)) == []
    assert device.layout() is None
    assert device.control(v4l2_options.GAIN) is None


def test_a_camera_that_is_unplugged_meanwhile_is_an_error(driver: Driver, device: VideoDevice) -> None:
    driver.gone = True
    with pytest.raises(OSError):
        device.modes((640, 480))
    with pytest.raises(OSError):
        device.control(v4l2_options.GAIN)


def test_a_disabled_control_is_none(driver: Driver, device: VideoDevice) -> None:
    for flag in (0x0001, 0x0004):
        driver.knobs[v4l2_options.GAIN] = Knob("Gain", 0, 255, flags=flag)
        assert device.control(v4l2_options.GAIN) is None
    # Inactive is a control that its automatic holds now.
    driver.knobs[v4l2_options.GAIN] = Knob("Gain", 0, 255, flags=0x0010)
    assert device.control(v4l2_options.GAIN) == (v4l2_options.GAIN, "Gain", 0, 255)


def test_it_is_closed_once(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    opened = VideoDevice(tmp_path / "video0")
    opened.close()
    opened.close()


# --- which format is taken


@pytest.mark.parametrize(
    ("size", "fps", "chosen"),
    [
        ((640, 480), 30, "YUYV 640x480"),
        ((640, 480), 10, "YUYV 640x480"),
        ((1280, 720), 10, "YUYV 1280x720"),
        ((1280, 720), 30, "MJPG 1280x720"),
        ((1920, 1080), 30, "MJPG 1920x1080"),
        ((1920, 1080), 5, "YUYV 1920x1080"),
        # 30 of 60 are better than 5 of 60.
        ((1920, 1080), 60, "MJPG 1920x1080"),
        # The nearest size first.
        ((4608, 2592), 30, "MJPG 1920x1080"),
        ((800, 600), 30, "YUYV 640x480"),
        ((16, 16), 30, "YUYV 640x480"),
    ],
)
def test_the_format_follows_size_and_rate(size, fps, chosen, device: VideoDevice) -> None:
    mode = best_mode(device.modes(size), size, fps)
    assert mode is not None
    assert f"{mode.fourcc} {mode.width}x{mode.height}" == chosen


def test_grey_is_taken_before_colours_and_colours_before_loss() -> None:
    modes = [Mode(fourcc, 640, 480, 30) for fourcc in ("MJPG", "YUYV", "NV12", "GREY", "H264")]
    taken = []
    while (mode := best_mode(modes, (640, 480), 30)) is not None:
        taken.append(mode.fourcc)
        modes.remove(mode)
    assert taken == ["GREY", "NV12", "YUYV", "MJPG"]


def test_a_driver_that_tells_no_rate_is_taken_to_be_fast_enough() -> None:
    modes = [Mode("YUYV", 640, 480, 0), Mode("MJPG", 640, 480, 30)]
    assert best_mode(modes, (640, 480), 30) == modes[0]


def test_rates_that_are_nearly_the_wanted_one_are_enough() -> None:
    modes = [Mode("YUYV", 640, 480, 30000 / 1001), Mode("MJPG", 640, 480, 30)]
    assert best_mode(modes, (640, 480), 30) == modes[0]


# --- the grey picture

GREYS = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def raw(fourcc: str) -> np.ndarray:
    """GREYS as a driver gives them, with colours that are not grey."""
    if fourcc == "GREY":
        return GREYS.copy()
    if fourcc in ("YUYV", "UYVY"):
        other = np.full_like(GREYS, 77)
        return np.dstack([GREYS, other] if fourcc == "YUYV" else [other, GREYS])
    if fourcc in ("NV12", "NV21", "YU12", "YV12"):
        return np.vstack([GREYS, np.full((2, 6), 77, np.uint8)])
    colour = np.dstack([GREYS] * 3)
    return cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].reshape(1, -1)


@pytest.mark.parametrize("fourcc", ["GREY", "YUYV", "UYVY", "NV12", "NV21", "YU12", "YV12", "MJPG", "JPEG"])
def test_the_luminance_of_each_format(fourcc: str) -> None:
    given = raw(fourcc)
    found = luminance(given, fourcc)
    assert found is not None and found.shape == GREYS.shape and found.dtype == np.uint8
    assert found.flags.c_contiguous and not np.shares_memory(found, given)
    assert np.abs(found.astype(int) - GREYS).max() <= (4 if fourcc in ("MJPG", "JPEG") else 0)


def test_a_jpeg_that_is_none_is_damaged() -> None:
    for data in (b"", b"\xff\xd8\xff", b"no jpeg at all"):
        assert luminance(np.frombuffer(data, np.uint8).reshape(1, -1), "MJPG") is None


def test_padded_rows_are_left_to_opencv() -> None:
    assert is_packed(Layout("YUYV", 640, 480, 1280)) and is_packed(Layout("GREY", 640, 480, 0))
    assert is_packed(Layout("MJPG", 640, 480, 0)) and is_packed(Layout("NV12", 640, 480, 640))
    assert not is_packed(Layout("YUYV", 650, 480, 1312)) and not is_packed(Layout("GREY", 650, 480, 672))
    assert not is_packed(Layout("BA81", 640, 480, 640))


# --- a camera from its opening to its end


class Capture:
    """As cv2.VideoCapture of V4L2, on the stand-in's driver."""

    driver: Driver
    frames: list[np.ndarray]
    padding = 0

    def __init__(self, path: str, backend: int) -> None:
        assert backend == cv2.CAP_V4L2
        Capture.opened = self
        self.asked: dict[int, float] = {}
        self.released = 0

    def isOpened(self) -> bool:
        return True

    def set(self, name: int, value: float) -> bool:
        self.asked[name] = value
        width, height = (int(self.asked.get(p, 0)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if name == cv2.CAP_PROP_FRAME_HEIGHT:
            fourcc = int(self.asked.get(cv2.CAP_PROP_FOURCC, 0)).to_bytes(4, "little").decode()
            line = {"YUYV": 2 * width, "MJPG": 0}.get(fourcc, width) + self.padding
            self.driver.layout = (fourcc, width, height, line)
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        if not self.frames:
            return False, None
        return True, self.frames.pop(0)

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def node(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a device whose driver is the stand-in."""
    (tmp_path / "video0").touch()
    Capture.driver, Capture.frames, Capture.padding = driver, [], 0
    monkeypatch.setattr(v4l2.cv2, "VideoCapture", Capture)
    monkeypatch.setattr(v4l2_options, "mains_hertz", lambda: None)
    return str(tmp_path / "video0")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_camera_gives_the_luminance_of_its_frames(node: str) -> None:
    before = descriptors()
    Capture.frames = [raw("YUYV")]
    camera = V4l2(node, size=(640, 480), fps=15)
    camera.open()
    pixels, taken = camera.read()
    assert np.array_equal(pixels, GREYS)
    assert abs(datetime.now(UTC) - taken) < timedelta(minutes=1)
    asked = Capture.opened.asked
    assert asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"YUYV")
    assert (asked[cv2.CAP_PROP_FRAME_WIDTH], asked[cv2.CAP_PROP_FRAME_HEIGHT]) == (640, 480)
    assert (asked[cv2.CAP_PROP_FPS], asked[cv2.CAP_PROP_BUFFERSIZE], asked[cv2.CAP_PROP_CONVERT_RGB]) == (15, 1, 0)
    with pytest.raises(SourceError, match="the camera gives no frame"):
        camera.read()
    camera.close()
    camera.close()
    assert Capture.opened.released == 1
    assert descriptors() == before


def test_damaged_frames_are_passed_over_but_not_for_ever(node: str) -> None:
    damaged = np.frombuffer(b"no jpeg", np.uint8).reshape(1, -1)
    camera = V4l2(node, size=(1280, 720))
    camera.open()
    Capture.frames = [damaged, damaged, raw("MJPG")]
    assert camera.read()[0].shape == GREYS.shape
    Capture.frames = [damaged] * DAMAGED_FRAMES
    with pytest.raises(SourceError, match="gives only damaged frames; try another USB port, cable or size"):
        camera.read()
    camera.close()


@pytest.mark.parametrize("what", ["padded", "silent"])
def test_what_is_not_understood_is_left_to_opencv(what: str, node: str, driver: Driver) -> None:
    if what == "padded":
        Capture.padding = 32
    else:
        driver.formats = {}
    Capture.frames = [np.dstack([GREYS] * 3)]
    camera = V4l2(node, size=(640, 480))
    camera.open()
    assert np.array_equal(camera.read()[0], GREYS)
    assert cv2.CAP_PROP_CONVERT_RGB not in Capture.opened.asked
    camera.close()


def test_a_camera_that_goes_while_it_is_opened_is_one_line(node: str, driver: Driver) -> None:
    driver.gone = True
    camera = V4l2(node, size=(640, 480))
    with pytest.raises(SourceError, match="video0: cannot be opened as a camera"):
        camera.open()
    camera.close()


# --- options

FOCUS = {
    v4l2_options.FOCUS_AUTO: Knob("Focus, Automatic Continuous", 0, 1, value=1),
    v4l2_options.FOCUS_ABSOLUTE: Knob("Focus, Absolute", 0, 250),
}
EXPOSURE = {
    v4l2_options.EXPOSURE_AUTO: Knob("Auto Exposure", 0, 3, value=3, menu=(1, 3)),
    v4l2_options.EXPOSURE_ABSOLUTE: Knob("Exposure Time, Absolute", 3, 2047),
}
GAIN = {v4l2_options.AUTOGAIN: Knob("Gain, Automatic", 0, 1, value=1), v4l2_options.GAIN: Knob("Gain", 0, 255)}
MAINS = {v4l2_options.POWER_LINE_FREQUENCY: Knob("Power Line Frequency", 0, 2, menu=(0, 1, 2))}


@pytest.mark.parametrize(
    ("options", "set_to"),
    [
        ({}, []),
        ({"focus": "continuous"}, [(v4l2_options.FOCUS_AUTO, 1)]),
        ({"focus": "auto"}, [(v4l2_options.FOCUS_AUTO, 1)]),
        ({"focus": "40"}, [(v4l2_options.FOCUS_AUTO, 0), (v4l2_options.FOCUS_ABSOLUTE, 40)]),
        ({"exposure": 20_049}, [(v4l2_options.EXPOSURE_AUTO, 1), (v4l2_options.EXPOSURE_ABSOLUTE, 200)]),
        ({"gain": 64}, [(v4l2_options.AUTOGAIN, 0), (v4l2_options.GAIN, 64)]),
        ({"power_line_frequency": "60"}, [(v4l2_options.POWER_LINE_FREQUENCY, 2)]),
        ({"power_line_frequency": "off"}, [(v4l2_options.POWER_LINE_FREQUENCY, 0)]),
    ],
)
def test_an_option_sets_its_control_and_ends_its_automatic(options, set_to, node: str, driver: Driver) -> None:
    driver.knobs = FOCUS | EXPOSURE | GAIN | MAINS
    camera = V4l2(node, size=(640, 480), **options)
    camera.open()
    camera.close()
    assert driver.log == set_to


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"focus": "auto"}, "this camera's driver has no autofocus; leave the option focus out"),
        ({"focus": "continuous"}, "this camera's driver has no autofocus; leave the option focus out"),
        ({"focus": "3"}, "this camera's driver has no focus; leave the option focus out"),
        ({"exposure": 100}, "this camera's driver has no exposure; leave the option exposure out"),
        ({"gain": 1}, "this camera's driver has no gain; leave the option gain out"),
        ({"power_line_frequency": "50"}, "has no power_line_frequency; leave the option power_line_frequency out"),
    ],
)
def test_what_the_driver_lacks_is_one_line(options, problem: str, node: str) -> None:
    camera = V4l2(node, size=(640, 480), **options)
    with pytest.raises(SourceError) as error:
        camera.open()
    camera.close()
    assert str(error.value).startswith(f"v4l2:{node}: ") and problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"focus": "251"}, "focus of this camera is 0 to 250, not 251"),
        ({"exposure": 250}, "exposure of this camera is 300 to 204700 microseconds, not 250"),
        ({"gain": 300}, "gain of this camera is 0 to 255, not 300"),
        ({"power_line_frequency": "auto"}, "power_line_frequency of this camera is off or 50 or 60, not auto"),
    ],
)
def test_a_value_outside_the_range_tells_the_range(options, problem: str, node: str, driver: Driver) -> None:
    driver.knobs = FOCUS | EXPOSURE | GAIN | MAINS
    camera = V4l2(node, size=(640, 480), **options)
    with pytest.raises(SourceError, match=f"^v4l2:{node}: {problem}$"):
        camera.open()
    camera.close()
    assert Capture.opened.released == 1


def test_a_driver_that_refuses_is_one_line(node: str, driver: Driver) -> None:
    driver.knobs, driver.refused = dict(GAIN), {v4l2_options.GAIN}
    camera = V4l2(node, size=(640, 480), gain=3)
    with pytest.raises(SourceError, match="the driver refuses gain .*; leave that option out"):
        camera.open()
    camera.close()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("focus=near", "focus is auto, continuous or a whole number, not 'near'"),
        ("exposure=0", "exposure is a whole number from 1 to 200000000, not '0'"),
        ("power_line_frequency=55", "power_line_frequency is one of off, 50, 60, auto, not '55'"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_opened(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        open_source(f"v4l2:/dev/video0?{text}")


@pytest.mark.parametrize(
    ("hertz", "menu", "set_to"),
    [
        (50, (0, 1, 2), [1]),
        (60, (0, 1, 2), [2]),
        (None, (0, 1, 2), []),
        (None, (0, 1, 2, 3), [3]),
        # Some cameras have 60 only; it is not an error that nobody asked for.
        (50, (0, 2), []),
        (50, None, []),
    ],
)
def test_without_the_option_the_country_tells_the_mains(
    hertz, menu, set_to, node: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v4l2_options, "mains_hertz", lambda: hertz)
    if menu:
        knob = Knob("Power Line Frequency", 0, menu[-1], value=7, menu=menu)
        driver.knobs = {v4l2_options.POWER_LINE_FREQUENCY: knob}
    for refused in (set(), {v4l2_options.POWER_LINE_FREQUENCY}):
        driver.refused, driver.log = refused, []
        camera = V4l2(node, size=(640, 480))
        camera.open()
        camera.close()
        assert driver.log == ([] if refused else [(v4l2_options.POWER_LINE_FREQUENCY, value) for value in set_to])


# --- focus once, then locked


def test_focus_auto_is_locked_when_it_has_had_its_time(
    node: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.knobs = {number: Knob(k.name, k.low, k.high, k.value) for number, k in FOCUS.items()}
    now = [100.0]
    monkeypatch.setattr(v4l2.time, "monotonic", lambda: now[0])
    camera = V4l2(node, size=(640, 480), focus="auto")
    for _ in range(2):
        driver.log = []
        camera.open()
        Capture.frames = [raw("YUYV")] * 5
        camera.read()
        assert driver.log == [(v4l2_options.FOCUS_AUTO, 1)]
        now[0] += v4l2.FOCUS_SECONDS
        camera.read()
        camera.read()
        assert driver.log == [(v4l2_options.FOCUS_AUTO, 1), (v4l2_options.FOCUS_AUTO, 0)]
        camera.close()


def test_a_driver_with_a_button_for_it_locks_itself(node: str, driver: Driver) -> None:
    driver.knobs = FOCUS | {v4l2_options.AUTO_FOCUS_START: Knob("Auto Focus, Start", 0, 1)}
    camera = V4l2(node, size=(640, 480), focus="auto")
    camera.open()
    assert driver.log == [(v4l2_options.FOCUS_AUTO, 0), (v4l2_options.AUTO_FOCUS_START, 1)]
    assert camera._lock_focus_at == float("inf")
    camera.close()
