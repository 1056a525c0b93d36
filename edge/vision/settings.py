"""The cleaning steps that ``[vision]`` chooses, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.setting import setting

Polarity = Literal["auto", "dark", "light"]
Threshold = Literal["hysteresis", "global", "otsu", "adaptive_mean", "adaptive_gaussian"]
Interpolation = Literal["area", "linear", "cubic", "lanczos"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSettings:
    """How a frame is cleaned. Sizes are pixels of the working picture: its longer side is ``working_size`` at most."""

    working_size: int = setting(
        1024, "longer side of the picture that is worked on, pixels; larger ones are reduced", ge=128, le=4096
    )
    polarity: Polarity = setting("auto", "ink against paper: auto, dark (ink on light) or light (chalk on a board)")
    median: int = setting(3, "median filter, side of the window in pixels, odd; 0 leaves it out", ge=0, le=15)
    gaussian: int = setting(0, "Gaussian blur, side of the window in pixels, odd; 0 leaves it out", ge=0, le=31)
    even: bool = setting(True, "divide the light out: contrast is measured against the paper near each pixel")
    threshold: Threshold = setting(
        "hysteresis",
        "what is ink: hysteresis, global, otsu, adaptive_mean or adaptive_gaussian, all on a scale where the "
        "strongest ink of the picture is 255",
    )
    level: int = setting(90, "global, hysteresis: ink is at least this, 0 to 255", ge=1, le=254)
    faint: int = setting(45, "hysteresis: so is what is at least this and hangs on to ink, 0 to 255", ge=1, le=254)
    block: int = setting(61, "adaptive: side of the neighbourhood in pixels, odd", ge=3, le=501)
    offset: int = setting(40, "adaptive: ink is at least this much above its neighbourhood, 0 to 255", ge=0, le=254)
    opening: int = setting(0, "opening (removes specks), side of the window in pixels; 0 leaves it out", ge=0, le=15)
    closing: int = setting(0, "closing (fills gaps), side of the window in pixels; 0 leaves it out", ge=0, le=15)
    erosion: int = setting(0, "erosion (thins), side of the window in pixels; 0 leaves it out", ge=0, le=15)
    dilation: int = setting(0, "dilation (thickens), side of the window in pixels; 0 leaves it out", ge=0, le=15)
    interpolation: Interpolation = setting("area", "how a digit is resized to 20x20: area, linear, cubic or lanczos")

    @property
    def fine(self) -> bool:
        """Whether no window is so large that half the pixels would be too few for it."""
        windows = (self.gaussian, self.opening, self.closing, self.erosion, self.dilation)
        return self.threshold == "hysteresis" and self.median <= 3 and not any(windows)
