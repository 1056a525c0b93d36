"""``picamera2:0``: the Raspberry Pi's own camera. The only door to picamera2, which comes from apt and only
on a Pi."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from typing import Annotated, Any

from edge.errors import SettingsError, SourceError
from edge.sources import Source
from edge.types import Frame, Pixels
from edge.uri import Size, number

WAIT_SECONDS = 2.0
"""A camera that gives no frame for this long has stopped: its cable, or its driver."""
FIRST_SECONDS = 10.0
"""The first one may take longer: the sensor starts, and finds its exposure."""
BUFFERS = 2
"""One being filled while the other is read; more would only hold older frames."""


class Picamera(Source):
    """Frames of camera number ``camera`` at ``size`` (or the nearest it can) and ``fps``.

    The frame is the Y plane of YUV420: grey without a conversion.
    """

    live = True

    def __init__(self, camera: str, *, size: Size = (640, 480), fps: Annotated[float, number(0.1, 240)] = 30.0) -> None:
        if camera and not camera.isdecimal():
            raise SettingsError(f"picamera2:{camera}: a camera is a number, picamera2:0 is the first")
        self._uri = f"picamera2:{camera or 0}"
        self._index = 0
        self._open = False
        self._camera = self._find(int(camera or 0))
        self._open = True
        period_us = round(1_000_000 / fps)
        try:
            configuration = self._camera.create_video_configuration(
                main={"format": "YUV420", "size": size},
                buffer_count=BUFFERS,
                controls={"FrameDurationLimits": (period_us, period_us)},
            )
            self._camera.configure(configuration)
            # The size that comes back may have been adjusted to what the sensor can.
            self._width, self._height = self._camera.camera_configuration()["main"]["size"]
            self._camera.start()
        except (RuntimeError, ValueError, OSError) as error:
            self.close()
            raise SourceError(f"{self._uri}: the camera refuses to start: {one_line(error)}") from error

    def _find(self, number: int) -> Any:
        # libcamera tells stderr what it is and finds; its errors come as exceptions, too.
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise SourceError(
                f"{self._uri}: picamera2 is not here ({one_line(error)}); install it with: "
                "sudo apt install -y python3-picamera2, and make the venv with --system-site-packages"
            ) from error
        found = Picamera2.global_camera_info()
        if number >= len(found):
            there = ", ".join(f"{n} is {info.get('Model', 'unknown')}" for n, info in enumerate(found))
            raise SourceError(
                f"{self._uri}: no such camera ({there or 'none is connected'}); check the cable, "
                "and see which there are with: rpicam-hello --list-cameras"
            )
        try:
            return Picamera2(number)
        except (RuntimeError, IndexError, OSError) as error:
            raise SourceError(
                f"{self._uri}: cannot be opened ({one_line(error)}); another program may hold it"
            ) from error

    def __next__(self) -> Frame:
        """The newest frame; SourceError where none comes within 2 s (10 s for the first)."""
        if not self._open:
            raise StopIteration
        wait = WAIT_SECONDS if self._index else FIRST_SECONDS
        try:
            planes = self._camera.capture_array("main", wait=wait)
        except TimeoutError as error:
            # The job that nobody waits for any more would hold up the next one, and close().
            self._camera.cancel_all_and_flush()
            raise SourceError(f"{self._uri}: no frame for {wait:g} s; check the camera's cable") from error
        except RuntimeError as error:
            raise SourceError(f"{self._uri}: the camera failed: {one_line(error)}") from error
        frame = Frame(self._y_plane(planes), self._uri, self._index, datetime.now(UTC))
        self._index += 1
        return frame

    def _y_plane(self, planes: Pixels) -> Pixels:
        """(height * 3 / 2, stride) -> (height, width): above are the rows of Y, right of them the stride's
        padding."""
        return planes[: self._height, : self._width]

    def close(self) -> None:
        """Stop the camera and give it back."""
        if self._open:
            self._open = False
            # A camera that fails to stop is closed all the same.
            with contextlib.suppress(RuntimeError):
                self._camera.stop()
            self._camera.close()


def one_line(error: BaseException) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())
