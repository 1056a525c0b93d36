from collections.abc import Callable
from typing import get_args

import cv2
import numpy as np
import pytest

from edge.reading.candidates import Candidate
from edge.reading.decide import CLUTTER, LIKELY, UNSURE, is_likely, reason_for_nothing, reason_for_unread
from edge.reading.evidence import Surroundings
from edge.reading.reader import Reader
from edge.types import Box, Pixels, PlainUnreadReason
from edge.vision.clean import Cleaned, clean
from edge.vision.segment import Mark, Segments
from edge.vision.settings import VisionSettings
from tests.support import candidates

Page = Callable[..., Pixels]
SHAPE = (200, 400)


def reason(one: Candidate, *others: Candidate, side: float = 40, level: float = 200) -> str:
    return reason_for_unread(one, (one, *others), surroundings(np.zeros(SHAPE, np.uint8), side), level)


def surroundings(rules: Pixels, side: float = 40) -> Surroundings:
    """A page of digits of this size, from which these rules were removed."""
    cleaned = Cleaned(rules, rules, None, 1.0, "dark", 20.0, 5.0, True, None)
    return Surroundings(cleaned, Segments(np.zeros_like(rules), (), side, (), None))


def mark(x: int = 100, y: int = 80, width: int = 20, height: int = 40, **more: object) -> Candidate:
    return candidates.candidate(np.full((height, width), 200, np.uint8), Box(x, y, width, height), **more)  # type: ignore[arg-type]


LETTER = candidates.others(letter=0.9)


def test_a_mark_for_which_nothing_else_speaks_is_no_digit() -> None:
    assert reason(mark()) == reason(mark(others=LETTER)) == "no digit"


@pytest.mark.parametrize(("x", "y"), [(0, 80), (380, 80), (100, 0), (100, 160)])
def test_at_the_border_it_is_cut_off(x: int, y: int) -> None:
    assert reason(mark(x, y)) == "cut off by the border"
    assert reason(mark(x, y, share=0.5)) == "cut off by the border", "nobody knows what the rest would be"


@pytest.mark.parametrize(("digit", "second"), [(4, 9), (9, 4)])
def test_two_digits_are_named_where_it_may_be_either(digit: int, second: int) -> None:
    unsure = mark(digit=digit, second=second, share=UNSURE - 0.05)
    assert reason(unsure) == "unsure between 4 and 9"
    assert reason(mark(digit=digit, second=second, share=UNSURE)) == "no digit"
    assert reason(unsure._replace(others=LETTER)) == "no digit", "it is rather a letter"


def test_what_is_much_smaller_than_the_digits_is_too_small() -> None:
    assert reason(mark(width=6, height=10)) == "too small"
    assert reason(mark(width=20, height=6)) == "no digit", "its longer side counts"
    assert reason(mark(width=6, height=10), side=20) == "no digit"


def test_what_is_much_fainter_than_the_digits_is_too_faint() -> None:
    assert reason(mark(), level=500) == "too faint"
    assert reason(mark(), level=0) == "no digit", "nothing was read that it could be compared with"


def test_beside_a_letter_it_is_part_of_a_word() -> None:
    assert reason(mark(), mark(125, others=LETTER)) == "part of a word"
    assert reason(mark(), mark(60, others=LETTER)) == "part of a word"
    assert reason(mark(), mark(225, others=LETTER)) == "no digit", "far away"
    assert reason(mark(), mark(125, line=1, others=LETTER)) == "no digit", "in another line"
    assert reason(mark(others=LETTER), mark(125, others=LETTER)) == "no digit", "a letter itself"


def test_a_digit_is_named_only_where_it_is_likely() -> None:
    assert is_likely(mark(belief=LIKELY)) and not is_likely(mark(belief=LIKELY - 0.01))


