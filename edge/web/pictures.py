"""What was seen in a frame, for the page: the picture, each stage that led to the reading, and what the model said."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import cv2

from edge.reading.reader import Analysis
from edge.types import Pixels

SIDE = 640
"""Longer side of the pictures, pixels, at most."""
QUALITY = 75
"""Of JPEG."""
SHOWN = 60
"""So many candidates are shown at most; how many there are beside them is said."""
TOP = 3
"""So many classes of each are named."""


def view(pixels: Pixels, analysis: Analysis) -> dict[str, Any]:
    """The JSON of one frame (height, width).

    Pictures are data URIs. ``even`` and ``ink`` are as the reader worked on them: perhaps turned, and of another size.
    """
    cleaned = analysis.cleaned
    return {
        "reading": analysis.reading.as_dict(),
        "size": [pixels.shape[1], pixels.shape[0]],
        "polarity": cleaned.polarity,
        "pictures": {
            "grey": _jpeg(pixels),
            "even": _jpeg(cv2.bitwise_not(cleaned.ink)),
            "ink": _png(cv2.bitwise_not(_small(cleaned.mask))),
        },
        "candidates": candidates(analysis),
        "more": max(0, len(analysis.candidates) - SHOWN),
        "stages_ms": {stage: round(seconds * 1000, 3) for stage, seconds in analysis.stages.items()},
    }


def candidates(analysis: Analysis) -> list[dict[str, Any]]:
    """All that may be a digit, in reading order: where it is, as the model got it, and what the model says."""
    found: list[dict[str, Any]] = []
    for glyph, candidate, kept in zip(analysis.glyphs, analysis.candidates, analysis.accepted, strict=True):
        if len(found) == SHOWN:
            break
        best = candidate.probabilities.argsort()[::-1][:TOP].tolist()
        found.append(
            {
                "box": [int(n) for n in glyph.box],
                "digit": candidate.digit,
                "read": kept,
                "glyph": _png(glyph.pixels),
                "top": [[analysis.labels[i], round(float(candidate.probabilities[i]), 4)] for i in best],
            }
        )
    return found


def _small(pixels: Pixels) -> Pixels:
    scale = SIDE / max(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def _jpeg(pixels: Pixels) -> str:
    return _uri("jpeg", cv2.imencode(".jpg", _small(pixels), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1])


def _png(pixels: Pixels) -> str:
    # Speed counts here: each picture is seen for a moment.
    return _uri("png", cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, 1))[1])


def _uri(kind: str, packed: Any) -> str:
    return f"data:image/{kind};base64,{b64encode(packed).decode()}"
