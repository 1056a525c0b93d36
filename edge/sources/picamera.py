"""``picamera2:0``: the Raspberry Pi's own camera, through picamera2 (from apt, only on a Pi; imported only here)."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from edge.errors import SettingsError, SourceError
from edge.sources import camera_controls, sensor_mode
from edge.sources.base import Camera
from edge.sources.focus import Focus
from edge.sources.media_nodes import media_nodes
from edge.sources.paper_exposure import PaperExposure
from edge.system import raspberry
from edge.system.text import one_line
from edge.types import Pixels
from edge.uri import OptionType, Size, number, whole_number

log = logging.getLogger(__name__)

FRAME_SECONDS = 2.0
"""Seconds to wait for a frame before the camera counts as failed (cable or driver); chosen, as DEADLINE_SECONDS."""
FIRST_FRAME_SECONDS = 10.0
"""Seconds to wait for the first frame after the start: the sensor starts up and finds its exposure. Chosen."""
FIRST_FRAMES = 12
"""How many frames libcamera may take before it gives the first one: those in which it finds the exposure
(``convergence_frames``, 6) and those that a sensor spoils as it starts."""
LONGEST_EXPOSURE_US = 1_000_000
"""The longest exposure that can be asked for, microseconds: frames then come within FRAME_SECONDS."""
BUFFERS = 2
"""Frame buffers: the camera fills one while the other is read. More would only hold older frames."""
Y_PLANE_FIRST = ("YUV420", "YVU420", "NV12", "NV21")
"""Pixel formats that begin with the Y plane, which is the grey picture: no conversion is needed."""
TRIGGER = {"AfMode": camera_controls.FOCUS["auto"], "AfTrigger": camera_controls.START}
"""The controls that start one scan of the lens, as picamera2's ``autofocus_cycle`` sends them."""
MAX_AGE_SECONDS = 60.0
"""A sensor timestamp older than this many seconds is not used: it comes from another clock. Chosen."""


def _one_of(names: Mapping[str, Any]) -> OptionType:
    return OptionType(f"one of {', '.join(names)}", lambda text: {name: name for name in names}[text])


def _rotation(text: str) -> int:
    return {"0": 0, "180": 180}[text]


