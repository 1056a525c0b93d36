"""What a conversion is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from convert.choices import MIN_ACCURACY, RECIPES, Io, Recipe, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to convert, and how: the options of ``edge-convert``."""

    model: Path
    out: Path
    data: str | None = None
    """Where MNIST is, as ``convert.data.mnist.load_mnist`` takes it."""
    recipe: Recipe | Literal["auto"] = "auto"
    """``auto``: try all, and take the smallest file that is accurate enough."""
    architecture: Path | None = None
    """The JSON of ``model.to_json()``, for a file that contains weights only."""
    labels: tuple[str, ...] | None = None
    """What each output stands for; None: what edge-train named, else what is usual for so many or found."""
    graph_input: str | None = None
    """The name of a frozen graph's input, if it has several."""
    graph_output: str | None = None
    """The name of its output."""
    input_range: str | None = None
    """A key of ``convert.choices.RANGES``; None: detected."""
    polarity: str | None = None
    """One of ``convert.choices.POLARITIES``; None: detected."""
    calibrate: Path | None = None
    """A folder of photographs or exported corrections to calibrate on, besides MNIST."""
    min_accuracy: float = MIN_ACCURACY
    """How many of MNIST's test images the Keras model and the file must read correctly, in percent."""
    max_drop: float = 0.3
    """Accuracy that may be lost, in percentage points."""
    calibration_images: int = 1000
    """How many digits to calibrate on."""
    seed: int = 1
    io: Io = "uint8"
    target: Target = "pi"
    """What the file is for; ``tflm`` asks for the recipe int8 and for int8 in and out."""

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The recipes to try."""
        if self.recipe != "auto":
            return (self.recipe,)
        return ("int8",) if self.target == "tflm" else RECIPES
