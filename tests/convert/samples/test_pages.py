from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.data import mnist
from convert.samples import pages
from edge.reading.reader import Reader
from edge.types import Pixels
from edge.vision.clean import Cleaned, clean
from edge.vision.normalise import normalise
from edge.vision.settings import VisionSettings
from tests.support import small

seeds = st.integers(0, 2**32 - 1)
PAGE = pages.ROWS * pages.COLUMNS


def test_the_same_seed_gives_the_same_glyphs_whatever_comes_after() -> None:
    glyphs = small.data().train[: 2 * PAGE + 3]
    before = glyphs.copy()
    found = pages.through_camera(glyphs, [1, 2])
    assert found.shape == glyphs.shape and found.dtype == np.uint8
    assert np.array_equal(found, pages.through_camera(glyphs, [1, 2]))
    assert np.array_equal(found[:PAGE], pages.through_camera(glyphs[:PAGE], [1, 2]))
    assert not np.array_equal(found[:PAGE], pages.through_camera(glyphs[:PAGE], [1, 3])[:PAGE])
    assert not np.array_equal(found, pages.through_camera(glyphs, 1))
    assert np.array_equal(glyphs, before)
    assert pages.through_camera(glyphs[:0], 1).shape == (0, 28, 28)


def test_each_digit_comes_out_where_it_went_in_and_nothing_where_there_was_none() -> None:
    glyphs = np.stack([normalise(glyph) for glyph in small.data().train[: PAGE + 40]])
    blank = np.arange(0, len(glyphs), 7)
    glyphs[blank] = 0
    found = pages.through_camera(glyphs, 3)
    assert np.array_equal(np.flatnonzero(~found.any(axis=(1, 2))), blank)
    # Each is still more like itself than like others; many are the same digit in the same font.
    kept = np.setdiff1d(np.arange(len(glyphs)), blank)
    before, after = (one[kept].reshape(len(kept), -1).astype(np.float32) for one in (glyphs, found))
    before, after = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (before, after))
    alike = after @ before.T
    rank = (alike > np.diag(alike)[:, None]).sum(axis=1)
    assert np.median(rank) <= 3 and np.mean(rank < 12) > 0.9


def test_a_model_reads_mnist_as_the_camera_sees_it(data: Path, reader: Reader) -> None:
    real = mnist.load_mnist(str(data / "mnist"))
    # Some of each page: ten pages, and so ten kinds of light.
    found = pages.through_camera(real.test[: 10 * PAGE], 5)
    digits = reader.model.predict(found)[:, :10].argmax(axis=1)
    assert np.mean(digits == real.test_labels[: len(found)]) > 0.98
    assert np.mean(np.abs(found.astype(int) - real.test[: len(found)])) > 5, "no digit is as it was"


@given(seed=seeds, cell=st.integers(*pages.CELL_SIDE))
def test_a_page_holds_each_digit_whole_in_its_own_cell(seed: int, cell: int) -> None:
    rng = np.random.default_rng(seed)
    glyphs = small.data().train[:30]
    ink = pages.draw_page(glyphs, cell, rng)
    assert ink.shape == (pages.ROWS * cell, pages.COLUMNS * cell)
    cells = ink.reshape(pages.ROWS, cell, pages.COLUMNS, cell).swapaxes(1, 2).reshape(-1, cell, cell)
    assert not cells[30:].any()
    inner = cells.copy()
    inner[:, 1:-1, 1:-1] = 0
    assert not inner.any(), "digits never touch those beside them"
    pens = cells[:30].max(axis=(1, 2))
    assert pens.min() >= 255 * pages.PALEST_PEN - 1 and len(set(pens.tolist())) > 10
    sides = [max(np.ptp(np.nonzero(one)[0]), np.ptp(np.nonzero(one)[1])) + 1 for one in cells[:30]]
    # A turn by 8 degrees makes a box longer by at most 14 %, and soft edges count.
    assert 0.38 * cell <= min(sides) < 0.55 * cell and 0.68 * cell < max(sides) <= 0.95 * cell


def test_a_shadow_has_two_sides_and_an_edge_between_them() -> None:
    page = np.full((400, 500), 200, np.uint8)
    for seed in range(20):
        shaded = pages.add_shadow(page, np.random.default_rng(seed), 0.4, 10)
        lit, dark = (float(np.mean(np.abs(shaded.astype(int) - level) <= 1)) for level in (200, 120))
        assert lit > 0.02 and dark > 0.02 and lit + dark > 0.94
        assert shaded.min() >= 119, "it takes no more than it may"
        # Ten pixels from one side to the other: 8 grey levels each.
        steps = np.hypot(*np.gradient(shaded.astype(np.float32)))
        assert 6 < np.quantile(steps[(shaded > 130) & (shaded < 190)], 0.5) < 10


