"""Candidates: ink that may be a digit, and what the classifier says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.model.classifier import Model
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from edge.vision.masks import at_least
from edge.vision.normalise import normalise
from edge.vision.settings import Interpolation

OTHER_CLASSES = ("minus", "slash", "plus", "equals", "bracket", "percent", "times", "letter", "none")
"""Labels of the packaged model's classes that are not digits."""
LETTER = OTHER_CLASSES.index("letter")
"""Its place among them. Those before it are signs."""
STROKE = 1
"""The digit that any single stroke may be read as."""
SOFT = 64
"""Ink up to this level, 0 to 255, is a soft edge, and is not measured."""
_AROUND = np.ones((3, 3), np.uint8)


class Shape(NamedTuple):
    """What is measured of the ink of one mark."""

    area: float
    """Pixels of ink."""
    stroke: float
    """Mean width of its strokes, pixels: the area divided by half the outline."""
    level: float
    """Mean level of its ink, 0 to 255."""
    thickest: float
    """Width of its thickest place, pixels."""
    slant: float
    """How far its ink leans: pixels to the right for each pixel up."""


class Candidate(NamedTuple):
    """Ink that may be a digit, and what the model says of it."""

    ink: Pixels
    """(height, width) uint8: its own ink, 0 = paper, upright."""
    box: Box
    """Working pixels."""
    line: int
    """Its line of writing, from 0, top to bottom."""
    glyph: Pixels
    """(28, 28) uint8: as the model saw it."""
    probabilities: NDArray[np.float32]
    """(classes,) of the reading model."""
    shares: tuple[float, ...]
    """The probability of each digit, 0 to 9, among the digits."""
    judged: tuple[float, ...]
    """The same by the model that judges, if there is another one."""
    digit: int
    """The most probable digit: that of the model, or of the model and the view together once ``context`` is known."""
    second: int
    """The next one."""
    others: tuple[float, ...]
    """The probability of each of OTHER_CLASSES, 0 to 1."""
    shape: Shape
    pieces: int = 0
    """How many pieces its ink was cut into with it; 0: it was not cut."""
    whole: Candidate | None = None
    """If it was cut: what it was cut out of."""
    context: tuple[float, float, float] | None = None
    """What its view among its surroundings says: the probability of a digit, that of ``digit`` among the digits, and
    that of several digits that touch, 0 to 1."""
    belief: float = 0.0
    """Probability that it is a digit, and this one, 0 to 1."""

    def __eq__(self, other: object) -> bool:
        # Arrays compare element by element.
        return self is other

    def __ne__(self, other: object) -> bool:
        # A tuple's own would compare the arrays.
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    @property
    def ink_box(self) -> Box:
        """Where its ink lies, working pixels: centred on its box, and perhaps larger."""
        height, width = self.ink.shape
        x, y, w, h = self.box
        return Box(x + (w - width) // 2, y + (h - height) // 2, width, height)

    @property
    def share(self) -> float:
        """The probability of ``digit`` among the digits, 0 to 1: no more than the model that judges gives it."""
        return min(self.shares[self.digit], self.judged[self.digit])

    @property
    def likeness(self) -> float:
        """How much it looks like one of the digits by itself, 0 to 1."""
        return self.share * (1 - sum(self.others))


Classify = Callable[[Sequence[Pixels], Sequence[Box], Sequence[int]], list[Candidate]]
"""Inks, their boxes and lines -> candidates: what a ``Classifier`` does."""


class Classifier:
    """Normalises ink and classifies it with the model.

    The packaged model says whether it is a digit at all: most models know nothing but digits.
    """

    def __init__(
        self, model: Model, interpolation: Interpolation, watch: Stopwatch, judge: Model | None = None
    ) -> None:
        """``watch`` gets the stages ``normalise``, which includes cropping the marks before it, and ``invoke``.

        ``judge``: the model that says whether ink is a digit, if ``model`` knows only digits.
        """
        self.model, self.interpolation, self.watch = model, interpolation, watch
        self._judge = judge
        self._digits, self._judge_digits = _digit_matrix(model), _digit_matrix(judge or model)
        labels = (judge or model).card.labels
        self._others = [labels.index(label) if label in labels else -1 for label in OTHER_CLASSES]

    def __call__(self, inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        """Inks (height, width) uint8 of single marks, their boxes and lines -> a candidate of each."""
        if not inks:
            return []
        glyphs = np.array([normalise(ink, self.interpolation) for ink in inks])
        self.watch.lap("normalise")
        probabilities = self.model.predict(glyphs)
        judged = self._judge.predict(glyphs) if self._judge else probabilities
        self.watch.lap("invoke")
        shares = _among_digits(probabilities, self._digits)
        order = np.argsort(shares, axis=1)
        own = [tuple(row) for row in shares.tolist()]
        judged_own = [tuple(row) for row in _among_digits(judged, self._judge_digits).tolist()] if self._judge else own
        others = np.where(np.array(self._others) >= 0, judged[:, self._others], 0.0)
        found = []
        for i, (ink, box, line) in enumerate(zip(inks, boxes, lines, strict=True)):
            best, second = order[i, -1], order[i, -2]
            found.append(
                Candidate(
                    ink,
                    box,
                    line,
                    glyphs[i],
                    probabilities[i],
                    own[i],
                    judged_own[i],
                    int(best),
                    # A model of one digit has no second one.
                    int(second) if self._digits[:, second].any() else int(best),
                    tuple(others[i].tolist()),
                    measure(ink),
                )
            )
        return found


def measure(ink: Pixels) -> Shape:
    """The shape of the ink of one mark, (height, width) uint8."""
    mask = at_least(cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT), SOFT)
    area = cv2.countNonZero(mask)
    if not area:
        return Shape(0.0, 1.0, 0.0, 1.0, 0.0)
    outline = area - cv2.countNonZero(cv2.erode(mask, _AROUND))
    thickest = 2 * cv2.minMaxLoc(cv2.distanceTransform(mask, cv2.DIST_L2, 3))[1]
    level = cv2.mean(ink, mask[1:-1, 1:-1])[0]
    return Shape(float(area), 2 * area / max(outline, 1), level, thickest, slant_of(mask))


def slant_of(mask: Pixels) -> float:
    """How far the ink of a mask leans: pixels to the right for each pixel up, by its second moments.

    As LeCun et al. (1998) measure how far a digit has to be sheared to stand upright.
    """
    moments = cv2.moments(mask, binaryImage=True)
    return -moments["mu11"] / max(moments["mu02"], 1.0)


def _digit_matrix(model: Model) -> NDArray[np.float32]:
    """(classes, 10): 1 where an output is this digit, 0 elsewhere."""
    return np.array([[number == digit for digit in range(10)] for number in model.card.digits], np.float32)


def _among_digits(probabilities: NDArray[np.float32], digit_matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (n, classes) -> those of the digits, (n, 10), which add up to 1."""
    digits = probabilities @ digit_matrix
    return digits / np.maximum(digits.sum(axis=1, keepdims=True), 1e-6)
