"""What can be chosen by name when a model is converted."""

from __future__ import annotations

from typing import Literal, get_args

Recipe = Literal["float32", "float16", "dynamic", "int8", "int16x8"]
RECIPES: tuple[Recipe, ...] = get_args(Recipe)
"""float32: as trained. float16: weights of half the size, computed in float32. dynamic: int8 weights, activations
quantised on the way. int8: all of it in integers. int16x8: int8 weights, int16 activations.
See https://ai.google.dev/edge/litert/models/post_training_quantization."""
Io = Literal["uint8", "int8"]
"""Type of an int8 model's input and output."""
RANGES: dict[str, tuple[float, float]] = {
    "0..1": (0.0, 1.0),
    "0..255": (0.0, 255.0),
    "-1..1": (-1.0, 1.0),
    "standardised": (-0.1307 / 0.3081, (1 - 0.1307) / 0.3081),
}
"""The input values of black and of white. The last are 0 and 1 less MNIST's mean, over its standard deviation, as in
PyTorch's MNIST example (https://github.com/pytorch/examples/blob/main/mnist/main.py)."""
POLARITIES = ("light", "dark")
"""Light ink on black paper, as MNIST has it, and dark ink on white."""
