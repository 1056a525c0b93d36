"""Marks that are no single whole digit, as the Pi's own code would hand them to the model: its class "none".

Letters and drawings, several digits as one mark, pieces of digits, scribbles and textures. Where a person might read a
digit it is left out: a wrong example here makes real digits unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from convert.samples import augment
from convert.samples.nondigits import scribbles, textures
from convert.samples.nondigits.letters import LETTERS
from convert.samples.typefaces import LETTERS as LETTERS_PRINTED
from convert.samples.typefaces import printed
from edge.handwriting import rendering, styles
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import SIDE, crop_to_ink, normalise
from edge.vision.settings import VisionSettings

EM = 40
"""Height of a digit or letter as it is drawn here, pixels."""
NARROW = 0.45
"""What is narrower than this share of its height may be a 1."""
BAR = 0.36
"""A bar is narrower than this share of its length, in any direction (by standard deviations);"""
STEEP = 0.54
"""and where it is steeper than this, the sine of its angle to the horizontal, it may be a 1: 33 degrees."""
PIECES: tuple[tuple[int, str, float, float], ...] = (
    (0, "left", 0.4, 0.55),
    (0, "top", 0.35, 0.5),
    (0, "bottom", 0.35, 0.5),
    (3, "left", 0.35, 0.5),
    (8, "left", 0.4, 0.55),
    (9, "left", 0.4, 0.6),
)
"""Digits and the side of them that is no digit by itself, with the least and the greatest share of their width or
height that it may have. The rest is too like one: the top of a 9 is a 0, the right of an 8 is a 3, a leg is a 1."""
LYING = (2, 3, 4, 5, 6, 9)
"""Digits that are none when they lie on their side."""
STACKED = ((2, 3, 4, 5, 7), (2, 3, 4, 5, 6, 8))
"""Digits that are put above others, and below: rings on rings or on legs would be an 8, a 6 or a 9."""


def nondigits(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """One glyph of no digit for each of ``glyphs`` (n, 28, 28), handwritten digits that pairs and pieces are made of.

    (n, 28, 28) uint8, the same for the same seed.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.choice(len(KINDS), len(glyphs), p=SHARES)
    return np.stack([_made(KINDS[kind], glyphs, i, rng) for i, kind in enumerate(kinds)])


def _made(kind: Kind, glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    while True:
        found = kind(glyphs, i, rng)
        if found.any() and not doubtful(found):
            return found


def doubtful(glyph: Pixels) -> bool:
    """Whether a mark may be a 1, as it is narrow or a slanting bar, or a 0, as it is one plain ring."""
    mask = cv2.threshold(glyph, 90, 255, cv2.THRESH_BINARY)[1]
    _, _, width, height = cv2.boundingRect(mask)
    if width < NARROW * height:
        return True
    moments = cv2.moments(mask, binaryImage=True)
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    (least, most), axes = np.linalg.eigh(spread)
    if least < BAR**2 * most and abs(axes[1, 1]) > STEEP:
        return True
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) != 2 or tree is None:
        return False
    outer, hole = sorted((cv2.contourArea(contour) for contour in contours), reverse=True)
    full = cv2.contourArea(cv2.convexHull(max(contours, key=cv2.contourArea)))
    # An ellipse fills pi/4 of its box, a triangle half of it.
    return bool(hole > 0.12 * outer and outer > 0.88 * full and 0.6 < full / (width * height) < 0.85)


