"""Grey pixels -> ink: even out the light, denoise, decide the polarity, binarise. Pure functions, no state."""

from __future__ import annotations

from math import ceil, floor
from typing import Literal, NamedTuple

import cv2
import numpy as np

from edge.types import Pixels, Reason
from edge.vision.desk_grain import grain
from edge.vision.settings import VisionSettings
from edge.vision.statistics import above, exceeds, largest_mark, noise, quantiles, reduced, sample, solid_share
from edge.vision.weak_ink import QUIET, SOLID, strong_ink, unsure, weak_ink

SMALL_SIDE = 200
"""A picture whose longer side is shorter than this is enlarged, so that windows of a few pixels mean the same in it.

Up to this side it shows a digit and no page: no table, rules or shadow is looked for in it.
"""
BACKGROUND_SIDE = 128
"""The light changes slowly: it is estimated on a picture of this longer side at most, in pixels."""
BACKGROUND_WINDOW = 0.30
"""Strokes are narrower than this share of the picture, and are closed over to see the paper behind them."""
THICK = 3.5
"""A square of so many strokes' thickness fits into no digit: it is a shadow or a hand. Then the paper is"""
NARROW_WINDOW = 4.0
"""closed over so many strokes only,"""
LEAST_WINDOW = 0.06
"""and both are this share of the picture at least: digits are that much thicker than the rules of squared paper."""
THINNEST = 3
"""Runs of ink of fewer pixels are noise, and"""
FEW_RUNS = 8
"""so few say nothing of the strokes' thickness."""
THIN = 0.2
"""This share of the runs is of no more than the strokes' thickness."""
SAME_INK = 0.85
"""Where without the thick things ink is weaker than this share of what it was, they were the ink: the rest is grain."""
SAME_SHARE = 0.7
"""Or where the strongest ink takes less than this share of the light that it took,"""
SMOOTH = 4.0
"""and in a shadow, which is as smooth as its paper, noise has at most this standard deviation."""
AS_DARK = 0.95
"""What takes at least this share of the light that writing takes, in the mean, is ink like it."""
INKED = 0.998
"""So many of the pixels are weaker than ink."""
SAMPLED = 20_000
"""They are counted in rows of about so many pixels."""
COARSE = 3
"""Every so many pixels of a row and column are looked at to see whether there is anything thick at all."""
DARKEST = 0.5
"""No shadow takes more of the light than leaves this share of it: what is darker is a table, and its grain no ink."""
MIN_CONTRAST = 10
"""Ink differs from its paper by at least 4 % (10 of 255); less is blank paper."""
MIN_LEVELS = 5
"""And by this many levels, however dark the picture is: fewer are the steps of the light itself."""
MIN_STEEPNESS = 0.4
"""The edge of ink rises by this share of its contrast within"""
EDGE_REACH = 7
"""so many working pixels, or two of the frame where it was enlarged: flatter things are shadows, or out of focus."""
BLURRED_LEVELS = 24
"""Something flat but of at least as many levels is called blurred, else the picture is called blank."""
MIN_SIGNAL_TO_NOISE = 7.0
"""The strongest ink is at least this many standard deviations of the noise: Gaussian noise alone gives 4."""
SPECKS_SIGMA, SPECK = 4.0, 40
"""Where no mark that is so many standard deviations above the noise has more pixels, noise is all there is.

On noisy blank pages of 640x480 the largest had 31, on pages with writing too faint to read 51 and more.
"""
NOISE_MARGIN = 4.5
"""Faint ink is at least this many standard deviations of the noise."""


class Cleaned(NamedTuple):
    """What the cleaning left: ink on black, at the working scale."""

    ink: Pixels
    """(height, width) uint8: contrast against the paper, 0 = paper, 255 = the strongest ink of the picture."""
    mask: Pixels
    """(height, width) uint8: 255 where there is ink, else 0."""
    sure: Pixels | None
    """The same for ink beyond doubt; parts of the mask without any are no ink. None where the mask stands as it is."""
    scale: float
    """Working pixels per pixel of the frame."""
    polarity: Literal["dark", "light"]
    """Whether the ink is darker or lighter than its paper."""
    solid: float
    """How much of the ink is solid, 0 to 1: noise has 0.08 to 0.18, most writing over 0.3, a faint pencil 0.2."""
    reason: Reason | None
    """Why there is no ink at all, or None."""


