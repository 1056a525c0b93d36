import numpy as np
import pytest

from edge.annotate import WIDTH, annotate
from edge.reader import Reader


@pytest.mark.parametrize("size", [(28, 28), (480, 640), (2000, 3000), (3000, 300), (60, 1500)])
def test_a_picture_of_any_size_is_annotated(reader: Reader, page, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    pixels = page("1", height=size[0], width=size[1])
    picture = annotate(pixels, reader.look(pixels))
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.shape[1] <= WIDTH
    assert picture.shape[0] > 30


def test_digits_are_boxed_and_their_glyphs_shown(reader: Reader, page) -> None:  # type: ignore[no-untyped-def]
    pixels = page("2357")
    sight = reader.look(pixels)
    picture = annotate(pixels, sight)
    assert len(sight.glyphs) == 4
    # The frame is grey: colour is what was drawn on it.
    coloured = picture[:480].max(axis=2).astype(int) - picture[:480].min(axis=2) > 30
    for glyph in sight.glyphs:
        x, y, width, height = glyph.box
        assert coloured[y - 3, x : x + width].mean() > 0.5
        assert not coloured[y + 2 : y + height - 2, x + 2 : x + width - 2].all()
    shown = picture[480:]
    assert (shown.min(axis=2) == 0).any() and (shown.max(axis=2) == 255).any()


def test_nothing_read_is_said(reader: Reader) -> None:
    blank = np.full((480, 640), 230, np.uint8)
    sight = reader.look(blank)
    picture = annotate(blank, sight)
    assert (picture[480:] < 100).any(), "the reason is written there"
