"""One page of handwriting, from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.scenes import camera, lines, paper
from convert.samples.scenes.layouts import LAYOUTS
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Writers
from edge.types import Pixels

BLEED_SHARE = 0.15
"""Share, 0 to 1, of the pages with things in view on which writing on the back of the paper shines through."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page and the truth of it."""

    pixels: Pixels
    """(height, width) uint8 grey, as a camera sees it."""
    ids: NDArray[np.int16]
    """(height, width): the number of the mark that each pixel of ink belongs to; 0: paper, rules, boxes, things."""
    labels: tuple[str, ...]
    """What each mark is, by its number: a character, or a word such as ``ring``. One that is cut off by the border or
    struck out has a "?" before it, and what may be read or not is ``unclear``. Number 0 is the paper."""
    light_ink: bool
    """Whether the ink is lighter than the paper."""
    layout: str
    """A name of ``layouts.LAYOUTS``."""


def bleed_through(sheet: Sheet, writers: Writers, rng: np.random.Generator) -> None:
    """Let the writing on the back of the paper shine through, mirrored and faint."""
    back, _ = lines.entries(writers, rng)
    seen = cv2.resize(back.ink[:, ::-1], (sheet.width, sheet.height), interpolation=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.8, 2.5))
    np.maximum(sheet.printed, cv2.convertScaleAbs(seen, alpha=rng.uniform(0.05, 0.14)), out=sheet.printed)


def generate_page(writers: Writers, seed: Sequence[int]) -> Page:
    """A page that these writers wrote, photographed or drawn on a screen; the same for the same seed."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(LAYOUTS), p=[layout.share for layout in LAYOUTS.values()]))
    layout = LAYOUTS[name]
    sheet, hand = layout.draw(writers, rng)
    screen = rng.uniform() < layout.screen
    if not screen:
        around = camera.choose_surroundings((sheet.height, sheet.width), rng, layout.things)
        left, top, right, bottom = (around.desk + around.strip).tolist()
        sheet = sheet.framed(-left, -top, sheet.width + right, sheet.height + bottom)
    if rng.uniform() < BLEED_SHARE * layout.things:
        bleed_through(sheet, writers, rng)
    if rng.uniform() < layout.ruled:
        paper.rule(sheet, rng, hand.height, hand.tilt)
    if screen:
        pixels, light_ink = camera.screenshot(sheet, hand, rng)
    else:
        shape = sheet.height, sheet.width
        if name == "scenery":
            background = paper.scenery(shape, rng, writers)
        else:
            background = paper.blank_paper(shape, rng, writers, layout.things)
        light_ink = bool(rng.uniform() < layout.light_ink)
        pixels = camera.photograph(sheet, hand, rng, writers, background, around, light=light_ink)
    return Page(pixels, sheet.ids, tuple(sheet.labels), light_ink, name)