class Picamera(Camera):
    """Camera number ``camera`` at ``size`` (or the nearest size it has) and at most ``fps`` frames per second.

    Without ``size`` the picture has all of the sensor's view. ``rotation`` turns the picture in the sensor.
    ``exposure`` (microseconds) and ``gain`` replace the camera's automatic values; ``ev`` (exposure compensation)
    replaces the one that makes paper light grey. ``lens`` (dioptres: 1 / metres) fixes the focus; ``af`` and
    ``af_range`` say how it is found. ``flicker`` is the frequency of the mains.
    """

    def __init__(
        self,
        camera: str,
        *,
        size: Annotated[tuple[int, int] | None, Size.__metadata__[0]] = None,
        fps: Annotated[float, number(1, 240)] = 30.0,
        rotation: Annotated[int, OptionType("0 or 180", _rotation)] = 0,
        exposure: Annotated[int | None, whole_number(1, LONGEST_EXPOSURE_US)] = None,
        gain: Annotated[float | None, number(1, 64)] = None,
        ev: Annotated[float | None, number(-8, 8)] = None,
        metering: Annotated[str | None, _one_of(camera_controls.METERING)] = None,
        flicker: Annotated[str | None, _one_of(camera_controls.FLICKER)] = None,
        hdr: Annotated[str | None, _one_of(camera_controls.HDR)] = None,
        af: Annotated[str | None, _one_of(camera_controls.FOCUS)] = None,
        af_range: Annotated[str | None, _one_of(camera_controls.RANGE)] = None,
        lens: Annotated[float | None, number(0, 50)] = None,
    ) -> None:
        if camera and not camera.isdecimal():
            raise SettingsError(f"picamera2:{camera}: a camera is named by its number; picamera2:0 is the first")
        self._number = int(camera or 0)
        self.name = f"picamera2:{self._number}"
        if lens is not None and (af or "off") != "off":
            raise SettingsError(f"{self.name}: lens fixes the focus, and af={af} moves it; leave one of them out")
        self._size, self._fps, self._rotation = size, fps, rotation
        self._options: dict[str, Any] = {"exposure": exposure, "gain": gain, "ev": ev, "metering": metering}
        self._options |= {"flicker": flicker, "hdr": hdr, "af": af, "af_range": af_range, "lens": lens}
        self._camera: Any = None
        self._started = False
        # The controls that set how long frames last: ever, and while the lens is moved.
        self._frames: dict[str, Any] = {}
        self._scan_frames: dict[str, Any] = {}
        self._focus: Focus | None = None
        self._paper: PaperExposure | None = None
        self._lens_position: float | None = None
        self._said_crop = False
        self._seen_share: float | None = None

    def open(self) -> None:
        """Configure the camera and start it. Frames have the size that it really gives."""
        self._started = False
        picamera2 = self._import()
        self._camera = self._find(picamera2.Picamera2)
        try:
            self._configure(picamera2.SensorFormat)
            self._set_controls()
            self._camera.start()
        except (RuntimeError, ValueError, ImportError) as error:
            raise SourceError(f"{self.name}: the camera refuses to start: {one_line(error)}") from error

    def _configure(self, sensor_format: Any) -> None:
        """Choose the sensor's mode and the size of the picture, and take those that the camera then gives."""
        from libcamera import ColorSpace, StreamRole, Transform

        modes = sensor_mode.modes_of(self._camera, StreamRole.Raw, sensor_format)
        mode = sensor_mode.choose_mode(modes, self._size, self._fps) if modes else None
        size = self._size or (sensor_mode.picture_size(mode) if mode else sensor_mode.PLAIN_SIZE)
        configuration = self._camera.create_video_configuration(
            main={"format": "YUV420", "size": size},
            # No buffers for what the sensor sends, which nobody reads.
            raw=None,
            sensor={"output_size": mode.size, "bit_depth": mode.bit_depth} if mode else {},
            buffer_count=BUFFERS,
            # Never deliver a frame that was captured before the request.
            queue=False,
            # All 256 levels, as pictures in files have. By itself a video has black at 16 and white at 235.
            colour_space=ColorSpace.Sycc(),
            transform=Transform(hflip=1, vflip=1) if self._rotation else Transform(),
        )
        self._camera.configure(configuration)
        given = self._camera.camera_configuration()["main"]
        if given["format"] not in Y_PLANE_FIRST:
            raise SourceError(
                f"{self.name}: gives the format {given['format']}; it must be one of {', '.join(Y_PLANE_FIRST)}"
            )
        (self._width, self._height), self._stride = given["size"], given["stride"]
        if mode:
            self._say_crop(mode)

    def _say_crop(self, mode: sensor_mode.SensorMode) -> None:
        """Say once if the size that was asked for cuts off a part of the view."""
        shares = dict(zip(("width", "height"), sensor_mode.seen(mode, (self._width, self._height)), strict=True))
        side, share = min(shares.items(), key=lambda one: one[1])
        self._seen_share = share
        if share < sensor_mode.FULL_VIEW and not self._said_crop:
            self._said_crop = True
            whole = "{}x{}".format(*sensor_mode.picture_size(mode))
            log.warning(
                "%s: a picture of %dx%d leaves out %.0f %% of the %s that the camera sees; size=%s has all of it",
                *(self.name, self._width, self._height, 100 * (1 - share), side, whole),
            )

    def _set_controls(self) -> None:
        """Set the controls with which the camera starts, and prepare what changes them later."""
        known = self._camera.camera_controls
        asked = camera_controls.asked_for(self._options)
        camera_controls.refuse_missing(self.name, asked, known)
        controls = camera_controls.for_a_page(self._options, self._fps)
        if "FrameDurationLimits" in known:
            limits, exposure_us = controls["FrameDurationLimits"], self._options["exposure"] or 0
            self._frames = {"FrameDurationLimits": limits}
            self._scan_frames = {"FrameDurationLimits": camera_controls.frames_of_a_scan(limits, known, exposure_us)}
        if view := self._camera.camera_properties.get("ScalerCropMaximum"):
            controls |= camera_controls.focus_on_all(view)
        self._camera.set_controls(camera_controls.accepted(controls, known))
        self._focus = Focus() if "AfMode" in known and asked.get("AfMode", 1) == TRIGGER["AfMode"] else None
        fixed = {"ExposureValue"} & asked.keys() or {"ExposureTime", "AnalogueGain"} <= asked.keys()
        self._paper = PaperExposure() if "ExposureValue" in known and not fixed else None

    def check(self) -> None:
        """Raise SourceError if picamera2 is not installed."""
        self._import()

    def _import(self) -> Any:
        # libcamera logs to stderr; its errors come as exceptions anyway.
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        try:
            import picamera2
        except ImportError as error:
            how = "this is no Raspberry Pi: name another source with --source, such as v4l2:/dev/video0 or synthetic:"
            if raspberry.model():
                how = (
                    "install it with: sudo apt install -y python3-picamera2, and make the venv with "
                    "--system-site-packages"
                )
            raise SourceError(f"{self.name}: picamera2 is not installed ({one_line(error)}); {how}") from error
        return picamera2

    def _find(self, kind: Any) -> Any:
        found = kind.global_camera_info()
        if self._number >= len(found):
            there = ", ".join(f"{n} is {info.get('Model', 'unknown')}" for n, info in enumerate(found))
            raise SourceError(
                f"{self.name}: no such camera ({there or 'none is connected'}); check the cable, "
                "and see which there are with: rpicam-hello --list-cameras"
            )
        try:
            return kind(self._number)
        except (RuntimeError, IndexError, OSError) as error:
            raise SourceError(
                f"{self.name}: cannot be opened ({one_line(error)}); another program may hold it"
            ) from error

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture. Raises SourceError if none comes within 2 s (10 s for the first)."""
        try:
            request = self._camera.capture_request(wait=self._wait_seconds())
        except TimeoutError as error:
            # Otherwise close() would wait for this request.
            self._camera.cancel_all_and_flush()
            raise SourceError(
                f"{self.name}: no frame for {self._wait_seconds():g} s; check the camera's cable"
            ) from error
        except RuntimeError as error:
            raise SourceError(f"{self.name}: the camera failed: {one_line(error)}") from error
        try:
            # Not make_array, which does not know NV12 in all versions. In all these formats the rows of Y come first.
            buffer: Pixels = request.make_buffer("main")
            metadata = request.get_metadata()
        finally:
            request.release()
        rows = self._height * self._stride
        if buffer.size < rows:
            raise SourceError(f"{self.name}: gave a frame of {buffer.size} bytes; it has {rows} or more")
        self._started = True
        # The stride pads each row on the right.
        pixels = buffer[:rows].reshape(self._height, self._stride)[:, : self._width]
        self._adjust(pixels, metadata)
        return pixels, capture_time(metadata.get("SensorTimestamp"))

    def _wait_seconds(self) -> float:
        if self._started:
            return FRAME_SECONDS
        return max(FIRST_FRAME_SECONDS, FIRST_FRAMES * (self._options["exposure"] or 0) / 1e6)

    def _adjust(self, pixels: Pixels, metadata: Mapping[str, Any]) -> None:
        """Trigger the focus or change the exposure compensation, if this picture needs it."""
        stamp_ns = metadata.get("SensorTimestamp")
        now = time.monotonic() if stamp_ns is None else stamp_ns / 1e9
        changes: dict[str, Any] = {}
        if self._focus is not None:
            scanned = not self._focus.settled
            if self._focus.observe(now, pixels, metadata.get("AfState")):
                changes |= TRIGGER | self._scan_frames
            elif scanned and self._focus.settled:
                changes |= self._frames
            self._lens_position = metadata.get("LensPosition") if self._focus.settled else None
        if self._paper is not None:
            exposure = math.prod(metadata.get(name, 1) for name in ("ExposureTime", "AnalogueGain", "DigitalGain"))
            ev = self._paper.observe(pixels, exposure)
            if ev is not None:
                changes["ExposureValue"] = ev
        if changes:
            self._camera.set_controls(changes)

    def settings_now(self) -> dict[str, str]:
        """The option ``lens``, if it was found by autofocus. What exposure found is for the light of now only."""
        return {} if self._lens_position is None else {"lens": f"{self._lens_position:.2f}"}

    def seen_share(self) -> float | None:
        """The smaller share of the sensor's width or height that its pictures show; None if it does not tell."""
        return self._seen_share

    def close(self) -> None:
        """Stop the camera and release it."""
        self._seen_share = None
        camera, self._camera = self._camera, None
        if camera is not None:
            # Close it even if it fails to stop.
            with contextlib.suppress(RuntimeError):
                camera.stop()
            camera.close()

    def availability(self) -> Hashable:
        """The media and video devices of this machine, and which of them are locked; see ``media_nodes``.

        A loose ribbon cable changes none of this.
        """
        return media_nodes()


def capture_time(stamp_ns: int | None) -> datetime:
    """When a frame was captured, UTC, from libcamera's SensorTimestamp (nanoseconds of CLOCK_BOOTTIME).

    Now, if there is no timestamp, or if it lies in the future or more than MAX_AGE_SECONDS ago.
    """
    now = datetime.now(UTC)
    if stamp_ns is None:
        return now
    age = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - stamp_ns) / 1e9
    return now - timedelta(seconds=age) if 0 <= age < MAX_AGE_SECONDS else now
