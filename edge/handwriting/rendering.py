"""Draws generated handwriting: each digit as pen strokes in a seeded writing style, and strokes as pixels.

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

CURVE_STEPS = 10
"""How many points the curve has from one point of a form to the next. Chosen: a smooth line at a page's size."""
OVERSAMPLING = 4
"""Strokes are drawn at this many times the size and then reduced, because OpenCV draws only whole pixel widths."""
_SHARES = np.arange(CURVE_STEPS)[:, None] / CURVE_STEPS


@cache
def _parsed(form: Form) -> tuple[tuple[NDArray[np.float64], tuple[int, ...]], ...]:
    """Each stroke of a form: its points (n, 2) in em, and the indices of the corners among them."""
    parsed = []
    for stroke in form:
        words = stroke.split()
        turns = [i for i, word in enumerate(words) if word == "|"]
        points = np.array([word.split(",") for word in words if word != "|"], float) / 100
        parsed.append((points, tuple(turn - n - 1 for n, turn in enumerate(turns))))
    return tuple(parsed)


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through points (n, 2): a Catmull-Rom spline (1974), CURVE_STEPS points from each to the next.

    It is the centripetal form (Yuksel, Schaefer, Keyser, 2011), which makes no loops or cusps where points are close.
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


def draw(digit: int, rng: np.random.Generator, style: WritingStyle) -> list[Stroke]:
    """One digit in this style: its strokes in em, about 0 to 0.6 wide and 0 to 1 tall. ``rng`` varies each drawing."""
    return draw_form(FORMS[digit][style.forms[digit]], rng, style, np.random.default_rng([style.seed, digit]))


def draw_form(form: Form, rng: np.random.Generator, style: WritingStyle, habit: np.random.Generator) -> list[Stroke]:
    """A form in this style: its strokes in em. ``rng`` varies each drawing.

    ``habit`` draws what this writer always does with this form: give it in the same state at each call.
    """
    turn = rng.normal(0, style.turn)
    wide, tall = 1 + rng.normal(0, 0.04, 2)
    matrix = np.array([[style.aspect * wide, -turn], [turn - style.slant * tall, tall]])
    paths = []
    for points, corners in _parsed(form):
        moved = points + habit.normal(0, style.habit, points.shape) + rng.normal(0, style.jitter, points.shape)
        # Each stroke is shifted a little, because the pen was lifted before it.
        moved += rng.normal(0, style.jitter, 2)
        cuts = [0, *corners, len(moved) - 1]
        path = np.concatenate([curve(moved[a : b + 1]) for a, b in zip(cuts, cuts[1:], strict=False)])
        paths.append(_tremble(_vary_ends(path, rng, style), rng, style.tremble))
    waist, taper = np.clip(habit.normal(0, [style.waist, style.taper]), [-0.12, -0.3], [0.12, 0.3])
    strokes = []
    for path in paths:
        around = path - [0.3, 0.5]
        # A parabola that leaves top and bottom where they are.
        around[:, 1] += waist * (1 - 4 * np.square(around[:, 1]).clip(0, 0.25))
        around[:, 0] *= 1 + taper * around[:, 1].clip(-0.6, 0.6)
        strokes.append((around @ matrix + [0.3, 0.5]).astype(np.float32))
    return strokes


def _vary_ends(path: NDArray[np.float64], rng: np.random.Generator, style: WritingStyle) -> NDArray[np.float64]:
    """The path with its ends made longer or shorter, and some with a hook to one side."""
    if style.overshoot == 0 and style.tick == 0:
        return path
    for _ in range(2):
        heading = path[-1] - path[-4]
        heading = heading / max(float(np.hypot(*heading)), 1e-3)
        further = rng.normal(0, style.overshoot)
        if further > 0:
            path = np.concatenate([path, path[-1:] + further * heading])
        else:
            short = int(np.argmax(np.cumsum(np.hypot(*np.diff(path[::-1], axis=0).T)) > min(-further, 0.05)))
            path = path[: len(path) - short] if short < len(path) // 3 else path
        if rng.uniform() < style.tick:
            angle = rng.uniform(1.2, 2.6) * rng.choice([-1, 1])
            aside = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
            path = np.concatenate([path, path[-1:] + rng.uniform(0.02, 0.07) * heading @ np.array(aside)])
        path = path[::-1]
    return path


