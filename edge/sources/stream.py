"""``rtsp://…``, ``http://…``, ``https://…``: a network camera, named by its own URL, through OpenCV's FFmpeg."""

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
from edge.uri import is_host

TIMEOUT_MS = 5000
"""Milliseconds without an answer or a frame after which the connection to a network camera has failed. Chosen."""
WEDGED_SECONDS = 300.0
"""Seconds after which a call of FFmpeg never returns. It keeps TIMEOUT_MS, but not while it waits for the name server:
resolv.conf(5) allows 3 of them, two tries of 5 s each, for each of the search domains."""

PROBE_SECONDS = 0.4
"""Seconds that a network camera has to answer a probe before it counts as away. Chosen: less than the 0.5 s that
``supervisor.CLOSE_SECONDS`` gives the thread to end."""
PORTS = {"rtsp": 554, "http": 80, "https": 443}
"""scheme -> the port to use if the URL names none."""
PROBES = {"rtsp": "DESCRIBE {} RTSP/1.0\r\nCSeq: 1", "http": "HEAD {} HTTP/1.0"}
"""scheme -> a request that changes nothing and is answered with a status: RFC 2326 section 10.2, RFC 9110 section
9.3.2."""


class Stream(Camera):
    """H.264, H.265 or MJPEG from a URL. A user name and password in it are used, and never shown."""

    wedged_seconds = WEDGED_SECONDS

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
            self._address = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise SettingsError(f"a network camera's URL cannot be understood ({error})") from error
        if parts.scheme not in PORTS:
            # Of rtsp:camera:554/path, without //, only what follows the first colon has come here.
            raise SettingsError("a network camera is written rtsp://host/path")
        if not is_host(parts.hostname or ""):
            raise SettingsError(f"{parts.scheme}: a network camera is written {parts.scheme}://host/path")
        self._url = url
        # Without the query: some cameras have the password in it.
        self.name = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
        target = f"rtsp://{parts.hostname}{port}{parts.path}" if parts.scheme == "rtsp" else parts.path or "/"
        probe = PROBES.get(parts.scheme, "").format(f"{target}?{parts.query}" if parts.query else target)
        self._probe = f"{probe}\r\nHost: {parts.hostname}{port}\r\n\r\n".encode() if probe else b""
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Connect. Raises SourceError if nothing answers, or the answer is not a video."""
        with stderr.silence_opencv():
            self._capture = cv2.VideoCapture(
                self._url,
                cv2.CAP_FFMPEG,
                [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS],
            )
        if not self._capture.isOpened():
            raise SourceError(
                f"{self.name}: gives no video; check the address and the password, and whether a video player shows it"
            )

    def read(self) -> tuple[Pixels, datetime]:
        """The next picture. Raises SourceError if the connection ends, or nothing comes for 5 s."""
        assert self._capture is not None
        with stderr.silence_opencv():
            read, picture = self._capture.read()
        if not read:
            raise SourceError(f"{self.name}: the stream has ended")
        return grey(picture), datetime.now(UTC)

    def close(self) -> None:
        """Close the connection."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def availability(self) -> Hashable:
        """The status with which the camera answers a probe, such as 200 or 404; None if it takes no connection.

        Empty if it gives no status; https is not probed for one. The probe has no user name and password: 401 is an
        answer, too.
        """
        with contextlib.suppress(OSError), socket.create_connection(self._address, PROBE_SECONDS) as connection:
            with contextlib.suppress(OSError):
                if self._probe:
                    connection.sendall(self._probe)
                    # "HTTP/1.1 200 OK", "RTSP/1.0 404 Not Found"
                    return b" ".join(connection.recv(64).split()[1:2])
            return b""
        return None
