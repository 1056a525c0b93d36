"""SavedModels made to hurt: operations on files, initialisers, assets, links and weights that swell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_OPERATIONS = """
    Abort AnonymousIterator AudioSummary BatchFunction CollectiveReduce CSVDatasetV2 DataServiceDatasetV2
    DatasetToTFRecord DebugIdentityV3 DecodeImage DecodeRaw EagerPyFunc FixedLengthRecordDatasetV2 GetSessionHandle
    ImmutableConst InitializeTableFromTextFileV2 LMDBReader LoadAndRemapMatrix LoadDataset LookupTableImportV2
    MatchingFiles MergeV2Checkpoints ParseTensor PrintV2 PyFunc PyFuncStateless ReadFile ReaderReadV2 RegisterDataset
    RemoteCall RestoreV2 RestoreSlice SaveSlices SaveDatasetV2 SaveV2 Send ShardDataset SleepOp SnapshotDatasetV2
    SqlDataset SymbolicGradient TextLineDataset TFRecordDatasetV2 UnheardOf WholeFileReaderV2 WriteFile
    WriteGraphSummary XlaLaunch
"""
OPERATIONS = tuple(_OPERATIONS.split())
"""Operations that read, write, send, run or wait, one that there is not, and some that only look harmless."""
Module = Callable[[Any, Any], Any]


def made(folder: Path, canary: Path, target: Path) -> Iterator[Path]:
    """Hostile SavedModel folders: none may read ``canary`` or write ``target``."""
    for name, function in functions(canary, target).items():
        yield exported(function, folder / f"saved-{name}")
    base = exported(lambda weights, x: linear(weights, x), folder / "saved-base")
    for operation in OPERATIONS:
        yield changed(base, f"main-{operation}", lambda graph, op=operation: _add(graph.graph_def.node, op))
    for operation in OPERATIONS[::3]:
        yield changed(base, f"saver-{operation}", lambda graph, op=operation: _add(_saving(graph).node_def, op))
        yield changed(base, f"start-{operation}", lambda graph, op=operation: as_initialiser(graph, op))
    for name, change in changes().items():
        yield changed(base, name, change)
    yield from folders(base, canary)
    for n in range(10):
        path = Path(shutil.copytree(base, folder / f"saved-damaged-{n}"))
        content, chance = bytearray((base / "saved_model.pb").read_bytes()), np.random.default_rng(n)
        if n % 2:
            del content[int(chance.integers(len(content))) :]
        for place in chance.integers(0, max(1, len(content)), 5 * n):
            content[place] ^= 1 << int(chance.integers(8))
        (path / "saved_model.pb").write_bytes(content)
        yield path
    for n in range(4):
        path = Path(shutil.copytree(base, folder / f"saved-weights-{n}"))
        index = path / "variables" / ("variables.index", "variables.data-00000-of-00001")[n % 2]
        content = bytearray(index.read_bytes())
        content[len(content) // 2 :] = b"\xff" * (len(content) // 3)
        index.write_bytes(content)
        yield path
    shutil.rmtree(base)


def exported(function: Module, folder: Path, *, tracked: dict[str, Any] | None = None) -> Path:
    """A SavedModel whose signature is a function of weights (784, 10) and of images (n, 28, 28)."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = tf.Variable(np.zeros((784, 10), np.float32))
    for name, value in (tracked or {}).items():
        setattr(module, name, value)
    call = tf.function(lambda x: {"scores": function(module.weights, x)})
    tf.saved_model.save(
        module, str(folder), signatures=call.get_concrete_function(tf.TensorSpec((None, 28, 28), tf.float32))
    )
    return folder


