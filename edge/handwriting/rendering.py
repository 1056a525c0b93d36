"""Handwriting without a writer: each digit as pen strokes, as one seeded hand would draw them.

Lengths are in em: a digit is about 1 em tall, x grows to the right and y downwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting.forms import FORMS, Form
from edge.handwriting.styles import GAP, WritingStyle, random_style
from edge.types import Box, Pixels

Stroke = NDArray[np.float32]
"""A pen stroke: a polyline, (n, 2) float32, x and y."""

STEPS = 10
"""Points on the curve from one point of a form to the next."""
FINE = 4
"""Strokes are drawn at this many times the size and reduced: a pen's width is no whole number of pixels."""
_SHARES = np.arange(STEPS)[:, None] / STEPS


@cache
def _parsed(form: Form) -> tuple[tuple[NDArray[np.float64], tuple[int, ...]], ...]:
    """Each stroke of a form: its points (n, 2) in em, and the indices of its corners among them."""
    parsed = []
    for stroke in form:
        words = stroke.split()
        turns = [i for i, word in enumerate(words) if word == "|"]
        points = np.array([word.split(",") for word in words if word != "|"], float) / 100
        parsed.append((points, tuple(turn - n - 1 for n, turn in enumerate(turns))))
    return tuple(parsed)


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through points (n, 2): a Catmull-Rom spline (1974), STEPS points from each to the next.

    It is the centripetal one (Yuksel, Schaefer, Keyser, 2011), which makes neither loops nor cusps where
    points are close.
    """
    if len(points) == 2:
        return points[:1] + np.append(_SHARES, 1)[:, None] * (points[1:] - points[:1])
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    knots = np.zeros((len(ends), 1, 1))
    knots[1:, 0, 0] = np.cumsum(np.sqrt(np.hypot(*np.diff(ends, axis=0).T)) + 1e-6)
    t0, t1, t2, t3 = (knots[i : len(knots) - 3 + i] for i in range(4))
    p0, p1, p2, p3 = (ends[i : len(ends) - 3 + i, None] for i in range(4))
    t = t1 + (t2 - t1) * _SHARES
    a1, a2, a3 = (
        ((after - t) * p + (t - before) * q) / (after - before)
        for p, q, before, after in ((p0, p1, t0, t1), (p1, p2, t1, t2), (p2, p3, t2, t3))
    )
    b1 = ((t2 - t) * a1 + (t - t0) * a2) / (t2 - t0)
    b2 = ((t3 - t) * a2 + (t - t1) * a3) / (t3 - t1)
    pieces = ((t2 - t) * b1 + (t - t1) * b2) / (t2 - t1)
    return np.concatenate([pieces.reshape(-1, 2), points[-1:]])


def draw(digit: int, rng: np.random.Generator, hand: WritingStyle) -> list[Stroke]:
    """One digit as this hand draws it this time: its strokes in em, about 0 to 0.6 wide and 0 to 1 tall."""
    return draw_form(FORMS[digit][hand.forms[digit]], rng, hand, np.random.default_rng([hand.seed, digit]))


def draw_form(form: Form, rng: np.random.Generator, hand: WritingStyle, habit: np.random.Generator) -> list[Stroke]:
    """Any form as this hand draws it this time: its strokes in em.

    ``habit`` gives what this hand always does with this form: the same at the start of each call.
    """
    turn = rng.normal(0, hand.turn)
    wide, tall = 1 + rng.normal(0, 0.04, 2)
    matrix = np.array([[hand.aspect * wide, -turn], [turn - hand.slant * tall, tall]])
    paths = []
    for points, corners in _parsed(form):
        moved = points + habit.normal(0, hand.habit, points.shape) + rng.normal(0, hand.jitter, points.shape)
        # A stroke of its own lands a little off, as the pen was lifted.
        moved += rng.normal(0, hand.jitter, 2)
        cuts = [0, *corners, len(moved) - 1]
        path = np.concatenate([curve(moved[a : b + 1]) for a, b in zip(cuts, cuts[1:], strict=False)])
        paths.append(_stray(_ends(path, rng, hand), rng, hand.tremble))
    waist, taper = np.clip(habit.normal(0, [hand.waist, hand.taper]), [-0.12, -0.3], [0.12, 0.3])
    strokes = []
    for path in paths:
        around = path - [0.3, 0.5]
        # A parabola that leaves top and bottom where they are.
        around[:, 1] += waist * (1 - 4 * np.square(around[:, 1]).clip(0, 0.25))
        around[:, 0] *= 1 + taper * around[:, 1].clip(-0.6, 0.6)
        strokes.append((around @ matrix + [0.3, 0.5]).astype(np.float32))
    return strokes


def _ends(path: NDArray[np.float64], rng: np.random.Generator, hand: WritingStyle) -> NDArray[np.float64]:
    """The path with its ends longer or shorter, some with a hook to one side."""
    if hand.overshoot == 0 and hand.tick == 0:
        return path
    for _ in range(2):
        heading = path[-1] - path[-4]
        heading = heading / max(float(np.hypot(*heading)), 1e-3)
        further = rng.normal(0, hand.overshoot)
        if further > 0:
            path = np.concatenate([path, path[-1:] + further * heading])
        else:
            short = int(np.argmax(np.cumsum(np.hypot(*np.diff(path[::-1], axis=0).T)) > min(-further, 0.05)))
            path = path[: len(path) - short] if short < len(path) // 3 else path
        if rng.uniform() < hand.tick:
            angle = rng.uniform(1.2, 2.6) * rng.choice([-1, 1])
            aside = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
            path = np.concatenate([path, path[-1:] + rng.uniform(0.02, 0.07) * heading @ np.array(aside)])
        path = path[::-1]
    return path


def _stray(path: NDArray[np.float64], rng: np.random.Generator, tremble: float) -> NDArray[np.float64]:
    """The path as a trembling hand follows it."""
    if tremble == 0:
        return path
    knots = rng.normal(0, tremble, (2 + len(path) // 4, 2))
    at, along = np.linspace(0, 1, len(knots)), np.linspace(0, 1, len(path))
    return path + np.stack([np.interp(along, at, knots[:, axis]) for axis in (0, 1)], axis=1)


def extent(strokes: Iterable[Stroke]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of some strokes, without the pen's width."""
    points = np.concatenate(list(strokes))
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _thickness(width: float) -> int:
    """What OpenCV is to be told for a line ``width`` pixels wide: it draws an even number n as n + 1, measured."""
    return max(1, 2 * round((width - 1) / 2))


