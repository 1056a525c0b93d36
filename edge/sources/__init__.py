"""Sources of frames: cameras, image files, videos, generated pages; ``open_source`` opens one by its URI.

``files:PATH_OR_GLOB``, ``video:FILE``, ``v4l2:/dev/video0``, ``picamera2:0``, ``synthetic:``; options follow as
``?size=640x480&fps=30``. A network camera is named by its own URL, ``rtsp://``, ``http://`` or ``https://``.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge import uri
from edge.sources.base import DEADLINE_SECONDS, FROZEN_SECONDS, Camera, Source

SCHEMES = {
    "files": "edge.sources.files:Files",
    "video": "edge.sources.video:Video",
    "v4l2": "edge.sources.v4l2:V4l2",
    "picamera2": "edge.sources.picamera:Picamera",
    "synthetic": "edge.sources.synthetic:Synthetic",
    "rtsp": "edge.sources.stream:Stream",
    "http": "edge.sources.stream:Stream",
    "https": "edge.sources.stream:Stream",
}
"""scheme -> "module:Class", a Source or a Camera; a module is imported only when its scheme is used."""


def open_source(
    text: str, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
) -> Source:
    """Open the source that a URI names. The path of an existing file needs no scheme: it means ``files:``.

    A camera need not be there yet: it is opened when its first frame is asked for, and opened again after a failure.
    ``next()`` raises SourceError if no frame comes for ``deadline_seconds``. A camera whose picture stays the same for
    ``frozen_seconds`` is frozen (0: never).
    Raises SettingsError (no such scheme or option) or SourceError (files that are missing or cannot be opened).
    """
    # The query of a network camera's URL is the camera's; it holds no options for us.
    url = re.match(r"(rtsp|https?)://", text)
    parts = uri.Uri(text, url[1], text, {}) if url else uri.split(text)
    if not parts.scheme and parts.what and Path(parts.what).exists():
        parts = parts._replace(scheme="files")
    source: Source | Camera = uri.open_uri(parts, SCHEMES, "source")
    if isinstance(source, Camera):
        from edge.sources.supervisor import SupervisedCamera

        return SupervisedCamera(source, deadline_seconds=deadline_seconds, frozen_seconds=frozen_seconds)
    return source
