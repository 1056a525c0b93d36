"""``video:FILE``: the frames of a video file, through OpenCV."""

from __future__ import annotations

import os

import cv2

from edge.errors import SourceError
from edge.sources.base import Source
from edge.system import stderr
from edge.system.files import expanded
from edge.types import Frame, Pixels
from edge.uri import YesNo

# Silence FFmpeg's messages about a damaged file, unless the user has set this. (av_log: -8 is quiet.)
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def grey(picture: Pixels) -> Pixels:
    """A captured picture, blue-green-red or already grey, as grey (height, width) uint8."""
    if picture.ndim == 3 and picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return picture.reshape(picture.shape[:2])


class Video(Source):
    """All frames of a video file, in order; with ``loop`` it starts again after the last one."""

    live = False

    def __init__(self, path: str, *, loop: YesNo = False) -> None:
        self._path = expanded(path)
        self._loop = loop
        self._index = 0
        if not self._path.is_file():
            raise SourceError(f"{self._path}: no such video file")
        self._capture = self._open()

    def _open(self) -> cv2.VideoCapture:
        with stderr.silence_opencv():
            capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise SourceError(f"{self._path}: not a video that OpenCV can read; try MJPEG in .avi or H.264 in .mp4")
        return capture

    def __next__(self) -> Frame:
        """The next frame. Raises SourceError if not even the first one can be decoded."""
        picture = self._read()
        if picture is None and self._loop and self._index:
            # Open it again: not all containers can seek to the start.
            self._capture.release()
            self._capture = self._open()
            picture = self._read()
        if picture is None:
            if self._index == 0 and self._capture.isOpened():
                self.close()
                raise SourceError(f"{self._path}: no frame of this video can be decoded; copy or convert it again")
            raise StopIteration
        frame = Frame(grey(picture), str(self._path), self._index)
        self._index += 1
        return frame

    def _read(self) -> Pixels | None:
        with stderr.silence_opencv():
            read, picture = self._capture.read()
        return picture if read else None

    def close(self) -> None:
        """Close the file."""
        self._capture.release()
        self._loop = False
