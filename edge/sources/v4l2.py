"""``v4l2:/dev/video0``: a USB camera, or any other camera that is a /dev/video* device in Linux, through OpenCV."""

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
from edge.sources.base import FRAME_SIZE, Camera
from edge.sources.video import grey
from edge.system import stderr
from edge.types import Pixels
from edge.uri import Size, number

VIDIOC_REQBUFS = 0xC0145608
"""The ioctl VIDIOC_REQBUFS (request buffers) of <linux/videodev2.h>."""
NO_BUFFERS = struct.pack("5I", 0, 1, 1, 0, 0)
"""A struct v4l2_requestbuffers that asks for 0 buffers, V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_MEMORY_MMAP."""


class V4l2(Camera):
    """A camera at ``size`` and ``fps``, or the nearest that it has.

    The driver keeps only one buffer. If the camera sends nothing, OpenCV gives up after 10 s (its
    OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT, which it reads when it is loaded).
    """

    def __init__(self, device: str, *, size: Size = FRAME_SIZE, fps: Annotated[float, number(1, 240)] = 30.0) -> None:
        self._device = Path(device or "/dev/video0")
        self.name = f"v4l2:{self._device}"
        self._size, self._fps = size, fps
        self._capture: cv2.VideoCapture | None = None
        self._opened: int | None = None

    def open(self) -> None:
        """Open the device and ask it for the size and the frames per second."""
        if not self._device.exists():
            raise SourceError(
                f"{self._device}: no such camera; plug it in, and list the cameras with: v4l2-ctl --list-devices"
            )
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise SourceError(
                f"{self._device}: you have no permission to use this camera; join its group with: "
                "sudo usermod -aG video $USER, and log in again"
            )
        self._opened = self._inode()
        with stderr.silence_opencv():
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
                f"{self._device}: cannot be opened as a camera; end the program that uses it, "
                "or choose the camera's capture device, see: v4l2-ctl --list-devices"
            )

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture. Raises SourceError if the camera gives none."""
        assert self._capture is not None
        with stderr.silence_opencv():
            read, picture = self._capture.read()
        # After a camera is unplugged, some drivers repeat its last picture.
        if self._inode() != self._opened:
            raise SourceError(f"{self._device}: the camera was unplugged; plug it in again")
        if not read:
            raise SourceError(f"{self._device}: the camera gives no frame; unplug it and plug it in again")
        return grey(picture), datetime.now(UTC)

    def close(self) -> None:
        """Release the camera."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _inode(self) -> int | None:
        """The inode of the device node; a camera that is plugged in again has a new one."""
        try:
            return self._device.stat().st_ino
        except OSError:
            return None

    def availability(self) -> Hashable:
        """The inode, when its permissions last changed (udev sets them after it appears), and ``_open_errno``."""
        try:
            status = self._device.stat()
        except OSError:
            return None
        return status.st_ino, status.st_ctime_ns, self._open_errno()

    def _open_errno(self) -> int:
        """The errno of trying to use the device, 0 if it is free; EBUSY while another program uses the camera.

        It requests 0 buffers: only the program that uses the camera may do that, and otherwise it changes nothing.
        """
        try:
            descriptor = os.open(self._device, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            return error.errno or 0
        try:
            fcntl.ioctl(descriptor, VIDIOC_REQBUFS, NO_BUFFERS)
        except OSError as error:
            return error.errno or 0
        finally:
            os.close(descriptor)
        return 0
