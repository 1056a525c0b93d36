"""What every digit classifier must be: one input, one output with a number for each digit, and it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import ConvertError

if TYPE_CHECKING:
    from pathlib import Path


def check_ends(inputs: int, outputs: int, shape: Any, path: Path) -> None:
    """Raise ConvertError unless there is one input, and one output whose ``shape`` (batch first) is that of scores."""
    if inputs != 1 or outputs != 1:
        raise ConvertError(f"{path}: has {inputs} inputs and {outputs} outputs; a digit classifier has one of each")
    sizes = [n for n in shape[1:] if n != 1]
    if len(shape) < 2 or None in sizes or len(sizes) > 1:
        what = "not one number for each digit; autoencoders, detectors and segmenters are not supported"
    elif not sizes:
        what = "a single number; a digit classifier gives one number for each digit"
    else:
        return
    raise ConvertError(f"{path}: has an output of shape {shape}, {what}")


def check_runs(model: Any) -> None:
    """Run a model on two blank images; raises if it does not run here, or not with this batch size."""
    outputs = model.predict(np.zeros((2, *input_size(model.input_shape)), np.float32), verbose=0)
    if np.asarray(outputs).shape != (2, *model.output_shape[1:]):
        raise ValueError(f"two images give an output of shape {np.asarray(outputs).shape}")


def input_size(input_shape: Sequence[int | None]) -> tuple[int, ...]:
    """The shape of one input (``input_shape`` without the batch). A variable height, width or number of channels
    becomes that of a glyph; rows may also be steps in time, of which recurrent layers take any number. Other variable
    dimensions become 1, as one frame is.
    """
    shape = tuple(input_shape[1:])
    glyph = (28, 28, 1)[: len(shape)] if len(shape) in (2, 3) else (1,) * len(shape)
    return tuple(size or usual for size, usual in zip(shape, glyph, strict=True))
