"""What a program on a microcontroller needs to know of a .tflite, besides what its card says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from convert.micro import arena, operators
from convert.tflite import layout
from edge.errors import ConvertError


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is read from an int8 .tflite with one input and one output."""

    model_bytes: int
    """The size of the .tflite without its card."""
    input_shape: tuple[int, ...]
    """Of one batch: (1, 28, 28, 1), (1, 784) and so on."""
    input_scale: float
    """real = (int8 - zero) * scale."""
    input_zero: int
    output_scale: float
    output_zero: int
    classes: int
    operators: tuple[str, ...]
    """The operators that it needs, sorted; all of them are in ``operators.OPERATORS``."""
    arena_bytes: int
    """The estimated size of the arena; see ``arena``."""


def of(content: bytes, where: str) -> Facts:
    """The facts of a .tflite without a card; ``where`` is the file's name.

    Raises ConvertError if it needs operators that TFLM does not compute on int8.
    """
    found = layout.read(content, where)
    names = sorted({one.name for one in found.operators})
    if missing := operators.missing(names):
        raise ConvertError(
            f"{where}: needs {', '.join(missing)}, which TensorFlow Lite for Microcontrollers does not compute on int8;"
            " use other layers or activations, or --target pi"
        )
    (first,), (last,) = ([found.tensors[i] for i in indices] for indices in (found.inputs, found.outputs))
    return Facts(
        model_bytes=len(content),
        input_shape=first.shape,
        input_scale=first.scales[0],
        input_zero=first.zero,
        output_scale=last.scales[0],
        output_zero=last.zero,
        classes=math.prod(last.shape),
        operators=tuple(names),
        arena_bytes=arena.estimate(found),
    )
