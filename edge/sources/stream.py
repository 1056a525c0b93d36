"""``rtsp://…``, ``http://…``, ``https://…``: a network camera, through OpenCV's FFmpeg. The URL is the camera's own."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import cv2

from edge import quiet
from edge.errors import SettingsError, SourceError
from edge.sources import Camera
from edge.sources.video import grey
from edge.types import Pixels

TIMEOUT_MS = 5000
"""A network camera that neither answers nor sends for so long is gone."""


class Stream(Camera):
    """H.264, H.265 or MJPEG from a URL. Its name and password are used, and never shown."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise SettingsError(f"a network camera's URL cannot be understood ({error})") from error
        if not parts.hostname:
            raise SettingsError(f"{parts.scheme}: a network camera is written {parts.scheme}://host/path")
        self._url = url
        # The query goes, too: some cameras take the password there.
        self.name = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Connect; SourceError where nobody answers, or with what is no video."""
        with quiet.opencv():
            self._capture = cv2.VideoCapture(
                self._url,
                cv2.CAP_FFMPEG,
                [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS],
            )
        if not self._capture.isOpened():
            raise SourceError(
                f"{self.name}: no video comes from there; check address and password, and whether a player shows it"
            )

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture; SourceError where the connection ends, or nothing comes for 5 s."""
        assert self._capture is not None
        with quiet.opencv():
            read, picture = self._capture.read()
        if not read:
            raise SourceError(f"{self.name}: the stream has ended")
        return grey(picture), datetime.now(UTC)

    def close(self) -> None:
        """Hang up."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
