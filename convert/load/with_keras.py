"""Load a checked Keras file with the Keras that can read it."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from convert.load import channels, classifier
from convert.load.architecture import OPERATION_PREFIX, has_input, operation_names
from convert.load.known import ELEMENTWISE, OPERATIONS
from edge.errors import ConvertError
from edge.system.text import one_line

QUOTED_CONFIG = re.compile(r" Full object config| Received: | Make sure custom| config=\{")
"""Where Keras's error messages begin to quote the file's configuration: the text is cut there."""


def load(copy: Path, config: dict[str, Any], backend: str, path: Path, names: tuple[str, ...]) -> tuple[Any, str]:
    """The model and its loader's name, from the first Keras of ``names`` that can load it.

    Keras 3 cannot read many files of Keras 2, or reads them wrongly. Raises ConvertError if none can.
    """
    failures: list[Exception] = []
    for name in names:
        try:
            keras = import_module(name)
            given = {**(_operations(config) if name == "keras" else {}), **_functions()}
            # Keras 3 looks up functions of a .keras file only there, not among load_model's own custom_objects.
            with warnings.catch_warnings(), keras.utils.custom_object_scope(given):
                # Keras warns about its own older style, such as input_shape instead of an Input.
                warnings.simplefilter("ignore")
                # The loss and the optimizer are not needed, and may be custom code.
                model = keras.models.load_model(copy, compile=False)
            classifier.check_ends(len(model.inputs or ()), len(model.outputs or ()), model.output_shape, path)
            # A Sequential of Keras 3 has no output.
            if isinstance(getattr(model, "output", None), dict):
                # Keras would give its answers in a table with a name, too.
                model = keras.Model(model.inputs[0], model.outputs[0])
            if backend == "theano":
                channels.from_theano(model, path)
            if channels.is_channels_first(model):
                model = channels.channels_last(model, keras, path)
            classifier.check_runs(model)
            return model, f"{name} {keras.__version__}"
        except Exception as error:  # Keras can raise anything
            failures.append(error)
    raise _error(failures, config, path) from failures[-1]


def _operations(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 3's classes for the architecture's operations outside layers, by their names in it."""
    found = {}
    for name in operation_names(config):
        kind = name.removeprefix(OPERATION_PREFIX)
        places = [place for place, kinds in OPERATIONS.items() if kind in kinds]
        if places and hasattr(module := import_module(places[0]), kind):
            found[name] = getattr(module, kind)
    return found


def _functions() -> dict[str, Any]:
    """TensorFlow's functions by the names that Keras writes, where it has no activation of its own for them."""
    import tensorflow as tf

    return {name: getattr(tf.math, function) for name, function in ELEMENTWISE.items()}


def _error(failures: list[Exception], config: dict[str, Any], path: Path) -> Exception:
    """The most useful of the errors: one that was found here, else Keras's own message."""
    for error in reversed(failures):
        if isinstance(error, ConvertError | ModuleNotFoundError):
            return error
    if not has_input(config):
        return ConvertError(
            f"{path}: does not say what shape its input has; add keras.Input((28, 28, 1)) as the first layer, or call"
            " the model once, and save it again"
        )
    return ConvertError(f"{path}: Keras cannot load it ({_short(failures[-1])}); save it again with Keras 3")


def _short(error: BaseException) -> str:
    """An error's text as one short line: the innermost of Keras's nested errors, without quoted configurations."""
    text = one_line(error).rpartition("Exception encountered: ")[2]
    return QUOTED_CONFIG.split(text)[0][:120] or type(error).__name__
