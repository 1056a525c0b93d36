import cv2
import numpy as np
import pytest

from edge.reading import annotate as room
from edge.reading.annotate import PICTURE_BYTES, WIDTH, LastRead, annotate
from edge.reading.reader import Reader


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
