"""Sharpness: how blurred the edges of a picture, and of its ink, are, to tell one that is out of focus."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.types import Pixels, halved

SHARPEST = 0.98
"""The edges are as wide as where this share of the ink is less steep: most of it is no edge."""

REBLUR = 2.0
"""The picture is blurred again by a Gaussian of this many pixels, to see how much less steep that makes its edges.
Chosen: twice the blur of a sharp picture's own edges."""
STEEPEST = 0.001
"""The steepest edge is where this share of the pixels is steeper: the steepest ones may be broken. Chosen."""
EDGES = 0.7
"""An edge is at least this share as steep as the steepest edge. Chosen: the middle of an edge, not its foot."""
NOISE_STEEPNESS = 1 / (math.sqrt(8 * math.pi) * REBLUR**2)
"""How steep noise of 1 grey level still is after the second blur, grey levels a pixel: the standard deviation of white
noise under the derivative of a Gaussian."""
ABOVE_NOISE = 30.0
"""The steepest edge is at least this many times as steep as the noise. Chosen: at 20, noise makes some soft edges look
sharp."""
LEAST_NOISE = 1.0
"""Noise that each picture is taken to have, grey levels. Chosen: whole levels make sharp steps of a soft slope."""
CLEAR = 0.3
"""A sharpness below this is measured at half the size: there the noise is half, and the blur is as easy to tell.
Chosen: a blur of 3 pixels hardly differs after a second one of 2."""
SMALLEST_SIDE = 60
"""A picture is halved down to this many pixels on its shorter side. Chosen: a digit that fills it is 60 pixels tall."""


def edge_width(ink: Pixels, mask: Pixels) -> float:
    """Over how many pixels ink, (height, width) uint8, falls from 255 to 0 at its steepest; 0 where there is none.

    ``mask``: the same shape, not 0 where there is ink.
    """
    inked = mask > 0
    across, down = (cv2.Sobel(ink, cv2.CV_32F, *way)[inked] / 8 for way in ((1, 0), (0, 1)))
    if not len(across):
        return 0.0
    rank = int(SHARPEST * len(across))
    return 255 / max(1.0, float(np.partition(np.hypot(across, down), rank)[rank]))


def sharpness(grey: Pixels) -> float:
    """How sharp the edges of a picture (height, width) uint8 are: about 1 / their blur in pixels; 0 if there is none.

    The blur is the standard deviation of a Gaussian, the pixels' own included, and comes out a third too large at most:
    a sharp picture has 0.5 to 1, one that is blurred by 8 pixels 0.1. Neither brightness nor contrast changes it, but
    the picture's size does. Edges that do not stand out of the noise do not count. 1,300,000 pixels take some 10 ms.

    By the gradients of a picture and of the same picture blurred again (Elder and Zucker, "Local scale control for edge
    detection and blur estimation", 1998; Zhuo and Sim, "Defocus map estimation from a single image", 2011), here of the
    steepest edges together: their ratio is fitted to all of them, so that noise averages out.
    """
    found, scale = 0.0, 1.0
    while True:
        here = _sharpness(grey) * scale
        found = here or found
        if here >= CLEAR * scale or min(grey.shape) < 2 * SMALLEST_SIDE:
            return found
        grey, scale = halved(grey), scale / 2


def _sharpness(grey: Pixels) -> float:
    """``sharpness`` at one size."""
    fine = grey.astype(np.float32)
    coarse = cv2.GaussianBlur(fine, (13, 13), REBLUR)
    across, down, coarse_across, coarse_down = (
        cv2.Sobel(picture, cv2.CV_32F, *way, scale=1 / 8) for picture in (fine, coarse) for way in ((1, 0), (0, 1))
    )
    squared = cv2.add(cv2.multiply(coarse_across, coarse_across), cv2.multiply(coarse_down, coarse_down))
    # Some of the pixels are enough for a rank; 7 divides no usual width, so they come from all columns.
    some = squared.ravel()[::7]
    rank = len(some) - 1 - int(STEEPEST * len(some))
    steepest = float(np.partition(some, rank)[rank])
    if steepest < (ABOVE_NOISE * NOISE_STEEPNESS * _noise(grey)) ** 2:
        return 0.0
    edges = cv2.compare(squared, EDGES**2 * steepest, cv2.CMP_GE)
    product = cv2.add(cv2.multiply(across, coarse_across), cv2.multiply(down, coarse_down))
    ratio = cv2.mean(product, edges)[0] / cv2.mean(squared, edges)[0]
    return math.sqrt(max(0.0, ratio**2 - 1)) / REBLUR


def _noise(grey: Pixels) -> float:
    """The standard deviation of the noise, grey levels, from second differences within rows (as Immerkaer, "Fast noise
    variance estimation", 1996); their median, because edges are few."""
    rows = grey[::5].astype(np.int16)
    if rows.shape[1] < 3:
        return LEAST_NOISE
    second = np.abs(rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2])
    # 0.6745: a normal distribution's median distance from 0; 6: the sum of the squares 1, 4 and 1.
    return max(LEAST_NOISE, float(np.median(second.ravel()[::3])) / (0.6745 * math.sqrt(6)))
