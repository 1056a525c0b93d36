"""Generated pages follow their seed, say the truth about each pixel, and keep the held-out writers apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.data.marks import is_held_out
from convert.data.mnist import Mnist
from convert.samples.scenes import Page, Writers, generate_page
from convert.samples.scenes.layouts import LAYOUTS
from convert.samples.scenes.sheet import UNCLEAR
from edge.errors import DataError

TRAINED = next(name for name in map(str, range(100)) if not is_held_out(name))
HELD_OUT = next(name for name in map(str, range(100)) if is_held_out(name))
NO_DIGITS = ("words", "alphabets", "drawings", "empty", "scenery")


def write(folder: Path, name: str, labels: str) -> None:
    """A set of strokes: every label by both writers, each a zigzag of its own."""
    rng = np.random.default_rng(len(labels))
    strokes = [rng.integers(0, 100, (4, 2)) for _ in range(2 * len(labels))]
    np.savez(
        folder / f"{name}.npz",
        points=np.concatenate(strokes).astype(np.int16),
        stroke_start=4 * np.arange(len(strokes) + 1),
        sample_start=np.arange(len(strokes) + 1),
        y=[label for label in labels for _ in range(2)],
        writer=[TRAINED, HELD_OUT] * len(labels),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marks")
    write(folder, "unipen_digits", "0123456789")
    write(folder, "unipen_symbols", "+-=/(),")
    write(folder, "unipen_lower", "abcdefghijklmnopqrstuvwxyz")
    return folder


def mnist() -> Mnist:
    """Every digit is a bar, and a weaker one in the test set."""
    labels = np.arange(10, dtype=np.uint8)
    train, test = np.zeros((10, 28, 28), np.uint8), np.zeros((10, 28, 28), np.uint8)
    train[:, 4:24, 8:20], test[:, 4:24, 8:20] = 255, 200
    return Mnist(train, labels, test, labels)


@pytest.fixture(scope="module")
def writers(folder: Path) -> Writers:
    return Writers.load(folder, mnist(), held_out=False)


@pytest.fixture(scope="module")
def pages(writers: Writers) -> list[Page]:
    return [generate_page(writers, [1, seed]) for seed in range(60)]


def test_the_same_seed_gives_the_same_page(writers: Writers) -> None:
    one, same, other = (generate_page(writers, [seed]) for seed in (4, 4, 5))
    assert np.array_equal(one.pixels, same.pixels) and np.array_equal(one.ids, same.ids)
    assert (one.labels, one.light_ink, one.layout) == (same.labels, same.light_ink, same.layout)
    assert one.pixels.shape != other.pixels.shape or not np.array_equal(one.pixels, other.pixels)


def test_each_pixel_names_a_mark_and_is_ink(pages: list[Page]) -> None:
    contrasts = []
    for page in pages:
        assert page.pixels.shape == page.ids.shape and page.pixels.dtype == np.uint8 and page.ids.dtype == np.int16
        assert page.ids.min() >= 0 and page.ids.max() < len(page.labels) and page.labels[0] == "paper"
        if page.ids.any():
            ink = page.pixels[page.ids > 0].mean() - np.median(page.pixels[page.ids == 0])
            contrasts.append(ink if page.light_ink else -ink)
    assert np.mean(np.array(contrasts) > 0) > 0.9, "shadows and desks can be darker than ink, seldom"


def test_pages_without_digits_have_none(pages: list[Page]) -> None:
    for page in pages:
        digits = [label for label in page.labels if label.lstrip("?").isdecimal()]
        assert not digits if page.layout in NO_DIGITS else digits or UNCLEAR in page.labels or len(page.labels) < 4


def test_every_layout_appears_and_draws_within_its_limits(writers: Writers) -> None:
    assert sum(layout.share for layout in LAYOUTS.values()) == pytest.approx(1)
    plain = sum(LAYOUTS[name].share for name in ("one digit", "one number", "few numbers", "touching"))
    boxed = sum(LAYOUTS[name].share for name in ("grid", "table", "puzzle", "boxes", "comb"))
    ruled = sum(layout.share * layout.ruled for layout in LAYOUTS.values())
    assert plain >= 0.26 and boxed <= 0.12 and ruled <= 0.2
    assert sum(LAYOUTS[name].share for name in NO_DIGITS) == pytest.approx(0.15)
    for i, (name, layout) in enumerate(LAYOUTS.items()):
        sheet, hand = layout.draw(writers, np.random.default_rng(i))
        assert min(sheet.ink.shape) >= 28 and max(sheet.ink.shape) <= 1100, name
        assert hand.height > 0 and sheet.ids.max() < len(sheet.labels), name


def test_held_out_writers_and_pictures_are_apart(folder: Path) -> None:
    trained, held_out = (Writers.load(folder, mnist(), held_out=held_out) for held_out in (False, True))
    assert set(trained.digits) == {TRAINED} == set(trained.characters)
    assert set(held_out.digits) == {HELD_OUT} == set(held_out.characters)
    assert trained.pictures["mnist"]["3"][0].max() == 255 and held_out.pictures["mnist"]["3"][0].max() == 200


def test_a_folder_without_digits_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no digits such as"):
        Writers.load(tmp_path, mnist(), held_out=False)
