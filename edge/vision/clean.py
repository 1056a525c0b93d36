"""Clean a picture: grey pixels -> a mask of ink. Resize, filter, even out the light, binarise."""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np

from edge.types import Pixels, Reason
from edge.vision.binarise import binarise
from edge.vision.components import largest_area
from edge.vision.contrast import contrast
from edge.vision.filters import gaussian_filter, median_filter, morphology
from edge.vision.resize import FIRST_SIDE, STROKE, rescale, stroke_scale
from edge.vision.settings import VisionSettings
from edge.vision.strokes import typical_strokes

FAINT_LINE = 6.0
"""Connected faint ink of more than this many squares of a stroke's width is a line, and not noise."""


class Cleaned(NamedTuple):
    """A cleaned picture: ink on black, at the working scale."""

    ink: Pixels
    """(height, width) uint8: contrast against the paper, 0 = paper, 255 = the strongest ink around."""
    mask: Pixels
    """(height, width) uint8: 255 where there is ink, else 0."""
    sure: Pixels | None
    """The same for strong ink; a component of the mask without any is not ink. None: every component is ink."""
    scale: float
    """Working pixels per pixel of the frame."""
    polarity: Literal["dark", "light"]
    """Whether the ink is darker or lighter than its paper."""
    signal: float
    """How many standard deviations of the noise the usual ink is above the paper."""
    stroke: float
    """The width of most strokes, working pixels."""
    has_strokes: bool
    """Whether any stroke stands out; if none does, ``stroke`` is a usual one."""
    reason: Reason | None
    """Why there is no ink at all, or None."""
    finer: float = 0.0
    """The width of strokes that are much finer than most, pixels of the frame; 0 if there are hardly any."""


def working_picture(grey: Pixels, settings: VisionSettings) -> Pixels:
    """The picture (height, width) uint8 on which strokes are measured: at most as large as it is first read."""
    return rescale(grey, _first_scale(grey, settings))


def _first_scale(grey: Pixels, settings: VisionSettings) -> float:
    return min(1.0, _first_side(settings) / max(grey.shape))


def _first_side(settings: VisionSettings) -> int:
    return min(FIRST_SIDE, settings.working_size)


def clean(
    grey: Pixels,
    settings: VisionSettings,
    *,
    light_ink: bool,
    working: Pixels | None = None,
    stroke: float | None = None,
) -> Cleaned:
    """Grey (height, width) uint8 -> its ink; ``light_ink``: whether the ink is lighter than the paper.

    ``working``: its ``working_picture``, if that is known. ``stroke``: the width of its strokes, pixels of ``grey``, if
    it is not to be measured.
    """
    scale = _first_scale(grey, settings)
    work = working_picture(grey, settings) if working is None else working
    work = cv2.bitwise_not(work) if light_ink else work
    found, finer = typical_strokes(work) if stroke is None else (stroke * scale, 0.0)
    finer /= scale
    # Where no stroke stands out, there may be noise: it is looked at as it is.
    stroke = found or STROKE
    by = stroke_scale(stroke, max(work.shape), _first_side(settings))
    if by != 1:
        scale, stroke = scale * by, stroke * by
        work = rescale(cv2.bitwise_not(grey) if light_ink else grey, scale)
    return _cleaned(work, settings, scale, stroke, finer, has_strokes=found > 0, light_ink=light_ink)


def clean_larger(grey: Pixels, settings: VisionSettings, before: Cleaned, by: float) -> Cleaned:
    """Grey (height, width) uint8, which was cleaned ``before``, cleaned again at ``by`` times that scale."""
    scale, light_ink = before.scale * by, before.polarity == "light"
    work = rescale(grey, scale)
    work = cv2.bitwise_not(work) if light_ink else work
    stroke = before.stroke * by
    return _cleaned(work, settings, scale, stroke, before.finer, has_strokes=before.has_strokes, light_ink=light_ink)


def _cleaned(
    work: Pixels,
    settings: VisionSettings,
    scale: float,
    stroke: float,
    finer: float,
    *,
    has_strokes: bool,
    light_ink: bool,
) -> Cleaned:
    """A picture at the working ``scale``, its ink dark, -> that ink; the others as in ``Cleaned``."""
    # A median filter removes strokes that are thinner than half of its window.
    if 1 < settings.median < 2 * stroke:
        work = median_filter(work, settings.median | 1)
    if settings.gaussian > 1:
        work = gaussian_filter(work, settings.gaussian | 1)
    # A board is never brighter than its chalk. In its negative the floor is higher, so that grey levels count more
    # than shares of the light.
    seen = contrast(work, settings, stroke, 128 if light_ink else 32)
    mask, sure = binarise(seen.ink, settings, 255 * seen.noise / seen.strength)
    reason: Reason | None = None
    if not cv2.countNonZero(mask if sure is None else sure):
        # Noise has peaks, but they are not connected as even the faintest line is.
        reason = "low_contrast" if largest_area(mask) > FAINT_LINE * stroke * stroke else "blank"
        mask, sure = np.zeros_like(mask), None
    polarity: Literal["dark", "light"] = "light" if light_ink else "dark"
    signal = seen.strength / max(seen.noise, 0.1)
    return Cleaned(
        seen.ink, morphology(mask, settings), sure, scale, polarity, signal, stroke, has_strokes, reason, finer
    )
