"""``v4l2:/dev/video0``: a USB camera, or any other camera that is a /dev/video* device in Linux, through OpenCV."""

from __future__ import annotations

import fcntl
import math
import os
import struct
import time
from collections.abc import Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2

from edge.errors import SourceError
from edge.sources.base import FRAME_SIZE, Camera
from edge.sources.cameras_found import device_of
from edge.sources.v4l2_options import Exposure, Focus, Gain, PowerLine, V4l2Options, apply, lock_focus
from edge.sources.video import grey
from edge.sources.video_device import VideoDevice
from edge.sources.video_format import best_mode, is_packed, luminance
from edge.system import stderr
from edge.types import Pixels
from edge.uri import Size, number

VIDIOC_REQBUFS = 0xC0145608
"""The ioctl VIDIOC_REQBUFS (request buffers) of <linux/videodev2.h>."""
NO_BUFFERS = struct.pack("5I", 0, 1, 1, 0, 0)
"""A struct v4l2_requestbuffers that asks for 0 buffers, V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_MEMORY_MMAP."""
FOCUS_SECONDS = 4.0
"""Seconds of frames that a camera gets to focus before its focus is locked. Chosen: webcams take 1 to 3."""
DAMAGED_FRAMES = 30
"""Damaged frames in a row after which a camera has failed. Chosen: one second of them."""


class V4l2(Camera):
    """A camera at ``size`` and ``fps``, or the nearest that it has, in the pixel format that is best there.

    ``focus``, ``exposure`` (microseconds), ``gain`` and ``power_line_frequency`` set controls of its driver: see
    ``v4l2_options.apply``. The driver keeps only one buffer. If the camera sends nothing, OpenCV gives up after 10 s
    (its OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT, which it reads when it is loaded).
    """

    def __init__(
        self,
        device: str,
        *,
        size: Size = FRAME_SIZE,
        fps: Annotated[float, number(1, 240)] = 15.0,
        focus: Focus = None,
        exposure: Exposure = None,
        gain: Gain = None,
        power_line_frequency: PowerLine = None,
    ) -> None:
        self._path = Path(device_of(device))
        self.name = f"v4l2:{self._path}"
        self._size, self._fps = size, fps
        self._options = V4l2Options(focus, exposure, gain, power_line_frequency)
        self._capture: cv2.VideoCapture | None = None
        self._device: VideoDevice | None = None
        self._opened: int | None = None
        self._fourcc = ""
        self._lock_focus_at = math.inf

    def open(self) -> None:
        """Open the device and ask it for the size and the frames per second."""
        if not self._path.exists():
            raise SourceError(
                f"{self._path}: no such camera; plug it in, and list the cameras with: v4l2-ctl --list-devices"
            )
        if not os.access(self._path, os.R_OK | os.W_OK):
            raise SourceError(
                f"{self._path}: you have no permission to use this camera; join its group with: "
                "sudo usermod -aG video $USER, and log in again"
            )
        self._opened = self._inode()
        try:
            self._device = VideoDevice(self._path)
            mode = best_mode(self._device.modes(self._size), self._size, self._fps)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be opened as a camera ({error.strerror})") from error
        with stderr.silence_opencv():
            self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_V4L2)
            if not self._capture.isOpened():
                raise SourceError(
                    f"{self._path}: cannot be opened as a camera; end the program that uses it, "
                    "or choose the camera's capture device, see: v4l2-ctl --list-devices"
                )
            width, height = (mode.width, mode.height) if mode else self._size
            for name, value in (
                (cv2.CAP_PROP_BUFFERSIZE, 1),
                (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*mode.fourcc) if mode else None),
                (cv2.CAP_PROP_FRAME_WIDTH, width),
                (cv2.CAP_PROP_FRAME_HEIGHT, height),
                (cv2.CAP_PROP_FPS, self._fps),
            ):
                if value is not None:
                    self._capture.set(name, value)
            # OpenCV may have had to take another format. What is not known here it makes colours of.
            layout = self._device.layout()
            as_it_is = layout is not None and is_packed(layout) and self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            self._fourcc = layout.fourcc if layout and as_it_is else ""
        locks = apply(self._options, self._device, self.name)
        self._lock_focus_at = time.monotonic() + FOCUS_SECONDS if locks else math.inf

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture that is whole. Raises SourceError if the camera gives none."""
        assert self._capture is not None and self._device is not None
        for _ in range(DAMAGED_FRAMES):
            with stderr.silence_opencv():
                read, picture = self._capture.read()
                taken = datetime.now(UTC)
                pixels = (luminance(picture, self._fourcc) if self._fourcc else grey(picture)) if read else None
            # After a camera is unplugged, some drivers repeat its last picture.
            if self._inode() != self._opened:
                raise SourceError(f"{self._path}: the camera was unplugged; plug it in again")
            if not read:
                raise SourceError(f"{self._path}: the camera gives no frame; unplug it and plug it in again")
            if time.monotonic() >= self._lock_focus_at:
                self._lock_focus_at = math.inf
                lock_focus(self._device, self.name)
            if pixels is not None:
                return pixels, taken
        raise SourceError(f"{self._path}: the camera gives only damaged frames; try another USB port, cable or size")

    def close(self) -> None:
        """Release the camera."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
        if self._device is not None:
            self._device.close()
            self._device = None

    def _inode(self) -> int | None:
        """The inode of the device node; a camera that is plugged in again has a new one."""
        try:
            return self._path.stat().st_ino
        except OSError:
            return None

    def availability(self) -> Hashable:
        """The inode, when its permissions last changed (udev sets them after it appears), and ``_open_errno``."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_ctime_ns, self._open_errno()

    def _open_errno(self) -> int:
        """The errno of trying to use the device, 0 if it is free; EBUSY while another program uses the camera.

        It requests 0 buffers: only the program that uses the camera may do that, and otherwise it changes nothing.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            return error.errno or 0
        try:
            fcntl.ioctl(descriptor, VIDIOC_REQBUFS, NO_BUFFERS)
        except OSError as error:
            return error.errno or 0
        finally:
            os.close(descriptor)
        return 0
