"""Which mode of a sensor sees all of the view, and which size of picture it gives without cutting any of it off.

A sensor reads out all its pixels, all of them joined by twos, or only those of its middle: these are its modes.
picamera2 by itself takes the mode that is nearest to the size of the picture. For 640x480 that is one of the middle:
Camera Module 2 then shows 39 % of the width, Camera Module 3 half of it (picamera2's ``score_mode``, its issue 1233).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

PIXELS = 1536 * 1152
"""About how many pixels the picture has where no size is asked for. An A4 page that fills it has 5 a millimetre, and
its digits of 4 mm are 20 pixels tall. Camera Module 2 then has 1536x1154, Camera Module 3 1792x1008."""
WIDTH_STEP = 128
"""The width of such a picture is a multiple of this: then its rows have no padding on any Pi
(``Picamera2.align_stream``: 64 on a Pi 4 and before, 128 on a Pi 5, for YUV420)."""
PLAIN_SIZE = (640, 480)
"""Width and height that are asked of a camera that does not tell its sensor's modes, such as a USB camera, pixels."""
FULL_VIEW = 0.99
"""A mode sees all of the view if it sees this share of the widest mode's width and height. Chosen: sensors round; and
640x480 of Camera Module 1, which skips pixels, sees 98.8 %."""


class SensorMode(NamedTuple):
    """One way to read a sensor out."""

    size: tuple[int, int]
    """Width and height, pixels."""
    bit_depth: int
    """Bits of a raw pixel."""
    fps: float
    """The most frames per second."""
    view: tuple[int, int]
    """Width and height of what it sees, in pixels of the whole sensor."""


def modes_of(camera: Any, raw: Any, sensor_format: Any) -> list[SensorMode]:
    """The modes of the sensor of a ``Picamera2``, none if it does not tell them.

    ``raw``: libcamera's ``StreamRole.Raw``; ``sensor_format``: picamera2's ``SensorFormat``.
    As ``Picamera2.sensor_modes`` finds them, but that has buffers made for each: 320 MB for a sensor of 64 MP.
    """
    # As picamera2 knows a camera with a raw sensor; another one, such as a USB camera, has no modes.
    if "ColorFilterArrangement" not in camera.camera_properties:
        return []
    modes = []
    formats = camera.camera.generate_configuration([raw]).at(0).formats
    for pixel_format in formats.pixel_formats:
        bit_depth = sensor_format(str(pixel_format)).bit_depth
        for size in formats.sizes(pixel_format):
            sensor = {"output_size": (size.width, size.height), "bit_depth": bit_depth}
            main = {"format": "YUV420", "size": PLAIN_SIZE}
            camera.configure(camera.create_video_configuration(main, raw=None, sensor=sensor, buffer_count=1))
            shortest_us, view = (camera.camera_controls[name] for name in ("FrameDurationLimits", "ScalerCrop"))
            modes.append(SensorMode(sensor["output_size"], bit_depth, 1e6 / shortest_us[0], tuple(view[1][2:])))
    return modes


def choose_mode(modes: list[SensorMode], size: tuple[int, int] | None, fps: float) -> SensorMode:
    """The mode for a picture of ``size`` (None: as ``picture_size`` gives it) at ``fps`` frames per second.

    It sees all of the view. Of those modes it is the smallest that is as large as the picture and as fast as asked. If
    none is both, a size that was asked for counts more than the speed, and the speed more than the default size.
    """
    widest, tallest = (max(mode.view[side] for mode in modes) for side in (0, 1))
    seen = {mode: min(mode.view[0] / widest, mode.view[1] / tallest) for mode in modes}
    modes = [mode for mode in modes if seen[mode] >= FULL_VIEW * max(seen.values())]
    fastest = max(mode.fps for mode in modes)

    def rank(mode: SensorMode) -> tuple[float, ...]:
        pixels = mode.size[0] * mode.size[1]
        large = mode.size[0] >= size[0] and mode.size[1] >= size[1] if size else pixels >= PIXELS
        fast = mode.fps >= min(fps, fastest)
        # Of two modes of one size, the one with the finer levels; of those that are too small, the largest.
        return (*((large, fast) if size else (fast, large)), -pixels if large else pixels, mode.bit_depth)

    return max(modes, key=rank)


def picture_size(mode: SensorMode) -> tuple[int, int]:
    """The size of a picture with the whole view of a mode: about PIXELS, and never larger than the mode."""
    aspect = mode.view[0] / mode.view[1]
    step = WIDTH_STEP if mode.size[0] >= WIDTH_STEP else 2
    width = min(round(math.sqrt(PIXELS * aspect) / step), mode.size[0] // step) * step
    return width, min(round(width / aspect / 2) * 2, mode.size[1])


def seen(mode: SensorMode, size: tuple[int, int]) -> tuple[float, float]:
    """Which share of a mode's width and height is in a picture of ``size``: libcamera cuts off what does not fit it.

    Source: libcamera, ``pipeline_base.cpp``: the crop is the mode's view, ``boundedToAspectRatio`` of the picture.
    """
    aspect = (size[0] / size[1]) / (mode.view[0] / mode.view[1])
    return min(1.0, aspect), min(1.0, 1 / aspect)
