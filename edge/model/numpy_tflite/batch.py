"""Whether several images may go through a graph at once."""

from __future__ import annotations

import math

from edge.model.numpy_tflite.activations import FUNCTIONS
from edge.model.numpy_tflite.arithmetic import OF_FLOATS
from edge.model.numpy_tflite.graph import Operator

BATCH_VALUES = 2**16
"""Most values of the largest tensor of a batch. Chosen: 512 KiB in float64, which a processor has near."""
_EACH = frozenset({
    "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "EXPAND_DIMS", "FULLY_CONNECTED", "LEAKY_RELU",
    "MAX_POOL_2D", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "SOFTMAX", "SPACE_TO_DEPTH", "SQUEEZE",
    *FUNCTIONS,
})  # fmt: skip
"""Operators that compute each entry of the first axis for itself, if all their tensors have one."""
_OVER_AXES = ("MEAN", "REDUCE_MAX", "SUM")
"""The same, if the first axis is not among those that they sum up."""


def batch_size(operators: list[Operator], known: set[int]) -> int:
    """How many images may go through these operators at once; ``known``: the indices of tensors that never change.

    1 unless each operator treats each entry of the first axis for itself.
    """
    largest = 1
    for operator in operators:
        changing = [tensor for tensor in operator.inputs if tensor is not None and tensor.index not in known]
        target = operator.outputs[0]
        ranks = {len(tensor.shape) for tensor in (*changing, target)}
        if any(tensor.shape[:1] != (1,) for tensor in (*changing, target)):
            return 1
        if operator.name in OF_FLOATS:
            # Broadcasting must not move the first axis.
            if len(ranks) > 1:
                return 1
        elif operator.name in _OVER_AXES:
            axes = operator.inputs[1].constant if len(operator.inputs) > 1 and operator.inputs[1] else None
            if axes is None or (axes % len(changing[0].shape) == 0).any() or len(changing) != 1:
                return 1
        elif operator.name not in _EACH or len(changing) != 1:
            return 1
        largest = max(largest, *(math.prod(tensor.shape) for tensor in (*changing, target)))
    return max(1, BATCH_VALUES // largest)
