"""Normalise the ink of one digit to (28, 28) uint8 as MNIST does: fit into 20x20, centre of mass in the middle.

MNIST (LeCun, Cortes, Burges) scaled black-and-white NIST digits by area into a 20x20 box, which left soft edges, and
moved their centre of mass to the middle of 28x28. NIST was written with one kind of pen: strokes are 2 to 3 pixels wide
there. A fine pen on a large page would vanish when it is reduced, so thin strokes are thickened to MNIST's width first.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.masks import at_least
from edge.vision.settings import Interpolation

SIDE = 28
"""Side of a glyph, pixels."""
FIT = 20
"""Side of the box that the ink fills, pixels."""
OVERSAMPLED = 120
"""Longer side of the ink, pixels, at which strokes are measured and thickened; larger ink is reduced to it."""
FINEST = 1.5
"""Thinner strokes than this in reduced ink, pixels, are made darker in proportion."""
THINNEST = 0.1
"""No stroke counts as thinner than this in reduced ink, pixels: faint ink has none that could be measured."""
THIN = 2.0
"""Thinner strokes than this, in pixels of the 20x20 box, are thickened to it."""
_AROUND = np.ones((3, 3), np.uint8)
METHODS = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
"""OpenCV's interpolation for each choice of ``VisionSettings.interpolation``."""


def stroke_width(ink: Pixels) -> float:
    """Mean width of the strokes, in pixels of the picture: their area divided by half their outline.

    A strip of length l and width w has area l w and outline 2 l.
    """
    mask = cv2.threshold(ink, 127, 1, cv2.THRESH_BINARY)[1]
    inside = cv2.erode(mask, _AROUND, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    area = cv2.countNonZero(mask)
    outline = area - cv2.countNonZero(inside)
    return 2 * area / outline if outline else 0.0


def with_contrast(reduced: Pixels, stroke: float) -> Pixels:
    """Reduced ink, uint8, with the contrast that a ``stroke`` (its width, reduced pixels) thinner than FINEST lost."""
    return cv2.convertScaleAbs(reduced, alpha=max(1.0, FINEST / stroke))


def thicken(ink: Pixels, by: float) -> Pixels:
    """The ink with strokes wider by ``by`` pixels, rounded to whole ones."""
    size = round(by) + 1
    if size < 2:
        return ink
    return cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def crop_to_ink(ink: Pixels, level: int = 64) -> Pixels:
    """The smallest part of the picture that holds all ink of at least ``level``; the whole if there is none."""
    x, y, width, height = cv2.boundingRect(at_least(ink, level))
    return ink[y : y + height, x : x + width] if width else ink


def normalise(ink: Pixels, interpolation: Interpolation = "area") -> Pixels:
    """Ink of one digit on black, any size, (height, width) uint8 -> (28, 28) uint8, 0 = paper, 255 = ink.

    All zeros where there is no ink.
    """
    ink = crop_to_ink(ink)
    longer = max(ink.shape)
    if longer > OVERSAMPLED:
        reduce = OVERSAMPLED / longer
        size = (max(1, round(ink.shape[1] * reduce)), max(1, round(ink.shape[0] * reduce)))
        stroke = max(reduce * stroke_width(ink), THINNEST)
        ink = with_contrast(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), stroke)
        longer = OVERSAMPLED
    missing = THIN * longer / FIT - stroke_width(ink)
    if missing >= 1:
        edge = int(missing) // 2 + 1
        ink = thicken(cv2.copyMakeBorder(ink, edge, edge, edge, edge, cv2.BORDER_CONSTANT), missing)
        ink = crop_to_ink(ink)
    fit = FIT / max(ink.shape)
    size = (max(1, round(ink.shape[1] * fit)), max(1, round(ink.shape[0] * fit)))
    method = METHODS["linear" if fit > 1 and interpolation == "area" else interpolation]
    small = cv2.resize(ink, size, interpolation=method)
    peak = cv2.minMaxLoc(small)[1]
    if peak == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    return centre(small if peak == 255 else cv2.convertScaleAbs(small, alpha=255 / peak))


def centre(small: Pixels) -> Pixels:
    """Ink of at most 20x20 on (28, 28), with its centre of mass at pixel (14, 14) as in MNIST.

    It is moved by whole pixels, and never cut off.
    """
    moments = cv2.moments(small)
    x = round(SIDE / 2 - moments["m10"] / moments["m00"])
    y = round(SIDE / 2 - moments["m01"] / moments["m00"])
    height, width = small.shape
    x = min(max(x, 0), SIDE - width)
    y = min(max(y, 0), SIDE - height)
    glyph = np.zeros((SIDE, SIDE), np.uint8)
    glyph[y : y + height, x : x + width] = small
    return glyph
