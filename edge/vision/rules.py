"""Remove rules that touch writing: ruled and squared paper, underlines, form boxes, combs, tables.

A rule is thin ink along a level or upright line that is longer than a stroke of a digit. Where ink goes on above and
below it, a stroke of writing crosses it, and the ink stays. Rules that touch nothing may stay too: they are marks of
their own.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.components import connected_components
from edge.vision.normalise import stroke_width

STEEPEST = 0.11
"""A rule rises or falls by at most this share of its length: 6 degrees."""
PROBE = 10.0
"""Straight pieces of this many stroke widths make up a rule; a rule may bend from one to the next."""
THICK = 2.0
"""A rule is at most this many times as thick as most strokes."""
GAP = 3.0
"""A rule goes on behind a stroke that hides it, or where it is broken, for at most this many stroke widths."""
FRAME = 0.75
"""The rules of a box or a table run through at least this share of it."""
CELL = 0.55
"""A cell of a table is at least this many times as wide as it is tall: what divides it is a stroke of a digit.

Chosen: a stroke in the middle of a square box is half its height away from both sides.
"""
HELD = 0.4
"""What a box holds is at least this share of its shorter side: else the box is a digit itself."""
UNEVEN = 1.4
"""A rule is at most this many times as thick in one place as it is on average, and a pixel."""


def without_rules(mask: Pixels, shortest: float, stroke: float) -> Pixels:
    """A mask (height, width), 255 = ink, without its rules; the mask itself where there are none.

    Rules are at least ``shortest`` pixels long; ``stroke``: the width of most strokes, pixels.
    """
    stroke = max(stroke, stroke_width(mask))
    return _erased(mask, find_rules(mask, shortest, stroke), find_rules(cv2.transpose(mask), shortest, stroke), stroke)


def without_frame(part: Pixels, beside: Pixels, stroke: float) -> Pixels:
    """A part (height, width), 255 = ink, without the rules of a box, a row of boxes, a table or a grid around writing.

    The part itself where it is no frame, or has nothing in it. ``beside``: the other ink there, which it may hold.
    ``stroke`` as in ``without_rules``.
    """
    stroke = max(stroke, stroke_width(part))
    side = min(part.shape)
    near = max(1, side // 4)
    level = in_rows(find_rules(part, FRAME * side, stroke), FRAME * part.shape[1], round(CELL * side))
    if not sides_held(level, near):
        return part
    tallest = np.diff([0, *sorted(places(level)), len(level)]).max()
    turned = cv2.transpose(part)
    upright = np.zeros_like(turned)
    # A stroke of a digit may be as long as the sides of its box, but it stands closer to one of them than they do.
    for start, end in pieces(level):
        upright[start:end] = apart(find_rules(turned[start:end], FRAME * part.shape[0], stroke), CELL * tallest)
    if sides_held(level, near) + sides_held(upright, near) < 3:
        return part
    left = _erased(part, level, upright, stroke)
    held = connected_components(cv2.bitwise_or(left, beside))[1][:, 2:4].max()
    return left if held >= HELD * min(part.shape) else part


def in_rows(bands: Pixels, shortest: float, gap: int) -> Pixels:
    """The bands of level rules that make rows of ``shortest`` pixels at least, with gaps of less than ``gap``."""
    rows = cv2.morphologyEx(bands, cv2.MORPH_CLOSE, np.ones((1, gap | 1), np.uint8))
    labels, stats = connected_components(rows)
    return cv2.bitwise_and(bands, np.where(stats[:, 2] >= shortest, 255, 0).astype(np.uint8)[labels])


def pieces(bands: Pixels) -> list[tuple[int, int]]:
    """The first column of each piece of a mask, and the one after its last: it is cut in the middle of its gaps."""
    columns = np.flatnonzero(cv2.reduce(bands, 0, cv2.REDUCE_MAX))
    gaps = np.flatnonzero(np.diff(columns) > 1)
    cuts = [0, *((columns[gaps] + columns[gaps + 1] + 1) // 2).tolist(), bands.shape[1]]
    return list(zip(cuts, cuts[1:], strict=False))


def places(bands: Pixels) -> list[float]:
    """The middle row of each band of level rules."""
    return [y + tall / 2 for _, y, _, tall, _ in connected_components(bands)[1][1:].tolist()]


def apart(bands: Pixels, least: float) -> Pixels:
    """The bands of level rules without those that are less than ``least`` pixels from a longer or straighter one."""
    labels, stats = connected_components(bands)
    kept: list[float] = []
    found = np.zeros(len(stats), np.uint8)
    for label in sorted(range(1, len(stats)), key=lambda label: stats[label, 3] - stats[label, 2]):
        middle = stats[label, 1] + stats[label, 3] / 2
        if all(abs(middle - other) >= least for other in kept):
            kept.append(middle)
            found[label] = 255
    return found[labels]


def sides_held(bands: Pixels, near: int) -> int:
    """How many of the sides at the top and the bottom of a part, 0 to 2, have a rule ``near``, pixels."""
    return int(bands[:near].any()) + int(bands[-near:].any())


def _erased(mask: Pixels, level: Pixels, upright: Pixels, stroke: float) -> Pixels:
    left = mask
    if level.any():
        left = erase_rules(left, level, stroke)
    if upright.any():
        left = cv2.transpose(erase_rules(cv2.transpose(left), upright, stroke))
    return left


def find_rules(mask: Pixels, shortest: float, stroke: float) -> Pixels:
    """255 where level rules of at least ``shortest`` pixels run through a mask, and half a stroke around them.

    An opening of its thin ink with a level line of PROBE strokes: half a stroke of room above and below lets pass what
    is tilted. What is connected then has to be long enough, and as level as a rule.
    """
    reach, thick = max(1, round(stroke / 2)), round(THICK * stroke + 1)
    probe = max(3, round(min(shortest, PROBE * stroke)))
    thin = cv2.morphologyEx(thin_runs(mask, thick), cv2.MORPH_CLOSE, np.ones((1, round(stroke) | 1), np.uint8))
    # Strokes that cross the rule hide it.
    hidden = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, round(GAP * stroke) | 1), np.uint8))
    thin = cv2.bitwise_or(thin, cv2.bitwise_and(hidden, mask))
    broad = cv2.dilate(thin, np.ones((2 * reach + 1, 1), np.uint8))
    # A rule goes on beyond the picture's border: what is tilted does not fill its band up to an end.
    padded = cv2.copyMakeBorder(broad, 0, 0, probe, probe, cv2.BORDER_REPLICATE)
    straight = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((1, probe), np.uint8))[:, probe:-probe]
    straight = thin_runs(straight, thick + 2 * reach)
    x, y, width, height = cv2.boundingRect(straight)
    found = np.zeros_like(straight)
    if width < shortest:
        return found
    labels, stats = connected_components(straight[y : y + height, x : x + width])
    long, tall = stats[:, 2], stats[:, 3]
    kept = (long >= shortest) & (tall <= STEEPEST * long + thick + 2 * reach)
    for label in np.flatnonzero(kept[1:]) + 1:
        left, top, long, tall, _ = stats[label]
        own = cv2.compare(labels[top : top + tall, left : left + long], int(label), cv2.CMP_EQ)
        found[y + top : y + top + tall, x + left : x + left + long] |= own
    return found


def thin_runs(mask: Pixels, thickest: int) -> Pixels:
    """Ink in runs of at most ``thickest`` pixels down the columns."""
    window = np.ones((thickest + 1, 1), np.uint8)
    # Beyond the picture's border there is no ink.
    thick = cv2.morphologyEx(mask, cv2.MORPH_OPEN, window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return cv2.subtract(mask, thick)


def erase_rules(mask: Pixels, bands: Pixels, stroke: float) -> Pixels:
    """The mask without the thin ink, down the columns, of the bands of its level rules."""
    thin = cv2.bitwise_and(bands, thin_runs(mask, round(THICK * stroke + 1)))
    # How thick the rules are: their ink in each column that has any.
    outline = cv2.countNonZero(cv2.dilate(thin, np.ones((3, 1), np.uint8))) - cv2.countNonZero(thin)
    most = round(UNEVEN * 2 * cv2.countNonZero(thin) / max(1, outline) + 1)
    # Behind what hides it, the rule goes on as it is on both sides.
    gone = cv2.bitwise_and(thin, thin_runs(mask, most))
    gone = cv2.morphologyEx(gone, cv2.MORPH_CLOSE, np.ones((1, round(GAP * stroke) | 1), np.uint8))
    gone = cv2.bitwise_and(gone, mask)
    left = cv2.subtract(mask, gone)
    # Where a stroke continues above and below the rule, the ink between belongs to the stroke, and stays.
    crossing = cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((most + 3, 3), np.uint8))
    return cv2.bitwise_or(left, cv2.bitwise_and(gone, crossing))
