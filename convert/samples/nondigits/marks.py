"""Generate marks that are not single complete digits, in the form in which the Pi's code passes them to the model.

They are letters and drawings, several digits in one mark, pieces of digits, scribbles and textures. Marks in which a
person might read a digit are left out: a wrong example here makes the model reject real digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from convert.samples import augment
from convert.samples.nondigits import scribbles, textures
from convert.samples.nondigits.letters import LETTERS
from convert.samples.typefaces import LETTERS as PRINTED_LETTERS
from convert.samples.typefaces import printed
from edge.handwriting import rendering, styles
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import SIDE, crop_to_ink, normalise
from edge.vision.settings import VisionSettings

EM = 40
"""Height at which digits and letters are drawn, pixels."""
MAX_NARROW_RATIO = 0.45
"""A mark narrower than this share of its height may be a 1, and is left out."""
MAX_BAR_RATIO = 0.36
"""A mark is a bar if its standard deviation across is less than this share of the one along it."""
MIN_BAR_SINE = 0.54
"""A bar may be a 1, and is left out, if the sine of its angle to the horizontal is greater than this: 33 degrees."""
PIECES: tuple[tuple[int, str, float, float], ...] = (
    (0, "left", 0.4, 0.55),
    (0, "top", 0.35, 0.5),
    (0, "bottom", 0.35, 0.5),
    (3, "left", 0.35, 0.5),
    (8, "left", 0.4, 0.55),
    (9, "left", 0.4, 0.6),
)
"""Pieces of digits that are not digits themselves: the digit, the side of the piece, and its smallest and largest share
of the digit's width or height. Other pieces look too much like a digit: the top of a 9 is a 0, the right of an 8 a 3, a
leg a 1."""
LYING_DIGITS = (2, 3, 4, 5, 6, 9)
"""Digits that are not digits when they lie on their side."""
STACKED_DIGITS = ((2, 3, 4, 5, 7), (2, 3, 4, 5, 6, 8))
"""Digits that are put on top, and digits that are put below them. Left out are combinations that look like one digit:
rings on rings or on legs would be an 8, a 6 or a 9."""


def nondigits(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """As many glyphs that are not digits as there are in ``glyphs`` (n, 28, 28): digits to make pairs and pieces from.

    Returns (n, 28, 28) uint8, light ink on black; the same for the same seed.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.choice(len(KINDS), len(glyphs), p=SHARES)
    return np.stack([_generate(KINDS[kind], glyphs, i, rng) for i, kind in enumerate(kinds)])


def _generate(kind: Kind, glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    while True:
        found = kind(glyphs, i, rng)
        if found.any() and not may_be_digit(found):
            return found


def may_be_digit(glyph: Pixels) -> bool:
    """Whether a mark may be a 1 (it is narrow, or a steep bar) or a 0 (it is a plain ring)."""
    mask = cv2.threshold(glyph, 90, 255, cv2.THRESH_BINARY)[1]
    _, _, width, height = cv2.boundingRect(mask)
    if width < MAX_NARROW_RATIO * height:
        return True
    moments = cv2.moments(mask, binaryImage=True)
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    (least, most), axes = np.linalg.eigh(spread)
    if least < MAX_BAR_RATIO**2 * most and abs(axes[1, 1]) > MIN_BAR_SINE:
        return True
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) != 2 or tree is None:
        return False
    outer, hole = sorted((cv2.contourArea(contour) for contour in contours), reverse=True)
    full = cv2.contourArea(cv2.convexHull(max(contours, key=cv2.contourArea)))
    # An ellipse fills pi/4 of its bounding box, a triangle half of it.
    return bool(hole > 0.12 * outer and outer > 0.88 * full and 0.6 < full / (width * height) < 0.85)


