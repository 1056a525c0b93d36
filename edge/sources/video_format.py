"""Which pixel format of a V4L2 camera to take, and how grey pixels come out of it."""

from __future__ import annotations

from collections.abc import Iterable

import cv2

from edge.sources.video_device import Layout, Mode
from edge.types import Pixels

LOSSLESS = ("GREY", "NV12", "NV21", "YU12", "YV12", "YUYV", "UYVY")
"""Formats whose luminance is not compressed and can be taken as it is; those of fewer bytes come first."""
COMPRESSED = ("MJPG", "JPEG")
"""Formats that are a JPEG a frame."""
CHANNELS = {"YUYV": 0, "UYVY": 1}
"""Which byte of each pair is luminance, in the formats of two bytes a pixel."""
FAST_ENOUGH = 0.9
"""A format is fast enough if it has this share of the wanted frames per second. Chosen: 27.5 stands for 30."""


def best_mode(modes: Iterable[Mode], size: tuple[int, int], fps: float) -> Mode | None:
    """The mode for this size and rate: the size comes first, then the rate, then no loss. None if none can be used.

    The size is the nearest by area, as uvcvideo chooses it. A camera at USB 2 has YUYV of 640x480 at 30 frames per
    second, but of 1920x1080 only at 5; there MJPG is taken.
    """

    def cost(mode: Mode) -> tuple[float, float, int]:
        # uvc_v4l2.c, uvc_v4l2_try_format: what of either area is not in the other.
        shared = min(size[0], mode.width) * min(size[1], mode.height)
        area = size[0] * size[1] + mode.width * mode.height - 2 * shared
        # A driver that does not say how fast it is is taken to be fast enough.
        rate = mode.fps or fps
        missing = 0.0 if rate >= FAST_ENOUGH * fps else fps - rate
        return area, missing, (*LOSSLESS, *COMPRESSED).index(mode.fourcc)

    return min((mode for mode in modes if is_usable(mode.fourcc)), key=cost, default=None)


def is_usable(fourcc: str) -> bool:
    """Whether ``luminance`` knows the format."""
    return fourcc in LOSSLESS or fourcc in COMPRESSED


def is_packed(layout: Layout) -> bool:
    """Whether ``luminance`` can take frames of this layout. OpenCV takes the rows of raw frames to have no padding."""
    row = layout.width * (2 if layout.fourcc in CHANNELS else 1)
    return layout.fourcc in COMPRESSED or (layout.fourcc in LOSSLESS and layout.bytes_per_line in (0, row))


def luminance(raw: Pixels, fourcc: str) -> Pixels | None:
    """A frame as the driver gave it -> (height, width) uint8, not shared; None if it is damaged.

    ``raw`` is what OpenCV gives with CAP_PROP_CONVERT_RGB off: (height, width, 2) for YUYV, (height * 3 / 2, width) for
    NV12 and the like, the bytes of a JPEG. Only the luminance of a JPEG is decoded, which takes half the time.
    """
    if fourcc in COMPRESSED:
        # Some cameras send a frame of no bytes after an error of the bus.
        return cv2.imdecode(raw.reshape(-1), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION) if raw.size else None
    if fourcc in CHANNELS:
        return cv2.extractChannel(raw, CHANNELS[fourcc])
    plane = raw.reshape(raw.shape[:2])
    # The colours of NV12 and the like follow the luminance, in half as many rows.
    return plane.copy() if fourcc == "GREY" else plane[: len(plane) * 2 // 3].copy()
