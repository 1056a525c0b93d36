"""What the outputs of models stand for: those that ``edge-train`` trains, and those that people train on known data."""

from __future__ import annotations

from string import ascii_uppercase

from convert.choices import PRESETS
from edge.model.card import DIGITS, NONE

CLASSES = (*DIGITS, "minus", "slash", "plus", "equals", "bracket", "percent", "times", "letter", NONE)
"""The label of each output, in order: digits, marks that stand between digits, letters, and whatever else there is."""
NO_DIGIT = CLASSES.index(NONE)
"""The number of the class for marks that have no class of their own."""
HEAD = "_".join(CLASSES)
"""The name of the model's last layer. It keeps the labels in every file that Keras writes."""
LABELS_BY_OUTPUTS = {
    10: DIGITS,
    11: (*DIGITS, NONE),
    36: (*DIGITS, *ascii_uppercase),
    47: PRESETS["emnist-balanced"],
    62: PRESETS["emnist-byclass"],
}
"""What the outputs of a model most likely stand for, by their number."""


def of_head(name: str) -> tuple[str, ...]:
    """The labels that the name of a last layer has; of another model's these are words without a meaning."""
    return tuple(name.split("_"))
