import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.reading.reader import Reader
from edge.tracking.settings import TrackSettings
from edge.tracking.tracker import Tracker
from edge.types import Box, Digit, Frame, Reading, Unread
from tests.benchmarks.video import film

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
SET = TrackSettings()
LATEST = 0.5


def digits(text, *, x=50, y=50, pitch=60, confidence=0.98, rival=None, boxes=None):
    """Digits as the reader gives them; what is left of the confidence goes to the rival class, or to all."""
    found, n = [], 0
    for line, row in enumerate(text.split("\n") if text else []):
        for i, letter in enumerate(row):
            digit = int(letter)
            shares = [(1 - confidence) / 9] * 10
            if rival is not None:
                shares = [0.0] * 10
                shares[rival] = 1 - confidence
            shares[digit] = confidence
            box = boxes[n] if boxes else Box(x + i * pitch, y + line * 90, 30, 50)
            found.append(Digit(digit, confidence, line, box, tuple(shares)))
            n += 1
    return tuple(found)


def unread_mark(*box):
    return Unread(Box(*box), "no digit", None, 0.0)


def reading(text, seconds=0.0, *, reason=None, unread=(), **more):
    found = digits(text, **more)
    return Reading(
        "film:", 0, START + timedelta(seconds=seconds), found, None if found else reason or "blank", "m", 1.0, unread
    )


def play(steps, *, fps=30.0, tracker=None, begin=0.0):
    """Steps of (seconds, text or function of the frame's number -> Reading, or that and pixels) -> events and when."""
    tracker = tracker or Tracker()
    heard, n = [], 0
    for lasts, what in steps:
        for _ in range(round(lasts * fps)):
            at = begin + n / fps
            seen = what(n) if callable(what) else reading(what)
            seen, pixels = seen if isinstance(seen, tuple) else (seen, None)
            seen = replace(seen, captured_at=START + timedelta(seconds=at))
            frame = None if pixels is None else Frame(pixels, "film:", n)
            heard += [(at, event) for event in tracker.update(seen, at, frame)]
            n += 1
    return heard


def said(heard):
    return [(event.change, event.before, event.text) for _, event in heard]


def test_appeared_changed_cleared_each_within_half_a_second_and_with_the_moment_it_was_first_seen():
    heard = play([(1, ""), (2, "41"), (3, "42"), (2, "")])
    assert said(heard) == [("appeared", "", "41"), ("changed", "41", "42"), ("cleared", "42", "")]
    for (at, event), truth, held in zip(heard, (1.0, 3.0, 6.0), (1.0, 2.0, 3.0), strict=True):
        assert truth < at <= truth + LATEST
        assert event.at == START + timedelta(seconds=truth)
        assert event.held_seconds == pytest.approx(held)
        assert event.reading.text == event.text
        assert 0.9 < event.confidence <= 1
    assert heard[-1][1].reading.reason == "blank"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1234", "9876"),
        ("12", "123"),
        ("123", "12"),
        ("12", "12\n34"),
        ("12\n34", "12"),
        ("12\n34", "34"),
        ("5", "71\n6"),
    ],
)
def test_whatever_changes_is_one_event(before, after):
    assert said(play([(1, before), (1, after)])) == [("appeared", "", before), ("changed", before, after)]


def test_a_page_swapped_for_one_that_is_written_elsewhere_is_one_event():
    other = reading("987", x=70, y=75, pitch=80)
    assert said(play([(1, "1234"), (1, lambda n: other)])) == [("appeared", "", "1234"), ("changed", "1234", "987")]


def test_a_page_that_moves_is_the_same_page():
    moving = [(1, "123\n45"), (3, lambda n: reading("123\n45", x=50 + 4 * n, y=50 + n))]
    assert said(play(moving)) == [("appeared", "", "123\n45")]
    assert said(play([(2, "123"), (4, lambda n: reading("123", x=50 + 60 * (n % 3)))], fps=2)) == [
        ("appeared", "", "123")
    ]


