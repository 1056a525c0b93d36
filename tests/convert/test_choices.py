from __future__ import annotations

import pytest

from convert.choices import PRESETS, listed
from convert.classes import LABELS_BY_OUTPUTS
from convert.load import orders

BALANCED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
"""Of EMNIST's file emnist-balanced-mapping.txt, the character of each class."""


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("1-9,0", "1234567890"),
        ("9-0", "9876543210"),
        ("emnist-digits", "0123456789"),
        ("emnist-mnist", "0123456789"),
        ("emnist-balanced", BALANCED),
        ("emnist-bymerge", BALANCED),
        ("emnist-byclass", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        ("emnist-letters, 0-9", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
    ],
)
def test_lists_and_names_of_data_sets(text: str, labels: str) -> None:
    assert listed(text) == tuple(labels)
    assert listed(orders.text(tuple(labels))) == tuple(labels)


@pytest.mark.parametrize("text", ["0,1,-,+,none", "1-x,a-Z,0-none", "10-12"])
def test_what_is_no_span_stays_a_label(text: str) -> None:
    assert listed(text) == tuple(text.split(","))


def test_the_usual_labels_are_as_many_as_the_outputs() -> None:
    assert all(len(set(labels)) == outputs for outputs, labels in LABELS_BY_OUTPUTS.items())
    assert {len(labels) for labels in PRESETS.values()} == {10, 26, 47, 62}
