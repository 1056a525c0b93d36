"""How well a frame shows a page: focus, size of the digits, light, tilt, glare, and how much of the view is used.

Each limit is where reading suffers: photographs of real handwriting that read without a mistake were blurred, reduced,
darkened, over-exposed, made noisy and rotated. Of 172 photographs that read right, 6 pass one of the limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from edge.types import Box, Pixels
from edge.vision.glare import find_glare
from edge.vision.resize import shrink_by_halves
from edge.vision.sharpness import sharpness
from edge.vision.statistics import median, quantiles, sample_rows

SOFT = 0.05
"""Edges blurred by more than this share of a digit's height are out of focus: of 50 pages, 44 read right with 0.05, 23
with 0.085 and none with 0.12; photographs that read right have 0.034 at most."""
SOFT_PIXELS = 1.6
"""And by more than this many pixels: a lens and the pixels themselves blur edges by 1 to 1.3."""
SOFT_VIEW, SOFT_VIEW_PIXELS = 0.003, 2.6
"""Where no digit is read, the picture is out of focus from this share of its longer side and so many pixels on:
photographs of other things have up to 0.003 and 2.6."""
NEEDED_HEIGHT = 20
"""Digits should be at least so tall, pixels of the frame: of 75 pages with a camera's blur, noise and JPEG, 6 read
right at 8 pixels, 40 at 12, 57 at 20, and 65 at 30."""
DARK = 32
"""Paper darker than this grey is too dark: the reader takes it for this grey, so that its noise is not amplified."""
BRIGHT = 250
"""Paper of this grey or brighter is clipped: it would be brighter still."""
PALE = 100
"""Ink that differs from clipped paper by fewer grey levels than this is washed out: of 39 pages with 8 times the light
25 read right, 3 of them with such ink, and of the 14 others 12 have such ink."""
NOISY = 0.15
"""Noise with a standard deviation of more than this share of the paper's grey hides strokes: of 42 pages 40 read right
with 0.08, 37 with 0.17 and 10 with 0.3; photographs have 0.06 at most."""
FALLS, RISES = 22.0, 15.0
"""Lines that fall or rise to the right by more than this, degrees, are too steep: of 50 pages that rise, 40 read right
at 15 and 14 at 30 degrees; of those that fall 44 at 22, and 30 at 30. Digits that lean left are rarer."""
PAPER, FAINT = 0.9, 0.005
"""Around a digit the paper is as bright as this share of the pixels, and the ink as dark as this one."""
VIEW = 0.75
"""Without writing, the paper is as bright as this share of the view: most of the view should be the page. Chosen."""
MOST_MARKS = 12
"""At most so many digits or marks are measured, evenly spread over the page. Chosen: their median hardly changes."""
AROUND, LEAST_AROUND = 0.25, 16
"""Around a digit this share of its longer side is looked at too, and at least so many pixels."""
MIDDLE, MOST_PIXELS = 0.8, 1_300_000
"""Without digits the sharpness is that of the middle of the view: of this share of its sides, and so many pixels at
most. Chosen: the desk is often seen at the sides; 10 ms on a computer."""
COARSE_SIDE = 1024
"""Where the middle has no edge at all, the whole view is measured at this many pixels on its longer side. Chosen."""
WHITE, BLACK = 253, 2
"""Greys from WHITE up and from BLACK down are clipped. Chosen: JPEG changes 255 and 0 by one or two."""

Light = Literal["enough", "dark", "bright", "noisy"]
"""``dark``: the paper is nearly black. ``noisy``: the camera amplifies too little light, and noise with it.
``bright``: the paper is white, and the ink is washed out."""


@dataclass(frozen=True, slots=True)
class ViewQuality:
    """What one frame is like as a view of a page. What could not be measured is None."""

    sharpness: float
    """That of the digits, or of the middle of the view: about 1 / blur, to compare frames of the same page."""
    is_sharp: bool | None
    """Whether it is in focus: digits of that height can be read; without digits, something in the view is sharp."""
    digit_height: float | None
    """The usual height of the digits that were read, pixels of the frame."""
    paper: float
    """The grey of the paper beside the writing, 0 to 255; without writing, of the brighter part of the view."""
    contrast: float | None
    """By how many grey levels the ink differs from that paper, 0 to 255."""
    light: Light
    """Whether there is too little or too much of it."""
    white_share: float
    """Which share of the view is clipped at white, 0 to 1."""
    black_share: float
    """Which share of the view is clipped at black, 0 to 1."""
    tilt: float | None
    """By how many degrees the lines of writing fall to the right; below 0 they rise. 90, 180 and -90: on its side."""
    glare: str | None
    """Where a lamp glares: ``top left``, ``middle`` and so on."""
    used_share: float | None
    """Which share of the view's area the digits take, with all between them, 0 to 1."""

    @property
    def blur(self) -> float | None:
        """How blurred edges are: the standard deviation of a Gaussian, pixels of the frame."""
        return 1 / self.sharpness if self.sharpness else None

    @property
    def is_tall(self) -> bool | None:
        """Whether the digits are tall enough."""
        return None if self.digit_height is None else self.digit_height >= NEEDED_HEIGHT

    @property
    def lean(self) -> float:
        """By how many degrees lines that are too steep fall; below 0 they rise. 0 if they are not too steep.

        A page that lies on its side, or upside down, is read as it is.
        """
        lean = 0.0 if self.tilt is None else self.tilt - 90 * round(self.tilt / 90)
        return lean if lean > FALLS or lean < -RISES else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as the Aim of the HTTP API has it."""
        return {
            "sharpness": round(self.sharpness, 4),
            "blur_pixels": _rounded(self.blur, 2),
            "is_sharp": self.is_sharp,
            "digit_pixels": _rounded(self.digit_height, 1),
            "needed_pixels": NEEDED_HEIGHT,
            "paper": round(self.paper),
            "contrast": None if self.contrast is None else round(self.contrast),
            "light": self.light,
            "white_share": round(self.white_share, 4),
            "black_share": round(self.black_share, 4),
            "tilt_degrees": _rounded(self.tilt, 1),
            "glare": self.glare,
            "used_share": _rounded(self.used_share, 4),
        }


def view_quality(
    grey: Pixels, digits: Sequence[Box], marks: Sequence[Box] = (), *, light_ink: bool = False, tilt: float | None
) -> ViewQuality:
    """What a frame (height, width) uint8 is like, with what was found in it: digits that were read, and all marks.

    ``marks``: boxes of all that may be a digit. ``light_ink``: whether the ink is lighter than its paper. ``tilt``: by
    how many degrees the lines fall; None if that is unknown.
    """
    crops = [_around(grey, box) for box in _some(digits or marks)]
    # Marks that were not read may be anything that lies on the desk, and the desk may be in focus.
    sharp = [one for one in map(sharpness, crops) if one] if digits else []
    focus = median(sharp) if sharp else sharpness(_middle(grey)) or _coarse_sharpness(grey)
    paper, contrast = _paper(grey, crops, light_ink)
    height = median([box.height for box in digits]) if digits else None
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    return ViewQuality(
        sharpness=focus,
        is_sharp=1 / focus <= _most_blur(grey, height) if focus else None,
        digit_height=height,
        paper=paper,
        contrast=contrast,
        light=_light(grey, paper, contrast, light_ink),
        white_share=float(counts[WHITE:].sum()) / grey.size,
        black_share=float(counts[: BLACK + 1].sum()) / grey.size,
        tilt=tilt,
        glare=glare.where if (glare := find_glare(grey)) else None,
        used_share=_used_share(grey, digits) if digits else None,
    )


def _some(boxes: Sequence[Box]) -> Sequence[Box]:
    return boxes[:: max(1, -(-len(boxes) // MOST_MARKS))]


def _around(grey: Pixels, box: Box) -> Pixels:
    """A mark with some paper around it."""
    margin = max(LEAST_AROUND, round(AROUND * max(box.width, box.height)))
    top, left = max(0, box.y - margin), max(0, box.x - margin)
    return grey[top : box.y + box.height + margin, left : box.x + box.width + margin]


def _middle(grey: Pixels) -> Pixels:
    """The middle of a picture, where the page should be."""
    share = min(MIDDLE, (MOST_PIXELS / grey.size) ** 0.5)
    height, width = (max(1, int(share * side)) for side in grey.shape)
    top, left = (grey.shape[0] - height) // 2, (grey.shape[1] - width) // 2
    return grey[top : top + height, left : left + width]


def _coarse_sharpness(grey: Pixels) -> float:
    """The sharpness of a whole view in which no edge is sharp, so that it may be measured on a smaller picture."""
    small = shrink_by_halves(grey, COARSE_SIDE)
    return sharpness(small) * small.shape[0] / grey.shape[0]


def _most_blur(grey: Pixels, height: float | None) -> float:
    """The greatest blur with which digits of this height can be read, pixels; without digits, that of any view."""
    if height is None:
        return max(SOFT_VIEW_PIXELS, SOFT_VIEW * max(grey.shape))
    return max(SOFT_PIXELS, SOFT * height)


def _paper(grey: Pixels, crops: Sequence[Pixels], light_ink: bool) -> tuple[float, float | None]:
    """The grey of the paper, and by how much the ink differs from it; None where there is no ink."""
    if not crops:
        return quantiles(grey, VIEW)[0], None
    shares = (1 - PAPER, 1 - FAINT) if light_ink else (PAPER, FAINT)
    levels = [quantiles(crop, *shares) for crop in crops]
    return median([one[0] for one in levels]), median([abs(one[0] - one[1]) for one in levels])


def _light(grey: Pixels, paper: float, contrast: float | None, light_ink: bool) -> Light:
    brightest = paper + (contrast or 0) if light_ink else paper
    if brightest < DARK:
        return "dark"
    if paper >= BRIGHT and contrast is not None and contrast < PALE:
        return "bright"
    return "noisy" if _noise(grey) > NOISY * brightest else "enough"


def _noise(grey: Pixels) -> float:
    """The standard deviation of the noise, grey levels: by the median of the second differences, as edges are few.

    As Immerkaer, "Fast noise variance estimation" (1996).
    """
    rows = sample_rows(grey).astype(np.int16)
    if rows.shape[1] < 3:
        return 0.0
    second = np.abs(rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2])
    # A normal distribution's median distance from 0 is 0.6745 sigma; 6 is the sum of the squares of 1, -2 and 1.
    return float(np.median(second)) / (0.6745 * 6**0.5)


def _used_share(grey: Pixels, digits: Sequence[Box]) -> float:
    left, top = min(box.x for box in digits), min(box.y for box in digits)
    right, bottom = max(box.x + box.width for box in digits), max(box.y + box.height for box in digits)
    return (right - left) * (bottom - top) / grey.size


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
