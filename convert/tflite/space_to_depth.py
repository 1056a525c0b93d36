"""A first convolution that strides, done on blocks of 2x2 pixels: the same sums, of which a runtime makes fewer.

Kernels of the runtimes take channels by eights (XNNPACK's int8), and a grey picture has one: seven of eight products
are of nothing. As blocks of 2x2 pixels it has four channels, and a 5x5 filter that strides by two becomes one of 3x3
blocks that does not. Exact: the weights only move, and what is added to fill the blocks is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2
"""A block's side, pixels: the stride."""


def in_blocks(frozen: Any) -> Any:
    """A frozen function of one image with the convolutions that this is for done so; the same where there are none.

    They have one channel, an even size, a stride of 2 both ways, and constant weights.
    """
    import tensorflow as tf

    found = [operation for operation in frozen.graph.get_operations() if _fits(operation)]
    if not found:
        return frozen
    graph = frozen.graph.as_graph_def()
    nodes = {node.name: node for node in graph.node}
    for operation in found:
        node = nodes[operation.name]
        padding = node.attr["padding"].s.decode()
        moved = blocked(tf.make_ndarray(_constant(operation.inputs[1]).get_attr("value")), padding)
        blocks = graph.node.add(op="SpaceToDepth", name=f"{node.name}/blocks", input=[node.input[0]])
        blocks.attr["T"].type = tf.float32.as_datatype_enum
        blocks.attr["block_size"].i = BLOCK
        blocks.attr["data_format"].s = b"NHWC"
        constant = graph.node.add(op="Const", name=f"{node.name}/moved")
        constant.attr["dtype"].type = tf.float32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(moved))
        node.input[:] = [blocks.name, constant.name]
        node.attr["strides"].list.i[:] = [1, 1, 1, 1]
    ends = [tensor.name for tensor in frozen.inputs], [tensor.name for tensor in frozen.outputs]
    whole = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    inputs, outputs = ([whole.graph.get_tensor_by_name(name) for name in names] for names in ends)
    return whole.prune(inputs, outputs)


def _constant(tensor: Any) -> Any:
    """What gives these weights: a frozen variable is a constant handed on."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _fits(operation: Any) -> bool:
    if operation.type != "Conv2D" or operation.get_attr("data_format") != b"NHWC":
        return False
    picture, weights = operation.inputs
    return (
        _constant(weights).type == "Const"
        and picture.shape.rank == 4
        and picture.shape[3] == 1
        and all(side is not None and side % BLOCK == 0 for side in picture.shape[1:3])
        and operation.get_attr("strides") == [1, BLOCK, BLOCK, 1]
        and operation.get_attr("dilations") == [1, 1, 1, 1]
        and operation.get_attr("padding") in (b"SAME", b"VALID")
    )


def blocked(weights: NDArray[np.float32], padding: str) -> NDArray[np.float32]:
    """Weights (height, width, 1, filters) that stride over pixels -> (h, w, 4, filters) over blocks.

    ``padding``: SAME or VALID, as TensorFlow has them for even sizes, and as the new ones are to have it.
    """
    # So many empty rows and columns TensorFlow puts before the picture; the first tap falls into half a block.
    before = [max(taps - BLOCK, 0) // 2 if padding == "SAME" else 0 for taps in weights.shape[:2]]
    lead = [count % BLOCK for count in before]
    spread = [-(-(ahead + taps) // BLOCK) for ahead, taps in zip(lead, weights.shape[:2], strict=True)]
    filters = weights.shape[3]
    filled = np.zeros((spread[0] * BLOCK, spread[1] * BLOCK, filters), np.float32)
    filled[lead[0] : lead[0] + weights.shape[0], lead[1] : lead[1] + weights.shape[1]] = weights[:, :, 0]
    parts = filled.reshape(spread[0], BLOCK, spread[1], BLOCK, filters)
    moved: NDArray[np.float32] = parts.transpose(0, 2, 1, 3, 4).reshape(*spread, BLOCK * BLOCK, filters)
    return moved
