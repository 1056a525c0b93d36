"""Candidates on drawn pages get the truth of the ink map, on however many cores they are made."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.samples.scenes import Page
from convert.samples.scenes.sheet import UNCLEAR, Sheet
from convert.training import belief_samples
from convert.training.belief_samples import (
    KINDS,
    LEFT_OUT,
    NO_DIGIT,
    InkMap,
    Pages,
    Place,
    Samples,
    collect,
    make,
    samples_of,
)
from edge.errors import ModelError
from edge.model.classifier import Model, packaged_model
from edge.reading.candidates import Classifier
from edge.reading.evidence import SEVERAL
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from edge.vision.settings import VisionSettings
from tests.support import files, written


@pytest.fixture(scope="module")
def classify() -> Classifier:
    return Classifier(Model(), VisionSettings().interpolation, Stopwatch())


def samples(page: Page, classify: Classifier, kind: str, negative: bool = False) -> Samples:
    """Those of one kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(belief_samples, "NEGATIVE_SHARE", float(negative))
        found = samples_of(page, classify, np.random.default_rng(1))
    return found[found["kind"] == KINDS.index(kind)]


def truth(page: Page, classify: Classifier, ink: Pixels, box: Box) -> tuple[int, str]:
    """What the ink map says of a candidate with this ink at this place."""
    (one,) = classify([ink], [box], [0])
    digit, kind = InkMap.of(page, page.ids.shape).truth(one)
    return digit, KINDS[kind]


def box_of(sheet: Sheet, *marks: int) -> Box:
    return Box(*cv2.boundingRect(np.isin(sheet.ids, marks).astype(np.uint8)))


def cropped(sheet: Sheet, box: Box) -> Pixels:
    return sheet.ink[box.y : box.y + box.height, box.x : box.x + box.width]


@pytest.mark.parametrize("light_ink", [False, True])
def test_digits_that_stand_apart_are_themselves(classify: Classifier, light_ink: bool) -> None:
    found = samples(written.page(written.sheet("2357"), light_ink=light_ink), classify, "digit")
    assert found["truth"].tolist() == [2, 3, 5, 7] == found["digit"].tolist()
    assert found["looked_at"].all() and (found["view"].max(axis=(1, 2, 3)) > 200).all()


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


def test_what_is_unclear_is_no_sample(classify: Classifier) -> None:
    sheet = written.sheet("58")
    sheet.labels[1] = UNCLEAR
    assert samples(written.page(sheet), classify, "digit")["truth"].tolist() == [8]


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


def test_digits_that_touch_are_right_where_they_are_cut_between(classify: Classifier) -> None:
    page = written.page(written.sheet("2435", gap=(40, -14, 40)))
    assert samples(page, classify, "digit")["truth"].tolist() == [2, SEVERAL, 5]
    assert samples(page, classify, "cut")["truth"].tolist() == [4, 3]


def test_two_digits_that_are_joined_are_several(classify: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belief_samples, "ANY_SHARE", 1.0)
    page = written.page(written.sheet("2115", gap=(40, 10, 40), seed=3))
    assert samples(page, classify, "digit")["truth"].tolist() == [2, 1, 1, 5]
    joined = samples(page, classify, "joined")
    assert len(joined) and (joined["truth"] == SEVERAL).all()


def test_in_the_wrong_polarity_all_are_none(classify: Classifier) -> None:
    page = written.page(written.sheet("2435", gap=(40, -14, 40)))
    found = samples(page, classify, "wrong polarity", negative=True)
    assert len(found) and (found["truth"] == NO_DIGIT).all()
    assert not len(samples(page, classify, "wrong polarity"))


def test_the_samples_are_the_same_on_one_core_and_on_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written.data(tmp_path / "data")
    place = Place(packaged_model(), folder / "marks", str(folder / "mnist.npz"))
    pages, done = Pages(4, (1, 0), held_out=False), []
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    two = collect(place, pages, done.append)
    assert sum(done) == 4 and len(done) == 2
    here = make(place, pages, 0, 4)
    assert np.array_equal(two, here) and len(here) > 4
    other = make(place, Pages(4, (2, 0), held_out=False), 0, 4)
    assert len(other) != len(here) or not np.array_equal(other, here)


def test_a_model_that_knows_only_digits_is_refused(tmp_path: Path) -> None:
    path, card = tmp_path / "digits.tflite", files.card()
    path.write_bytes(files.with_card(replace(card, labels=tuple(map(str, range(len(card.labels)))))))
    with pytest.raises(ModelError, match="knows only digits; give one that edge-train made"):
        Place(path, tmp_path, None).check()
