"""The names of quantisation recipes, input ranges and polarities."""

from __future__ import annotations

from typing import Literal, get_args

Recipe = Literal["float32", "float16", "dynamic", "int8", "int16x8"]
RECIPES: tuple[Recipe, ...] = get_args(Recipe)
"""Ways to quantise a model. float32: not quantised. float16: float16 weights, computed in float32. dynamic: int8
weights, activations quantised while it runs. int8: integers throughout. int16x8: int8 weights, int16 activations.
See https://ai.google.dev/edge/litert/models/post_training_quantization."""
Target = Literal["pi", "tflm"]
TARGETS: tuple[Target, ...] = get_args(Target)
"""What a file is made for: a Raspberry Pi, or a microcontroller with TensorFlow Lite for Microcontrollers (TFLM)."""
Io = Literal["uint8", "int8"]
"""Type of an int8 model's input and output."""
RANGES: dict[str, tuple[float, float]] = {
    "0..1": (0.0, 1.0),
    "0..255": (0.0, 255.0),
    "-1..1": (-1.0, 1.0),
    "standardised": (-0.1307 / 0.3081, (1 - 0.1307) / 0.3081),
}
"""Input values of black and of white that models are commonly trained with. ``standardised`` is 0 and 1, minus MNIST's
mean 0.1307, divided by its standard deviation 0.3081, as in PyTorch's MNIST example (https://github.com/pytorch/examples/blob/main/mnist/main.py)."""
POLARITIES = ("light", "dark")
"""Light ink on black paper, as in MNIST, and dark ink on white paper."""
