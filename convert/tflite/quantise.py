"""The recipes: how a Keras model becomes a .tflite. The only room that imports the TFLite converter."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import Io, Recipe
from convert.data.mnist import Mnist
from convert.load.convention import Convention
from convert.tflite.space_to_depth import in_blocks
from edge.errors import ConvertError, DataError
from edge.model.classifier import interpreter_class
from edge.types import Pixels

PLAINER = "use plainer layers, or another --recipe"
LOOPS = {"LoopCond", "While", "StatelessWhile", "If", "StatelessIf"}
"""Operations that call parts of the graph."""
FEWEST = 500
"""Fewer calibration images than this leave the ranges to chance."""


def calibration(data: Mnist, count: int, seed: int, own: Pixels | None = None) -> Pixels:
    """Up to ``count`` glyphs (n, 28, 28) to calibrate on: distinct, training part only, none of them in the test part.

    The user's ``own`` glyphs come first, where there are any. The same for the same seed. Together they span 0 to 255,
    so that the input's scale is exact. Raises DataError where fewer than 500 distinct ones are there.
    """
    held_out = {glyph.tobytes() for glyph in data.test}
    own = data.train[:0] if own is None else own
    order = np.random.default_rng(seed).permutation(len(data.train))
    candidates = np.concatenate([own, data.train[order]])
    first = {glyph.tobytes(): i for i, glyph in reversed(list(enumerate(candidates)))}
    fit = sorted(i for glyph, i in first.items() if glyph not in held_out)
    if len(fit) < FEWEST:
        raise DataError(
            f"--data: has {len(fit)} distinct training images that are not in its test part;"
            f" at least {FEWEST} are needed to calibrate"
        )
    chosen: Pixels = candidates[fit[:count]]
    if chosen.min() > 0 or chosen.max() < 255:
        # A blank page with one pixel of full ink says what the range is, and nothing else.
        chosen[-1] = 0
        chosen[-1, 14, 14] = 255
    return chosen


def digest(glyphs: Pixels) -> str:
    """sha256 of these glyphs in their order."""
    return sha256(np.ascontiguousarray(glyphs).tobytes()).hexdigest()


def freeze(model: Any, convention: Convention, where: str) -> Any:
    """The model as a function of one input, its weights as constants: what the recipes are made from.

    Of the converter's entrances this one takes Keras 3, tf_keras and SavedModels alike, fixes the batch at 1 (no SHAPE
    and PACK operations on the Pi), and gives the same bytes each time; from_keras_model writes names of temporary
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


def convert(frozen: Any, recipe: Recipe, images: NDArray[np.float32], io: Io, where: str) -> bytes:
    """A frozen model as a .tflite by the recipe, batch 1; calibrated on ``images`` (n, …) float32 where it needs to.

    Its input and output are float32; with the recipe int8, ``io``. Weights of int8 have a scale for each channel.
    Scheme: https://ai.google.dev/edge/litert/models/quantization_spec. Raises ConvertError where the model has an
    operation without such a form; ``where`` is its file's name.
    """
    import tensorflow as tf

    if recipe in ("int8", "int16x8") and LOOPS & {operation.type for operation in frozen.graph.get_operations()}:
        # TensorFlow 2.21's calibrator does not refuse them, it crashes.
        raise ConvertError(f"{where}: has loops (as LSTM and GRU have), which TFLite cannot calibrate; {PLAINER}")
    # TFLite has no 16x8 form of blocks.
    function = frozen if recipe == "int16x8" else in_blocks(frozen)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if recipe != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # A dense layer with a scale for each channel but float activations needs TFLite 2.17: tflite-runtime ends at 2.14.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = recipe == "dynamic"
    if recipe == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe in ("int8", "int16x8"):
        converter.representative_dataset = lambda: ([image[None]] for image in images)
    if recipe == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, io)
    if recipe == "int16x8":
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    try:
        content = bytes(converter.convert())
    except Exception as error:  # the converter raises what its C++ does
        form = {"int8": "integer", "int16x8": "int16"}.get(recipe, recipe)
        raise ConvertError(f"{where}: TFLite has no {form} form of it ({_reason(error)}); {PLAINER}") from error
    if recipe == "int8":
        _check(content, io, where)
    return content


def _check(content: bytes, io: Io, where: str) -> None:
    """The converter falls back to float without a word in some cases: look at what came out."""
    interpreter = interpreter_class()(model_content=content)
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    found = [np.dtype(end["dtype"]).name for end in ends]
    floats = [part["name"] for part in interpreter.get_tensor_details() if part["dtype"] in (np.float32, np.float16)]
    if found != [io, io] or floats:
        raise ConvertError(
            f"{where}: came out as {' -> '.join(found)} with {len(floats)} parts in float; {io} was asked for,"
            f" and int8 inside; {PLAINER}"
        )


def _reason(error: BaseException) -> str:
    """The telling line of a converter's long message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "error:" in line), lines[0])[:200]
