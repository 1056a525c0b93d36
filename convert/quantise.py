"""The recipes. The only room that imports the TFLite converter."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal

import numpy as np

from convert.convention import Convention
from convert.datasets import Mnist
from edge.errors import ConvertError, DataError
from edge.model import interpreter_class
from edge.types import Pixels

FEWEST = 500
"""Fewer calibration images than this leave the ranges to chance."""

Io = Literal["uint8", "int8"]


def calibration(data: Mnist, count: int, seed: int) -> Pixels:
    """Up to ``count`` glyphs (n, 28, 28) to calibrate on: distinct, training part only, none of them in the test part.

    The same for the same seed. Together they span 0 to 255, so that the input's scale is exact. Raises DataError
    where fewer than 500 distinct ones are there.
    """
    held_out = {glyph.tobytes() for glyph in data.test}
    first = {glyph.tobytes(): i for i, glyph in reversed(list(enumerate(data.train)))}
    fit = np.array(sorted(i for glyph, i in first.items() if glyph not in held_out), int)
    if len(fit) < FEWEST:
        raise DataError(
            f"--data: has {len(fit)} distinct training images that are not in its test part;"
            f" at least {FEWEST} are needed to calibrate"
        )
    chosen: Pixels = data.train[np.random.default_rng(seed).permutation(fit)[:count]]
    if chosen.min() > 0 or chosen.max() < 255:
        # A blank page with one pixel of full ink says what the range is, and nothing else.
        chosen[-1] = 0
        chosen[-1, 14, 14] = 255
    return chosen


def digest(glyphs: Pixels) -> str:
    """sha256 of these glyphs in their order."""
    return sha256(np.ascontiguousarray(glyphs).tobytes()).hexdigest()


def int8(model: Any, convention: Convention, glyphs: Pixels, io: Io, where: str) -> bytes:
    """A Keras model as a full-integer .tflite: int8 inside, ``io`` outside, calibrated on ``glyphs``, batch 1.

    Scheme: https://ai.google.dev/edge/litert/models/quantization_spec. Raises ConvertError where the model has an
    operation without an integer form; ``where`` is its file's name.
    """
    import tensorflow as tf

    images = convention.feed(glyphs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([_frozen(model, convention, where)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, io)
    try:
        content = bytes(converter.convert())
    except Exception as error:  # the converter raises what its C++ does
        raise ConvertError(
            f"{where}: TFLite has no integer form of it ({_reason(error)}); use plainer layers"
        ) from error
    _check(content, io, where)
    return content


def _frozen(model: Any, convention: Convention, where: str) -> Any:
    """The model as a function of one input, its weights as constants.

    Of the converter's entrances this one takes Keras 3 and tf_keras models alike, fixes the batch at 1 (no SHAPE and
    PACK operations on the Pi), and gives the same bytes each time; from_keras_model writes names of temporary
    folders and fails on tf_keras models while Keras 3 is installed.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        function = tf.function(lambda glyph: model(glyph, training=False)).get_concrete_function(
            tf.TensorSpec((1, *convention.shape), tf.float32, name="glyph")
        )
        return convert_variables_to_constants_v2(function)
    except Exception as error:  # layers raise whatever they like
        raise ConvertError(f"{where}: does not run on one image ({_reason(error)}); save it again") from error


def _check(content: bytes, io: Io, where: str) -> None:
    """The converter falls back to float without a word in some cases: look at what came out."""
    interpreter = interpreter_class()(model_content=content)
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    found = [np.dtype(end["dtype"]).name for end in ends]
    floats = [part["name"] for part in interpreter.get_tensor_details() if part["dtype"] in (np.float32, np.float16)]
    if found != [io, io] or floats:
        raise ConvertError(
            f"{where}: came out as {' -> '.join(found)} with {len(floats)} parts in float; {io} was asked for,"
            " and int8 inside; use plainer layers"
        )


def _reason(error: BaseException) -> str:
    """The telling line of a converter's long message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "error:" in line), lines[0])[:200]
