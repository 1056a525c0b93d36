"""Load a SavedModel folder: TensorFlow's format, a graph with weights, which every Keras can export."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConvertError
from edge.system.text import one_line

GRAPH = "saved_model.pb"
"""The file in a SavedModel folder that contains the graph."""
SIGNATURE = "serving_default"
"""The name of the function that TensorFlow and every Keras export for inference."""
FORBIDDEN_OPERATIONS = {
    "PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles", "LoadLibrary",
    "WholeFileReader", "WholeFileReaderV2", "TextLineReader", "TextLineReaderV2", "TFRecordReader", "TFRecordReaderV2",
    "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2",
    "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "CSVDataset", "CSVDatasetV2", "SaveDataset",
    "SaveDatasetV2", "LoadDataset", "SnapshotDataset", "SnapshotDatasetV2", "InitializeTableFromTextFile",
    "InitializeTableFromTextFileV2", "PrintV2", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3",
    "SummaryWriter", "CreateSummaryFileWriter", "CreateSummaryDbWriter", "DeleteFile", "RpcCall", "RpcClient",
}  # fmt: skip
"""Operations that call Python, load code, or access files or the network. Operations that save and restore weights are
not among them: they are in every SavedModel, and only the loader calls them."""
CHECKPOINT_OPERATIONS = {"SaveV2", "RestoreV2", "Save", "Restore", "SaveSlices", "RestoreSlice", "MergeV2Checkpoints"}
"""Operations on checkpoints, which are allowed in the file but not in the function for inference."""


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


def load(path: Path) -> SavedClassifier:
    """The model in a SavedModel folder; only the graph is read, since other files of Keras in it may contain code.

    Raises ConvertError if it is damaged, has forbidden operations, or has not exactly one input and one output.
    """
    import tensorflow as tf

    _refuse_operations(path)
    try:
        loaded = tf.saved_model.load(str(path))
        signatures = loaded.signatures
        names = sorted(signatures)
        chosen = SIGNATURE if SIGNATURE in names else names[0] if len(names) == 1 else None
        signature = None if chosen is None else signatures[chosen]
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: TensorFlow cannot load it ({one_line(error, 120)}); save it again") from error
    if signature is None:
        others = f"only {', '.join(names)}" if names else "none"
        raise ConvertError(f"{path}: has no signature {SIGNATURE} ({others}); save it with model.export(folder)")
    if found := CHECKPOINT_OPERATIONS & set(_operations(signature.graph.as_graph_def())):
        raise _forbidden_error(path, found)
    return SavedClassifier(loaded, signature, path)


def digest(path: Path) -> str:
    """sha256 of the names and bytes of all files in a folder, in the order of their names."""
    hashed = sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        name = file.relative_to(path).as_posix().encode()
        hashed.update(b"%d %s %d " % (len(name), name, file.stat().st_size))
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def _refuse_operations(path: Path) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        parsed = SavedModel.FromString((path / GRAPH).read_bytes())
    except Exception as error:  # protobuf's DecodeError, which has no types for mypy
        raise ConvertError(f"{path}: its {GRAPH} is damaged or cut short; copy the folder again") from error
    if not parsed.meta_graphs:
        raise ConvertError(f"{path}: its {GRAPH} is empty; copy the folder again")
    operations = {operation for meta in parsed.meta_graphs for operation in _operations(meta.graph_def)}
    if operations & {"VarHandleOp", "VariableV2"} and not (path / "variables" / "variables.index").is_file():
        raise ConvertError(f"{path}: has no variables/variables.index, so no weights; copy the whole folder")
    if forbidden := FORBIDDEN_OPERATIONS & operations:
        raise _forbidden_error(path, forbidden)


def _operations(graph: Any) -> Iterator[str]:
    """The types of operations in a GraphDef and in the functions that it calls."""
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        yield from (node.op for node in nodes)


def _forbidden_error(path: Path, names: set[str]) -> ConvertError:
    return ConvertError(
        f"{path}: its graph has {', '.join(sorted(names))}, which runs Python or accesses files; export it without"
    )


def _single(ends: Any, what: str, path: Path) -> tuple[str, Any]:
    if not isinstance(ends, dict) or len(ends) != 1:
        raise ConvertError(f"{path}: has {len(ends)} {what}s; a digit classifier has one input and one output")
    return next(iter(ends.items()))
