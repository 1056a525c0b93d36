from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, styles
from edge.model.classifier import Model
from edge.reading.candidates import OTHER_CLASSES, Candidate, Classifier, Shape, measure
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from tests.support import candidates


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def classified(model: Any, *inks: Pixels, judge: Any = None) -> list[Candidate]:
    boxes = [Box(10 * i, 0, ink.shape[1], ink.shape[0]) for i, ink in enumerate(inks)]
    return Classifier(model, "area", Stopwatch(), judge)(inks, boxes, list(range(len(inks))))


def written(digit: int) -> Pixels:
    style = styles.WritingStyle(forms=(0,) * 10)
    return rendering.render(rendering.draw(digit, np.random.default_rng(digit), style), 120, 120, 9)


def typed(text: str) -> Pixels:
    ink = np.zeros((120, 120), np.uint8)
    cv2.putText(ink, text, (10, 100), cv2.FONT_HERSHEY_SIMPLEX, 3.5, 255, 9, cv2.LINE_AA)
    return ink


def knows(labels: str, *probabilities: float, none: float | None = None) -> Any:
    """A model that says the same of every glyph; ``none``: it also knows what is no digit."""
    named = (*labels, *(("none",) if none is not None else ()))
    row = [*probabilities, *((none,) if none is not None else ())]
    card = SimpleNamespace(labels=named, digits=tuple(int(one) if one != "none" else None for one in named))
    return SimpleNamespace(card=card, predict=lambda glyphs: np.array([row] * len(glyphs), np.float32))


def test_every_written_digit_is_classified_in_its_place(model: Model) -> None:
    found = classified(model, *map(written, range(10)))
    assert [one.digit for one in found] == list(range(10))
    assert [one.line for one in found] == list(range(10))
    assert [one.box.x for one in found] == list(range(0, 100, 10))
    for one in found:
        assert one.likeness > 0.5 and one.second != one.digit
        assert one.glyph.shape == (28, 28) and one.glyph.max() == 255
        assert one.probabilities.sum() == pytest.approx(1, abs=0.02)
        assert (one.belief, one.context, one.pieces) == (0.0, None, 0), "not yet known"


@pytest.mark.parametrize(
    ("text", "label"), [("+", "plus"), ("=", "equals"), ("W", "letter"), ("M", "letter"), ("%", "percent")]
)
def test_what_is_no_digit_looks_like_no_digit(model: Model, text: str, label: str) -> None:
    (one,) = classified(model, typed(text))
    assert one.likeness < 0.5
    assert one.others[OTHER_CLASSES.index(label)] > 0.3 or one.others[-1] > 0.3


def test_nothing_is_asked_of_the_model_without_ink() -> None:
    assert classified(knows("01", 0.5, 0.5)) == []


def test_the_labels_say_which_output_is_which_digit() -> None:
    (one,) = classified(knows("97", 0.2, 0.6, none=0.2), written(7))
    assert (one.digit, one.second) == (7, 9)
    assert one.share == pytest.approx(0.75)
    assert one.others[-1] == pytest.approx(0.2) and sum(one.others[:-1]) == 0, "other classes it does not know"
    assert one.likeness == pytest.approx(0.75 * 0.8)


def test_each_digit_has_its_share_of_all_digits() -> None:
    (one,) = classified(knows("972", 0.2, 0.4, 0.2, none=0.2), written(7))
    assert one.shares == pytest.approx(candidates.shares({9: 0.25, 7: 0.5, 2: 0.25}))
    (never,) = classified(knows("97", 0.0, 0.0, none=1.0), written(7))
    assert never.shares == (0.0,) * 10, "none is likely, and none is divided by 0"


def test_the_share_is_that_of_the_digit_whatever_it_is_named() -> None:
    one = candidates.candidate(digit=4, second=9, share=0.7, others=candidates.others(none=0.5))
    assert (one.share, one.likeness) == pytest.approx((0.7, 0.35))
    renamed = one._replace(digit=9)
    assert (renamed.share, renamed.likeness) == pytest.approx((0.3, 0.15))


def test_a_model_of_one_digit_has_no_other_choice() -> None:
    (one,) = classified(knows("7", 1.0), written(7))
    assert (one.digit, one.second, one.share) == (7, 7, 1.0)


@pytest.mark.parametrize(("says", "share"), [((0.05, 0.05), 0.5), ((0.08, 0.02), 0.2), ((0.02, 0.08), 0.7)])
def test_where_a_model_knows_only_digits_the_other_one_judges(says: tuple[float, float], share: float) -> None:
    """The reading model says which digit, the other one whether it is any; it can only lower how sure the first is."""
    (one,) = classified(knows("17", 0.3, 0.7), written(7), judge=knows("17", *says, none=0.9))
    assert one.digit == 7
    assert one.others[-1] == pytest.approx(0.9)
    assert one.share == pytest.approx(share)


def test_the_shape_of_a_bar_is_its_width_and_level() -> None:
    bar = np.zeros((60, 30), np.uint8)
    bar[10:50, 10:18] = 200
    shape = measure(bar)
    assert (shape.area, shape.level) == (320, 200)
    assert shape.stroke == pytest.approx(320 / (2 * (40 + 8 - 2) / 2))
    assert shape.thickest == pytest.approx(8, abs=1)
    assert measure(bar[10:50, 10:18]) == shape, "a margin changes nothing"
    blob = bar.copy()
    cv2.circle(blob, (14, 30), 9, 200, -1)
    assert measure(blob).thickest > 1.8 * shape.thickest
    assert measure(np.full((9, 9), 40, np.uint8)) == measure(np.zeros((9, 9), np.uint8)) == Shape(0, 1, 0, 1, 0)


def test_candidates_are_equal_only_to_themselves() -> None:
    one, other = candidates.candidate(), candidates.candidate()
    assert one == one and one != other and one in [other, one]
    assert len({one, other, one}) == 2
