from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.model.card import DIGITS
from edge.model.classifier import Model
from edge.model.golden_digits import STYLES, count_right, golden_glyphs, score
from tests.support import files

INK = [
    36,
    16,
    36,
    38,
    28,
    33,
    36,
    24,
    40,
    28,
    33,
    14,
    32,
    29,
    28,
    27,
    29,
    22,
    34,
    25,
    37,
    15,
    40,
    36,
    32,
    38,
    36,
    27,
    43,
    33,
    33,
    13,
    29,
    31,
    23,
    29,
    27,
    20,
    34,
    26,
    33,
    15,
    33,
    29,
    26,
    33,
    31,
    22,
    35,
    29,
]
"""Mean grey of each golden digit as it was drawn when the threshold was measured."""


def problem(content: bytes) -> str | None:
    with Model(Path("m.tflite"), content=content) as model:
        return score(model).problem


def relabelled(*labels: str) -> bytes:
    return files.with_card(replace(files.card(), labels=labels))


def test_they_are_fifty_in_five_styles_and_always_the_same() -> None:
    glyphs, labels = golden_glyphs()
    assert glyphs.shape == (50, 28, 28) and glyphs.dtype == np.uint8
    assert np.bincount(labels).tolist() == [STYLES] * 10
    assert np.abs(glyphs.mean(axis=(1, 2)) - INK).max() < 2, "other digits than those that were measured"
    assert len(np.unique(glyphs, axis=0)) == 50, "each style writes differently"


def test_the_packaged_model_reads_all() -> None:
    assert problem(files.GOOD) is None
    with Model() as model:
        assert (score(model).right, score(model).asked) == (50, 50)


@pytest.mark.parametrize(
    "content",
    [
        lambda: files.with_card(replace(files.card(), paper=1.0, ink=0.0)),
        lambda: files.with_card(replace(files.card(), ink=0.001)),
        lambda: files.with_weights(np.zeros_like),
        lambda: files.with_weights(lambda numbers: np.random.default_rng(1).integers(0, 256, len(numbers), np.uint8)),
        lambda: files.with_weights(lambda numbers: np.random.default_rng(1).permutation(numbers)),
        lambda: relabelled(*DIGITS[1:], "0", *files.OTHERS),
        lambda: relabelled(*reversed(DIGITS), *files.OTHERS),
    ],
    ids=["inverted", "faint", "zeroed", "random", "shuffled", "moved labels", "reversed labels"],
)
def test_what_reads_no_digits_does_not_pass(content: Callable[[], bytes]) -> None:
    assert "golden digits" in (problem(content()) or "")


def test_two_labels_that_changed_places_are_noticed() -> None:
    assert (
        problem(relabelled(*"0723456189", *files.OTHERS)) == "reads only 40 of 50 golden digits, and hardly any 1 or 7"
    )


def test_a_model_is_asked_only_the_digits_of_its_labels() -> None:
    assert problem(relabelled(*"abcdefgh89", *files.OTHERS)) is None
    assert problem(relabelled(*"abcdefghij", *files.OTHERS)) == "none of its labels is a digit"
    with Model(Path("m.tflite"), content=relabelled(*"01x3456789", *files.OTHERS)) as model:
        assert score(model).asked == 45


def test_no_digit_at_all_is_no_answer() -> None:
    """A model that takes everything for no digit, with the weights of a good one."""
    labels = golden_glyphs()[1]
    assert count_right(np.full(50, -1), labels).right == 0
    assert count_right(labels, labels).problem is None
    seven_wrong = np.where(np.arange(50) < 7, -1, labels)
    assert count_right(seven_wrong, labels).problem is None
    assert count_right(np.where(np.arange(50) < 8, -1, labels), labels).problem == "reads only 42 of 50 golden digits"
    assert count_right(np.where((labels == 4) & (np.arange(50) < 40), -1, labels), labels).weak == (4,)
