"""Clean a picture: grey pixels -> a mask of ink. Resize, filter, even out the light, binarise; remove shadows."""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np

from edge.types import Pixels, Reason
from edge.vision.binarise import binarise
from edge.vision.blank import EDGE_REACH
from edge.vision.contrast import contrast
from edge.vision.filters import gaussian_filter, median_filter, morphology
from edge.vision.resize import SMALL_SIDE, rescale, working_scale
from edge.vision.settings import VisionSettings
from edge.vision.statistics import solid_ink_share
from edge.vision.thick_areas import is_as_dark_as_writing, narrow_window, same_ink
from edge.vision.weak_ink import QUIET, SOLID, find_weak_ink, has_much_faint_ink, remove_weak_ink


class Cleaned(NamedTuple):
    """A cleaned picture: ink on black, at the working scale."""

    ink: Pixels
    """(height, width) uint8: contrast against the paper, 0 = paper, 255 = the strongest ink of the picture."""
    mask: Pixels
    """(height, width) uint8: 255 where there is ink, else 0."""
    sure: Pixels | None
    """The same for strong ink; a component of the mask without any is not ink. None: every component is ink."""
    scale: float
    """Working pixels per pixel of the frame."""
    polarity: Literal["dark", "light"]
    """Whether the ink is darker or lighter than its paper."""
    solid_share: float
    """How much of the ink is solid, 0 to 1: noise has 0.08 to 0.18, most writing over 0.3, a faint pencil 0.2."""
    reason: Reason | None
    """Why there is no ink at all, or None."""


def clean(grey: Pixels, settings: VisionSettings, *, light_ink: bool) -> Cleaned:
    """Grey (height, width) uint8 -> its ink; ``light_ink``: whether the ink is lighter than the paper."""
    scale = working_scale(grey.shape[0], grey.shape[1], settings.working_size)
    work = rescale(grey, scale)
    if light_ink:
        work = cv2.bitwise_not(work)
    if settings.median > 1:
        work = median_filter(work, settings.median | 1)
    if settings.gaussian > 1:
        work = gaussian_filter(work, settings.gaussian | 1)
    # A board is never brighter than its chalk. In its negative the floor is higher, so that grey levels count more
    # than shares of the light.
    floor, reach = 128 if light_ink else 32, max(EDGE_REACH, round(2 * scale))
    seen = contrast(work, settings, floor, reach)
    page = max(work.shape) > SMALL_SIDE
    two_strengths = page and settings.threshold == "hysteresis"
    # Ruled lines all over the paper are not noise.
    printed = two_strengths and seen.reason == "low_contrast" and find_weak_ink(seen.ink) is not None
    reason = None if printed else seen.reason
    mask, sure = (np.zeros_like(seen.ink), None) if reason else binarise(seen.ink, settings, seen.noise)
    if settings.even and not seen.reason and (window := narrow_window(mask, sure)):
        narrow = contrast(work, settings, floor, reach, window)
        if not narrow.reason and same_ink(narrow, seen, page):
            writing = binarise(narrow.ink, settings, narrow.noise)
            if not is_as_dark_as_writing(seen.ink, mask, writing[0]):
                seen, (mask, sure) = narrow, writing
    solid = solid_ink_share(seen.ink)
    if two_strengths and sure is not None and (seen.noise > QUIET or solid < SOLID or has_much_faint_ink(mask, sure)):
        mask, sure = remove_weak_ink(seen.ink, mask, sure, settings.faint, settings.level)
    polarity: Literal["dark", "light"] = "light" if light_ink else "dark"
    return Cleaned(seen.ink, morphology(mask, settings), sure, scale, polarity, solid, reason)
