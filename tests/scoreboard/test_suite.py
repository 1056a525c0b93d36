"""The suite's pages: seeded, with the truth that is on them, harder with strength."""

from functools import cache

import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, styles
from edge.reading.reader import Reader
from edge.types import Pixels
from edge.vision.normalise import normalise
from tests.scoreboard.suite import CONDITIONS, STRENGTHS, Case, suite_pages


@cache
def glyphs() -> tuple[Pixels, np.ndarray]:
    """Sixty digits like MNIST's, written by the stroke model."""
    rng = np.random.default_rng(1)
    labels = np.arange(60) % 10
    drawn = []
    for label in labels:
        hand = styles.random_style(rng)
        drawn.append(normalise(rendering.render(rendering.draw(int(label), rng, hand), 100, 100, 11)))
    return np.stack(drawn), labels.astype(np.uint8)


def pages(*conditions: str, count: int = 1, seed: int = 1) -> list[Case]:
    return list(suite_pages(*glyphs(), seed, count, conditions or None))


@pytest.fixture(scope="module")
def all_pages() -> list[Case]:
    return pages()


def test_every_condition_has_every_strength(all_pages: list[Case]) -> None:
    assert [(case.condition, case.strength) for case in all_pages] == [(c, s) for c in CONDITIONS for s in STRENGTHS]
    for case in all_pages:
        assert case.pixels.dtype == np.uint8
        height, width = case.pixels.shape
        assert {height, width} <= {240, 320, 480, 640, 960, 1280}


def test_what_is_written_is_one_to_many_digits(all_pages: list[Case]) -> None:
    for case in all_pages:
        lines = case.truth.split("\n")
        assert all(line.isdigit() for line in lines), case.condition
        assert 1 <= len("".join(lines)) <= 15


def test_the_same_seed_gives_the_same_pages_whichever_conditions_are_chosen(all_pages: list[Case]) -> None:
    again = pages("hand", "glare")
    before = [case for name in ("hand", "glare") for case in all_pages if case.condition == name]
    for one, other in zip(again, before, strict=True):
        assert one.truth == other.truth
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert not np.array_equal(pages("glare", seed=2)[0].pixels, again[3].pixels)


def test_strength_changes_the_picture(all_pages: list[Case]) -> None:
    for i in range(0, len(all_pages), 3):
        three = [case.pixels.tobytes() for case in all_pages[i : i + 3]]
        assert len(set(three)) == 3, all_pages[i].condition


def test_conditions_of_light_keep_the_digits(all_pages: list[Case]) -> None:
    """Conditions of light show the same digits at each strength: they can be compared."""
    for name in ("uneven light", "glare", "noise", "JPEG", "ruled paper", "pencil", "bleed-through"):
        assert len({case.truth for case in all_pages if case.condition == name}) == 1


@pytest.mark.parametrize("name", ["plain", "columns", "small in a corner", "fills the frame", "light on dark"])
def test_the_truth_is_on_the_page(name: str, reader: Reader) -> None:
    """Easy pages are read, by a reader that does not know the suite, as what the suite says is written."""
    cases = list(suite_pages(*glyphs(), 3, 6, [name], [1]))
    right = sum(reader.read(case.pixels).text == case.truth for case in cases)
    assert right >= 5


def test_every_page_has_ink(all_pages: list[Case]) -> None:
    """Something on it differs from what lies around it."""
    for case in all_pages:
        assert np.ptp(cv2.GaussianBlur(case.pixels, (0, 0), 1)) >= 5, case.condition


def test_sideways_pages_are_rotated_and_have_digits_that_show_which_way_is_up() -> None:
    for case in pages("sideways", count=4):
        assert case.pixels.shape == (640, 480)
        assert len(set(case.truth) & set("23457")) >= 2


def test_touching_digits_touch() -> None:
    for name, count in (("touching pairs", 2), ("touching triples", 3)):
        for case in pages(name, count=3):
            rough = cv2.GaussianBlur(case.pixels, (0, 0), 1)
            away = cv2.absdiff(rough, np.full_like(rough, np.median(rough)))
            level = int(away.max()) // 2
            parts = cv2.connectedComponentsWithStats((away > level).astype(np.uint8))[2][1:]
            assert np.count_nonzero(parts[:, 4] > 50) == len(case.truth) // count, name