def unread(reader: Reader, picture: Pixels) -> dict[int, str]:
    """The reason of each mark that was not read, by its place from left to right in tens of pixels."""
    marks = reader.read(picture).unread
    assert all(one.reason in get_args(PlainUnreadReason) or "unsure between" in one.reason for one in marks)
    return {one.box.x // 10: one.reason for one in marks}


def test_reasons_on_a_drawn_page(page: Page) -> None:
    """With everything left unread the reasons are those of the marks themselves."""
    picture = np.full((300, 800), 230, np.uint8)
    picture[:, 200:600] = page("25", height=300, width=400)
    cv2.putText(picture, "W", (30, 200), cv2.FONT_HERSHEY_SIMPLEX, 4, 50, 9, cv2.LINE_AA)
    cv2.line(picture, (680, 100), (680, 130), 50, 9)
    cv2.putText(picture, "M", (745, 200), cv2.FONT_HERSHEY_SIMPLEX, 4, 50, 9, cv2.LINE_AA)
    with Reader(min_confidence=1.0) as strict:
        reasons = [reason for _, reason in sorted(unread(strict, picture).items())]
    assert reasons == ["no digit", "no digit", "no digit", "too small", "cut off by the border"]


def test_letters_on_a_drawn_page_are_no_digits(reader: Reader) -> None:
    picture = np.full((300, 640), 230, np.uint8)
    cv2.putText(picture, "KMR", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 5, 50, 9, cv2.LINE_AA)
    assert set(unread(reader, picture).values()) <= {"no digit", "part of a word"}


def test_a_digit_that_leaves_the_picture_is_cut_off(page: Page) -> None:
    picture = page("25")
    columns = np.flatnonzero((picture < 120).any(axis=0))
    cut = np.ascontiguousarray(picture[:, : columns.max() - 30])
    with Reader(min_confidence=1.0) as strict:
        marks = strict.read(cut).unread
    assert [one.reason for one in marks][-1] == "cut off by the border"


def segments(count: int, reason: str | None = None) -> Segments:
    marks = tuple(Mark((i + 1,), Box(30 * i, 0, 20, 40)) for i in range(count))
    return Segments(np.zeros((10, 10), np.uint8), marks, 40.0, (), reason)  # type: ignore[arg-type]


def test_why_nothing_was_read() -> None:
    blank = clean(np.full((100, 100), 200, np.uint8), VisionSettings(), light_ink=False)
    assert reason_for_nothing(blank, segments(0, "blank")) == "blank"
    inked = blank._replace(reason=None)
    assert reason_for_nothing(inked, segments(0, "too_small")) == "too_small"
    assert reason_for_nothing(inked._replace(reason="low_contrast"), segments(0, "blank")) == "low_contrast"
    assert reason_for_nothing(inked, segments(CLUTTER - 1)) == "uncertain"
    assert reason_for_nothing(inked, segments(CLUTTER)) == "clutter"


def test_the_reasons_of_drawn_pages_without_a_digit(reader: Reader) -> None:
    paper = np.full((480, 640), 230, np.uint8)
    assert reader.read(paper).reason == "blank"
    letter = paper.copy()
    cv2.putText(letter, "W", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 5, 50, 9, cv2.LINE_AA)
    assert reader.read(letter).reason == "uncertain"
    text = paper.copy()
    for y in range(80, 460, 80):
        cv2.putText(text, "WRM XKA", (40, y), cv2.FONT_HERSHEY_SIMPLEX, 2, 50, 4, cv2.LINE_AA)
    assert reader.read(text).reason == "clutter"


@pytest.mark.parametrize(("y", "struck"), [(100, True), (82, False), (119, False)])
def test_a_line_through_its_middle_strikes_it_out(y: int, struck: bool) -> None:
    one, rules = mark(), np.zeros(SHAPE, np.uint8)
    cv2.line(rules, (60, y), (200, y), 255, 2)
    assert (reason_for_unread(one, [one], surroundings(rules), 200) == "struck out") == struck
