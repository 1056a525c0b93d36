"""``v4l2:/dev/video0``: a USB camera, or any other that Linux shows as /dev/video*, through OpenCV."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2

from edge.errors import SourceError
from edge.sources.base import Camera
from edge.sources.video import grey
from edge.system import stderr
from edge.types import Pixels
from edge.uri import Size, number

REQBUFS = 0xC0145608
"""VIDIOC_REQBUFS of <linux/videodev2.h>."""
NO_BUFFERS = struct.pack("5I", 0, 1, 1, 0, 0)
"""struct v4l2_requestbuffers: none, for capturing (V4L2_BUF_TYPE_VIDEO_CAPTURE), mapped (V4L2_MEMORY_MMAP)."""


class V4l2(Camera):
    """A camera at ``size`` and ``fps``, or whatever is nearest that it can.

    The driver holds one buffer only. A camera that falls silent makes OpenCV give up after 10 s (its
    OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT, which it reads when it is loaded).
    """

    def __init__(self, device: str, *, size: Size = (640, 480), fps: Annotated[float, number(1, 240)] = 30.0) -> None:
        self._device = Path(device or "/dev/video0")
        self.name = f"v4l2:{self._device}"
        self._size, self._fps = size, fps
        self._capture: cv2.VideoCapture | None = None
        self._opened: int | None = None

    def open(self) -> None:
        """Open the device and ask it for size and frames a second."""
        if not self._device.exists():
            raise SourceError(
                f"{self._device}: no such camera; plug it in, and see which there are with: v4l2-ctl --list-devices"
            )
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise SourceError(
                f"{self._device}: you may not use this camera; join its group with: "
                "sudo usermod -aG video $USER, and log in again"
            )
        self._opened = self._node()
        with stderr.opencv():
            self._capture = cv2.VideoCapture(str(self._device), cv2.CAP_V4L2)
            for name, value in (
                (cv2.CAP_PROP_BUFFERSIZE, 1),
                (cv2.CAP_PROP_FRAME_WIDTH, self._size[0]),
                (cv2.CAP_PROP_FRAME_HEIGHT, self._size[1]),
                (cv2.CAP_PROP_FPS, self._fps),
            ):
                self._capture.set(name, value)
        if not self._capture.isOpened():
            raise SourceError(
                f"{self._device}: cannot be opened as a camera; another program may hold it, "
                "or it is not the capturing one of v4l2-ctl --list-devices"
            )

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture; SourceError where the camera gives none."""
        assert self._capture is not None
        with stderr.opencv():
            read, picture = self._capture.read()
        # Some drivers go on giving the last picture of a camera that was unplugged.
        if self._node() != self._opened:
            raise SourceError(f"{self._device}: the camera was unplugged; plug it in again")
        if not read:
            raise SourceError(f"{self._device}: the camera gives no frame; unplug it and plug it in again")
        return grey(picture), datetime.now(UTC)

    def close(self) -> None:
        """Give the camera back."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _node(self) -> int | None:
        """Which device node stands there now: a camera that is plugged in again has another."""
        try:
            return self._device.stat().st_ino
        except OSError:
            return None

    def availability(self) -> Hashable:
        """The device node, when its permissions were last changed (udev gives them after it appears), and the error
        with which it is taken: EBUSY while another program holds the camera."""
        try:
            status = self._device.stat()
        except OSError:
            return None
        return status.st_ino, status.st_ctime_ns, self._refusal()

    def _refusal(self) -> int:
        """Asks for no buffers, which the holder alone may, and which changes nothing where there is none; an errno."""
        try:
            descriptor = os.open(self._device, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            return error.errno or 0
        try:
            fcntl.ioctl(descriptor, REQBUFS, NO_BUFFERS)
        except OSError as error:
            return error.errno or 0
        finally:
            os.close(descriptor)
        return 0