class Contrast(NamedTuple):
    """How much darker than its paper each pixel of a picture is."""

    ink: Pixels
    """(height, width) uint8: 0 = paper, 255 = the strongest ink of the picture."""
    darkest: float
    """By how many grey levels ink is darker than its paper."""
    strongest: float
    """Which share of the paper's light the strongest ink takes, 0 to 255."""
    noise: float
    """A standard deviation, on the scale of ``ink``; 0 where it is not asked for."""
    reason: Reason | None
    """Why there is no ink, or None."""


def working_scale(height: int, width: int, working_size: int) -> float:
    """Working pixels per frame pixel: large pictures shrink to ``working_size``, tiny ones grow by a whole number."""
    side = max(height, width)
    if side > working_size:
        return working_size / side
    return float(max(1, min(8, SMALL_SIDE // side)))


def rescale(grey: Pixels, scale: float) -> Pixels:
    """The picture at ``scale`` times its size: by area when it shrinks, linear when it grows.

    Cubic would be sharper, but rings along hard edges, and a ring looks like a stroke.
    """
    if scale == 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def median_filter(grey: Pixels, size: int) -> Pixels:
    """The median of each ``size`` x ``size`` window (odd, pixels): removes salt and pepper, keeps edges."""
    return cv2.medianBlur(grey, size)


def gaussian_filter(grey: Pixels, size: int) -> Pixels:
    """Gaussian blur over a ``size`` x ``size`` window (odd, pixels), sigma as OpenCV derives it from the size."""
    return cv2.GaussianBlur(grey, (size, size), 0)


def paper(grey: Pixels, share: float = BACKGROUND_WINDOW) -> Pixels:
    """The paper behind dark ink, lit as it is: uint8, reduced to BACKGROUND_SIDE at most.

    A closing wider than the strokes, blurred (a shadow wider than the window, ``share`` of the longer side, stays in
    it).
    """
    small = reduced(grey, BACKGROUND_SIDE)
    window = max(3, round(share * max(small.shape))) | 1
    # Continued outwards as it is at its edge: else a slope of light would be closed over at the dark edge.
    # By a whole window, so that a table at the side of the page stays a table.
    edge = window
    padded = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    smooth = closed
    for _ in range(2):
        smooth = cv2.blur(smooth, (window // 2, window // 2))
    # Smooth, but never brighter than two cells away: else a hard shadow or a page's edge would have a rim of false ink.
    return cv2.min(smooth, cv2.erode(closed, np.ones((5, 5), np.uint8)))[edge:-edge, edge:-edge]


def contrast(
    grey: Pixels, vision: VisionSettings, floor: int = 32, reach: int = EDGE_REACH, window: float = BACKGROUND_WINDOW
) -> Contrast:
    """Dark-on-light grey -> contrast against the paper, stretched so that the strongest ink is 255.

    The strongest ink is the level that at least 16 pixels, and 0.02 % of them, reach. ``floor``: paper darker
    than this grey counts as this grey; ``reach``: an edge of ink is at most so many pixels wide.
    """
    light = paper(grey, window) if vision.even else np.full((1, 1), quantiles(grey, 0.5)[0], np.uint8)
    behind = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    below = cv2.subtract(behind, grey)
    # Reflectance, not difference: the same ink in shadow is as black. But noise in the dark is not to be blown up.
    dim, bright, brightest = quantiles(light, 0.02, 0.95, 0.99)
    darkest = max(floor, round(DARKEST * bright))
    lit = behind if cv2.minMaxLoc(light)[0] >= darkest else cv2.max(behind, darkest)
    rows, rows_lit = sample(below), sample(lit)
    sparse = 1 - max(16 / below.size, 0.0002)
    peak = max(1.0, *quantiles(cv2.divide(rows, rows_lit, scale=255), sparse))
    ink = cv2.divide(below, lit, scale=255 * 255 / peak)
    if max(grey.shape) > SMALL_SIDE and (rough := grain(grey, ink, dim, brightest)) is not None:
        below[rough > 0] = 0
        peak = max(1.0, *quantiles(cv2.divide(rows, rows_lit, scale=255), sparse))
        ink = cv2.divide(below, lit, scale=255 * 255 / peak)
    levels, dark = quantiles(rows, sparse, INKED)
    if peak < MIN_CONTRAST or levels < MIN_LEVELS:
        return Contrast(ink, dark, peak, 0.0, "blank")
    # Light that is uneven in itself leaves hollows, but no edges.
    steep = max(MIN_LEVELS, MIN_STEEPNESS * levels)
    if rows.shape[1] > reach and not exceeds(cv2.absdiff(rows[:, reach:], rows[:, :-reach]), steep, sparse):
        return Contrast(ink, dark, peak, 0.0, "blurred" if levels >= BLURRED_LEVELS else "blank")
    level, spread = noise(ink)
    if 255 - level >= MIN_SIGNAL_TO_NOISE * spread:
        return Contrast(ink, dark, peak, spread, None)
    # Noise alone has its peaks, but they do not hang together as even the faintest line does.
    largest = largest_mark(above(ink, round(level + SPECKS_SIGMA * spread)))
    return Contrast(ink, dark, peak, spread, "low_contrast" if largest > SPECK else "blank")


def binarise(ink: Pixels, vision: VisionSettings, spread: float = 0.0) -> tuple[Pixels, Pixels | None]:
    """Contrast (0 = paper, 255 = ink) -> 255 where there is ink, else 0, by the vision's threshold.

    With ``hysteresis`` the first mask is generous (``faint``, but above the noise of this ``spread``) and the second
    one is strict; faint ink counts where it hangs on to strong ink, as Canny (1986) keeps edges. Else there is no
    second.
    """
    if vision.threshold == "hysteresis":
        sure = above(ink, vision.level)
        return above(ink, min(vision.level, max(vision.faint, round(NOISE_MARGIN * spread)))), sure
    if vision.threshold == "global":
        return above(ink, vision.level), None
    if vision.threshold == "otsu":
        return cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], None
    method = cv2.ADAPTIVE_THRESH_MEAN_C if vision.threshold == "adaptive_mean" else cv2.ADAPTIVE_THRESH_GAUSSIAN_C
    return cv2.adaptiveThreshold(ink, 255, method, cv2.THRESH_BINARY, vision.block | 1, -vision.offset), None


def morphology(mask: Pixels, vision: VisionSettings) -> Pixels:
    """Opening, closing, erosion and dilation, in this order, with elliptic windows; 0 leaves one out."""
    for operation, size in (
        (cv2.MORPH_OPEN, vision.opening),
        (cv2.MORPH_CLOSE, vision.closing),
        (cv2.MORPH_ERODE, vision.erosion),
        (cv2.MORPH_DILATE, vision.dilation),
    ):
        if size > 1:
            window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            mask = cv2.morphologyEx(mask, operation, window)
    return mask


def clean(grey: Pixels, vision: VisionSettings, *, light_ink: bool) -> Cleaned:
    """Grey (height, width) uint8 -> its ink, by the vision; ``light_ink`` says which side of the paper is ink."""
    scale = working_scale(grey.shape[0], grey.shape[1], vision.working_size)
    work = rescale(grey, scale)
    if light_ink:
        work = cv2.bitwise_not(work)
    if vision.median > 1:
        work = median_filter(work, vision.median | 1)
    if vision.gaussian > 1:
        work = gaussian_filter(work, vision.gaussian | 1)
    # A board is never brighter than its chalk, whatever the negative says: there, levels count rather than shares.
    floor, reach = 128 if light_ink else 32, max(EDGE_REACH, round(2 * scale))
    seen = contrast(work, vision, floor, reach)
    page = max(work.shape) > SMALL_SIDE
    two_strengths = page and vision.threshold == "hysteresis"
    # Rules all over the paper are no noise.
    printed = two_strengths and seen.reason == "low_contrast" and weak_ink(seen.ink) is not None
    reason = None if printed else seen.reason
    mask, sure = (np.zeros_like(seen.ink), None) if reason else binarise(seen.ink, vision, seen.noise)
    if vision.even and not seen.reason and (window := narrow_window(mask, sure)):
        narrow = contrast(work, vision, floor, reach, window)
        if not narrow.reason and still_ink(narrow, seen, page):
            writing = binarise(narrow.ink, vision, narrow.noise)
            if not as_dark(seen.ink, mask, writing[0]):
                seen, (mask, sure) = narrow, writing
    solid = solid_share(seen.ink)
    if two_strengths and sure is not None and (seen.noise > QUIET or solid < SOLID or unsure(mask, sure)):
        mask, sure = strong_ink(seen.ink, mask, sure, vision.faint, vision.level)
    polarity: Literal["dark", "light"] = "light" if light_ink else "dark"
    return Cleaned(seen.ink, morphology(mask, vision), sure, scale, polarity, solid, reason)


def still_ink(narrow: Contrast, wide: Contrast, page: bool) -> bool:
    """Whether what a narrow window leaves is the ink that a wide one saw, and not the grain of something thick.

    ``page``: whether the picture is large enough for one with a shadow on it.
    """
    same = narrow.darkest >= SAME_INK * wide.darkest
    if same or not page:
        return same
    # In a shadow the same ink is darker by fewer levels, but takes as large a share of the light.
    return narrow.strongest >= SAME_SHARE * wide.strongest and narrow.noise < SMOOTH


def as_dark(ink: Pixels, mask: Pixels, writing: Pixels) -> bool:
    """Whether what a wide window sees in the ``mask`` besides the ``writing`` is as dark as it: one thing with it.

    All (height, width) uint8. A shadow or a hand takes less light than ink; a blot or a solid drawing as much.
    """
    return cv2.mean(ink, cv2.bitwise_and(mask, cv2.bitwise_not(writing)))[0] >= AS_DARK * cv2.mean(ink, writing)[0]


def _least_square(side: int) -> Pixels:
    """The least square that is too thick for a stroke in a picture of this longer side, every COARSE-th pixel of it."""
    size = max(1, floor(LEAST_WINDOW * side / COARSE))
    return np.ones((size, size), np.uint8)


def narrow_window(mask: Pixels, sure: Pixels | None) -> float:
    """How wide a window sees the paper within what is too thick for a stroke, a share of the longer side; else 0."""
    if not cv2.countNonZero(cv2.erode(mask[::COARSE, ::COARSE], _least_square(max(mask.shape)))):
        return 0.0
    certain = sample(mask if sure is None else sure, SAMPLED)
    row = np.zeros(certain.size + 2, np.uint8)
    row[1:-1] = certain.ravel()
    ends = np.flatnonzero(row[1:] != row[:-1])
    runs = ends[1::2] - ends[::2]
    runs = runs[runs >= THINNEST]
    if len(runs) < FEW_RUNS:
        return 0.0
    # NumPy's own quantile takes longer than all the rest.
    runs.sort()
    at, part = divmod(THIN * (len(runs) - 1), 1)
    thickness = float(runs[int(at)] + part * (runs[min(int(at) + 1, len(runs) - 1)] - runs[int(at)]))
    step = max(1, int(thickness // 2))
    side = ceil(max(THICK * thickness, LEAST_WINDOW * max(mask.shape)) / step)
    if not cv2.countNonZero(cv2.erode(mask[::step, ::step], np.ones((side, side), np.uint8))):
        return 0.0
    return min(BACKGROUND_WINDOW, max(LEAST_WINDOW, NARROW_WINDOW * thickness / max(mask.shape)))
