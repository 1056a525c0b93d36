"""Quantise a Keras model to a .tflite by a recipe. The only module that imports the TFLite converter."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import Io, Recipe, Target
from convert.data.mnist import Mnist
from convert.load.input_format import InputFormat
from convert.system.command_line import is_out_of_memory
from convert.tflite import layout
from convert.tflite.space_to_depth import use_blocks
from edge.errors import ConvertError, DataError
from edge.model.runtime import interpreter_class
from edge.types import Pixels

ADVICE: dict[Target, str] = {
    "pi": "use simpler layers, or another --recipe",
    "tflm": "use simpler layers, or --target pi",
}
"""What to do if TFLite cannot convert a model."""
LOOP_OPERATIONS = {"LoopCond", "While", "StatelessWhile", "If", "StatelessIf"}
"""TensorFlow operations that repeat or choose parts of the graph: LSTM and GRU layers use them."""
MIN_CALIBRATION_IMAGES = 500
"""Minimum number of calibration images. Chosen: with fewer, single images decide the ranges of activations."""


def calibration_glyphs(data: Mnist, count: int, seed: int, own: Pixels | None = None) -> Pixels:
    """Up to ``count`` different glyphs (n, 28, 28) to calibrate on: training images, none of them also a test image.

    The user's ``own`` glyphs come first, if there are any. The same for the same seed. Together they span 0 to 255,
    so that the input's scale is exact. Raises DataError if there are fewer than 500 different ones.
    """
    held_out = {glyph.tobytes() for glyph in data.test}
    own = data.train[:0] if own is None else own
    order = np.random.default_rng(seed).permutation(len(data.train))
    candidates = np.concatenate([own, data.train[order]])
    first = {glyph.tobytes(): i for i, glyph in reversed(list(enumerate(candidates)))}
    fit = sorted(i for glyph, i in first.items() if glyph not in held_out)
    if len(fit) < MIN_CALIBRATION_IMAGES:
        raise DataError(
            f"--data: has {len(fit)} different training images that are not also test images;"
            f" at least {MIN_CALIBRATION_IMAGES} are needed to calibrate"
        )
    chosen: Pixels = candidates[fit[:count]]
    if chosen.min() > 0 or chosen.max() < 255:
        # A blank glyph with one pixel of full ink sets the range without any other effect.
        chosen[-1] = 0
        chosen[-1, 14, 14] = 255
    return chosen


def digest(glyphs: Pixels) -> str:
    """sha256 of the glyphs' pixels, in this order."""
    return sha256(np.ascontiguousarray(glyphs).tobytes()).hexdigest()


def freeze(model: Any, convention: InputFormat, where: str) -> Any:
    """The model as a TensorFlow function of one image, with its weights as constants: what ``convert`` takes.

    This way works for Keras 3, tf_keras and SavedModels alike, fixes the batch at 1 (no SHAPE and PACK operations on
    the Pi), and gives the same bytes each time. The converter's from_keras_model writes names of temporary folders into
    the file, and fails on tf_keras models while Keras 3 is installed. Raises ConvertError if the model does not run.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        function = tf.function(lambda glyph: model(glyph, training=False)).get_concrete_function(
            tf.TensorSpec((1, *convention.shape), tf.float32, name="glyph")
        )
        return convert_variables_to_constants_v2(function)
    except Exception as error:  # layers can raise anything
        raise ConvertError(f"{where}: does not run on one image ({_reason(error)}); save it again") from error


def convert(
    frozen: Any, recipe: Recipe, images: NDArray[np.float32], io: Io, where: str, target: Target = "pi"
) -> bytes:
    """Convert a frozen model to a .tflite, batch 1; int8 and int16x8 calibrate on ``images`` (n, …) float32.

    Input and output are float32; with the recipe int8 they are ``io``. Weights of int8 have a scale for each channel;
    for ``tflm`` those of dense layers have one.
    Scheme: https://ai.google.dev/edge/litert/models/quantization_spec. Raises ConvertError if TFLite cannot convert an
    operation by this recipe; ``where`` is the model's name.
    """
    import tensorflow as tf

    if recipe in ("int8", "int16x8") and LOOP_OPERATIONS & {
        operation.type for operation in frozen.graph.get_operations()
    }:
        # TensorFlow 2.21's calibrator crashes on them.
        raise ConvertError(
            f"{where}: has loops (from LSTM or GRU layers), which TFLite cannot calibrate; {ADVICE[target]}"
        )
    # TFLite cannot convert SPACE_TO_DEPTH to int16x8. A microcontroller has no XNNPACK: there blocks are more work.
    function = frozen if recipe == "int16x8" or target == "tflm" else use_blocks(frozen)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if recipe != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # A dense layer with a scale for each channel and float activations needs TFLite 2.17; tflite-runtime ends at 2.14.
    # With int8 activations TFLM has it since 2024, but not in the kernels and libraries of every microcontroller.
    one_scale = recipe == "dynamic" or target == "tflm"
    converter._experimental_disable_per_channel_quantization_for_dense_layers = one_scale
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
    except Exception as error:  # the converter can raise anything
        if is_out_of_memory(error):
            raise ConvertError(f"{where}: needs more memory than it may use; give a smaller model") from error
        raise ConvertError(
            f"{where}: TFLite cannot convert it to {recipe} ({_reason(error)}); {ADVICE[target]}"
        ) from error
    if recipe == "int8":
        _check_types(content, io, where, ADVICE[target])
    return content


def _check_types(content: bytes, io: Io, where: str, advice: str) -> None:
    """Raise ConvertError unless an int8 file is all integers: the converter sometimes silently falls back to float."""
    interpreter = interpreter_class()(model_content=content)
    tensors = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    found = [np.dtype(tensor["dtype"]).name for tensor in tensors]
    floats = layout.read(content, where).float_operators()
    if found != [io, io] or floats:
        inside = f", with {', '.join(floats)} in float" if floats else ""
        raise ConvertError(
            f"{where}: was converted to {' -> '.join(found)}{inside}, not to {io} with int8 inside; {advice}"
        )


def _reason(error: BaseException) -> str:
    """The most useful line of a converter's long message, at most 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "error:" in line), lines[0])[:200]
