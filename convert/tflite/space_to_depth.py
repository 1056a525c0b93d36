"""Space to depth: make a first convolution with stride 2 faster by running it on blocks of 2x2 pixels.

XNNPACK's int8 kernels process channels in groups of eight, but a grey image has one channel, so seven of eight products
are wasted. As blocks of 2x2 pixels the image has four channels, and a 5x5 filter with stride 2 becomes a filter of 3x3
blocks with stride 1. The result is exact: weights are only moved, and blocks are filled up with zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2
"""Side of a block, pixels; equal to the stride of the convolutions that are changed."""


def use_blocks(frozen: Any) -> Any:
    """A frozen function of one image with its suitable convolutions done on blocks; unchanged if there are none.

    Suitable are those of one channel, an even size, stride 2 both ways, and constant weights.
    """
    import tensorflow as tf

    found = [operation for operation in frozen.graph.get_operations() if _can_use_blocks(operation)]
    if not found:
        return frozen
    graph = frozen.graph.as_graph_def()
    nodes = {node.name: node for node in graph.node}
    for operation in found:
        node = nodes[operation.name]
        padding = node.attr["padding"].s.decode()
        moved = block_weights(tf.make_ndarray(_constant(operation.inputs[1]).get_attr("value")), padding)
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
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    inputs, outputs = ([wrapped.graph.get_tensor_by_name(name) for name in names] for names in ends)
    return wrapped.prune(inputs, outputs)


def _constant(tensor: Any) -> Any:
    """The operation that these weights come from: a frozen variable is a constant behind Identity operations."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _can_use_blocks(operation: Any) -> bool:
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


def block_weights(weights: NDArray[np.float32], padding: str) -> NDArray[np.float32]:
    """Weights (height, width, 1, filters) for pixels with stride 2 -> (h, w, 4, filters) for blocks with stride 1.

    ``padding``: SAME or VALID, as TensorFlow pads even sizes; the convolution on blocks has the same padding.
    """
    # TensorFlow adds these empty rows and columns before the image, so a filter may begin in the middle of a block.
    padded = [max(taps - BLOCK, 0) // 2 if padding == "SAME" else 0 for taps in weights.shape[:2]]
    lead = [count % BLOCK for count in padded]
    spread = [-(-(skipped + taps) // BLOCK) for skipped, taps in zip(lead, weights.shape[:2], strict=True)]
    filters = weights.shape[3]
    filled = np.zeros((spread[0] * BLOCK, spread[1] * BLOCK, filters), np.float32)
    filled[lead[0] : lead[0] + weights.shape[0], lead[1] : lead[1] + weights.shape[1]] = weights[:, :, 0]
    parts = filled.reshape(spread[0], BLOCK, spread[1], BLOCK, filters)
    moved: NDArray[np.float32] = parts.transpose(0, 2, 1, 3, 4).reshape(*spread, BLOCK * BLOCK, filters)
    return moved
