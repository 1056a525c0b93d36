"""The settings of ``[vision]``: the steps that clean a frame, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.setting import setting

Polarity = Literal["auto", "dark", "light"]
Threshold = Literal["hysteresis", "global", "otsu", "adaptive_mean", "adaptive_gaussian"]
Interpolation = Literal["area", "linear", "cubic", "lanczos"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSettings:
    """How a frame is cleaned. Sizes are pixels of the working picture, where most strokes are about 6 pixels wide."""

    working_size: int = setting(
        2048,
        "a picture is reduced or enlarged as its strokes and digits need; its longer side then has at most this many "
        "pixels",
        ge=128,
        le=4096,
    )
    polarity: Polarity = setting(
        "auto", "whether ink is dark or light: auto, dark (pen on paper) or light (chalk on a board)"
    )
    median: int = setting(
        3,
        "median filter: side of its window in pixels, odd; 0: off; left out where it would erase the strokes",
        ge=0,
        le=15,
    )
    gaussian: int = setting(0, "Gaussian blur: side of its window in pixels, odd; 0: off", ge=0, le=31)
    even: bool = setting(True, "even out the light: measure contrast against the paper around each pixel")
    threshold: Threshold = setting(
        "hysteresis",
        "how ink is separated from paper, by contrast from 0 (paper) to 255 (the strongest ink nearby): "
        "hysteresis, global, otsu, adaptive_mean or adaptive_gaussian",
    )
    level: int = setting(100, "hysteresis and global: a pixel with at least this contrast is ink", ge=1, le=254)
    faint: int = setting(
        50,
        "hysteresis: a pixel with at least this contrast is ink if it is connected to ink of at least level",
        ge=1,
        le=254,
    )
    block: int = setting(
        61, "adaptive_mean and adaptive_gaussian: side of the neighbourhood in pixels, odd", ge=3, le=501
    )
    offset: int = setting(
        40,
        "adaptive_mean and adaptive_gaussian: a pixel is ink if its contrast is more than this above the average of "
        "its neighbourhood",
        ge=0,
        le=254,
    )
    opening: int = setting(0, "opening (removes specks): side of its window in pixels; 0: off", ge=0, le=15)
    closing: int = setting(0, "closing (fills gaps): side of its window in pixels; 0: off", ge=0, le=15)
    erosion: int = setting(0, "erosion (thins strokes): side of its window in pixels; 0: off", ge=0, le=15)
    dilation: int = setting(0, "dilation (thickens strokes): side of its window in pixels; 0: off", ge=0, le=15)
    interpolation: Interpolation = setting(
        "area", "how a digit is resized to 20x20 pixels: area, linear, cubic or lanczos"
    )
