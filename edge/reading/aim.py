"""How well a frame that was read shows the page, and the next step that makes the view better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.reading.reader import Analysis
from edge.sources.base import Source
from edge.types import SCHEMA, Frame, Reading
from edge.vision.advice import Step, next_step
from edge.vision.text_lines import measured_tilt
from edge.vision.view_quality import ViewQuality, view_quality

GOOD = "the view is good"
"""What is said where there is no next step."""


@dataclass(frozen=True, slots=True)
class Aim:
    """How well the camera is aimed at the page, by one frame."""

    reading: Reading
    size: tuple[int, int]
    """Width and height of the frame, pixels."""
    view: ViewQuality
    step: Step | None
    """The next step; None if the view is good."""
    seen_share: float | None = None
    """How much of what the camera can see the frame shows, as ``Camera.seen_share``."""
    found: Mapping[str, str] = field(default_factory=dict)
    """What the camera has set by itself and may keep, as ``Camera.settings_now``."""
    bands: float | None = None
    """How strong the bands of flickering lamps are, a share of the light; None without other frames to compare."""

    @property
    def advice(self) -> str:
        """The next step as one sentence for people, or that the view is good."""
        return self.step.text if self.step else GOOD

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as ``edge/schema/aim.json`` describes it."""
        return {
            "schema": SCHEMA,
            "source": self.reading.source,
            "frame": self.reading.frame,
            "size": list(self.size),
            "text": self.reading.text,
            **self.view.as_dict(),
            "seen_share": None if self.seen_share is None else round(self.seen_share, 3),
            "bands_share": None if self.bands is None else round(self.bands, 3),
            "found": dict(self.found),
            "about": self.step.kind if self.step else None,
            "next_step": self.step.text if self.step else None,
        }


def aim_of(frame: Frame, analysis: Analysis, source: Source | None = None) -> Aim:
    """How well the camera is aimed; ``analysis``: what was read in the frame.

    ``source``: where the frame comes from. It may know how far away the page is, by the focus that it found.
    """
    height, width = frame.pixels.shape
    view = _view(frame, analysis)
    found = source.settings_now() if source else {}
    step = next_step(view, analysis.reading.reason, distance_cm=_distance_cm(found))
    return Aim(analysis.reading, (width, height), view, step, source.seen_share() if source else None, found)


def _view(frame: Frame, analysis: Analysis) -> ViewQuality:
    digits = [digit.box for digit in analysis.reading.digits]
    marks = [glyph.box for glyph in analysis.glyphs]
    # By all marks, as few digits of a turned page are read.
    tilt = measured_tilt([one.box for one in analysis.candidates], analysis.best_pass.segments.digit_side)
    if tilt is not None:
        # That of the lines in the frame, which was rotated the other way to be read.
        tilt = (tilt + 90 * analysis.quarters + 180) % 360 - 180
    return view_quality(frame.pixels, digits, marks, light_ink=analysis.cleaned.polarity == "light", tilt=tilt)


def _distance_cm(settings: Mapping[str, str]) -> float | None:
    """How far away the page is, by the lens position in dioptres (1 / metres), which autofocus found."""
    try:
        dioptres = float(settings.get("lens", "0"))
    except ValueError:
        return None
    return 100 / dioptres if dioptres > 0 else None