def letter(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A letter, a sign or a small drawing, some with a second one beside it."""
    hand = styles.varied_style(rng)
    inks = []
    for _ in range(2 if rng.uniform() < 0.12 else 1):
        form = LETTERS[int(rng.integers(len(LETTERS)))]
        inks.append(_drawn(rendering.draw_form(form, rng, hand, rng), hand.pen))
    ink = beside(inks, rng.uniform(0.0, 0.2), rng) if len(inks) > 1 else inks[0]
    return _seen(augment.reshaped(ink, rng, augment.STRETCHED, 0), rng)


def type_letter(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A printed letter, some with a second one beside it."""
    text = "".join(rng.choice(list(LETTERS_PRINTED), 2 if rng.uniform() < 0.15 else 1))
    return _seen(printed(text, rng), rng)


def several(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """Two digits or three side by side, touching, overlapping or very near, or two above one another."""
    above = rng.uniform() < 0.04
    if above:
        hand = styles.varied_style(rng)
        # Side by side, but lying down.
        inks = [np.ascontiguousarray(np.rot90(_digit(int(rng.choice(some)), hand, rng))) for some in STACKED]
        ink = np.ascontiguousarray(np.rot90(beside(inks, rng.uniform(0.05, 0.15), rng), -1))
    else:
        inks = _digits(2 if rng.uniform() < 0.8 else 3, glyphs, i, rng)
        ink = beside(inks, rng.uniform(-0.06, 0.12), rng)
    return _seen(ink, rng)


def piece(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """Part of a digit, the inner halves of two neighbours, or a digit with a good part of the next one."""
    kind = rng.uniform()
    if kind < 0.35:
        digit, side, least, most = PIECES[int(rng.integers(len(PIECES)))]
        ink = crop_to_ink(_digit(digit, styles.varied_style(rng), rng))
        turns = {"left": 0, "top": 1, "bottom": -1}[side]
        ink = np.ascontiguousarray(np.rot90(ink, turns))
        return _seen(np.ascontiguousarray(np.rot90(cut(ink, rng.uniform(least, most), rng), -turns)), rng)
    left, right = _digits(2, glyphs, i, rng)
    if kind < 0.58 or kind > 0.8:
        right = fragment(right, rng)
    if kind > 0.58:
        left = np.ascontiguousarray(fragment(np.ascontiguousarray(left[:, ::-1]), rng)[:, ::-1])
    if not (left.any() and right.any()):
        return np.zeros((SIDE, SIDE), np.uint8)
    return _seen(beside([left, right], rng.uniform(0, 0.1), rng), rng)


def fragment(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The left part of a digit, in one piece, tall, and a third of its ink at least; all zeros where the cut gives no
    such part. Less than this beside a digit is a blemish, and the digit is to be read.
    """
    ink = crop_to_ink(ink)
    part = cut(ink, rng.uniform(0.35, 0.65), rng)
    mask = cv2.threshold(part, 90, 255, cv2.THRESH_BINARY)[1]
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    largest = stats[1:, cv2.CC_STAT_AREA].max(initial=0)
    tall = stats[1:, cv2.CC_STAT_HEIGHT].max(initial=0)
    enough = part.sum() > 0.3 * ink.sum() and largest > 0.75 * cv2.countNonZero(mask) and tall > 0.6 * ink.shape[0]
    return part if enough else np.zeros_like(ink)


def lying(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A digit of a page that lies on its side."""
    ink = _digit(int(rng.choice(LYING)), styles.varied_style(rng), rng)
    return _seen(np.ascontiguousarray(np.rot90(ink, int(rng.choice((1, 3))))), rng)


def scribbled(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A mark of a pen that is no writing."""
    return _seen(scribbles.scribble(rng), rng)


def texture(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """What cleaning makes of a page without writing: one connected part of it, or all in a random window."""
    seen = clean(textures.texture(rng), VisionSettings(), light_ink=bool(rng.uniform() < 0.25))
    if seen.reason:
        return np.zeros((SIDE, SIDE), np.uint8)
    if rng.uniform() < 0.4:
        height, width = (int(side * rng.uniform(0.35, 0.9)) for side in seen.ink.shape)
        y, x = (int(rng.integers(0, side - part)) for side, part in zip(seen.ink.shape, (height, width), strict=True))
        window = slice(y, y + height), slice(x, x + width)
        return normalise(augment.main_ink(seen.ink[window], np.ascontiguousarray(seen.mask[window])))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(seen.mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= areas.max(initial=0) / 3)
    if not len(large):
        return np.zeros((SIDE, SIDE), np.uint8)
    part = (labels == int(rng.choice(large))).astype(np.uint8)
    ink: Pixels = seen.ink * cv2.dilate(part, np.ones((3, 3), np.uint8))
    return normalise(ink)


Kind = Callable[[Pixels, int, np.random.Generator], Pixels]
"""Glyphs, the index of the one to use, and chance -> one glyph; all zeros where nothing came of it."""
KINDS: tuple[Kind, ...] = (letter, type_letter, several, piece, lying, scribbled, texture)
SHARES = (0.18, 0.12, 0.24, 0.16, 0.05, 0.14, 0.11)
"""Share of each of the kinds."""


def beside(inks: Sequence[Pixels], gap: float, rng: np.random.Generator) -> Pixels:
    """Inks from left to right, so near that ``gap`` (em, negative where they overlap) is between them where they are
    nearest; each a little above or below the one before.
    """
    whole = crop_to_ink(inks[0])
    for ink in inks[1:]:
        right = crop_to_ink(ink)
        slip = int(rng.normal(0, 0.08) * EM)
        middle = max(whole.shape[0], right.shape[0]) // 2 + abs(slip)
        rows = 2 * middle + 2
        left_at, right_at = middle - whole.shape[0] // 2, middle - right.shape[0] // 2 + slip
        left_rows = cv2.copyMakeBorder(whole, left_at, rows - left_at - whole.shape[0], 0, 0, cv2.BORDER_CONSTANT)
        right_at = min(max(right_at, 0), rows - right.shape[0])
        right_rows = cv2.copyMakeBorder(right, right_at, rows - right_at - right.shape[0], 0, 0, cv2.BORDER_CONSTANT)
        # Neighbouring rows count too, as strokes that pass one another there would touch.
        near = np.ones((9, 1), np.uint8)
        ended, begun = cv2.dilate(left_rows, near) > 90, cv2.dilate(right_rows, near) > 90
        both = ended.any(axis=1) & begun.any(axis=1)
        free = ended[both, ::-1].argmax(axis=1) + begun[both].argmax(axis=1)
        start = max(2, whole.shape[1] - int(free.min(initial=0 if not len(free) else EM)) + round(gap * EM))
        # No further below or above one another than half of the narrower one.
        start = max(start, whole.shape[1] - min(whole.shape[1], right.shape[1]) // 2)
        joined = np.zeros((rows, max(whole.shape[1], start + right.shape[1])), np.uint8)
        joined[:, : whole.shape[1]] = left_rows
        part = joined[:, start : start + right.shape[1]]
        cv2.max(part, right_rows, dst=part)
        whole = joined
    return whole


def cut(ink: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """The ink to the left of a roughly vertical line at this share of its width."""
    height, width = ink.shape
    slope, bend = rng.normal(0, 0.06, 2)
    along = np.linspace(-1, 1, height, dtype=np.float32)
    line = share * width + height * (slope * along + bend * (along**2 - 0.33))
    kept: Pixels = np.where(np.arange(width) < line[:, None], ink, 0).astype(np.uint8)
    return kept


def _digits(count: int, glyphs: Pixels, i: int, rng: np.random.Generator) -> list[Pixels]:
    """So many digits, of the given glyphs beginning with this one, or of one hand of the stroke model."""
    if rng.uniform() < 0.5:
        hand = styles.varied_style(rng)
        return [_digit(int(digit), hand, rng) for digit in rng.integers(0, 10, count)]
    places = [i, *rng.integers(0, len(glyphs), count - 1).tolist()]
    scale = EM / 20
    return [augment.enlarged(crop_to_ink(glyphs[place]), scale * rng.uniform(0.85, 1.15)) for place in places]


def _digit(digit: int, hand: styles.WritingStyle, rng: np.random.Generator) -> Pixels:
    return _drawn(rendering.draw(digit, rng, hand), hand.pen)


def _drawn(drawn: list[rendering.Stroke], pen: float) -> Pixels:
    """Strokes in em as ink, an em EM pixels tall, or reduced to twice as wide."""
    left, top, right, bottom = rendering.extent(drawn)
    width, height = max(right - left, 0.15), max(bottom - top, 0.15)
    em = EM * min(1.0, 2 / max(width, height))
    room = pen * em + 4
    return rendering.render(drawn, round(height * em + room), round(width * em + room), pen * em)


def _seen(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The ink as a glyph: most photographed, some coarse, some as they are."""
    if not ink.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    road = rng.uniform()
    if road < 0.65:
        return augment.photographed(crop_to_ink(ink), rng)
    return normalise(augment.coarsen(ink, rng) if road < 0.74 else ink)
