"""The names of quantisation recipes, input ranges, polarities and lists of labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase, digits
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
    "-0.5..0.5": (-0.5, 0.5),
    "0..16": (0.0, 16.0),
    "0..1-mean": (-0.1307, 1 - 0.1307),
    "0..255-mean": (-0.1307 * 255, (1 - 0.1307) * 255),
}
"""Input values of black and of white that models are commonly trained with, the most common first. ``standardised`` is
0 and 1, minus MNIST's mean 0.1307, divided by its standard deviation 0.3081, as in PyTorch's MNIST example
(https://github.com/pytorch/examples/blob/main/mnist/main.py). ``0..16`` are the values of scikit-learn's digits, 8x8
pixels that count ink (``sklearn.datasets.load_digits``). ``0..1-mean`` and ``0..255-mean`` are minus MNIST's mean, as
``ImageDataGenerator(featurewise_center=True)`` of Keras makes them."""
POLARITIES = ("light", "dark")
"""Light ink on black paper, as in MNIST, and dark ink on white paper."""
_MERGED = (*digits, *ascii_uppercase, *"abdefghnqrt")
PRESETS: dict[str, tuple[str, ...]] = {
    "emnist-digits": tuple(digits),
    "emnist-mnist": tuple(digits),
    "emnist-letters": tuple(ascii_uppercase),
    "emnist-balanced": _MERGED,
    "emnist-bymerge": _MERGED,
    "emnist-byclass": (*digits, *ascii_uppercase, *ascii_lowercase),
}
"""Names that stand for the labels of a data set, after EMNIST's mapping files (Cohen, Afshar, Tapson, van Schaik,
"EMNIST: an extension of MNIST to handwritten letters", 2017). Balanced and ByMerge have one class for the lower-case
letters that look like their capitals."""
_SPAN = re.compile(r"([0-9])-([0-9])|([A-Z])-([A-Z])|([a-z])-([a-z])")
"""A span of labels, such as ``1-9`` or ``A-F``; ``9-0`` counts down."""
MIN_ACCURACY = 90.0
"""The least share of MNIST's test digits, in per cent, that a file must read to be written. Chosen: people's first
models read 97, and one that reads less is fed wrongly or was trained on something else."""


def range_of(text: str) -> tuple[float, float]:
    """The input values of black and of white: a key of RANGES, or two numbers as in ``0..16``. Raises ValueError."""
    if text in RANGES:
        return RANGES[text]
    black, white = map(float, text.split(".."))
    if not -1e6 <= black < white <= 1e6:
        raise ValueError(text)
    return black, white


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