def test_one_frame_is_no_event_whatever_it_says():
    for strange in ("", "7", "99999", "4\n2", "421"):
        steps = [(1, "42"), (1 / 30, strange), (0.5, "42"), (2 / 30, strange), (1, "42")]
        assert said(play(steps)) == [("appeared", "", "42")]


def test_a_digit_that_flickers_between_two_classes_is_one_of_them():
    def flicker(n):
        return reading("17" if n % 2 else "77", confidence=0.7, rival=7 if n % 2 else 1)

    assert said(play([(1, "17"), (10, flicker)])) == [("appeared", "", "17")]


def test_all_probabilities_count_and_not_only_the_best_class():
    """Three of five frames see a 1 just so, two of five surely a 7: together it is a 7."""

    def doubted(n):
        return reading("1", confidence=0.52, rival=7) if n % 5 < 3 else reading("7", confidence=0.99)

    heard = play([(1, "1"), (3, doubted)])
    assert said(heard) == [("appeared", "", "1"), ("changed", "1", "7")]


def test_a_digit_rejected_in_some_frames_is_still_there():
    mark = unread_mark(108, 48, 34, 54)

    def rejected(n):
        whole = reading("421")
        kept = tuple(d for i, d in enumerate(whole.digits) if i != 1)
        return whole if n % 4 == 0 else replace(whole, digits=kept, unread=(mark,))

    assert said(play([(1, "421"), (10, rejected)])) == [("appeared", "", "421")]


def test_a_quick_hand_over_the_digits_is_no_event():
    def hand(n):
        hidden = (n % 30) / 30 * 500 - 80
        whole = reading("123456")
        return replace(whole, digits=tuple(d for d in whole.digits if not hidden < d.box.x < hidden + 100))

    assert said(play([(1, "123456"), (3, hand), (1, "123456")])) == [("appeared", "", "123456")]


def sleeve(n, shade=90, speed=9):
    """A grey page of 640x480 with a sleeve on it that moves on, and where that is left and right."""
    page = np.full((480, 640), 200, np.uint8)
    left = n * speed - 100
    page[:, max(0, left) : max(0, left + 100)] = shade
    return page, left, left + 100


def covered(n, text="42", **more):
    """What is read beside the sleeve, a one on its edge, and the pixels."""
    page, left, right = sleeve(n, **more)
    whole = reading(text, x=200)
    seen = [d for d in whole.digits if d.box.x + d.box.width < left or d.box.x > right]
    shares = (0.0, 1.0) + (0.0,) * 8
    one = Digit(1, 1.0, 0, Box(right - 10, 48, 20, 55), shares)
    return replace(whole, digits=tuple(sorted([*seen, one], key=lambda d: d.box.x))), page


def test_a_sleeve_that_hides_digits_and_looks_like_a_1_passes():
    def alone(n):
        return covered(n - 30, speed=4)[0]

    bare = np.full((480, 640), 200, np.uint8)
    passing = [(1, lambda n: (reading("42", x=200), bare)), (2.5, lambda n: covered(n - 30, speed=4))]
    assert said(play([*passing, (1, lambda n: (reading("42", x=200), bare))])) == [("appeared", "", "42")]
    blind = said(play([(1, lambda n: reading("42", x=200)), (2.5, alone)]))
    assert len(blind) > 1, "the readings alone would have been believed"


def test_what_comes_to_rest_on_the_page_is_read_as_it_stands_there():
    """A sleeve that comes and stays hides the 2 for good: that is said once it has lain still."""
    bare = np.full((480, 640), 200, np.uint8)

    def stays(n):
        page = bare.copy()
        page[:, max(250, 640 - 13 * (n - 30)) :] = 90
        return reading("4" if n > 55 else "42", x=200), page

    heard = play([(1, lambda n: (reading("42", x=200), bare)), (4, stays)])
    assert said(heard) == [("appeared", "", "42"), ("changed", "42", "4")]
    assert 3 < heard[1][0] < 3 + 2 * LATEST


