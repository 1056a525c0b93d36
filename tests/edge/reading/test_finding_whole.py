from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
import pytest

from edge.reading.candidates import OTHER_CLASSES, Candidate, Shape
from edge.reading.finding import Found, Sorter, digit_side, find_candidates
from edge.types import Box, Pixels
from edge.vision.clean import clean
from edge.vision.settings import VisionSettings
from tests.support import candidates


def classify(inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
    """What is as large and slim as the rings of these pages reads as a 0, and anything else as nothing."""
    found = []
    for ink, box, line in zip(inks, boxes, lines, strict=True):
        none = 0.0 if 1.1 < box.height / box.width < 1.8 else 1.0
        others = (0.0,) * (len(OTHER_CLASSES) - 1) + (none,)
        found.append(candidates.candidate(ink, box, 0, 1.0, others, line=line, shape=Shape(1.0, 1.0, 1.0, 1.0, 0.0)))
    return found


def page(*places: tuple[int, int]) -> Pixels:
    grey = np.full((480, 640), 220, np.uint8)
    for place in places:
        cv2.ellipse(grey, place, (26, 36), 0, 0, 360, 60, 6, cv2.LINE_AA)
    return grey


def found_in(grey: Pixels) -> tuple[Found, float]:
    cleaned = clean(grey, VisionSettings(), light_ink=False)
    return find_candidates(cleaned, Sorter(cleaned, cast(Any, classify))), cleaned.scale


def holds(found: Found, scale: float, place: tuple[int, int]) -> bool:
    """Whether a candidate is the ring at this place, whole and alone."""
    x, y = place
    return any(
        abs(box.x / scale - x + 29) < 8
        and abs(box.y / scale - y + 39) < 8
        and abs(box.width / scale - 58) < 9
        and abs(box.height / scale - 78) < 9
        for box in (one.box for one in found.candidates)
    )


THINGS = ["nothing", "rule", "ruled paper", "boxes", "box", "shadow", "desk", "circle", "noise"]
PLACES = [(130, 240), (290, 240), (450, 240)]


@pytest.mark.parametrize("thing", THINGS)
def test_every_digit_is_found_whole_whatever_else_is_there(thing: str) -> None:
    grey = page(*PLACES)
    if thing == "rule":
        cv2.line(grey, (40, 270), (600, 284), 60, 4, cv2.LINE_AA)
    if thing == "ruled paper":
        for y in range(48, 480, 64):
            cv2.line(grey, (0, y - 4), (640, y + 4), 130, 3, cv2.LINE_AA)
    if thing == "boxes":
        cv2.rectangle(grey, (50, 190), (530, 281), 60, 4)
        for x in (210, 370):
            cv2.line(grey, (x, 190), (x, 281), 60, 4)
    if thing == "box":
        cv2.rectangle(grey, (75, 190), (185, 281), 60, 4)
    if thing == "shadow":
        dark = cv2.fillPoly(np.zeros_like(grey), [np.array([[200, 0], [640, 300], [300, 480]])], 255)
        grey[dark > 0] = (grey[dark > 0] * 0.5).astype(np.uint8)
    if thing == "desk":
        grey[:, :60] = 30
    if thing == "circle":
        cv2.ellipse(grey, PLACES[1], (66, 66), 0, 0, 360, 60, 6, cv2.LINE_AA)
    if thing == "noise":
        grain = np.random.default_rng(0).normal(0, 12, grey.shape)
        grey = np.clip(grey + grain, 0, 255).astype(np.uint8)
    found, scale = found_in(grey)
    assert [place for place in PLACES if not holds(found, scale, place)] == []
    assert len(found.candidates) < 25


def test_a_digit_that_fills_the_picture_is_a_candidate() -> None:
    found, scale = found_in(np.ascontiguousarray(page((130, 240))[204:277, 104:157]))
    assert any(one.box.height / scale > 68 for one in found.candidates)


def test_candidates_are_in_reading_order() -> None:
    found, _ = found_in(page((450, 100), (130, 110), (290, 100), (290, 300), (130, 300)))
    assert [one.line for one in found.candidates] == [0, 0, 0, 1, 1]
    starts = [one.box.x for one in found.candidates]
    assert starts[:3] == sorted(starts[:3]) and starts[3:] == sorted(starts[3:])


def test_an_empty_page_has_a_reason() -> None:
    found, _ = found_in(np.full((240, 320), 200, np.uint8))
    assert not found.candidates and found.segments.reason == "blank"


def test_the_size_of_digits_is_that_of_what_reads_as_one() -> None:
    found, scale = found_in(page(*PLACES))
    assert found.segments.digit_side / scale == pytest.approx(78, abs=6)
    assert digit_side([]) == 0
