"""The one next step that makes a view of a page better, as one sentence: every part of the program says this one."""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.types import Reason
from edge.vision.view_quality import DARK, NEEDED_HEIGHT, ViewQuality

Kind = Literal["dark", "bright", "blurred", "noisy", "small", "faint", "glare", "tilted", "empty"]
"""What a step is about. ``empty``: nothing is wrong that is known, but no digit was read."""


class Step(NamedTuple):
    """The next step."""

    kind: Kind
    text: str
    """One sentence for people: what is wrong, and what to do."""


EMPTY = Step("empty", "no digit is read: lay a page with digits into the view")


def next_step(view: ViewQuality, reason: Reason | None, *, distance_cm: float | None = None) -> Step | None:
    """The step that helps reading most; None if the view is good.

    ``reason``: why nothing was read, as in a Reading; None if something was. ``distance_cm``: how far away the page is,
    if that is known.
    """
    if view.light == "dark":
        light = f"too dark, the paper has the grey {view.paper:.0f} of 255 and needs {DARK}"
        return Step("dark", f"{light}: switch on a lamp, or let the camera expose longer")
    if view.is_sharp is False or reason == "blurred":
        return Step("blurred", "the picture is blurred: focus the camera on the page, and keep both still")
    if view.light == "bright":
        return Step("bright", "over-exposed, the paper is white and the ink is pale: let the camera expose shorter")
    if view.light == "noisy":
        return Step("noisy", "too little light, noise hides the strokes: switch on a lamp")
    if view.is_tall is False or reason == "too_small":
        return _closer(view.digit_height, distance_cm)
    if view.glare:
        return Step("glare", f"a lamp glares at the {view.glare}: move the lamp, or tilt the page")
    if reason == "low_contrast":
        return Step("faint", "the writing is too faint: use a darker pen, or more light")
    if lean := view.lean:
        way = "counter-clockwise" if lean > 0 else "clockwise"
        return Step("tilted", f"the lines of writing are tilted: turn the page by {abs(lean):.0f} degrees {way}")
    return EMPTY if reason else None


def _closer(height: float | None, distance_cm: float | None) -> Step:
    """Move the camera closer. What is seen at half the distance is twice as tall."""
    if height is None:
        return Step("small", "what is written is too small: move the camera closer")
    share = height / NEEDED_HEIGHT
    # Rounded down: to 100 % would be to stay, and 20 pixels would be enough.
    how = f"to about {max(1, int(10 * share))}0 % of its distance"
    if distance_cm is not None:
        how = f"by about {max(1, round(distance_cm * (1 - share)))} cm"
    tall = f"the digits are {int(height)} pixels tall and need {NEEDED_HEIGHT}"
    return Step("small", f"{tall}: move the camera closer, {how}")
