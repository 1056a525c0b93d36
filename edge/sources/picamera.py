"""``picamera2:0``: the Raspberry Pi's own camera, through picamera2 (from apt, only on a Pi; imported only here)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from edge.errors import SettingsError, SourceError
from edge.sources.base import FRAME_SIZE, Camera
from edge.system.text import one_line
from edge.types import Pixels
from edge.uri import OptionType, Size, number, whole_number

FRAME_SECONDS = 2.0
"""Seconds to wait for a frame before the camera counts as failed (cable or driver); chosen, as DEADLINE_SECONDS."""
FIRST_FRAME_SECONDS = 10.0
"""Seconds to wait for the first frame after the start: the sensor starts up and finds its exposure. Chosen."""
BUFFERS = 2
"""Frame buffers: the camera fills one while the other is read. More would only hold older frames."""
Y_PLANE_FIRST = ("YUV420", "YVU420", "NV12", "NV21")
"""Pixel formats that begin with the Y plane, which is the grey picture: no conversion is needed."""
FOCUS = {"off": 0, "auto": 1, "continuous": 2}
"""The option ``af`` -> libcamera's AfModeEnum: Manual, Auto, Continuous."""
DEVICES = Path("/dev")
"""The folder of the device nodes."""
MAX_AGE_SECONDS = 60.0
"""A sensor timestamp older than this many seconds is not used: it comes from another clock. Chosen."""


def _rotation(text: str) -> int:
    return {"0": 0, "180": 180}[text]


def _focus(text: str) -> str:
    return {name: name for name in FOCUS}[text]


class Picamera(Camera):
    """Camera number ``camera`` at ``size`` (or the nearest size it has) and ``fps``.

    ``rotation`` turns the picture in the sensor. ``exposure`` (microseconds) and ``gain`` replace the camera's
    automatic values. ``af`` is for cameras with autofocus.
    """

    def __init__(
        self,
        camera: str,
        *,
        size: Size = FRAME_SIZE,
        fps: Annotated[float, number(1, 240)] = 30.0,
        rotation: Annotated[int, OptionType("0 or 180", _rotation)] = 0,
        exposure: Annotated[int | None, whole_number(1, 200_000_000)] = None,
        gain: Annotated[float | None, number(1, 64)] = None,
        af: Annotated[str | None, OptionType(f"one of {', '.join(FOCUS)}", _focus)] = None,
    ) -> None:
        if camera and not camera.isdecimal():
            raise SettingsError(f"picamera2:{camera}: a camera is named by its number; picamera2:0 is the first")
        self._number = int(camera or 0)
        self.name = f"picamera2:{self._number}"
        self._size, self._rotation = size, rotation
        period_us = round(1_000_000 / fps)
        asked = {
            "FrameDurationLimits": (period_us, period_us),
            "ExposureTime": exposure,
            "AnalogueGain": gain,
            "AfMode": FOCUS[af] if af else None,
        }
        self._controls = {name: value for name, value in asked.items() if value is not None}
        self._camera: Any = None
        self._started = False

    def open(self) -> None:
        """Configure the camera and start it. Frames have the size that it really gives."""
        self._started = False
        picamera2 = self._import()
        self._camera = self._find(picamera2.Picamera2)
        try:
            # A USB camera under libcamera knows few controls.
            known = self._camera.camera_controls
            for control in ("ExposureTime", "AnalogueGain", "AfMode"):
                if control in self._controls and control not in known:
                    raise SourceError(f"{self.name}: this camera has no {control}; leave that option out")
            turned = {"transform": _half_turn()} if self._rotation else {}
            configuration = self._camera.create_video_configuration(
                main={"format": "YUV420", "size": self._size},
                buffer_count=BUFFERS,
                # Never deliver a frame that was captured before the request.
                queue=False,
                controls={name: value for name, value in self._controls.items() if name in known},
                **turned,
            )
            self._camera.configure(configuration)
            given = self._camera.camera_configuration()["main"]
            if given["format"] not in Y_PLANE_FIRST:
                raise SourceError(
                    f"{self.name}: gives the format {given['format']}; it must be one of {', '.join(Y_PLANE_FIRST)}"
                )
            (self._width, self._height), self._stride = given["size"], given["stride"]
            self._camera.start()
        except (RuntimeError, ValueError, ImportError) as error:
            raise SourceError(f"{self.name}: the camera refuses to start: {one_line(error)}") from error

    def check(self) -> None:
        """Raise SourceError if picamera2 is not installed."""
        self._import()

    def _import(self) -> Any:
        # libcamera logs to stderr; its errors come as exceptions anyway.
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        try:
            import picamera2
        except ImportError as error:
            raise SourceError(
                f"{self.name}: picamera2 is not installed ({one_line(error)}); install it with: "
                "sudo apt install -y python3-picamera2, and make the venv with --system-site-packages"
            ) from error
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
        wait = FRAME_SECONDS if self._started else FIRST_FRAME_SECONDS
        try:
            request = self._camera.capture_request(wait=wait)
        except TimeoutError as error:
            # Otherwise close() would wait for this request.
            self._camera.cancel_all_and_flush()
            raise SourceError(f"{self.name}: no frame for {wait:g} s; check the camera's cable") from error
        except RuntimeError as error:
            raise SourceError(f"{self.name}: the camera failed: {one_line(error)}") from error
        try:
            # Not make_array, which does not know NV12 in all versions. In all these formats the rows of Y come first.
            buffer: Pixels = request.make_buffer("main")
            stamp_ns = request.get_metadata().get("SensorTimestamp")
        finally:
            request.release()
        rows = self._height * self._stride
        if buffer.size < rows:
            raise SourceError(f"{self.name}: gave a frame of {buffer.size} bytes; it has {rows} or more")
        self._started = True
        # The stride pads each row on the right.
        return buffer[:rows].reshape(self._height, self._stride)[:, : self._width], capture_time(stamp_ns)

    def close(self) -> None:
        """Stop the camera and release it."""
        camera, self._camera = self._camera, None
        if camera is not None:
            # Close it even if it fails to stop.
            with contextlib.suppress(RuntimeError):
                camera.stop()
            camera.close()

    def availability(self) -> Hashable:
        """The media and video devices of this machine, and which of them are locked.

        libcamera's cameras are made of these devices, and it locks those that it uses. A loose ribbon cable changes
        none of this.
        """
        with os.scandir(DEVICES) as entries:
            nodes = {e.name: e.stat() for e in entries if e.name.startswith(("media", "video"))}
        # A line of proc_locks(5): "1: POSIX  ADVISORY  WRITE 708 00:06:346 0 EOF", with the device in hexadecimal, and
        # the inode.
        locks = set(Path("/proc/locks").read_text("ascii").split())
        return frozenset(
            (name, node.st_ino, f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}" in locks)
            for name, node in nodes.items()
        )


def _half_turn() -> Any:
    from libcamera import Transform

    return Transform(hflip=1, vflip=1)


def capture_time(stamp_ns: int | None) -> datetime:
    """When a frame was captured, UTC, from libcamera's SensorTimestamp (nanoseconds of CLOCK_BOOTTIME).

    Now, if there is no timestamp, or if it lies in the future or more than MAX_AGE_SECONDS ago.
    """
    now = datetime.now(UTC)
    if stamp_ns is None:
        return now
    age = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - stamp_ns) / 1e9
    return now - timedelta(seconds=age) if 0 <= age < MAX_AGE_SECONDS else now