def changed(base: Path, name: str, change: Callable[[Any], None]) -> Path:
    """A copy of a SavedModel with its MetaGraphDef changed."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = Path(shutil.copytree(base, base.with_name(f"saved-{name}")))
    parsed = SavedModel.FromString((base / "saved_model.pb").read_bytes())
    change(parsed.meta_graphs[0])
    (path / "saved_model.pb").write_bytes(parsed.SerializeToString())
    return path


def linear(weights: Any, x: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(x, (-1, 784)) @ weights


def functions(canary: Path, target: Path) -> dict[str, Module]:
    import tensorflow as tf

    raw, where, secret = tf.raw_ops, str(target), str(canary)

    def after(*operations: Any) -> Callable[[Any, Any], Any]:
        def call(weights: Any, x: Any) -> Any:
            with tf.control_dependencies([operation() for operation in operations]):
                return linear(weights, x)

        return call

    def constant(weights: Any, x: Any) -> Any:
        read = raw.ImmutableConst(dtype=tf.uint8, shape=[16], memory_region_name=secret)
        return linear(weights, x) + tf.reduce_sum(tf.cast(read, tf.float32))

    def text(weights: Any, x: Any) -> Any:
        read = tf.io.decode_raw(tf.io.read_file(secret), tf.uint8)
        return linear(weights, x) + tf.reduce_sum(tf.cast(read, tf.float32))

    def restored(weights: Any, x: Any) -> Any:
        (read,) = raw.RestoreV2(prefix=secret, tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32])
        return linear(weights, x) + tf.reduce_sum(read)

    def python(weights: Any, x: Any) -> Any:
        return linear(weights, tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), (None, 28, 28)))

    def forever(weights: Any, x: Any) -> Any:
        return linear(weights, tf.while_loop(lambda y: tf.reduce_max(y) < 9e9, lambda y: (y * 0.5,), (x,))[0])

    def swelling(weights: Any, x: Any) -> Any:
        return linear(weights, x) + tf.reduce_sum(tf.fill((60_000, 60_000), tf.reduce_max(x)))

    def doubling(weights: Any, x: Any) -> Any:
        def double(count: Any, y: Any) -> tuple[Any, Any]:
            return count + 1, tf.concat([y, y], 0)

        shapes = (tf.TensorShape([]), tf.TensorShape([None, 28, 28]))
        _, y = tf.while_loop(lambda count, y: count < 40, double, (0, x), shape_invariants=shapes)
        return linear(weights, y)[: tf.shape(x)[0]]

    return {
        "write": after(lambda: tf.io.write_file(where, "here")),
        "save": after(
            lambda: raw.SaveV2(prefix=where, tensor_names=["x"], shape_and_slices=[""], tensors=[tf.constant(1.0)])
        ),
        "merge": after(
            lambda: raw.MergeV2Checkpoints(checkpoint_prefixes=[secret], destination_prefix=where, delete_old_dirs=True)
        ),
        "print": after(lambda: tf.print("\x1b[2Jowned")),
        "record": after(
            lambda: raw.DatasetToTFRecord(
                input_dataset=tf.data.Dataset.from_tensors("x")._variant_tensor, filename=where, compression_type=""
            )
        ),
        "match": after(lambda: tf.io.matching_files("/etc/*")),
        "constant": constant, "read": text, "restore": restored, "python": python, "forever": forever,
        "swelling": swelling, "doubling": doubling,
    }  # fmt: skip


def _add(nodes: Any, operation: str) -> None:
    nodes.add(name=f"bad_{operation}", op=operation)


def _saving(graph: Any) -> Any:
    """The function that saves the weights."""
    return next(one for one in graph.graph_def.library.function if "traced_save" in one.signature.name)


def as_initialiser(graph: Any, operation: str) -> None:
    _add(graph.graph_def.node, operation)
    graph.collection_def["saved_model_main_op"].node_list.value[:] = [f"bad_{operation}"]


def changes() -> dict[str, Callable[[Any], None]]:
    def splat(graph: Any) -> None:
        node = graph.graph_def.node.add(name="splat", op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.dtype = 1
        for size in (100_000, 100_000):
            node.attr["value"].tensor.tensor_shape.dim.add(size=size)
        node.attr["value"].tensor.float_val.append(1)

    def variable(graph: Any) -> None:
        for node in graph.graph_def.node:
            if node.op == "VarHandleOp" and node.attr["shape"].shape.dim:
                node.attr["shape"].shape.dim[0].size = 2**40

    def object_(graph: Any) -> None:
        for part in graph.object_graph_def.nodes:
            if part.WhichOneof("kind") == "variable" and part.variable.shape.dim:
                part.variable.shape.dim[0].size = 2**40

    def variant(graph: Any) -> None:
        node = graph.graph_def.node.add(name="variant", op="Const")
        node.attr["dtype"].type = node.attr["value"].tensor.dtype = 21
        node.attr["value"].tensor.variant_val.add(type_name="tensorflow::TensorList", metadata=b"\xff" * 99)

    def crowd(graph: Any) -> None:
        for number in range(250_000):
            graph.graph_def.node.add(name=f"n{number}", op="NoOp")

    def asset(graph: Any) -> None:
        graph.asset_file_def.add(filename="../../../etc/passwd")

    def resource(graph: Any) -> None:
        graph.object_graph_def.nodes.add().resource.device = "/CPU:0"

    def saver(graph: Any) -> None:
        saved = graph.object_graph_def.nodes[0].saveable_objects["x"]
        saved.save_function = saved.restore_function = 1

    def registered(graph: Any) -> None:
        graph.object_graph_def.nodes[0].registered_name = "tf.\x1b[2J"

    def recursion(graph: Any) -> None:
        function = graph.graph_def.library.function[0]
        function.node_def.add(name="again", op="PartitionedCall").attr["f"].func.name = function.signature.name

    def names(graph: Any) -> None:
        graph.graph_def.node.add(name="\x1b[2J\n", op="\x1b]0;owned\x07")

    def alone(graph: Any) -> None:
        graph.ClearField("object_graph_def")

    def foreign(graph: Any) -> None:
        graph.ClearField("object_graph_def")
        graph.saver_def.filename_tensor_name = "other:0"
        node = graph.graph_def.node.add(name="restore", op="RestoreV2")
        node.input.append("saver_filename")
        graph.saver_def.restore_op_name = "restore"

    def cycle(graph: Any) -> None:
        graph.object_graph_def.nodes[0].children.add(node_id=0, local_name="itself")
        graph.object_graph_def.nodes[0].dependencies.add(node_id=0, local_name="itself")

    def absent(graph: Any) -> None:
        graph.object_graph_def.nodes[0].children.add(node_id=10**6, local_name="absent")

    def signature(graph: Any) -> None:
        graph.signature_def["serving_default"].inputs.clear()

    return {
        "splat": splat, "variable": variable, "object": object_, "variant": variant, "crowd": crowd, "asset": asset,
        "resource": resource, "saver": saver, "registered": registered, "recursion": recursion, "names": names,
        "alone": alone, "foreign": foreign, "cycle": cycle, "absent": absent, "signature": signature,
    }  # fmt: skip


def folders(base: Path, canary: Path) -> Iterator[Path]:
    """Folders with links, pipes and other files."""
    data = "variables/variables.data-00000-of-00001"
    for name in ("link", "folder-link", "pipe", "sparse", "crowded", "text", "unpacked"):
        path = Path(shutil.copytree(base, base.with_name(f"saved-{name}")))
        if name == "link":
            (path / data).unlink()
            (path / data).symlink_to(canary)
        elif name == "folder-link":
            shutil.rmtree(path / "variables")
            (path / "variables").symlink_to(canary.parent)
        elif name == "pipe":
            os.mkfifo(path / "variables" / "variables.data-00001-of-00002")
        elif name == "sparse":
            with (path / data).open("r+b") as file:
                file.truncate(2**40)
        elif name == "crowded":
            for number in range(2000):
                (path / f"{number}").touch()
        elif name == "text":
            (path / "saved_model.pb").rename(path / "saved_model.pbtxt")
        else:
            (path / "config.json").symlink_to(canary)
        yield path
