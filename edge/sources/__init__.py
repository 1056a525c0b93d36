"""Sources of frames: cameras, image files, videos, generated pages; ``open_source`` opens one by its URI.

``files:PATH_OR_GLOB``, ``video:FILE``, ``v4l2:/dev/video0``, ``picamera2:0``, ``synthetic:``; options follow as
``?size=640x480&fps=30``. A network camera is named by its own URL, ``rtsp://``, ``http://`` or ``https://``; options
follow as ``#rotation=90``. Every source has ``rotation`` and ``flip``.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge import uri
from edge.sources.base import DEADLINE_SECONDS, FROZEN_SECONDS, Camera, Source
from edge.sources.orientation import Orientation, orientation_options

SCHEMES = {
    "files": "edge.sources.files:files",
    "video": "edge.sources.video:Video",
    "v4l2": "edge.sources.v4l2:V4l2",
    "picamera2": "edge.sources.picamera:Picamera",
    "synthetic": "edge.sources.synthetic:Synthetic",
    "rtsp": "edge.sources.stream:Stream",
    "http": "edge.sources.stream:Stream",
    "https": "edge.sources.stream:Stream",
}
"""scheme -> "module:Class", a Source, a Camera or a function that gives one; imported only when its scheme is used."""
DEVICES = ("/dev/video", "/dev/v4l/")
"""How the paths of Linux's cameras begin; /dev/v4l/by-id/ has links to them that stay the same."""


def open_source(
    text: str, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
) -> Source:
    """Open the source that a URI names. Some need no scheme: the path of an existing file, and ``/dev/video0``.

    A camera need not be there yet: it is opened when its first frame is asked for, and opened again after a failure.
    ``next()`` raises SourceError if no frame comes for ``deadline_seconds``. A camera whose picture stays the same for
    ``frozen_seconds`` is frozen (0: never).
    Raises SettingsError (no such scheme or option) or SourceError (files that are missing or cannot be opened).
    """
    parts = split(text)
    # A text without a scheme may be meant as a path.
    noun = "source" if parts.scheme or not parts.what else "source, file or folder"
    target, options = uri.find_class(parts, SCHEMES, noun, orientation_options)
    wanted = {name: options.pop(name) for name in uri.declared_options(orientation_options) if name in options}
    own = uri.declared_options(target)
    # Some cameras turn the picture themselves: all or nothing, as the order of a rotation and a flip matters.
    if all(name in own and own[name].accepts(parts.options[name]) for name in wanted):
        options |= wanted
        wanted = {}
    source: Source | Camera = target(parts.what, **options)
    if isinstance(source, Camera):
        from edge.sources.supervisor import SupervisedCamera

        source = SupervisedCamera(source, deadline_seconds=deadline_seconds, frozen_seconds=frozen_seconds)
    orientation = orientation_options(**wanted)
    if orientation == Orientation():
        return source
    from edge.sources.turned import TurnedSource

    return TurnedSource(source, orientation)


def split(text: str) -> uri.Uri:
    """A source's URI in its parts, with the scheme that is meant where it has none. Raises SettingsError."""
    if found := re.match(r"(rtsp|https?)://", text):
        # The query of a network camera's URL is the camera's, so the options follow a #. A password may have a # too.
        url, _, options = text.rpartition("#") if re.search(r"#[A-Za-z_]+=[^#@/]*$", text) else (text, "", "")
        public = uri.public(text)
        return uri.Uri(public, found[1], url, uri.split_options(options, public))
    # As people write it.
    parts = uri.split(f"{text}=1" if text.endswith(("?watch", "&watch")) else text)
    if not parts.scheme and parts.what.startswith(DEVICES):
        return parts._replace(scheme="v4l2")
    if not parts.scheme and parts.what and Path(parts.what).exists():
        return parts._replace(scheme="files")
    return parts
