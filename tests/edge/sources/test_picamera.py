"""The Pi's camera in front of a stand-in of picamera2, which has the modes and controls of real sensors."""

import logging
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.sources import open_source, picamera, sensor_mode
from edge.sources.picamera import Picamera, capture_time
from edge.system import raspberry
from tests.support.camera.scene import Scene, page
from tests.support.camera.sensors import SENSORS
from tests.support.camera.stand_in import plug_in

USB = "UVC Camera (046d:0825)"
MODULES = [model for model, sensor in SENSORS.items() if not sensor.usb]


def opened(world, **options):
    """A camera with these options, opened, and what stands for the device."""
    camera = Picamera("0", **options)
    camera.open()
    return camera, world.opened[-1]


# --- the picture


@pytest.mark.parametrize("pixel_format", ["YUV420", "NV12"])
def test_the_frame_is_the_y_plane_without_the_padding(monkeypatch, pixel_format):
    world = plug_in(monkeypatch, "imx708", pixel_format=pixel_format, size=(632, 480))
    world.scene.reflects = np.full((480, 632), 0.85, np.float32)
    camera, device = opened(world, size=(640, 480))
    pixels, _ = camera.read()
    assert device.released == 1
    camera.close()
    camera.close()
    assert pixels.shape == (480, 632)
    assert pixels.min() > 60, "the padding is black"
    assert device.camera_config["main"] == {
        **{"format": pixel_format, "size": (632, 480), "stride": 640, "preserve_ar": True}
    }
    assert (device.started, device.closed) == (False, 1)


def test_a_sensor_timestamp_is_used_only_if_it_is_plausible():
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    for stamp in (None, boot + 10**9, boot - 3600 * 10**9):
        assert abs(datetime.now(UTC) - capture_time(stamp)) < timedelta(seconds=30)
    assert datetime.now(UTC) - capture_time(boot - 10**9) >= timedelta(seconds=0.9)


def test_a_frame_that_is_too_short_is_an_error(monkeypatch):
    world = plug_in(monkeypatch, "imx708", sent=1000)
    camera, device = opened(world, size=(640, 480))
    with pytest.raises(SourceError, match="gave a frame of 1000 bytes; it has 307200 or more"):
        camera.read()
    assert device.released == 1


def test_a_format_without_a_grey_plane_is_an_error(monkeypatch):
    plug_in(monkeypatch, "imx708", pixel_format="YUYV")
    with pytest.raises(SourceError, match="picamera2:0: gives the format YUYV; it must be one of YUV420"):
        Picamera("0").open()


def test_it_is_turned_in_the_sensor_and_has_all_levels(monkeypatch):
    _, device = opened(plug_in(monkeypatch, "imx708"), rotation=180)
    assert (device.camera_config["transform"].hflip, device.camera_config["transform"].vflip) == (1, 1)
    assert device.camera_config["colour_space"].name == "sYCC"


# --- failures


def test_a_camera_that_falls_silent_is_an_error_and_can_be_closed(monkeypatch):
    world = plug_in(monkeypatch, "imx219")
    camera = Picamera("", size=(640, 480))
    for before, wait in ((0, 10), (1, 2)):
        world.error = None
        camera.open()
        for _ in range(before):
            camera.read()
        world.error = TimeoutError()
        with pytest.raises(SourceError, match=f"picamera2:0: no frame for {wait} s; check the camera's cable"):
            camera.read()
        assert world.opened[-1].flushed == 1
        camera.close()
        assert world.opened[-1].closed == 1


def test_a_camera_that_refuses_its_configuration_is_given_back(monkeypatch):
    world = plug_in(monkeypatch, "imx219", error=RuntimeError("width and\nheight"))
    camera = Picamera("0")
    with pytest.raises(SourceError, match="picamera2:0: the camera refuses to start: width and height"):
        camera.open()
    camera.close()
    assert world.opened[-1].closed == 1


def test_a_missing_camera_number_is_an_error_that_lists_the_cameras(monkeypatch):
    plug_in(monkeypatch, "imx708")
    with pytest.raises(SourceError, match=r"picamera2:1: no such camera \(0 is imx708\)"):
        Picamera("1").open()


def test_without_picamera2_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    monkeypatch.setattr(raspberry, "model", lambda: "Raspberry Pi 5 Model B Rev 1.0")
    with pytest.raises(SourceError) as error:
        Picamera("0").open()
    assert "sudo apt install -y python3-picamera2" in str(error.value)
    assert "--system-site-packages" in str(error.value)
    monkeypatch.setattr(raspberry, "model", lambda: "")
    with pytest.raises(
        SourceError, match=r"no Raspberry Pi: name another source with --source, such as v4l2:/dev/video0"
    ):
        Picamera("0").open()


# --- the view


@pytest.mark.parametrize("model", MODULES)
def test_by_itself_it_sees_all_of_the_view_at_the_speed_that_is_asked(monkeypatch, model, caplog):
    camera, device = opened(plug_in(monkeypatch, model))
    assert min(device.view) >= 0.95
    pixels, _ = camera.read()
    assert pixels.shape[1] % sensor_mode.WIDTH_STEP == 0
    assert 1_200_000 <= pixels.size <= 1.05 * sensor_mode.PIXELS
    assert device.exposure.limits[0] <= 1e6 / 30 <= 1e6 / 29
    assert device.camera_controls["FrameDurationLimits"][0] <= 1e6 / 30
    # Two pictures, and nothing of what the sensor sends.
    assert device.buffer_bytes == pytest.approx(picamera.BUFFERS * 1.5 * pixels.size)
    assert not caplog.records