def rasterise(
    strokes: Iterable[Stroke],
    height: int,
    width: int,
    pen: float,
    rng: np.random.Generator | None = None,
    pressure: float = 0.0,
) -> Pixels:
    """Strokes in pixels -> ink (height, width) uint8, 0 = none, 255 = full.

    The line is ``pen`` pixels wide at most; with an ``rng`` it is thinner here and there by up to ``pressure``.
    """
    # Hard edges at this size are soft ones when it is reduced, and cost a sixth.
    fine = np.zeros((height * FINE, width * FINE), np.uint8)
    for stroke in strokes:
        # OpenCV takes whole numbers, of which 4 bits are the fraction, and counts from the first pixel's middle.
        fixed = np.round((stroke * FINE - 0.5) * 16).astype(np.int32)
        if rng is None or pressure == 0:
            cv2.polylines(fine, [fixed], False, 255, _thickness(pen * FINE), cv2.LINE_8, 4)
            continue
        knots = 1 - rng.uniform(0, pressure, 2 + len(fixed) // 15)
        along = np.linspace(0, len(knots) - 1, len(fixed))
        widths = (pen * FINE * np.interp(along, range(len(knots)), knots)).tolist()
        for i in range(0, len(fixed) - 1, 2):
            cv2.polylines(fine, [fixed[i : i + 3]], False, 255, _thickness(widths[i]), cv2.LINE_8, 4)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)


