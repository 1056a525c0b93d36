"""Load a SavedModel folder: TensorFlow's format, a graph with weights, which every Keras can export."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from convert.load import graph_classifier, saved_graph, sizes
from convert.load.graph_classifier import GraphClassifier
from edge.errors import ConvertError
from edge.system.text import one_line

GRAPH = "saved_model.pb"
"""The file in a SavedModel folder that contains the graph."""
VARIABLES = "variables"
"""The folder in it that contains the weights, as a checkpoint."""
INDEX = "variables.index"
"""The file in it that lists them."""
CHECKPOINT_FILE = re.compile(r"variables\.(index|data-\d{5}-of-\d{5})")
"""The names of a checkpoint's files."""


def load(path: Path, folder: Path, check_output: Callable[[tuple[int | None, ...]], None]) -> GraphClassifier:
    """The model in a SavedModel folder; TensorFlow loads a checked copy in ``folder``.

    Only the graph and its weights are copied: other files of Keras may contain code. ``check_output`` gets the shape of
    its output before TensorFlow loads it, and raises what is wrong with it. Raises ConvertError if the folder is
    incomplete or damaged, has an operation that a classifier does not need, or not exactly one input and one output.
    """
    import tensorflow as tf

    copy, graph = _copy(path, folder / "saved_model")
    name, shape = saved_graph.signature(graph, path)
    if not shape.unknown_rank:
        check_output(tuple(None if dim.size < 0 else dim.size for dim in shape.dim))
    try:
        loaded = tf.saved_model.load(str(copy))
        signature = loaded.signatures[name]
        # TensorFlow changes names such as input.1.
        ((given, source),) = signature.structured_input_signature[1].items()
        ((found, target),) = signature.structured_outputs.items()
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(
            f"{path}: TensorFlow cannot load it ({one_line(error, 120)}); copy the whole folder again, or export it"
            " again"
        ) from error

    def scores(images: Any, model: Any = loaded) -> Any:
        # Its functions refer to its variables only weakly: the default keeps the model.
        return signature(**{given: images})[found]

    variables = sum(int(np.prod(variable.shape)) for variable in signature.variables)
    # Constants that a model's objects hold are given to its functions, as variables are.
    held = sum(int(np.prod(tensor.shape)) for tensor in signature.captured_inputs if tensor.dtype.is_floating)
    parameters = variables or held + graph_classifier.constants(signature.graph)
    return GraphClassifier(scores, source, target, parameters, path)


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


def check_files(path: Path) -> None:
    """Raise ConvertError if a file of the weights of a SavedModel folder is missing or empty, as after a download."""
    present = {file.name for file in sizes.files(path) if file.parent == path / VARIABLES and file.stat().st_size}
    shards = {int(name.rpartition("-")[2]) for name in present if "data-" in name and CHECKPOINT_FILE.fullmatch(name)}
    if not shards and INDEX not in present:
        return
    count = max(shards, default=1)
    needed = [INDEX, *(f"variables.data-{n:05}-of-{count:05}" for n in range(min(count, sizes.MAX_FILES)))]
    for name in needed:
        if name not in present:
            what = "is empty" if (path / VARIABLES / name).exists() else "is missing"
            raise ConvertError(
                f"{path}: its weights are not complete, {VARIABLES}/{name} {what}; copy the whole folder again"
            )


def _copy(path: Path, copy: Path) -> tuple[Path, Any]:
    """A copy of a SavedModel folder that has only its checked graph and its weights; and that graph."""
    files = sizes.files(path)
    graph = saved_graph.checked(sizes.read(path / GRAPH), path)
    (copy / VARIABLES).mkdir(parents=True)
    (copy / GRAPH).write_bytes(graph.SerializeToString())
    for file in files:
        if file.parent == path / VARIABLES and CHECKPOINT_FILE.fullmatch(file.name):
            shutil.copyfile(file, copy / VARIABLES / file.name)
    if saved_graph.has_variables(graph):
        _check_weights(copy / VARIABLES, path)
    return copy, graph


def _check_weights(folder: Path, path: Path) -> None:
    """Raise ConvertError if the files of a checkpoint are not all there, or shorter than the weights in them."""
    import tensorflow as tf

    if not (folder / INDEX).is_file():
        missing = f"{VARIABLES}/{INDEX} and {VARIABLES}/variables.data-00000-of-00001"
        raise ConvertError(f"{path}: its weights are missing, {missing}; copy the whole folder again")
    try:
        stored = tf.train.load_checkpoint(str(folder / "variables"))
        shapes, types = stored.get_variable_to_shape_map(), stored.get_variable_to_dtype_map()
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: its {VARIABLES}/{INDEX} is damaged; copy the whole folder again") from error
    needed = sum(math.prod(shape) * types[name].size for name, shape in shapes.items() if types[name] != tf.string)
    found = sum(file.stat().st_size for file in folder.glob("variables.data-*"))
    if found < needed:
        raise ConvertError(
            f"{path}: its weights are cut short, {VARIABLES}/variables.data-* has {found:,} bytes of {needed:,}; copy"
            " the whole folder again"
        )
