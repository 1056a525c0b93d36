import numpy as np
import pytest

from edge.handwriting import rendering, styles
from edge.types import Pixels
from edge.vision.normalise import normalise
from tests.scoreboard.no_digits import KINDS, LETTERS, pictures_without_digits


@pytest.fixture(scope="module")
def digits() -> tuple[Pixels, np.ndarray]:
    """Twenty digits like MNIST's, written by the stroke model."""
    rng = np.random.default_rng(1)
    labels = (np.arange(20) % 10).astype(np.uint8)
    inks = [rendering.render(rendering.draw(int(n), rng, styles.random_style(rng)), 90, 90, 10) for n in labels]
    return np.stack([normalise(ink) for ink in inks]), labels


def test_pictures_without_digits_are_seeded_and_of_every_kind(digits: tuple[Pixels, np.ndarray]) -> None:
    made = list(pictures_without_digits(*digits, 1, 2))
    assert [kind for kind, _ in made] == [kind for kind in KINDS for _ in range(2)]
    for (_, one), (_, other) in zip(made, pictures_without_digits(*digits, 1, 2), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({pixels.tobytes() for _, pixels in made}) == len(made)


def test_no_letter_looks_like_a_digit() -> None:
    assert not set(LETTERS) & set("OoDQIlijJ|ZzSsBbGgqyY")
    assert len(set(LETTERS)) == len(LETTERS)