@pytest.mark.parametrize(("size", "said"), [((640, 480), "25 % of the width"), ((1024, 768), "25 % of the width")])
def test_a_size_that_cuts_off_some_of_the_view_is_said_once(monkeypatch, caplog, size, said):
    caplog.set_level(logging.WARNING)
    camera, device = opened(plug_in(monkeypatch, "imx708"), size=size)
    assert device.view == (0.75, 1.0)
    camera.close()
    camera.open()
    (record,) = caplog.records
    words = f"picamera2:0: a picture of {size[0]}x{size[1]} leaves out {said} that the camera sees; size=1792x1008"
    assert words in record.getMessage()


def test_a_camera_without_a_raw_sensor_gets_no_mode_and_few_controls(monkeypatch):
    camera, device = opened(plug_in(monkeypatch, USB))
    camera.read()
    assert device.camera_config["main"]["size"] == (640, 480)
    assert device.camera_config["sensor"] is None
    assert device.sent == []


# --- controls


def test_frames_may_take_as_long_as_an_exposure_in_the_dark(monkeypatch):
    for options, limits in (
        ({}, (33_333, 120_000)),
        ({"fps": 5.0}, (200_000, 200_000)),
        ({"exposure": 500_000}, (33_333, 505_000)),
        ({"exposure": 20_000}, (33_333, 120_000)),
    ):
        _, device = opened(plug_in(monkeypatch, "imx219"), **options)
        assert device.exposure.limits == limits


def test_an_exposure_that_is_asked_for_is_the_one_of_the_frames(monkeypatch):
    camera, device = opened(plug_in(monkeypatch, "imx477"), exposure=1_000_000, gain=2.0, size=(640, 480))
    for _ in range(4):
        camera.read()
    assert device.exposure.shown == (1_000_000, 2.0, 1.0)
    assert device.exposure.frame_us > 1_000_000
    assert "ExposureValue" not in {name for sent in device.sent for name in sent}


@pytest.mark.parametrize(
    ("mains", "option", "sent"),
    [
        (50, None, {"AeFlickerMode": 1, "AeFlickerPeriod": 10_000}),
        (60, "auto", {"AeFlickerMode": 1, "AeFlickerPeriod": 8_333}),
        (60, "50", {"AeFlickerMode": 1, "AeFlickerPeriod": 10_000}),
        (50, "off", {"AeFlickerMode": 0}),
        (None, None, {}),
    ],
)
def test_lamps_do_not_flicker(monkeypatch, mains, option, sent):
    monkeypatch.setattr("edge.sources.camera_controls.mains_hertz", lambda: mains)
    world = plug_in(monkeypatch, "imx708", scene=Scene(page(["123"], (640, 480)), lux=lambda _: 300))
    camera, device = opened(world, flicker=option, size=(640, 480))
    assert {name: value for name, value in device.sent[0].items() if "Flicker" in name} == sent
    for _ in range(30):
        camera.read()
    if period := sent.get("AeFlickerPeriod"):
        assert device.exposure.shown[0] % period == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("imx219", {"af": "auto"}, "this camera has no AfMode; leave that option out"),
        ("imx477", {"lens": 2.0}, "this camera has no AfMode; leave that option out"),
        (USB, {"exposure": 1000}, "this camera has no ExposureTime; leave that option out"),
        (USB, {"flicker": "50"}, "this camera has no AeFlickerMode; leave that option out"),
        (USB, {"hdr": "single"}, "this camera has no HdrMode; leave that option out"),
        ("imx708", {"lens": 20.0}, "LensPosition is 0 to 15 for this camera, not 20"),
        ("imx219", {"gain": 20.0}, "AnalogueGain is 1 to 10.6667 for this camera, not 20"),
    ],
)
def test_a_control_that_the_camera_lacks_is_an_error(monkeypatch, model, options, said):
    plug_in(monkeypatch, model)
    with pytest.raises(SourceError, match=f"^picamera2:0: {said}$"):
        Picamera("0", **options).open()


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"af": "off"}, {"AfMode": 0, "AfRange": 2}),
        ({"af": "continuous"}, {"AfMode": 2, "AfRange": 2}),
        ({"lens": 2.5}, {"AfMode": 0, "AfRange": 2, "LensPosition": 2.5}),
        ({"af_range": "macro"}, {"AfMode": 0, "AfRange": 1, "LensPosition": 4.0}),
        ({"hdr": "single", "metering": "spot", "ev": -1.0}, {"HdrMode": 3, "AeMeteringMode": 1, "ExposureValue": -1.0}),
    ],
)
def test_options_become_controls(monkeypatch, options, sent):
    camera, device = opened(plug_in(monkeypatch, "imx708"), size=(640, 360), **options)
    for _ in range(5):
        camera.read()
    given = device.sent[0]
    assert {name: given[name] for name in sent} == sent
    assert given["AfWindows"] == [(0, 0, 4608, 2592)]
    assert any(picamera.TRIGGER.items() <= one.items() for one in device.sent) == (not {"af", "lens"} & set(options))
    assert ("lens" in camera.settings_now()) is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("af=auto&lens=3", "picamera2:0: lens fixes the focus, and af=auto moves it; leave one of them out"),
        ("flicker=55", "flicker is one of 50, 60, off, auto, not '55'"),
        ("hdr=yes", "hdr is one of off, multi, single, night, not 'yes'"),
        ("exposure=2000000", "exposure is a whole number from 1 to 1000000, not '2000000'"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(SettingsError, match=said):
        open_source(f"picamera2:0?{options}")