def _tremble(path: NDArray[np.float64], rng: np.random.Generator, tremble: float) -> NDArray[np.float64]:
    """The path as a trembling pen follows it."""
    if tremble == 0:
        return path
    knots = rng.normal(0, tremble, (2 + len(path) // 4, 2))
    at, along = np.linspace(0, 1, len(knots)), np.linspace(0, 1, len(path))
    return path + np.stack([np.interp(along, at, knots[:, axis]) for axis in (0, 1)], axis=1)


def extent(strokes: Iterable[Stroke]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the strokes, without the pen's width."""
    points = np.concatenate(list(strokes))
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _thickness(width: float) -> int:
    """The thickness to give OpenCV for a line ``width`` pixels wide. Measured: it draws an even number n as n + 1."""
    return max(1, 2 * round((width - 1) / 2))


def rasterise(
    strokes: Iterable[Stroke],
    height: int,
    width: int,
    pen: float,
    rng: np.random.Generator | None = None,
    pressure: float = 0.0,
) -> Pixels:
    """Draw strokes, in pixels, as ink (height, width) uint8, 0 = none, 255 = full.

    The line is at most ``pen`` pixels wide; with an ``rng`` it is thinner in places, by a share of up to ``pressure``.
    """
    # Hard edges at this size become soft when it is reduced, at a sixth of the cost of drawing soft ones.
    fine = np.zeros((height * OVERSAMPLING, width * OVERSAMPLING), np.uint8)
    for stroke in strokes:
        # OpenCV takes integers with 4 bits of fraction, and its origin is the centre of the first pixel.
        fixed = np.round((stroke * OVERSAMPLING - 0.5) * 16).astype(np.int32)
        if rng is None or pressure == 0:
            cv2.polylines(fine, [fixed], False, 255, _thickness(pen * OVERSAMPLING), cv2.LINE_8, 4)
            continue
        knots = 1 - rng.uniform(0, pressure, 2 + len(fixed) // 15)
        along = np.linspace(0, len(knots) - 1, len(fixed))
        widths = (pen * OVERSAMPLING * np.interp(along, range(len(knots)), knots)).tolist()
        for i in range(0, len(fixed) - 1, 2):
            cv2.polylines(fine, [fixed[i : i + 3]], False, 255, _thickness(widths[i]), cv2.LINE_8, 4)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)


def render(strokes: Sequence[Stroke], height: int, width: int, pen: float) -> Pixels:
    """Draw strokes as large as they fit into ``height`` x ``width`` pixels, with a pen ``pen`` pixels wide.

    Gives ink (height, width) uint8, 0 = none, 255 = full. Proportions are kept, the drawing is centred, and at least
    one pixel stays empty at the border.
    """
    left, top, right, bottom = extent(strokes)
    # One and a half pixels more on each side, because a line has soft edges.
    room = pen + 3
    scale = min((width - room) / max(right - left, 1e-3), (height - room) / max(bottom - top, 1e-3))
    middle = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
    centre = np.array([width / 2, height / 2], np.float32)
    placed = [(stroke - middle) * np.float32(scale) + centre for stroke in strokes]
    return rasterise(placed, height, width, pen)


def page(
    lines: Sequence[str], height: int, width: int, rng: np.random.Generator, style: WritingStyle | None = None
) -> tuple[Pixels, list[Box]]:
    """Write lines of digits on a page of ``height`` x ``width`` pixels, in one style; None: a random one.

    Gives the ink, (height, width) uint8, 0 = none, 255 = full, and the box of each digit, in reading order. Digits and
    lines are at least GAP apart, and that far from the border. Without digits the page is empty. Raises ValueError if a
    digit would be smaller than 8 pixels.
    """
    ink = np.zeros((height, width), np.uint8)
    style = style or random_style(rng)
    rows = [_row(line, rng, style) for line in lines if line]
    if not rows:
        return ink, []
    extents = [extent(stroke for strokes in row for stroke in strokes) for row in rows]
    gaps = rng.uniform(GAP, GAP + 0.5, len(rows) - 1) + style.pen
    edge = GAP + style.pen / 2
    wide = max(right - left for left, _, right, _ in extents) + 2 * edge
    tall = sum(bottom - top for _, top, _, bottom in extents) + float(gaps.sum()) + 2 * edge
    em = min(style.size * min(width / wide, height / tall), 0.6 * height)
    # On a large page even small writing gets at least 24 pixels per em, so that it is legible.
    em = max(em, min(24.0, width / wide, height / tall))
    if em < 8:
        raise ValueError(f"{lines} do not fit into {width}x{height} pixels: a digit would be {em:.1f} pixels tall")
    y = edge + rng.uniform(0, max(0.0, height / em - tall))
    indent = rng.uniform(0, max(0.0, width / em - wide))
    boxes = []
    for row, (left, top, right, bottom), gap in zip(rows, extents, [*gaps, 0.0], strict=True):
        free = width / em - (right - left) - 2 * edge
        x = edge + min(max(indent + rng.normal(0, 0.1), 0), free)
        for strokes in row:
            placed = [(s + np.array([x - left, y - top], np.float32)) * np.float32(em) for s in strokes]
            boxes.append(_draw_digit(ink, placed, style.pen * em, rng, style.pressure))
        y += bottom - top + gap
    return ink, boxes


def _row(line: str, rng: np.random.Generator, style: WritingStyle) -> list[list[Stroke]]:
    """The strokes of each digit of a line, each digit beside the one before, in em."""
    row, x = [], 0.0
    for digit in line:
        strokes = draw(int(digit), rng, style)
        left, _, right, _ = extent(strokes)
        # A line rises or falls by at most half an em, then it goes on level.
        fall = float(np.clip(style.slope * x, -0.5, 0.5))
        move = np.array([x - left, fall + rng.normal(0, style.wobble)], np.float32)
        row.append([stroke + move for stroke in strokes])
        x += right - left + style.pen + GAP + (style.spacing - GAP) * rng.uniform(0.3, 1.7)
    return row


def _draw_digit(ink: Pixels, strokes: list[Stroke], pen: float, rng: np.random.Generator, pressure: float) -> Box:
    """Draw one digit, strokes in pixels, into ``ink``; gives the box of its ink."""
    left, top, right, bottom = extent(strokes)
    room = pen / 2 + 2
    x0, y0 = max(0, int(left - room)), max(0, int(top - room))
    x1, y1 = min(ink.shape[1], int(right + room) + 1), min(ink.shape[0], int(bottom + room) + 1)
    corner = np.array([x0, y0], np.float32)
    drawn = rasterise([stroke - corner for stroke in strokes], y1 - y0, x1 - x0, pen, rng, pressure)
    ink[y0:y1, x0:x1] = np.maximum(ink[y0:y1, x0:x1], drawn)
    x, y, width, height = cv2.boundingRect(drawn)
    return Box(x0 + x, y0 + y, width, height)
