import cv2
import numpy as np

from convert.samples.typefaces import EM, LETTERS, TYPEFACES, printed


def test_every_letter_is_there_and_no_digit_looks_like_it() -> None:
    rng = np.random.default_rng(0)
    for letter in LETTERS:
        ink = printed(letter, rng)
        assert (
            ink.max() > 200 and ink.dtype == np.uint8 and 3 < cv2.boundingRect((ink > 90).astype(np.uint8))[3] < 2 * EM
        )
    assert not set(LETTERS) & set("0123456789OoQDIlij|ZzSsBbGgqPpJ")


def test_it_follows_its_seed_and_varies_with_it() -> None:
    one, same, other = (printed("7", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and (one.shape != other.shape or not np.array_equal(one, other))
    assert len(TYPEFACES) == len(set(TYPEFACES)) > 10