def test_what_never_stops_moving_over_the_page_hides_a_change_no_longer_than_the_hold():
    def busy(n):
        page = np.full((480, 640), 200, np.uint8)
        left = 40 * (n % 6)
        page[:, left : left + 260] = 90
        return reading("7", x=200), page

    bare = np.full((480, 640), 200, np.uint8)
    heard = play([(1, lambda n: (reading("42", x=200), bare)), (SET.hold + 2, busy)])
    assert said(heard) == [("appeared", "", "42"), ("changed", "42", "7")]
    assert 1 + SET.hold < heard[1][0] < 1 + SET.hold + 2 * LATEST


def test_what_is_not_sure_has_to_hold_for_twice_as_long():
    """A camera out of focus takes a 4 for a 6, and says that it is not sure of it."""
    unsure = [(1, "42"), (1.5 * SET.dwell, lambda n: reading("62", confidence=0.8)), (1, "42")]
    assert said(play(unsure)) == [("appeared", "", "42")]
    sure = [(1, "42"), (1.5 * SET.dwell, "62")]
    assert said(play(sure)) == [("appeared", "", "42"), ("changed", "42", "62")]
    heard = play([(1, "42"), (2, lambda n: reading("62", confidence=0.8))])
    assert said(heard) == [("appeared", "", "42"), ("changed", "42", "62")]
    assert 1 + 2 * SET.dwell < heard[1][0] < 1 + 2 * SET.dwell + LATEST


def test_a_frame_with_the_old_text_never_confirms_a_new_one():
    """The average over the frames before is still the other text."""
    for frames in range(6, 14):
        back = [(1, "42"), (frames / 30, "62"), (1, "42")]
        events = play(back)
        assert all(at <= 1 + frames / 30 for at, event in events if event.text == "62"), frames


def test_what_cannot_be_read_any_more_is_believed_for_so_long_and_no_longer():
    blurred = reading("", reason="blurred")
    heard = play([(2, "42"), (3 * SET.hold, lambda n: blurred)])
    assert said(heard) == [("appeared", "", "42"), ("cleared", "42", "")]
    assert SET.hold < heard[1][0] - 2 < SET.hold + 2 * LATEST
    assert heard[1][1].reading.reason == "blurred"


def test_a_camera_that_is_away_clears_nothing():
    tracker = Tracker()
    play([(2, "42")], tracker=tracker)
    tracker.camera_lost()
    assert said(play([(1, "42")], tracker=tracker, begin=5000.0)) == []
    tracker.camera_lost()
    heard = play([(1, "43")], tracker=tracker, begin=9000.0)
    assert said(heard) == [("changed", "42", "43")]
    assert heard[0][0] < 9000 + LATEST
    assert heard[0][1].held_seconds == pytest.approx(9000)


def test_what_was_half_believed_when_the_camera_went_away_has_to_be_seen_again():
    tracker = Tracker()
    play([(1, "42"), (0.2, "")], tracker=tracker)
    tracker.camera_lost()
    assert said(play([(1 / 30, ""), (1, "42")], tracker=tracker, begin=60.0)) == []
    play([(0.1, "43")], tracker=tracker, begin=70.0)
    tracker.camera_lost()
    ((_, event),) = play([(1, "43")], tracker=tracker, begin=99.0)
    assert event.at == START + timedelta(seconds=99)


@pytest.mark.parametrize("fps", [60.0, 30.0, 10.0, 5.0, 2.0, 0.5])
def test_at_any_frame_rate_two_frames_that_agree_are_enough_and_one_is_not(fps):
    lasts = max(1.0, 3 / fps)
    heard = play([(lasts, "42"), (lasts, "43")], fps=fps)
    assert said(heard) == [("appeared", "", "42"), ("changed", "42", "43")]
    began = round(lasts * fps) / fps
    assert began < heard[1][0] <= began + max(LATEST, 1 / fps)
    assert said(play([(lasts, "42"), (1 / fps, "43"), (lasts, "42")], fps=fps)) == [("appeared", "", "42")]


def test_the_wall_clock_may_jump():
    tracker, heard = Tracker(), []
    for n in range(90):
        year = 1970 if n < 45 else 2026
        seen = replace(reading("42" if n < 60 else "43"), captured_at=datetime(year, 1, 1, tzinfo=UTC))
        heard += tracker.update(seen, n / 30)
    assert [(event.text, event.at.year) for event in heard] == [("42", 1970), ("43", 2026)]
    assert heard[1].held_seconds == pytest.approx(2.0)


