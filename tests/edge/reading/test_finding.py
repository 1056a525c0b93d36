from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from edge.model.classifier import Model
from edge.reading.candidates import Candidate, Classifier
from edge.reading.finding import MOST_PIECES, Found, Sorter, digit_side, find_candidates, group_parts
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from edge.vision.clean import clean
from edge.vision.segment import find_parts
from edge.vision.settings import VisionSettings
from tests.support import candidates

Page = Callable[..., Pixels]
NO_DIGIT = candidates.others(none=0.99)


@pytest.fixture(scope="module")
def classify() -> Classifier:
    return Classifier(Model(), "area", Stopwatch())


def found(picture: Pixels, classify: Classifier) -> Found:
    cleaned = clean(picture, VisionSettings(), light_ink=False)
    return find_candidates(cleaned, Sorter(cleaned, classify))


def sized(side: int, sure: float) -> Candidate:
    return candidates.candidate(box=Box(0, 0, side // 2, side), share=sure)


def test_digits_are_found_in_reading_order_whole_and_each_once(classify: Classifier, page: Page) -> None:
    picture = page("258", "46")
    segments, candidates = found(picture, classify)
    assert "".join(str(one.digit) for one in candidates) == "25846"
    assert [one.line for one in candidates] == [0, 0, 0, 1, 1]
    assert [mark.box for mark in segments.marks] == [one.box for one in candidates]
    assert segments.reason is None
    sides = [max(one.box.width, one.box.height) for one in candidates]
    assert min(sides) <= segments.digit_side <= max(sides)


def test_no_ink_gives_no_candidate(classify: Classifier) -> None:
    segments, candidates = found(np.full((480, 640), 230, np.uint8), classify)
    assert (segments.reason, candidates) == ("blank", ())


def test_specks_are_too_small(classify: Classifier) -> None:
    dots = np.full((480, 640), 230, np.uint8)
    for x in range(100, 600, 100):
        cv2.circle(dots, (x, 240), 2, 40, -1)
    cleaned = clean(dots, VisionSettings(), light_ink=False)
    mask = cv2.erode(cleaned.mask, np.ones((3, 3), np.uint8)) if cleaned.scale > 1 else cleaned.mask
    tiny = cleaned._replace(mask=cv2.resize(mask, (320, 240)), ink=cv2.resize(cleaned.ink, (320, 240)), sure=None)
    segments, candidates = find_candidates(tiny, Sorter(tiny, classify))
    assert candidates == () and segments.reason in ("too_small", "blank")


def test_what_looks_like_digits_says_how_large_digits_are() -> None:
    assert digit_side([]) == 0
    assert digit_side([sized(40, 0.9), sized(42, 0.9), sized(44, 0.9)]) == 42
    letters = [sized(120, 0.2) for _ in range(20)]
    assert digit_side([sized(40, 0.95), sized(42, 0.95), *letters]) <= 42, "whatever else is there"
    specks = [sized(3, 0.3) for _ in range(40)]
    assert digit_side([sized(40, 0.95), sized(42, 0.95), *specks]) >= 40


def boxes_of(mask: Pixels, side: float) -> list[tuple[int, ...]]:
    return [tuple(mark.box) for mark in group_parts(find_parts(mask), side)]


def test_strokes_of_one_digit_are_one_mark_and_specks_are_none() -> None:
    mask = np.zeros((100, 200), np.uint8)
    cv2.rectangle(mask, (20, 30), (24, 70), 255, -1)
    cv2.rectangle(mask, (20, 22), (40, 26), 255, -1)
    cv2.rectangle(mask, (120, 30), (140, 70), 255, -1)
    mask[50, 180] = 255
    assert boxes_of(mask, 45) == [(20, 22, 21, 49), (120, 30, 21, 41)]


def test_a_texture_of_thousands_of_parts_is_cut_short() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[::4, ::4] = 255
    mask = cv2.dilate(mask, np.ones((1, 1), np.uint8))
    every = find_parts(mask)
    assert len(every.every) == 10_000
    assert group_parts(every, 40.0) == []
    blocks = np.zeros((600, 600), np.uint8)
    for y in range(0, 600, 20):
        for x in range(0, 600, 20):
            blocks[y : y + 12, x : x + 12] = 255
    assert len(group_parts(find_parts(blocks), 12.0)) <= MOST_PIECES


def test_each_mark_is_classified_once(classify: Classifier, page: Page) -> None:
    asked: list[Box] = []

    def count(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        asked.extend(boxes)
        return classify(inks, boxes, lines)

    found(page("258", "46"), count)  # type: ignore[arg-type]
    assert len(asked) == len(set(asked))


def test_rules_are_removed_unless_they_were_before(classify: Classifier, page: Page) -> None:
    picture = page("258", height=300)
    rows = np.flatnonzero((picture < 120).any(axis=1))
    cv2.line(picture, (10, int(rows.max()) - 4), (630, int(rows.max()) - 4), 90, 3)
    cleaned = clean(picture, VisionSettings(), light_ink=False)
    without = find_candidates(cleaned, Sorter(cleaned, classify))
    assert [one.digit for one in without.candidates if one.likeness > 0.5] == [2, 5, 8]
    assert cv2.countNonZero(without.segments.mask) < cv2.countNonZero(cleaned.mask)
    kept = find_candidates(cleaned, Sorter(cleaned, classify), ruled_lines=False)
    assert np.array_equal(kept.segments.mask, cleaned.mask)
