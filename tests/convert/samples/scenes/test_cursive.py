"""Words are one mark where the hand joins letters, and digits beside them stay digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.data.marks import Marks
from convert.samples.scenes.cursive import join, write_line
from convert.samples.scenes.habits import Habits
from convert.samples.scenes.hand import Hand, choose_hand
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Source, Writers

ZIGZAG = np.array([[0, 0], [4, 9], [8, 2], [10, 10]], np.float32)
MARKS = Marks(ZIGZAG, np.array([0, 4]), np.array([0, 1]), ("a",), ("me",), np.zeros(1, bool), np.zeros(1, bool))
SOURCES = [Source(MARKS, 0)]
DIGITS = {digit: SOURCES for digit in "0123456789"}
LETTERS = {letter: SOURCES for letter in "abcdefghijklmnopqrstuvwxyz"}
ME = Writers({"me": DIGITS}, {"me": LETTERS}, LETTERS, [], [], {}, [], [], [])


@pytest.fixture
def hand() -> Hand:
    one = replace(choose_hand(ME, np.random.default_rng(0), 30.0), pictures="", bar=False, touch=0.0)
    return replace(one, habits=Habits(joined=True), slant=0.0, tilt=0.0)


def test_a_joined_word_is_one_mark(hand: Hand) -> None:
    sheet = Sheet.blank(100, 400)
    end = join(sheet, hand, "hello", 20, 30, np.random.default_rng(1))
    assert sheet.labels == ["paper", "word"] and 60 < end < 300
    left, top, right, bottom = sheet.box() or (0, 0, 0, 0)
    assert 5 < left < 30 and abs(right - end) < 30 and 20 < top < 40 and bottom < 80


def test_in_a_line_only_words_are_joined(hand: Hand) -> None:
    sheet = Sheet.blank(100, 700)
    write_line(sheet, hand, "12 eggs x", 20, 30, np.random.default_rng(1))
    assert sheet.labels == ["paper", "1", "2", "word", "x"]
    sheet = Sheet.blank(100, 700)
    write_line(sheet, replace(hand, habits=Habits()), "12 eggs", 20, 30, np.random.default_rng(1))
    assert sheet.labels == ["paper", "1", "2", "e", "g", "g", "s"]
