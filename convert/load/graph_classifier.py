"""A TensorFlow graph with the methods of a Keras model that has one input and one output."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.load import classifier
from edge.errors import ConvertError
from edge.system.text import one_line


class GraphClassifier:
    """A function of a TensorFlow graph: images to scores.

    ``given`` and ``found`` are its input and its output, with a dtype and a shape; ``parameters`` is the number of its
    weights. Raises ConvertError if the input is no image.
    """

    batch_is_one: bool
    """Whether it takes one image at a time."""

    def __init__(self, function: Callable[[Any], Any], given: Any, found: Any, parameters: int, path: Path) -> None:
        self._function, self._dtype, self._parameters = function, given.dtype, parameters
        if not (given.dtype.is_floating or given.dtype.is_integer):
            raise ConvertError(f"{path}: its input is {given.dtype.name}, not an image; export an image classifier")
        if given.shape.rank is None or found.shape.rank is None or given.shape.rank < 2:
            raise ConvertError(
                f"{path}: does not say what shape its input has; export it with a shape such as (None, 28, 28)"
            )
        if given.shape[0] not in (None, 1):
            raise ConvertError(
                f"{path}: takes exactly {given.shape[0]} images at a time; export it with an open batch, (None, ...)"
            )
        self.batch_is_one = given.shape[0] == 1
        self.input_shape = (None, *given.shape.as_list()[1:])
        self.output_shape = (None, *found.shape.as_list()[1:])

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Outputs (n, classes) float32 for inputs (n, …); a graph cannot be changed, so ``training`` has no effect."""
        import tensorflow as tf

        if self._dtype.is_integer and x.dtype.is_floating:
            x = tf.round(x)
        return tf.cast(self._function(tf.cast(x, self._dtype)), tf.float32)

    def predict(self, x: NDArray[Any], batch_size: int = 32, verbose: int = 0) -> NDArray[np.float32]:
        """Outputs (n, classes) float32 for inputs (n, …), ``batch_size`` at a time."""
        import tensorflow as tf

        size = 1 if self.batch_is_one else batch_size
        parts = [self(tf.constant(x[first : first + size])).numpy() for first in range(0, len(x), size)]
        return np.concatenate(parts)

    def count_params(self) -> int:
        """Number of trained parameters, as variables or as constants of the graph."""
        return self._parameters


def constants(graph: Any) -> int:
    """How many floating-point numbers a TensorFlow graph and its functions have as constants."""
    import tensorflow as tf

    whole = graph.as_graph_def()
    parts = (whole.node, *(function.node_def for function in whole.library.function))
    tensors = (node.attr["value"].tensor for part in parts for node in part if node.op == "Const")
    return sum(
        math.prod(dim.size for dim in tensor.tensor_shape.dim)
        for tensor in tensors
        if tf.dtypes.as_dtype(tensor.dtype).is_floating
    )


def check(model: GraphClassifier, path: Path) -> None:
    """Raise ConvertError if a graph does not run, or gives different answers for the same image."""
    classifier.check_ends(1, 1, model.output_shape, path)
    if not model.batch_is_one:
        try:
            classifier.check_runs(model)
        except Exception:  # TensorFlow can raise anything
            # onnx2tf 1.29 writes the number of images into a graph, which says that it takes any.
            model.batch_is_one = True
    try:
        classifier.check_runs(model)
        noise = np.random.default_rng(1).random((2, *classifier.input_size(model.input_shape)), np.float32)
        is_steady = all(np.allclose(model.predict(x), model.predict(x), atol=1e-5) for x in (noise, 255 * noise))
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: does not run on two images ({one_line(error, 120)}); save it again") from error
    if not is_steady:
        # Keras 3.15's export() leaves layers such as RandomRotation active.
        raise ConvertError(
            f"{path}: gives different answers for the same image, as if data augmentation layers were exported while"
            " active; remove them and export it again, or save it with model.save('model.keras')"
        )