def test_after_an_event_there_is_none_for_a_while_but_it_is_not_lost():
    tracker = Tracker(TrackSettings(refractory=3.0))
    heard = play([(1, "1"), (1, "2"), (4, "3")], tracker=tracker)
    assert said(heard) == [("appeared", "", "1"), ("changed", "1", "3")]
    assert heard[1][0] - heard[0][0] >= 3.0


def test_a_text_that_never_settles_does_not_keep_the_old_one_for_ever():
    heard = play([(1, "5"), (30, lambda n: reading(str(1000 + n // 4)))])
    assert len(heard) >= 2
    assert all(later[0] - sooner[0] < SET.hold + 2 for sooner, later in zip(heard, heard[1:], strict=False))


TEXTS = ("", "1", "7", "17", "42", "421", "42\n7", "7\n42")
WORLD = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.floats(0.5, 1.0), st.floats(0.001, 1.5), st.integers(-6, 6)), max_size=60
)


def walk(world, shuffle=None):
    tracker, seconds, heard = Tracker(), 0.0, []
    for text, confidence, passed, moved in world:
        seconds += passed
        seen = reading(text, seconds, confidence=confidence, x=50 + moved)
        if shuffle:
            marks = [unread_mark(300, 10, 20, 20), unread_mark(105, 45, 40, 60), unread_mark(5, 300, 9, 9)]
            shuffle.shuffle(marks)
            seen = replace(seen, unread=tuple(marks))
        heard += tracker.update(seen, seconds)
    return heard


@settings(max_examples=40)
@given(WORLD)
def test_the_same_readings_make_the_same_chain_of_events(world):
    heard = walk(world)
    assert heard == walk(world)
    before = ""
    for event in heard:
        assert event.before == before != event.text
        assert event.change == ("cleared" if not event.text else "changed" if before else "appeared")
        assert event.held_seconds >= 0
        assert 0 <= event.confidence <= 1
        assert event.as_dict()["reading"]["source"] == event.as_dict()["source"]
        before = event.text


@settings(max_examples=40)
@given(WORLD, st.integers(0, 99))
def test_the_order_of_marks_does_not_matter(world, seed):
    assert walk(world, random.Random(0)) == walk(world, random.Random(seed))


@settings(max_examples=40)
@given(WORLD, st.sampled_from(TEXTS), st.floats(0.5, 1.0), st.sampled_from([30.0, 7.0, 1.0]))
def test_whatever_was_believed_what_is_there_wins_in_time(world, text, confidence, fps):
    tracker = Tracker()
    seconds = 0.0
    for old, sure, passed, _ in world:
        seconds += passed
        tracker.update(reading(old, confidence=sure), seconds)
    frames = round((SET.hold + 3) * fps) + 4
    for n in range(frames):
        tracker.update(reading(text, confidence=confidence, rival=3), seconds + (n + 1) / fps)
    assert tracker.text == text


@pytest.mark.slow
def test_a_real_film_through_the_reader(reader: Reader):
    """Changes of every kind with noise, blur, light and hands, from drawn pages through the whole reader."""
    tracker, told, truths, at = Tracker(), [], [], 0.0
    for n, shot in enumerate(film(8, reader, seconds=6.0)):
        if not truths or truths[-1][1] != shot.truth:
            truths.append((shot.seconds, shot.truth))
        moment = START + timedelta(seconds=shot.seconds)
        frame = Frame(shot.pixels, "film:", n, moment)
        told += [(shot.seconds, e.text) for e in tracker.update(reader.read(frame), shot.seconds, frame)]
        at = shot.seconds
    written = [(when, text) for when, text in truths if (when, text) != (0.0, "") and when < at - LATEST]
    assert len(written) >= 2
    assert [text for _, text in told] == [text for _, text in written]
    assert all(-LATEST <= heard - when <= LATEST for (heard, _), (when, _) in zip(told, written, strict=True))
