"""Files for microcontrollers, made of small Keras models."""

from __future__ import annotations

import functools
from typing import Any

from convert.load.input_format import InputFormat
from convert.tflite import quantise
from edge.model.runtime import interpreter_class
from tests.support import small


@functools.cache
def converted(model: Any) -> bytes:
    """The model, which takes values 0..1, as a .tflite for ``--target tflm`` without a card."""
    shape = tuple(model.input_shape[1:])
    fed = InputFormat(shape=shape, image=(28, 28, 1))
    frozen = quantise.freeze(model, fed, "m.h5")
    images = fed.feed(quantise.calibration_glyphs(small.data(), 500, seed=1))
    return quantise.convert(frozen, "int8", images, "int8", "m.h5", "tflm")


def ends(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """LiteRT's descriptions of the input and the output."""
    interpreter = interpreter_class()(model_content=content)
    return interpreter.get_input_details()[0], interpreter.get_output_details()[0]
