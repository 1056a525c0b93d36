"""Candidates on drawn pages are what the ink map says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from convert.samples.scenes import Page
from convert.samples.scenes.sheet import Sheet
from convert.training.ink_map import KINDS, LEFT_OUT, NO_DIGIT, InkMap
from edge.model.classifier import Model
from edge.reading.candidates import Classifier
from edge.reading.evidence import SEVERAL
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from edge.vision.settings import VisionSettings
from tests.support import written


@pytest.fixture(scope="module")
def classify() -> Classifier:
    return Classifier(Model(), VisionSettings().interpolation, Stopwatch())


def truth(page: Page, classify: Classifier, ink: Pixels, box: Box) -> tuple[int, str]:
    """What the ink map says of a candidate with this ink at this place."""
    (one,) = classify([ink], [box], [0])
    digit, kind = InkMap.of(page, page.ids.shape).truth(one)
    return digit, KINDS[kind]


def box_of(sheet: Sheet, *marks: int) -> Box:
    return Box(*cv2.boundingRect(np.isin(sheet.ids, marks).astype(np.uint8)))


def cropped(sheet: Sheet, box: Box) -> Pixels:
    return sheet.ink[box.y : box.y + box.height, box.x : box.x + box.width]


def test_a_whole_digit_is_one_and_half_of_it_is_none(classify: Classifier) -> None:
    sheet = written.sheet("58")
    page, whole = written.page(sheet), box_of(sheet, 1)
    assert truth(page, classify, cropped(sheet, whole), whole) == (5, "digit")
    upper = whole._replace(height=whole.height // 2)
    assert truth(page, classify, cropped(sheet, upper), upper) == (NO_DIGIT, "digit")


def test_a_digit_with_a_line_that_touches_it_is_itself(classify: Classifier) -> None:
    sheet = written.sheet("58")
    whole = box_of(sheet, 1)
    longer = Box(whole.x - whole.height // 3, whole.y, whole.width + whole.height // 3, whole.height + 3)
    sheet.ink[longer.y + longer.height - 3 : longer.y + longer.height, longer.x : longer.x + longer.width] = 255
    assert truth(written.page(sheet), classify, cropped(sheet, longer), longer) == (5, "digit")


def test_most_of_a_digit_that_is_still_named_is_left_out(classify: Classifier) -> None:
    sheet = written.sheet("58")
    page, whole = written.page(sheet), box_of(sheet, 1)
    below = Box(whole.x, whole.y + round(0.22 * whole.height), whole.width, round(0.78 * whole.height))
    (one,) = classify([cropped(sheet, below)], [below], [0])
    named = InkMap.of(page, page.ids.shape)
    assert named.truth(one._replace(digit=5))[0] == LEFT_OUT and named.truth(one._replace(digit=3))[0] == NO_DIGIT


def test_two_digits_as_one_mark_are_several(classify: Classifier) -> None:
    sheet = written.sheet("58", gap=4)
    both = box_of(sheet, 1, 2)
    assert truth(written.page(sheet), classify, cropped(sheet, both), both) == (SEVERAL, "digit")


def test_a_digit_with_a_bit_of_its_neighbour_is_still_itself(classify: Classifier) -> None:
    sheet = written.sheet("58", gap=10)
    box = box_of(sheet, 1)
    wider = box._replace(width=box_of(sheet, 2).x + 4 - box.x)
    assert box.width < wider.width
    assert truth(written.page(sheet), classify, cropped(sheet, wider), wider) == (5, "digit")


def test_a_rule_is_none(classify: Classifier) -> None:
    sheet = Sheet.blank(200, 480)
    sheet.printed[100:104, 40:440] = 255
    rule = Box(40, 100, 400, 4)
    assert truth(written.page(sheet), classify, sheet.printed[100:104, 40:440], rule) == (NO_DIGIT, "thing")


@pytest.mark.parametrize(
    ("label", "kind"),
    [("a", "letter"), ("word", "letter"), ("+", "symbol"), ("symbol", "symbol"), ("ring", "thing"), ("?7", "digit"),
     ("?", "symbol")],
)  # fmt: skip
def test_what_nobody_should_read_is_none(classify: Classifier, label: str, kind: str) -> None:
    sheet = written.sheet("7")
    sheet.labels[1] = label
    box = box_of(sheet, 1)
    assert truth(written.page(sheet), classify, cropped(sheet, box), box) == (NO_DIGIT, kind)


def test_a_piece_that_lacks_what_its_neighbour_covers_is_a_digit(classify: Classifier) -> None:
    sheet = written.sheet("58")
    box = box_of(sheet, 1)
    sheet.ids[:, box.x + round(0.8 * box.width) :][sheet.ids[:, box.x + round(0.8 * box.width) :] == 1] = 2
    (one,) = classify([cropped(sheet, box)], [box], [0])
    ink_map = InkMap.of(written.page(sheet), sheet.ids.shape)
    assert ink_map.truth(one._replace(pieces=2))[0] == 5
    part = box._replace(height=round(0.62 * box.height))
    (upper,) = classify([cropped(sheet, part)], [part], [0])
    assert upper.digit == 5
    assert [ink_map.truth(upper._replace(pieces=n))[0] for n in (0, 2)] == [LEFT_OUT, NO_DIGIT], "cut, it is wrong"
