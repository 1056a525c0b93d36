from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from edge.reading.candidates import Candidate
from edge.reading.hypotheses import (
    SEVERAL,
    Hypothesis,
    box_around,
    hypotheses,
    local_tilt,
    may_be_one_digit,
    merged_ink,
)
from edge.types import Box, Pixels
from tests.support import candidates


def candidate(ink: Pixels, box: Box, digit: int = 0, sure: float = 0.95) -> Candidate:
    return candidates.candidate(ink, box, digit, sure)


def ring(side: int = 40) -> Pixels:
    ink = np.zeros((side + 4, side + 4), np.uint8)
    cv2.circle(ink, (side // 2 + 2, side // 2 + 2), side // 2 - 4, 255, 8)
    return ink


def row(*tops: int) -> list[Candidate]:
    """Rings in a row, their tops at these heights."""
    return [candidate(ring(), Box(100 + 60 * i, y, 40, 40)) for i, y in enumerate(tops)]


def halves() -> list[Candidate]:
    """A ring that came apart, 3 pixels between its halves, and another digit far away."""
    ink = ring()
    left, right = ink[:, :22].copy(), ink[:, 22:].copy()
    left[:, 20:] = 0
    return [
        candidate(left, Box(102, 102, 18, 40)),
        candidate(right, Box(124, 102, 18, 40)),
        candidate(ring(), Box(300, 102, 40, 40)),
    ]


def always(digit: int) -> Callable[..., list[Candidate]]:
    """A model that sees one digit everywhere."""

    def classify(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [candidate(i, b, digit, 0.99)._replace(line=line) for i, b, line in zip(inks, boxes, lines, strict=True)]

    return classify


def ways(row: list[Candidate], i: int = 0, digit_side: float = 40.0) -> list[Hypothesis]:
    page = np.zeros((480, 640), np.uint8)
    return list(hypotheses(row, row[i], always(8), candidates.around(page, digit_side)))


def test_the_local_tilt_is_that_of_the_neighbours() -> None:
    assert local_tilt(row(100, 100, 100), 1) == 0
    assert local_tilt(row(100, 160, 220), 1) == pytest.approx(45)
    assert local_tilt(row(160, 100, 220), 0) == pytest.approx(-45), "an end, as its neighbour stands"
    assert local_tilt(row(100, 160), 0) == 0, "two may stand as they like"
    others = [one._replace(line=1) for one in row(100, 160, 220)]
    assert local_tilt([*row(300), *others], 0) == 0


def test_a_mark_on_a_tilted_line_may_be_rotated_upright() -> None:
    bar = np.zeros((44, 44), np.uint8)
    cv2.line(bar, (8, 36), (36, 8), 255, 6)

    def turned(row: list[Candidate], digit_side: float = 40.0) -> list[Hypothesis]:
        return ways([row[0]._replace(ink=bar), *row[1:]], digit_side=digit_side)

    (way,) = turned(row(40, 100, 160))
    assert way.candidates[0].box == way.instead_of[0].box and way.candidates[0].line == 0
    wide = cv2.boundingRect((way.candidates[0].ink > 127).astype(np.uint8))[2]
    assert wide < 12, "the bar stands upright"
    (way,) = turned(row(160, 100, 40))
    assert cv2.boundingRect((way.candidates[0].ink > 127).astype(np.uint8))[3] < 12, "turned the other way it lies down"
    assert turned(row(100, 100, 100)) == [], "a level line"
    small = turned(row(40, 100, 160), digit_side=200)
    assert all(len(way.instead_of) == 2 for way in small), "a small piece may only be joined"


def test_halves_of_a_digit_may_be_merged() -> None:
    marks = halves()
    way, *_ = ways(marks)
    assert way.instead_of == (marks[0], marks[1])
    (whole,) = way.candidates
    assert (whole.digit, whole.box, whole.pieces) == (8, Box(102, 102, 40, 40), 0)
    assert np.array_equal(whole.ink, merged_ink(marks[0], marks[1]))
    assert all(len(way.instead_of) == 1 for way in ways(marks, 2)), "none is near"


def test_two_that_touch_may_be_cut() -> None:
    ink = np.zeros((44, 81), np.uint8)
    ink[:, :44] = ring()
    ink[:, 37:] |= ring()
    clump = candidate(ink, Box(102, 202, 77, 40))._replace(line=2)
    way, *_ = ways([clump])
    assert way.instead_of == (clump,) and len(way.candidates) == 2
    assert [(one.pieces, one.whole) for one in way.candidates] == 2 * [(2, clump)]
    assert [one.line for one in way.candidates] == [2, 2]
    left, right = (one.box for one in way.candidates)
    assert left.x < right.x
    assert ways([clump], digit_side=200) == [], "narrower than two digits"
    assert ways([clump._replace(context=(0.9, 0.9, SEVERAL / 2))]) == [], "its view says that it is one digit"
    assert ways([clump._replace(context=(0.9, 0.9, SEVERAL))])


def test_merged_ink_keeps_its_place() -> None:
    left, right, _ = halves()
    assert left.ink_box == Box(100, 100, 22, 44)
    whole = merged_ink(left, right)
    assert whole.shape == (44, 44)
    gone = ring() - whole
    assert gone[:, :20].max() == 0 and gone[:, 22:].max() == 0


def test_far_or_large_marks_are_not_one_digit() -> None:
    assert may_be_one_digit(Box(0, 0, 10, 40), Box(15, 0, 20, 40), 40)
    assert not may_be_one_digit(Box(0, 0, 10, 40), Box(30, 0, 20, 40), 40)
    assert not may_be_one_digit(Box(0, 0, 40, 40), Box(41, 0, 40, 40), 40)
    assert box_around(Box(3, 5, 10, 10), Box(0, 9, 5, 20)) == Box(0, 5, 13, 24)
