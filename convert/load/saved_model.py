"""Load a SavedModel folder: TensorFlow's format, a graph with weights, which every Keras can export."""

from __future__ import annotations

import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.load import saved_graph, sizes
from edge.errors import ConvertError
from edge.system.text import one_line

GRAPH = "saved_model.pb"
"""The file in a SavedModel folder that contains the graph."""
SIGNATURE = "serving_default"
"""The name of the function that TensorFlow and every Keras export for inference."""
VARIABLES = "variables"
"""The folder in it that contains the weights, as a checkpoint."""
CHECKPOINT_FILE = re.compile(r"variables\.(index|data-\d{5}-of-\d{5})")
"""The names of a checkpoint's files."""


class SavedClassifier:
    """The serving signature of a SavedModel, with the methods of a Keras model that has one input and one output."""

    def __init__(self, loaded: Any, signature: Any, path: Path) -> None:
        # Keep a reference to the model: its functions refer to its variables only weakly.
        self._loaded, self._signature = loaded, signature
        self._name, given = _single(signature.structured_input_signature[1], "input", path)
        self._output, found = _single(signature.structured_outputs, "output", path)
        self._dtype = given.dtype
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
        self._batch_is_one = given.shape[0] == 1
        self.input_shape = (None, *given.shape.as_list()[1:])
        self.output_shape = (None, *found.shape.as_list()[1:])

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Outputs (n, classes) float32 for inputs (n, …); a graph cannot be changed, so ``training`` has no effect."""
        import tensorflow as tf

        if self._dtype.is_integer and x.dtype.is_floating:
            x = tf.round(x)
        outputs = self._signature(**{self._name: tf.cast(x, self._dtype)})
        return tf.cast(outputs[self._output], tf.float32)

    def predict(self, x: NDArray[Any], batch_size: int = 32, verbose: int = 0) -> NDArray[np.float32]:
        """Outputs (n, classes) float32 for inputs (n, …), ``batch_size`` at a time."""
        import tensorflow as tf

        size = 1 if self._batch_is_one else batch_size
        parts = [self(tf.constant(x[first : first + size])).numpy() for first in range(0, len(x), size)]
        return np.concatenate(parts)

    def count_params(self) -> int:
        """Number of trained parameters, as variables or as constants of the graph."""
        variables = sum(int(np.prod(variable.shape)) for variable in self._signature.variables)
        if variables:
            return variables
        tensors = (node.outputs[0] for node in self._signature.graph.get_operations() if node.type == "Const")
        return sum(int(np.prod(tensor.shape)) for tensor in tensors if tensor.dtype.is_floating)


def load(path: Path, folder: Path) -> SavedClassifier:
    """The model in a SavedModel folder; TensorFlow loads a checked copy in ``folder``.

    Only the graph and its weights are copied: other files of Keras may contain code. Raises ConvertError if it is
    damaged, has an operation that a classifier does not need, or has not exactly one input and one output.
    """
    import tensorflow as tf

    copy = _copy(path, folder / "saved_model")
    try:
        loaded = tf.saved_model.load(str(copy))
        signatures = loaded.signatures
        names = sorted(signatures)
        chosen = SIGNATURE if SIGNATURE in names else names[0] if len(names) == 1 else None
        signature = None if chosen is None else signatures[chosen]
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: TensorFlow cannot load it ({one_line(error, 120)}); save it again") from error
    if signature is None:
        others = f"only {', '.join(names)}" if names else "none"
        raise ConvertError(f"{path}: has no signature {SIGNATURE} ({others}); save it with model.export(folder)")
    return SavedClassifier(loaded, signature, path)


def digest(path: Path) -> str:
    """sha256 of the names and bytes of all files in a folder, in the order of their names.

    Raises ConvertError if there is a link among them, or more than a model has.
    """
    hashed = sha256()
    for file in sizes.files(path):
        name = file.relative_to(path).as_posix().encode(errors="surrogateescape")
        hashed.update(b"%d %s %d " % (len(name), name, file.stat().st_size))
        hashed.update(sizes.read(file))
    return hashed.hexdigest()


def _copy(path: Path, copy: Path) -> Path:
    """A copy of a SavedModel folder that has only its checked graph and its weights."""
    files = sizes.files(path)
    graph = saved_graph.checked(sizes.read(path / GRAPH), path)
    (copy / VARIABLES).mkdir(parents=True)
    (copy / GRAPH).write_bytes(graph.SerializeToString())
    for file in files:
        if file.parent == path / VARIABLES and CHECKPOINT_FILE.fullmatch(file.name):
            shutil.copyfile(file, copy / VARIABLES / file.name)
    if saved_graph.has_variables(graph) and not (copy / VARIABLES / "variables.index").is_file():
        raise ConvertError(f"{path}: has no variables/variables.index, so no weights; copy the whole folder")
    return copy


def _single(ends: Any, what: str, path: Path) -> tuple[str, Any]:
    if not isinstance(ends, dict) or len(ends) != 1:
        raise ConvertError(f"{path}: has {len(ends)} {what}s; a digit classifier has one input and one output")
    return next(iter(ends.items()))