def render(strokes: Sequence[Stroke], height: int, width: int, pen: float) -> Pixels:
    """Strokes as large as they fit into ``height`` x ``width`` pixels, drawn with a pen ``pen`` pixels wide.

    Ink (height, width) uint8, 0 = none, 255 = full; proportions are kept, the middle is the middle, and a
    pixel at least stays free at the border.
    """
    left, top, right, bottom = extent(strokes)
    # Half a pixel more than a pixel on each side: a line's soft edges.
    room = pen + 3
    scale = min((width - room) / max(right - left, 1e-3), (height - room) / max(bottom - top, 1e-3))
    middle = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
    centre = np.array([width / 2, height / 2], np.float32)
    placed = [(stroke - middle) * np.float32(scale) + centre for stroke in strokes]
    return rasterise(placed, height, width, pen)


def page(
    lines: Sequence[str], height: int, width: int, rng: np.random.Generator, hand: WritingStyle | None = None
) -> tuple[Pixels, list[Box]]:
    """Lines of digits on a page of ``height`` x ``width`` pixels, written by one hand, or by random_style's.

    Gives the ink, (height, width) uint8, 0 = none, 255 = full, and where each digit is, in reading order.
    Digits are at least GAP apart and off the border, and so are the lines. A page without digits is empty.
    ValueError where a digit would be smaller than 8 pixels.
    """
    ink = np.zeros((height, width), np.uint8)
    writer = hand or random_style(rng)
    rows = [_row(line, rng, writer) for line in lines if line]
    if not rows:
        return ink, []
    extents = [extent(stroke for strokes in row for stroke in strokes) for row in rows]
    gaps = rng.uniform(GAP, GAP + 0.5, len(rows) - 1) + writer.pen
    edge = GAP + writer.pen / 2
    wide = max(right - left for left, _, right, _ in extents) + 2 * edge
    tall = sum(bottom - top for _, top, _, bottom in extents) + float(gaps.sum()) + 2 * edge
    em = min(writer.size * min(width / wide, height / tall), 0.6 * height)
    # However small a hand, a large enough page is written legibly.
    em = max(em, min(24.0, width / wide, height / tall))
    if em < 8:
        raise ValueError(f"{lines} have no room on {width}x{height} pixels: a digit would be {em:.1f} pixels tall")
    y = edge + rng.uniform(0, max(0.0, height / em - tall))
    indent = rng.uniform(0, max(0.0, width / em - wide))
    boxes = []
    for row, (left, top, right, bottom), gap in zip(rows, extents, [*gaps, 0.0], strict=True):
        free = width / em - (right - left) - 2 * edge
        x = edge + min(max(indent + rng.normal(0, 0.1), 0), free)
        for strokes in row:
            placed = [(s + np.array([x - left, y - top], np.float32)) * np.float32(em) for s in strokes]
            boxes.append(_put(ink, placed, writer.pen * em, rng, writer.pressure))
        y += bottom - top + gap
    return ink, boxes


def _row(line: str, rng: np.random.Generator, hand: WritingStyle) -> list[list[Stroke]]:
    """The digits of one line, each beside the one before, in em."""
    row, x = [], 0.0
    for digit in line:
        strokes = draw(int(digit), rng, hand)
        left, _, right, _ = extent(strokes)
        # Whoever sees a line fall by half an em goes on level.
        fall = float(np.clip(hand.slope * x, -0.5, 0.5))
        move = np.array([x - left, fall + rng.normal(0, hand.wobble)], np.float32)
        row.append([stroke + move for stroke in strokes])
        x += right - left + hand.pen + GAP + (hand.spacing - GAP) * rng.uniform(0.3, 1.7)
    return row


def _put(ink: Pixels, strokes: list[Stroke], pen: float, rng: np.random.Generator, pressure: float) -> Box:
    """Draw one digit, strokes in pixels, into ``ink``; where its ink is."""
    left, top, right, bottom = extent(strokes)
    room = pen / 2 + 2
    x0, y0 = max(0, int(left - room)), max(0, int(top - room))
    x1, y1 = min(ink.shape[1], int(right + room) + 1), min(ink.shape[0], int(bottom + room) + 1)
    corner = np.array([x0, y0], np.float32)
    drawn = rasterise([stroke - corner for stroke in strokes], y1 - y0, x1 - x0, pen, rng, pressure)
    ink[y0:y1, x0:x1] = np.maximum(ink[y0:y1, x0:x1], drawn)
    x, y, width, height = cv2.boundingRect(drawn)
    return Box(x0 + x, y0 + y, width, height)
