"""``v4l2:/dev/video0``: a USB camera, or any other that Linux shows as /dev/video*, through OpenCV."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2

from edge import quiet
from edge.errors import SourceError
from edge.sources import Source
from edge.sources.video import grey
from edge.types import Frame
from edge.uri import Size, number


class V4l2(Source):
    """Frames of a camera at ``size`` and ``fps``, or whatever is nearest that it can.

    The driver holds one buffer only, which is filled when a frame is asked for: so it is the newest. A camera
    that falls silent makes OpenCV give up after 10 s (its OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT), which is a
    SourceError here.
    """

    live = True

    def __init__(self, device: str, *, size: Size = (640, 480), fps: Annotated[float, number(1, 240)] = 30.0) -> None:
        self._device = device or "/dev/video0"
        self._index = 0
        if not Path(self._device).exists():
            raise SourceError(
                f"{self._device}: no such camera; plug it in, and see which there are with: v4l2-ctl --list-devices"
            )
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise SourceError(
                f"{self._device}: you may not use this camera; join its group with: "
                "sudo usermod -aG video $USER, and log in again"
            )
        with quiet.opencv():
            self._capture = cv2.VideoCapture(self._device, cv2.CAP_V4L2)
            for name, value in (
                (cv2.CAP_PROP_BUFFERSIZE, 1),
                (cv2.CAP_PROP_FRAME_WIDTH, size[0]),
                (cv2.CAP_PROP_FRAME_HEIGHT, size[1]),
                (cv2.CAP_PROP_FPS, fps),
            ):
                self._capture.set(name, value)
        if not self._capture.isOpened():
            raise SourceError(
                f"{self._device}: cannot be opened as a camera; another program may hold it, "
                "or it is not the capturing one of v4l2-ctl --list-devices"
            )

    def __next__(self) -> Frame:
        """The newest frame; SourceError where the camera gives none."""
        with quiet.opencv():
            read, picture = self._capture.read()
        if not read:
            raise SourceError(f"{self._device}: the camera gives no frame; unplug it and plug it in again")
        frame = Frame(grey(picture), f"v4l2:{self._device}", self._index, datetime.now(UTC))
        self._index += 1
        return frame

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()
