from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.reading import splitting
from edge.reading.candidates import Candidate, Classify, measure
from edge.reading.evidence import SEVERAL, VIEW_CLASSES
from edge.reading.splitting import WAYS
from edge.types import Box, Pixels
from tests.support import candidates

NO_DIGIT = candidates.others(none=0.99)


def candidate(ink: Pixels, box: Box, digit: int = 7, sure: float = 0.95) -> Candidate:
    """``sure``: how much it looks like the digit."""
    return candidates.candidate(ink, box, digit, shares=candidates.shares({digit: sure}))


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
        holes = sum(
            cv2.contourArea(c) > 0.05 * ink.size for c, n in zip(contours, nesting[0], strict=True) if n[3] >= 0
        )
        is_ring = holes == 1 and 0.75 < box.width / box.height < 1.33
        one = candidate(ink, box, digit, sure)._replace(line=line)
        found.append(one if is_ring else one._replace(others=NO_DIGIT))
    return found


def two_rings(x: int = 102) -> Candidate:
    ink = np.zeros((44, 81), np.uint8)
    ink[:, :44] = ring()
    ink[:, 37:] |= ring()
    return candidate(ink, Box(x, 202, 77, 40))


def splits(one: Candidate, classify: Classify) -> list[tuple[Candidate, ...]]:
    """Without views."""
    return splitting.splits(one, classify, candidates.around(np.zeros((480, 640), np.uint8)))


def always(digit: int, sure: float) -> Callable[..., list[Candidate]]:
    """A model that sees one digit everywhere."""
    return lambda inks, boxes, lines: [candidate(i, box, digit, sure) for i, box in zip(inks, boxes, strict=True)]


def test_two_digits_that_touch_are_split() -> None:
    found = splits(two_rings()._replace(line=3), classify)[0]
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

    assert not splits(clump, nothing)


def test_ink_as_narrow_as_one_digit_is_not_cut() -> None:
    def never(*_: object) -> list[Candidate]:
        raise AssertionError("asked")

    narrow = candidate(ring()[:, :18], Box(0, 0, 18, 44))
    assert not splits(narrow, never)


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
    assert not splits(clump, anything)


def test_a_split_into_what_is_hardly_a_digit_is_not_made() -> None:
    clump = two_rings()
    assert [c.digit for c in splits(clump, always(4, 0.99))[0]] == [4, 4]
    assert not splits(clump, always(4, 0.01))


def test_three_digits_that_touch_are_split_into_three() -> None:
    ink = np.zeros((44, 118), np.uint8)
    for x in (0, 37, 74):
        ink[:, x : x + 44] |= ring()
    found = splits(candidate(ink, Box(102, 202, 114, 40)), classify)[0]
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

    assert [c.digit for c in splits(two_rings(), open_ring)[0]] == [6, 6]


def test_pieces_are_rated_by_their_views_if_these_are_looked_at() -> None:
    """The classifier says that all is a 6 and no digit; a view knows a ring, its own ink, among the others."""
    page = np.zeros((480, 640), np.uint8)
    whole = two_rings()
    x, y, width, height = whole.ink_box
    page[y : y + height, x : x + width] = whole.ink
    asked = []

    def look(views: Pixels) -> NDArray[np.float32]:
        shares = np.full((len(views), VIEW_CLASSES), 0.001, np.float32)
        for view, row in zip(views, shares, strict=True):
            own, all_ink = view[..., 0] > 127, view[..., 1] > 127
            assert np.count_nonzero(own & ~all_ink) < 0.2 * np.count_nonzero(own), "both show the same place"
            box = Box(*cv2.boundingRect(own.astype(np.uint8)))
            left, top, width, height = box
            (one,) = classify([view[top : top + height, left : left + width, 0]], [box], [0])
            row[3 if sum(one.others) < 0.5 and height > 15 else SEVERAL] = 1
        return shares

    def unsure(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        asked.append(len(inks))
        own = candidates.shares({6: 0.9, 3: 0.1})
        return [
            candidates.candidate(ink, box, 6, line=line, shares=own, others=NO_DIGIT)
            for ink, box, line in zip(inks, boxes, lines, strict=True)
        ]

    first, *_ = ways = splitting.splits(whole._replace(line=3), unsure, candidates.around(page), look)
    assert [(one.digit, one.line, one.pieces, one.whole.line if one.whole else 0) for one in first] == 2 * [
        (3, 3, 2, 3)
    ]
    assert all(one.context and one.context[0] > 0.9 for one in first), "and need not be looked at again"
    assert asked == [len({one.box for way in ways for one in way})], "the classifier is asked once, of the ways' pieces"
