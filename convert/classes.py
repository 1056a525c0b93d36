"""The classes of the model that ``edge-train`` trains."""

from __future__ import annotations

from edge.model.card import DIGITS, NONE

CLASSES = (*DIGITS, "minus", "slash", "plus", "equals", "bracket", "percent", "times", "letter", NONE)
"""The label of each output, in order: digits, marks that stand between digits, letters, and whatever else there is."""
NO_DIGIT = CLASSES.index(NONE)
"""The number of the class for marks that have no class of their own."""
HEAD = "_".join(CLASSES)
"""The name of the model's last layer. It keeps the labels in every file that Keras writes."""


def of_head(name: str) -> tuple[str, ...]:
    """The labels that the name of a last layer has; of another model's these are words without a meaning."""
    return tuple(name.split("_"))