def letter(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A handwritten letter, a sign or a small drawing; some have a second one beside them."""
    style = styles.varied_style(rng)
    inks = []
    for _ in range(2 if rng.uniform() < 0.12 else 1):
        form = LETTERS[int(rng.integers(len(LETTERS)))]
        inks.append(_render(rendering.draw_form(form, rng, style, rng), style.pen))
    ink = join(inks, rng.uniform(0.0, 0.2), rng) if len(inks) > 1 else inks[0]
    return _to_glyph(augment.reshape_randomly(ink, rng, augment.STRETCHED_SHARE, 0), rng)


def printed_letter(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A printed letter; some have a second one beside them."""
    text = "".join(rng.choice(list(PRINTED_LETTERS), 2 if rng.uniform() < 0.15 else 1))
    return _to_glyph(printed(text, rng), rng)


def joined_digits(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """Two or three digits side by side, touching, overlapping or very close, or two one above the other."""
    above = rng.uniform() < 0.04
    if above:
        style = styles.varied_style(rng)
        # Rotate both, join them side by side, and rotate the result back.
        inks = [np.ascontiguousarray(np.rot90(_digit(int(rng.choice(some)), style, rng))) for some in STACKED_DIGITS]
        ink = np.ascontiguousarray(np.rot90(join(inks, rng.uniform(0.05, 0.15), rng), -1))
    else:
        inks = _digits(2 if rng.uniform() < 0.8 else 3, glyphs, i, rng)
        ink = join(inks, rng.uniform(-0.06, 0.12), rng)
    return _to_glyph(ink, rng)


def digit_piece(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """Part of a digit, the inner halves of two neighbours, or a digit with a large part of the next one."""
    kind = rng.uniform()
    if kind < 0.35:
        digit, side, least, most = PIECES[int(rng.integers(len(PIECES)))]
        ink = crop_to_ink(_digit(digit, styles.varied_style(rng), rng))
        turns = {"left": 0, "top": 1, "bottom": -1}[side]
        ink = np.ascontiguousarray(np.rot90(ink, turns))
        return _to_glyph(np.ascontiguousarray(np.rot90(cut(ink, rng.uniform(least, most), rng), -turns)), rng)
    left, right = _digits(2, glyphs, i, rng)
    if kind < 0.58 or kind > 0.8:
        right = fragment(right, rng)
    if kind > 0.58:
        left = np.ascontiguousarray(fragment(np.ascontiguousarray(left[:, ::-1]), rng)[:, ::-1])
    if not (left.any() and right.any()):
        return np.zeros((SIDE, SIDE), np.uint8)
    return _to_glyph(join([left, right], rng.uniform(0, 0.1), rng), rng)


def fragment(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The left part of a digit: connected, tall, and at least 30 % of its ink; all zeros if the cut gives no such part.

    A digit beside a smaller part still has to be read: that is a blemish (``augment.add_blemish``).
    """
    ink = crop_to_ink(ink)
    part = cut(ink, rng.uniform(0.35, 0.65), rng)
    mask = cv2.threshold(part, 90, 255, cv2.THRESH_BINARY)[1]
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    largest = stats[1:, cv2.CC_STAT_AREA].max(initial=0)
    tall = stats[1:, cv2.CC_STAT_HEIGHT].max(initial=0)
    enough = part.sum() > 0.3 * ink.sum() and largest > 0.75 * cv2.countNonZero(mask) and tall > 0.6 * ink.shape[0]
    return part if enough else np.zeros_like(ink)


def lying_digit(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A handwritten digit on its side."""
    ink = _digit(int(rng.choice(LYING_DIGITS)), styles.varied_style(rng), rng)
    return _to_glyph(np.ascontiguousarray(np.rot90(ink, int(rng.choice((1, 3))))), rng)


def scribble(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """A pen mark that is not writing."""
    return _to_glyph(scribbles.scribble(rng), rng)


def texture(glyphs: Pixels, i: int, rng: np.random.Generator) -> Pixels:
    """What cleaning finds on a page without writing: one connected component, or everything in a random window."""
    cleaned = clean(textures.texture(rng), VisionSettings(), light_ink=bool(rng.uniform() < 0.25))
    if cleaned.reason:
        return np.zeros((SIDE, SIDE), np.uint8)
    if rng.uniform() < 0.4:
        height, width = (int(side * rng.uniform(0.35, 0.9)) for side in cleaned.ink.shape)
        y, x = (
            int(rng.integers(0, side - part)) for side, part in zip(cleaned.ink.shape, (height, width), strict=True)
        )
        window = slice(y, y + height), slice(x, x + width)
        return normalise(augment.main_ink(cleaned.ink[window], np.ascontiguousarray(cleaned.mask[window])))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cleaned.mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= areas.max(initial=0) / 3)
    if not len(large):
        return np.zeros((SIDE, SIDE), np.uint8)
    part = (labels == int(rng.choice(large))).astype(np.uint8)
    ink: Pixels = cleaned.ink * cv2.dilate(part, np.ones((3, 3), np.uint8))
    return normalise(ink)


Kind = Callable[[Pixels, int, np.random.Generator], Pixels]
"""A function of digit glyphs, the index of the one to use, and a random generator that returns one glyph; all zeros if
it failed."""
KINDS: tuple[Kind, ...] = (letter, printed_letter, joined_digits, digit_piece, lying_digit, scribble, texture)
SHARES = (0.18, 0.12, 0.24, 0.16, 0.05, 0.14, 0.11)
"""Share of each of KINDS; they add up to 1."""


def join(inks: Sequence[Pixels], gap: float, rng: np.random.Generator) -> Pixels:
    """Join inks from left to right, each a little above or below the one before.

    ``gap``: distance between neighbours where they are closest, em; negative if they overlap.
    """
    joined_ink = crop_to_ink(inks[0])
    for ink in inks[1:]:
        right = crop_to_ink(ink)
        slip = int(rng.normal(0, 0.08) * EM)
        middle = max(joined_ink.shape[0], right.shape[0]) // 2 + abs(slip)
        rows = 2 * middle + 2
        left_at, right_at = middle - joined_ink.shape[0] // 2, middle - right.shape[0] // 2 + slip
        left_rows = cv2.copyMakeBorder(
            joined_ink, left_at, rows - left_at - joined_ink.shape[0], 0, 0, cv2.BORDER_CONSTANT
        )
        right_at = min(max(right_at, 0), rows - right.shape[0])
        right_rows = cv2.copyMakeBorder(right, right_at, rows - right_at - right.shape[0], 0, 0, cv2.BORDER_CONSTANT)
        # Rows nearby count, too, since strokes that pass one another there would touch.
        near = np.ones((9, 1), np.uint8)
        ended, begun = cv2.dilate(left_rows, near) > 90, cv2.dilate(right_rows, near) > 90
        both = ended.any(axis=1) & begun.any(axis=1)
        free = ended[both, ::-1].argmax(axis=1) + begun[both].argmax(axis=1)
        start = max(2, joined_ink.shape[1] - int(free.min(initial=0 if not len(free) else EM)) + round(gap * EM))
        # They overlap by at most half the width of the narrower one.
        start = max(start, joined_ink.shape[1] - min(joined_ink.shape[1], right.shape[1]) // 2)
        joined = np.zeros((rows, max(joined_ink.shape[1], start + right.shape[1])), np.uint8)
        joined[:, : joined_ink.shape[1]] = left_rows
        part = joined[:, start : start + right.shape[1]]
        cv2.max(part, right_rows, dst=part)
        joined_ink = joined
    return joined_ink


def cut(ink: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """The ink to the left of a roughly vertical line at ``share`` of its width."""
    height, width = ink.shape
    slope, bend = rng.normal(0, 0.06, 2)
    along = np.linspace(-1, 1, height, dtype=np.float32)
    line = share * width + height * (slope * along + bend * (along**2 - 0.33))
    left_part: Pixels = np.where(np.arange(width) < line[:, None], ink, 0).astype(np.uint8)
    return left_part


def _digits(count: int, glyphs: Pixels, i: int, rng: np.random.Generator) -> list[Pixels]:
    """``count`` digits: glyph ``i`` and random other ones, or generated handwriting of one style."""
    if rng.uniform() < 0.5:
        style = styles.varied_style(rng)
        return [_digit(int(digit), style, rng) for digit in rng.integers(0, 10, count)]
    places = [i, *rng.integers(0, len(glyphs), count - 1).tolist()]
    scale = EM / 20
    return [augment.enlarge(crop_to_ink(glyphs[place]), scale * rng.uniform(0.85, 1.15)) for place in places]


def _digit(digit: int, style: styles.WritingStyle, rng: np.random.Generator) -> Pixels:
    return _render(rendering.draw(digit, rng, style), style.pen)


def _render(drawn: list[rendering.Stroke], pen: float) -> Pixels:
    """Strokes in em as ink; an em is EM pixels, less if they are wider or taller than two em."""
    left, top, right, bottom = rendering.extent(drawn)
    width, height = max(right - left, 0.15), max(bottom - top, 0.15)
    em = EM * min(1.0, 2 / max(width, height))
    room = pen * em + 4
    return rendering.render(drawn, round(height * em + room), round(width * em + room), pen * em)


def _to_glyph(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The ink as a glyph: most are photographed, some made coarse, some left as they are."""
    if not ink.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    chance = rng.uniform()
    if chance < 0.65:
        return augment.photograph(crop_to_ink(ink), rng)
    return normalise(augment.coarsen(ink, rng) if chance < 0.74 else ink)
