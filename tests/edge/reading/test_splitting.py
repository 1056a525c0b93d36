from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from edge.reading.candidates import Candidate, measure
from edge.reading.splitting import WAYS, splits
from edge.types import Box, Pixels
from tests.support import candidates

NO_DIGIT = candidates.others(none=0.99)


def candidate(ink: Pixels, box: Box, digit: int = 7, sure: float = 0.95) -> Candidate:
    """``sure``: how much it looks like the digit."""
    return candidates.candidate(ink, box, digit, sure)


def ring(side: int = 40) -> Pixels:
    ink = np.zeros((side + 4, side + 4), np.uint8)
    cv2.circle(ink, (side // 2 + 2, side // 2 + 2), side // 2 - 4, 255, 8)
    return ink


def classify(
    inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int], digit: int = 0, sure: float = 0.95
) -> list[Candidate]:
    """A model that knows one thing: a closed ring, alone and about as wide as tall, is a 0, or another digit."""
    found = []
    for ink, box, line in zip(inks, boxes, lines, strict=True):
        contours, nesting = cv2.findContours((ink > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        holes = sum(cv2.contourArea(c) > 100 for c, n in zip(contours, nesting[0], strict=True) if n[3] >= 0)
        is_ring = holes == 1 and 0.75 < box.width / box.height < 1.33
        found.append(candidates.candidate(ink, box, digit, sure, **({} if is_ring else {"others": NO_DIGIT})))
        assert line == 0
    return found


def two_rings(x: int = 102) -> Candidate:
    ink = np.zeros((44, 81), np.uint8)
    ink[:, :44] = ring()
    ink[:, 37:] |= ring()
    return candidate(ink, Box(x, 202, 77, 40))


def always(digit: int, sure: float) -> Callable[..., list[Candidate]]:
    """A model that sees one digit everywhere."""
    return lambda inks, boxes, lines: [candidate(i, box, digit, sure) for i, box in zip(inks, boxes, strict=True)]


def test_two_digits_that_touch_are_split() -> None:
    found = next(splits(two_rings()._replace(line=3), classify))
    assert [c.digit for c in found] == [0, 0]
    assert [c.line for c in found] == [3, 3]
    assert [c.box.y for c in found] == pytest.approx([202, 202], abs=2)
    assert found[0].box.x == pytest.approx(102, abs=2)
    assert found[1].box.x == pytest.approx(139, abs=4)
    for one in found:
        assert one.box.width == pytest.approx(40, abs=5) and one.box.height == pytest.approx(40, abs=4)
        assert one.ink.shape == (one.box.height, one.box.width)
        assert one.shape == measure(one.ink)


def test_a_mark_that_no_split_improves_stays_whole() -> None:
    ink = np.zeros((44, 80), np.uint8)
    cv2.line(ink, (4, 4), (76, 40), 255, 4)
    clump = candidate(ink, Box(0, 0, 76, 40))

    def nothing(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return classify(inks, boxes, lines, sure=0.1)

    assert not list(splits(clump, nothing))


def test_ink_as_narrow_as_one_digit_is_not_cut() -> None:
    def never(*_: object) -> list[Candidate]:
        raise AssertionError("asked")

    narrow = candidate(ring()[:, :18], Box(0, 0, 18, 44))
    assert not list(splits(narrow, never))


def test_a_large_loop_is_not_cut_in_two() -> None:
    """A face, say, whose halves would both pass for a digit."""

    def anything(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [
            candidate(ink, box, 3, 0.99 if 0.4 < box.width / box.height < 0.75 else 1e-4)
            for ink, box in zip(inks, boxes, strict=True)
        ]

    face = np.zeros((64, 64), np.uint8)
    cv2.circle(face, (32, 32), 28, 255, 5)
    cv2.circle(face, (22, 26), 3, 255, -1)
    cv2.circle(face, (42, 26), 3, 255, -1)
    clump = candidate(face, Box(0, 0, 60, 60))
    assert not list(splits(clump, anything))


def test_a_split_into_what_is_hardly_a_digit_is_not_made() -> None:
    clump = two_rings()
    assert [c.digit for c in next(splits(clump, always(4, 0.99)))] == [4, 4]
    assert not list(splits(clump, always(4, 0.01)))


def test_three_digits_that_touch_are_split_into_three() -> None:
    ink = np.zeros((44, 118), np.uint8)
    for x in (0, 37, 74):
        ink[:, x : x + 44] |= ring()
    found = next(splits(candidate(ink, Box(102, 202, 114, 40)), classify))
    assert [c.digit for c in found] == [0, 0, 0]
    assert [c.box.x for c in found] == pytest.approx([102, 139, 176], abs=5)


def test_splits_that_read_differently_are_all_given() -> None:
    def by_width(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [candidate(ink, box, box.width % 10, 0.9) for ink, box in zip(inks, boxes, strict=True)]

    found = [tuple(c.digit for c in way) for way in splits(two_rings(), by_width)]
    assert 1 < len(found) <= WAYS and len(set(found)) == len(found)


def test_pieces_that_look_like_no_digit_are_tried_too() -> None:
    def open_ring(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [one._replace(others=NO_DIGIT) for one in classify(inks, boxes, lines, digit=6)]

    assert [c.digit for c in next(splits(two_rings(), open_ring))] == [6, 6]
