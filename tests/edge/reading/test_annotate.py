from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.reading import annotate as room
from edge.reading.annotate import PICTURE_BYTES, UNREAD, WHITE, WIDTH, LastRead, annotate
from edge.reading.reader import Analysis, Reader
from edge.types import Box, Unread


@pytest.mark.parametrize("size", [(28, 28), (480, 640), (2000, 3000), (3000, 300), (60, 1500)])
def test_a_picture_of_any_size_is_annotated(reader: Reader, page, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    pixels = page("1", height=size[0], width=size[1])
    picture = annotate(pixels, reader.analyse(pixels))
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.shape[1] <= WIDTH
    assert picture.shape[0] > 30


def test_digits_are_boxed_and_their_glyphs_shown(reader: Reader, page) -> None:  # type: ignore[no-untyped-def]
    pixels = page("2357")
    analysis = reader.analyse(pixels)
    picture = annotate(pixels, analysis)
    assert len(analysis.glyphs) == 4
    # The frame is grey: colour is what was drawn on it.
    coloured = picture[:480].max(axis=2).astype(int) - picture[:480].min(axis=2) > 30
    for glyph in analysis.glyphs:
        x, y, width, height = glyph.box
        assert coloured[y - 3, x : x + width].mean() > 0.5
        assert not coloured[y + 2 : y + height - 2, x + 2 : x + width - 2].all()
    shown = picture[480:]
    assert (shown.min(axis=2) == 0).any() and (shown.max(axis=2) == 255).any()


def drawn(pixels: np.ndarray, analysis: Analysis, *boxes: Box) -> np.ndarray:
    """Which pixels of the frame differ where marks in these boxes were not read."""
    marks = tuple(Unread(box, "part of a word", None, 0.0) for box in boxes)
    without, with_marks = (
        annotate(pixels, analysis._replace(reading=replace(analysis.reading, unread=unread))) for unread in ((), marks)
    )
    assert np.array_equal(without[len(pixels) :], with_marks[len(pixels) :])
    changed = (without != with_marks).any(axis=2)[: len(pixels)]
    # Neither grey nor white has a colour, which digits that were read have.
    assert np.ptp(with_marks[: len(pixels)][changed], axis=1).max() == 0
    return np.where(changed, with_marks[: len(pixels), :, 0], 0)


def test_a_mark_that_was_not_read_gets_a_dashed_box_and_its_reason(reader: Reader) -> None:
    dark = np.full((480, 640), 20, np.uint8)
    seen = drawn(dark, reader.analyse(dark), Box(200, 100, 50, 60))
    sides = [seen[97, 197:253], seen[163, 197:253], seen[97:163, 197], seen[97:163, 253]]
    for side in sides:
        assert set(side.tolist()) == {UNREAD[0], WHITE[0]}
        assert 8 <= np.count_nonzero(np.diff(side.astype(int))) <= 16, "dashes"
    assert not seen[98:163, 198:253].any(), "the mark itself stays visible"
    rows, columns = np.nonzero(seen[:97])
    assert rows.min() > 70 and columns.min() > 190 and columns.max() < 330, "the reason, above the box"
    assert np.count_nonzero(seen[:97] == WHITE[0]) > 500 and np.count_nonzero((seen[:97] > 0) & (seen[:97] < 200)) > 100
    assert not seen[164:].any()


def test_a_reason_stands_below_its_box_at_the_top_and_is_left_out_where_it_would_cover_something(
    reader: Reader,
) -> None:
    dark = np.full((480, 640), 20, np.uint8)
    analysis = reader.analyse(dark)
    at_top = drawn(dark, analysis, Box(600, 5, 30, 60))
    assert at_top[70:100, 500:640].any(), "it does not leave the picture"
    between = [Box(x, y, 40, 40) for y in (100, 150, 200) for x in (100, 150, 200)]
    dense = drawn(dark, analysis, *between)
    for x, y, width, height in between:
        assert set(dense[y - 3, x - 3 : x + width + 3].tolist()) == {UNREAD[0], WHITE[0]}
        assert not dense[y : y + height, x : x + width].any()
    whole = drawn(dark, analysis, Box(0, 0, 640, 480))
    assert np.count_nonzero(whole) <= 2 * (640 + 480), "a box along the border, and no room for a reason"


def test_reasons_cover_no_digit_that_was_read(reader: Reader, page) -> None:  # type: ignore[no-untyped-def]
    pixels = page("2357")
    analysis = reader.analyse(pixels)
    x, y, width, height = analysis.reading.digits[1].box
    seen = drawn(pixels, analysis, Box(x, y + height + 10, width, 20), Box(x, max(0, y - 20), width, 5))
    assert not seen[y : y + height, x : x + width].any()


def test_the_reason_for_reading_nothing_is_drawn(reader: Reader) -> None:
    blank = np.full((480, 640), 230, np.uint8)
    analysis = reader.analyse(blank)
    picture = annotate(blank, analysis)
    assert (picture[480:] < 100).any(), "the reason is written there"


def test_the_last_reading_is_drawn_once_as_a_jpeg_and_anew_for_the_next_one(reader: Reader, page, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    last, drawn = LastRead(), []
    monkeypatch.setattr(room, "annotate", lambda *what: drawn.append(what) or annotate(*what))
    assert last.jpeg() is None
    pixels = page("12")
    last.show(pixels, reader.analyse(pixels))
    first = last.jpeg()
    assert first is not None and first[0] == 1 and first == last.jpeg() and len(drawn) == 1
    picture = cv2.imdecode(np.frombuffer(first[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == annotate(pixels, reader.analyse(pixels)).shape
    last.show(pixels, reader.analyse(pixels))
    second = last.jpeg()
    assert second is not None and second[0] == 2 and len(drawn) == 2


def test_the_jpeg_of_a_noisy_picture_is_no_larger_than_the_limit(reader: Reader) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000), np.uint8)
    last = LastRead()
    last.show(noise, reader.analyse(noise))
    found = last.jpeg()
    assert found is not None and 1000 < len(found[1]) <= PICTURE_BYTES
