from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from edge.reading.candidates import Candidate
from edge.reading.split_merge import (
    box_around,
    ink_box,
    local_tilt,
    log_likelihood,
    may_be_one_digit,
    merge_fragments,
    merged_ink,
    resolve_doubtful,
    rotate_upright,
    split_touching,
)
from edge.types import Box, Pixels


def candidate(ink: Pixels, box: Box, digit: int | None = None, confidence: float = 0.9) -> Candidate:
    return Candidate(ink, box, 0, np.zeros((28, 28), np.uint8), np.zeros(11, np.float32), digit, confidence)


def ring(side: int = 40) -> Pixels:
    ink = np.zeros((side + 4, side + 4), np.uint8)
    cv2.circle(ink, (side // 2 + 2, side // 2 + 2), side // 2 - 4, 255, 8)
    return ink


def classify(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
    """A model that knows one thing: a closed ring, alone and about as wide as tall, is a 0."""
    found = []
    for ink, box, line in zip(inks, boxes, lines, strict=True):
        contours, nesting = cv2.findContours((ink > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        holes = sum(cv2.contourArea(c) > 100 for c, n in zip(contours, nesting[0], strict=True) if n[3] >= 0)
        is_ring = holes == 1 and 0.75 < box.width / box.height < 1.33
        found.append(candidate(ink, box, 0 if is_ring else None, 0.95))
        assert line == 0
    return found


def two_rings(x: int) -> Candidate:
    ink = np.zeros((44, 81), np.uint8)
    ink[:, :44] = ring()
    ink[:, 37:] |= ring()
    return candidate(ink, Box(x, 202, 77, 40))


def slanting_rings(x: int) -> Candidate:
    """As a hand writes them that leans to the right: no mirror image."""
    rings = two_rings(x)
    ink = cv2.warpAffine(rings.ink, np.array([[1, -0.35, 15.5], [0, 1, 0]]), (96, 44))
    return rings._replace(ink=ink, box=Box(x, 202, 90, 40))


def test_two_digits_that_touch_are_split() -> None:
    found = split_touching(two_rings(102), classify)
    assert [c.digit for c in found] == [0, 0]
    assert [tuple(c.box)[1] for c in found] == pytest.approx([202, 202], abs=2)
    assert found[0].box.x == pytest.approx(102, abs=2)
    assert found[1].box.x == pytest.approx(139, abs=4)


def test_a_mark_that_no_split_improves_stays_whole() -> None:
    ink = np.zeros((44, 80), np.uint8)
    cv2.line(ink, (4, 4), (76, 40), 255, 4)
    clump = candidate(ink, Box(0, 0, 76, 40))
    assert split_touching(clump, classify) == [clump]


def test_the_legs_of_a_letter_are_no_ones() -> None:
    def ones(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [candidate(ink, box, 1, 0.99) for ink, box in zip(inks, boxes, strict=True)]

    ink = np.zeros((44, 60), np.uint8)
    cv2.polylines(ink, [np.array([[4, 40], [4, 4], [30, 30], [56, 4], [56, 40]])], False, 255, 4)
    clump = candidate(ink, Box(0, 0, 56, 40))
    assert split_touching(clump, ones) == [clump]


def test_a_mark_among_marks_that_are_no_digits_is_not_split() -> None:
    cross = np.zeros((44, 34), np.uint8)
    cv2.line(cross, (4, 4), (30, 40), 255, 4)
    cv2.line(cross, (30, 4), (4, 40), 255, 4)
    others = [candidate(cross, Box(x, 202, 30, 40)) for x in (400, 600)]
    clump = slanting_rings(102)
    assert len(resolve_doubtful([clump], classify, 0.6, 40)) == 2
    assert resolve_doubtful([clump, *others], classify, 0.6, 40) == [clump, *others]
    digits = [candidate(ring(), Box(x, 202, 40, 40), 0) for x in (800, 900)]
    assert len(resolve_doubtful([clump, *others, *digits], classify, 0.6, 40)) == 6


def test_two_rings_like_mirror_images_are_no_zeros_unless_digits_stand_beside_them() -> None:
    spectacles = two_rings(102)
    assert len(split_touching(spectacles, classify)) == 2
    assert resolve_doubtful([spectacles], classify, 0.6, 40) == [spectacles]
    digit = candidate(ring(), Box(300, 202, 40, 40), 0)
    assert [c.digit for c in resolve_doubtful([spectacles, digit], classify, 0.6, 40)] == [0, 0, 0]
    below = digit._replace(line=1)
    assert resolve_doubtful([spectacles, below], classify, 0.6, 40) == [spectacles, below]


def arch(*heights: int) -> list[Candidate]:
    """Rings in a row, their tops at these heights; the first is doubtful."""
    found = [candidate(ring(), Box(100 + 60 * i, y, 40, 40), 0) for i, y in enumerate(heights)]
    return [found[0]._replace(digit=None), *found[1:]]


def test_the_local_tilt_is_that_of_the_neighbours() -> None:
    assert local_tilt(arch(100, 100, 100), 1) == 0
    assert local_tilt(arch(100, 160, 220), 1) == pytest.approx(45)
    assert local_tilt(arch(160, 100, 220), 0) == pytest.approx(-45), "an end, as its neighbour stands"
    assert local_tilt(arch(100, 160), 0) == 0, "two may stand as they like"
    others = [one._replace(line=1) for one in arch(100, 160, 220)]
    assert local_tilt([*arch(300), *others], 0) == 0


def test_a_mark_on_a_tilted_line_is_rotated_upright() -> None:
    bar = np.zeros((44, 44), np.uint8)
    cv2.line(bar, (8, 36), (36, 8), 255, 6)

    def upright(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        wide = [cv2.boundingRect((ink > 127).astype(np.uint8))[2] for ink in inks]
        return [candidate(i, b, 7 if w < 12 else None, 0.99) for i, b, w in zip(inks, boxes, wide, strict=True)]

    def read(row: list[Candidate], digit_side: float = 40) -> int | None:
        row = [row[0]._replace(ink=bar), *row[1:]]
        return rotate_upright(row, lambda one: one.digit is None, upright, digit_side)[0].digit

    assert read(arch(40, 100, 160)) == 7
    assert read(arch(160, 100, 40)) is None, "turned the other way it lies down"
    assert read(arch(100, 100, 100)) is None
    assert read(arch(40, 100, 160), digit_side=200) is None, "a small piece"


def halves() -> list[Candidate]:
    """A ring that came apart, 3 pixels between its halves, and another digit far away."""
    ink = ring()
    left, right = ink[:, :22].copy(), ink[:, 22:].copy()
    left[:, 20:] = 0
    return [
        candidate(left, Box(102, 102, 18, 40)),
        candidate(right, Box(124, 102, 18, 40)),
        candidate(ring(), Box(300, 102, 40, 40), 0),
    ]


def test_halves_of_a_digit_are_merged() -> None:
    def lenient(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        return [
            candidate(ink, box, 0 if min(ink.shape) > 35 else None, 0.95) for ink, box in zip(inks, boxes, strict=True)
        ]

    found = merge_fragments(halves(), lambda c: c.digit is None, lenient, 40)
    assert [(c.digit, tuple(c.box)) for c in found] == [(0, (102, 102, 40, 40)), (0, (300, 102, 40, 40))]


def test_merged_ink_keeps_its_place() -> None:
    left, right, _ = halves()
    assert ink_box(left) == Box(100, 100, 22, 44)
    whole = merged_ink(left, right)
    assert whole.shape == (44, 44)
    gone = ring() - whole
    assert gone[:, :20].max() == 0 and gone[:, 22:].max() == 0


def test_far_or_large_marks_are_not_one_digit() -> None:
    assert may_be_one_digit(Box(0, 0, 10, 40), Box(15, 0, 20, 40), 40)
    assert not may_be_one_digit(Box(0, 0, 10, 40), Box(30, 0, 20, 40), 40)
    assert not may_be_one_digit(Box(0, 0, 40, 40), Box(41, 0, 40, 40), 40)
    assert box_around(Box(3, 5, 10, 10), Box(0, 9, 5, 20)) == Box(0, 5, 13, 24)


def test_confident_digits_and_pages_of_text_are_not_classified_again() -> None:
    def never(*_: object) -> list[Candidate]:
        raise AssertionError("asked")

    sure = [candidate(ring(), Box(0, 0, 40, 40), 0, 0.97)]
    assert resolve_doubtful(sure, never, 0.6, 40) == sure
    text = [candidate(ring(), Box(50 * i, 0, 40, 40)) for i in range(61)]
    assert resolve_doubtful(text, never, 0.6, 40) == text


def test_a_large_loop_is_not_cut_in_two() -> None:
    """A face, say, whose halves would both pass for a digit."""

    def anything(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        wide = [0.4 < box.width / box.height < 0.75 for box in boxes]
        return [candidate(ink, box, 3 if w else None, 0.99) for ink, box, w in zip(inks, boxes, wide, strict=True)]

    face = np.zeros((64, 64), np.uint8)
    cv2.circle(face, (32, 32), 28, 255, 5)
    cv2.circle(face, (22, 26), 3, 255, -1)
    cv2.circle(face, (42, 26), 3, 255, -1)
    clump = candidate(face, Box(0, 0, 60, 60))
    assert split_touching(clump, anything) == [clump]


def test_a_split_into_unsure_digits_is_not_made() -> None:
    ink = np.zeros((44, 81), np.uint8)
    ink[:, :44] = ring()
    ink[:, 37:] |= ring()
    clump = candidate(ink, Box(102, 202, 77, 40))

    def all_fours(confidence: float) -> Callable[..., list[Candidate]]:
        return lambda inks, boxes, lines: [candidate(i, box, 4, confidence) for i, box in zip(inks, boxes, strict=True)]

    assert [c.digit for c in split_touching(clump, all_fours(0.99))] == [4, 4]
    assert split_touching(clump, all_fours(0.8)) == [clump]


def test_a_digit_is_likelier_than_a_short_stroke() -> None:
    def likelihood(width: int, height: int, digit: int) -> float:
        ink = np.zeros((height, width), np.uint8)
        return log_likelihood(candidate(ink, Box(0, 0, width, height), digit, 0.95), 40)

    tall = likelihood(20, 40, 5)
    assert np.log(0.95) - 0.1 < tall < np.log(0.95)
    assert likelihood(20, 25, 5) < tall
    assert likelihood(60, 40, 5) < tall
    assert likelihood(20, 40, 1) < tall
    assert likelihood(20, 40, 1) - likelihood(20, 25, 1) > tall - likelihood(20, 25, 5)
