"""``rtsp://…``, ``http://…``, ``https://…``: a network camera, through OpenCV's FFmpeg. The URL is the camera's own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Hashable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import cv2

from edge.errors import SettingsError, SourceError
from edge.sources.base import Camera
from edge.sources.video import grey
from edge.system import stderr
from edge.types import Pixels

TIMEOUT_MS = 5000
"""A network camera that neither answers nor sends for so long is gone."""

ANSWER_SECONDS = 0.4
"""A camera that is asked whether it is there answers within this, or counts as away; less than a goodbye may take."""
PORTS = {"rtsp": 554, "http": 80, "https": 443}
"""scheme -> port where the URL names none."""
QUESTIONS = {"rtsp": "DESCRIBE {} RTSP/1.0\r\nCSeq: 1", "http": "HEAD {} HTTP/1.0"}
"""scheme -> what has no effect and is answered with a status: RFC 2326 section 10.2, RFC 9110 section 9.3.2."""


class Stream(Camera):
    """H.264, H.265 or MJPEG from a URL. Its name and password are used, and never shown."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
            self._place = parts.hostname or "", parts.port or PORTS[parts.scheme]
        except ValueError as error:
            raise SettingsError(f"a network camera's URL cannot be understood ({error})") from error
        if not parts.hostname:
            raise SettingsError(f"{parts.scheme}: a network camera is written {parts.scheme}://host/path")
        self._url = url
        # The query goes, too: some cameras take the password there.
        self.name = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
        asked = f"rtsp://{parts.hostname}{port}{parts.path}" if parts.scheme == "rtsp" else parts.path or "/"
        question = QUESTIONS.get(parts.scheme, "").format(f"{asked}?{parts.query}" if parts.query else asked)
        self._question = f"{question}\r\nHost: {parts.hostname}{port}\r\n\r\n".encode() if question else b""
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Connect; SourceError where nobody answers, or with what is no video."""
        with stderr.opencv():
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
        with stderr.opencv():
            read, picture = self._capture.read()
        if not read:
            raise SourceError(f"{self.name}: the stream has ended")
        return grey(picture), datetime.now(UTC)

    def close(self) -> None:
        """Hang up."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def availability(self) -> Hashable:
        """None where nobody takes a connection, or the status that it answers, as 200 or 404; empty where it says
        nothing, as all https does here. Asked without name and password: 401 is as good a sign of life."""
        with contextlib.suppress(OSError), socket.create_connection(self._place, ANSWER_SECONDS) as connection:
            with contextlib.suppress(OSError):
                if self._question:
                    connection.sendall(self._question)
                    # "HTTP/1.1 200 OK", "RTSP/1.0 404 Not Found"
                    return b" ".join(connection.recv(64).split()[1:2])
            return b""
        return None
