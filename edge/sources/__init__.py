"""Where frames come from: a camera, files, a video, a drawn page; ``open_source`` opens one by its URI.

``files:PATH_OR_GLOB``, ``video:FILE``, ``v4l2:/dev/video0``, ``picamera2:0``, ``synthetic:``; options follow
as ``?size=640x480&fps=30``. ``rtsp://`` and ``http://`` name a network camera as everywhere else.
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
"""scheme -> "module:Class", a Source or a Camera; the module is imported when its scheme is named."""


def open_source(
    text: str, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
) -> Source:
    """Open the source that a URI names; a path that exists needs no scheme and means ``files:``.

    A camera may come later: it is opened when its first frame is asked for, and again after it failed. It gives a
    SourceError where no frame comes for ``deadline_seconds``, and is frozen after ``frozen_seconds`` (0 = never).
    SettingsError: no such scheme or option. SourceError: the files are not there or cannot be opened.
    """
    # A network camera's own query is none of our options.
    url = re.match(r"(rtsp|https?)://", text)
    parts = uri.Uri(text, url[1], text, {}) if url else uri.split(text)
    if not parts.scheme and parts.what and Path(parts.what).exists():
        parts = parts._replace(scheme="files")
    source: Source | Camera = uri.open_uri(parts, SCHEMES, "source")
    if isinstance(source, Camera):
        from edge.sources.supervisor import SupervisedCamera

        return SupervisedCamera(source, deadline_seconds=deadline_seconds, frozen_seconds=frozen_seconds)
    return source
