from datetime import UTC, datetime

import pytest

from edge.tracking.digit_tracks import DigitTracks
from edge.types import Box, Reading
from tests.edge.tracking.test_tracker import digits, unread_mark

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def reading(found, reason=None, unread=()):
    return Reading("film:", 0, NOON, tuple(found), reason, "m", 1.0, unread)


def page(text, **more):
    one = DigitTracks(enter=0.6, hold=5.0)
    one.update(reading(digits(text, **more)), 1.0, 0.0)
    one.mark_reported()
    assert one.text == text
    return one


@pytest.mark.parametrize(
    ("text", "gone"),
    [("123", {0}), ("123", {1}), ("123", {2}), ("12\n34", {0, 1}), ("12\n34", {2, 3}), ("12\n34\n56", {1, 2, 3, 4}),
     ("12\n34", {0, 1, 2, 3})],
)  # fmt: skip
def test_a_digit_missed_for_a_moment_keeps_its_place(text, gone):
    one = page(text)
    left = [digit for i, digit in enumerate(digits(text)) if i not in gone]
    one.update(reading(left), 0.3, 0.1)
    assert one.text == text
    one.update(reading(digits(text)), 0.3, 0.2)
    assert one.text == text


def test_what_is_written_between_two_digits_stands_between_them():
    one = page("13", pitch=120)
    inserted = digits("123", boxes=[Box(50, 50, 30, 50), Box(110, 50, 30, 50), Box(170, 50, 30, 50)])
    one.update(reading(inserted), 1.0, 0.1)
    assert one.text == "123"


def test_an_unread_mark_holds_a_digit_and_one_beside_it_does_not():
    for mark, text in ((unread_mark(105, 45, 40, 60), "12"), (unread_mark(300, 45, 40, 60), "1")):
        one = page("12")
        for n in range(10):
            one.update(reading(digits("1"), unread=(mark,)), 0.5, 0.1 * n)
        assert one.text == text


def test_what_comes_and_what_goes_change_in_the_same_frame():
    one = page("12")
    texts = []
    for n in range(10):
        one.update(reading(digits("34", x=300, y=200)), 0.2, 0.1 * n)
        texts.append(one.text)
    assert texts == sorted(texts)
    assert set(texts) == {"12", "34"}


def test_the_least_sure_digit_says_how_sure_the_page_is():
    one = page("1", confidence=0.7)
    assert one.confidence == pytest.approx(0.7)
    one.update(reading(digits("1", confidence=0.9)), 0.5, 0.1)
    assert one.confidence == pytest.approx(0.8)


def test_a_far_larger_digit_is_another_digit():
    one = page("1")
    sleeve = digits("1", boxes=[Box(0, -75, 130, 300)])
    one.update(reading(sleeve), 0.3, 0.1)
    assert sorted(place.box for line in one.lines for place in line) == [Box(0, -75, 130, 300), Box(50, 50, 30, 50)]
