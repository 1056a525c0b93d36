"""What the outputs of models stand for: those that ``edge-train`` trains, and those that people train on known data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from edge.model.card import DIGITS, NONE

CLASSES = (*DIGITS, "minus", "slash", "plus", "equals", "bracket", "percent", "times", "letter", NONE)
"""The label of each output, in order: digits, marks that stand between digits, letters, and whatever else there is."""
NO_DIGIT = CLASSES.index(NONE)
"""The number of the class for marks that have no class of their own."""
HEAD = "_".join(CLASSES)
"""The name of the model's last layer. It keeps the labels in every file that Keras writes."""
_MERGED = (*DIGITS, *ascii_uppercase, *"abdefghnqrt")
PRESETS: dict[str, tuple[str, ...]] = {
    "emnist-digits": DIGITS,
    "emnist-mnist": DIGITS,
    "emnist-letters": tuple(ascii_uppercase),
    "emnist-balanced": _MERGED,
    "emnist-bymerge": _MERGED,
    "emnist-byclass": (*DIGITS, *ascii_uppercase, *ascii_lowercase),
}
"""Names that stand for the labels of a data set, after EMNIST's mapping files (Cohen, Afshar, Tapson, van Schaik,
"EMNIST: an extension of MNIST to handwritten letters", 2017). Balanced and ByMerge have one class for the lower-case
letters that look like their capitals."""
LABELS_BY_OUTPUTS = {
    10: DIGITS,
    11: (*DIGITS, NONE),
    36: (*DIGITS, *ascii_uppercase),
    47: _MERGED,
    62: PRESETS["emnist-byclass"],
}
"""What the outputs of a model most likely stand for, by their number."""
_SPAN = re.compile(r"([0-9])-([0-9])|([A-Z])-([A-Z])|([a-z])-([a-z])")
"""A span of labels, such as ``1-9`` or ``A-F``; ``9-0`` counts down."""


def of_head(name: str) -> tuple[str, ...]:
    """The labels that the name of a last layer has; of another model's these are words without a meaning."""
    return tuple(name.split("_"))


def listed(text: str) -> tuple[str, ...]:
    """The labels of a list such as ``0-9,none``: single ones, spans, and names of PRESETS."""
    return tuple(label for item in text.split(",") for label in _labels(item.strip()))


def _labels(item: str) -> Iterator[str]:
    span = _SPAN.fullmatch(item)
    if item in PRESETS:
        yield from PRESETS[item]
    elif span:
        first, last = (ord(end) for end in span.groups() if end)
        step = 1 if first <= last else -1
        yield from map(chr, range(first, last + step, step))
    else:
        yield item