@pytest.mark.parametrize("sigma", [0.5, 3.0, 9.0])
def test_grain_is_normal_and_stays_within_the_greys(sigma: float) -> None:
    page = np.full((300, 400), 128, np.uint8)
    off = pages.add_noise(page, np.random.default_rng(4), sigma).astype(float) - 128
    assert abs(off.mean()) < 0.05 * sigma
    # Rounding to whole greys adds a variance of a twelfth.
    assert off.std() == pytest.approx(np.hypot(sigma, 12**-0.5), rel=0.1)
    # Of a normal distribution 4.6 % lies beyond two deviations; of an even one nothing.
    if sigma > 1:
        assert np.mean(np.abs(off) > 2 * sigma) == pytest.approx(0.046, abs=0.03)
    side = np.corrcoef(off[:, 1:].ravel(), off[:, :-1].ravel())[0, 1]
    assert abs(side) < 0.02, "each pixel has its own"
    assert pages.add_noise(np.full_like(page, 255), np.random.default_rng(4), sigma).min() > 200, "nothing wraps round"


def test_photographs_differ_in_paper_and_contrast() -> None:
    ink = np.zeros((320, 400), np.uint8)
    ink[100:220, 190:210] = 255
    contrasts, papers = [], []
    for seed in range(60):
        page = pages.photograph(ink, np.random.default_rng(seed), 70).astype(float)
        beside = np.concatenate([page[120:200, 160:184], page[120:200, 216:240]])
        papers.append(float(np.median(beside)))
        contrasts.append(1 - float(np.median(page[120:200, 195:205])) / papers[-1])
    assert min(papers) < 90 and max(papers) > 190
    assert 0.1 < min(contrasts) < 0.4 and max(contrasts) > 0.8


def cleaned(cell: int) -> tuple[Cleaned, Pixels, Pixels]:
    """A page of blank, clean cells, and its ink and its sure ink to write into."""
    ink, sure = (np.zeros((pages.ROWS * cell, pages.COLUMNS * cell), np.uint8) for _ in range(2))
    return Cleaned(ink, ink, sure, 1.0, "dark", 1.0, 5.0, True, None), ink, sure


def test_a_digit_is_all_sure_ink_of_its_cell_without_specks() -> None:
    page, ink, sure = cleaned(80)
    # In the cell of row 1, column 2: a stem and its bar, a speck, and faint ink that hangs on to nothing.
    ink[100:150, 180:186] = 255
    ink[100:106, 192:216] = 255
    sure[120:125, 180:186] = sure[102:104, 200:210] = 255
    ink[152:155, 230:233] = sure[152:155, 230:233] = 255
    ink[84:94, 230:236] = 255
    found = pages.cut_digits(page, 80, 30)
    assert found.shape == (30, 28, 28)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [12]
    wide = np.flatnonzero(found[12].any(axis=0))
    assert 13 <= np.ptp(wide) <= 15, "36 of 50 pixels, in a box of 20"
    assert np.count_nonzero(found[12].max(axis=0) > 200) >= 11, "stem and bar"
    # What crosses cells is no digit of any of them.
    ink[300:304, 100:700] = sure[300:304, 100:700] = 255
    assert np.array_equal(pages.cut_digits(page, 80, 80)[:30], found)
    assert not pages.cut_digits(page, 80, 80)[30:].any()


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5])
def test_a_digit_is_that_of_its_cell_at_any_working_scale(scale: float) -> None:
    page, ink, sure = cleaned(80)
    for row, column in ((0, 0), (1, 2), (7, 9)):
        ink[80 * row + 20 : 80 * row + 70, 80 * column + 30 : 80 * column + 40] = 255
    size = (round(800 * scale), round(640 * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_NEAREST)
    found = pages.cut_digits(page._replace(ink=small, mask=small, sure=None, scale=scale), 80, 80)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [0, 12, 79]


@pytest.mark.parametrize("level", [40, 128, 250])
def test_where_nothing_is_left_of_a_page_all_its_digits_are_empty(level: int) -> None:
    blank = clean(np.full((640, 800), level, np.uint8), VisionSettings(), light_ink=False)
    assert blank.reason == "blank"
    found = pages.cut_digits(blank, 80, 80)
    assert found.shape == (80, 28, 28) and not found.any()
