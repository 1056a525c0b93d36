"""An analysed frame for the page: the JPEG and PNG pictures of its stages, and its candidates, as JSON."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import cv2

from edge.reading.reader import Analysis
from edge.types import Pixels

MAX_SIDE = 640
"""Longer side of the page's pictures, pixels; larger ones are reduced. Chosen: more detail, or less to send."""
JPEG_QUALITY = 75
"""JPEG quality of the page's grey pictures, 0 to 100. Chosen: more detail, or less to send."""
MAX_CANDIDATES = 60
"""Most candidates that are sent with a frame; the number of the others is sent as ``more``. Chosen."""
TOP_CLASSES = 3
"""Classes that are named for each candidate, the most likely ones. Chosen."""


def describe_frame(pixels: Pixels, analysis: Analysis) -> dict[str, Any]:
    """One frame (height, width) as JSON: the View of the HTTP API.

    Pictures are data URIs. ``even`` and ``ink`` are what the reader worked on: perhaps turned, and of another size.
    """
    cleaned = analysis.cleaned
    return {
        "reading": analysis.reading.as_dict(),
        "size": [pixels.shape[1], pixels.shape[0]],
        "polarity": cleaned.polarity,
        "pictures": {
            "grey": _jpeg_uri(pixels),
            "even": _jpeg_uri(cv2.bitwise_not(cleaned.ink)),
            "ink": _fast_png_uri(cv2.bitwise_not(reduced(cleaned.mask, MAX_SIDE))),
        },
        "candidates": describe_candidates(analysis),
        "more": max(0, len(analysis.candidates) - MAX_CANDIDATES),
        "stages_ms": {stage: round(seconds * 1000, 3) for stage, seconds in analysis.stages.items()},
    }


def describe_candidates(analysis: Analysis) -> list[dict[str, Any]]:
    """All that may be a digit, in reading order: its place, its likeliest digit and the belief in it, why it was not
    read, what the model got, and what the model says of it."""
    reasons = {mark.box: mark.reason for mark in analysis.reading.unread}
    found: list[dict[str, Any]] = []
    for glyph, candidate, accepted in zip(analysis.glyphs, analysis.candidates, analysis.accepted, strict=True):
        if len(found) == MAX_CANDIDATES:
            break
        best = candidate.probabilities.argsort()[::-1][:TOP_CLASSES].tolist()
        found.append(
            {
                "box": [int(n) for n in glyph.box],
                "digit": candidate.digit,
                "confidence": round(candidate.belief, 4),
                "read": accepted,
                "reason": None if accepted else reasons[glyph.box],
                "glyph": _fast_png_uri(glyph.pixels),
                "top": [[analysis.labels[i], round(float(candidate.probabilities[i]), 4)] for i in best],
            }
        )
    return found


def reduced(pixels: Pixels, side: int) -> Pixels:
    """The picture, reduced so that its longer side is at most ``side`` pixels."""
    height, width = pixels.shape
    scale = side / max(height, width)
    # A picture of one line keeps it.
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def png_uri(pixels: Pixels, *options: int) -> str:
    """A data URI of the picture as PNG; ``options`` are OpenCV's."""
    return _data_uri("png", cv2.imencode(".png", pixels, options)[1])


def _jpeg_uri(pixels: Pixels) -> str:
    options = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    return _data_uri("jpeg", cv2.imencode(".jpg", reduced(pixels, MAX_SIDE), options)[1])


def _fast_png_uri(pixels: Pixels) -> str:
    # Speed matters more than size: each picture is seen only for a moment.
    return png_uri(pixels, cv2.IMWRITE_PNG_COMPRESSION, 1)


def _data_uri(kind: str, encoded: Any) -> str:
    return f"data:image/{kind};base64,{b64encode(encoded).decode()}"
