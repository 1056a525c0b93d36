"""How well a frame that was read shows the page, and the next step that makes the view better."""

from __future__ import annotations

from collections.abc import Mapping

from edge.reading.reader import Analysis
from edge.types import Frame
from edge.vision.advice import Step, next_step
from edge.vision.text_lines import measured_tilt
from edge.vision.view_quality import ViewQuality, view_quality


def view_of(frame: Frame, analysis: Analysis) -> ViewQuality:
    """What the frame is like as a view of a page; ``analysis``: what was read in it."""
    digits = [digit.box for digit in analysis.reading.digits]
    marks = [glyph.box for glyph in analysis.glyphs]
    boxes = [one.box for one, is_read in zip(analysis.candidates, analysis.accepted, strict=True) if is_read]
    tilt = measured_tilt(boxes, analysis.best_pass.segments.digit_side)
    if tilt is not None:
        # That of the lines in the frame, which was rotated the other way to be read.
        tilt = (tilt + 90 * analysis.quarters + 180) % 360 - 180
    return view_quality(frame.pixels, digits, marks, light_ink=analysis.cleaned.polarity == "light", tilt=tilt)


def step_of(view: ViewQuality, analysis: Analysis, settings: Mapping[str, str] | None = None) -> Step | None:
    """The next step; None if the view is good. ``settings``: what the camera has set by itself, ``settings_now``."""
    return next_step(view, analysis.reading.reason, distance_cm=_distance_cm(settings or {}))


def _distance_cm(settings: Mapping[str, str]) -> float | None:
    """How far away the page is, by the lens position in dioptres (1 / metres), which autofocus found."""
    try:
        dioptres = float(settings.get("lens", "0"))
    except ValueError:
        return None
    return 100 / dioptres if dioptres > 0 else None
