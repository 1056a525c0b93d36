"""Which kernel computes which operator."""

from __future__ import annotations

from collections.abc import Callable

from edge.model.numpy_tflite import activations, arithmetic, convolution, pooling, shapes
from edge.model.numpy_tflite.kernel import Call, Kernel

KERNELS: dict[str, Callable[[Call], Kernel]] = {
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "CONCATENATION": shapes.concatenation,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "DEQUANTIZE": activations.dequantize,
    "EXPAND_DIMS": shapes.reshape,
    "FULLY_CONNECTED": convolution.fully_connected,
    "LEAKY_RELU": activations.leaky_relu,
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MEAN": pooling.reduction,
    "MIRROR_PAD": shapes.mirror_pad,
    "PACK": shapes.pack,
    "PAD": shapes.pad,
    "PADV2": shapes.pad,
    "QUANTIZE": activations.quantize,
    "REDUCE_MAX": pooling.reduction,
    "RELU": activations.relu,
    "RELU6": activations.relu,
    "RELU_N1_TO_1": activations.relu,
    "RESHAPE": shapes.reshape,
    "SHAPE": shapes.shape,
    "SOFTMAX": activations.softmax,
    "SPACE_TO_DEPTH": shapes.space_to_depth,
    "SQUEEZE": shapes.reshape,
    "STRIDED_SLICE": shapes.strided_slice,
    "SUM": pooling.reduction,
    "TRANSPOSE": shapes.transpose,
    **dict.fromkeys(arithmetic.OF_FLOATS, arithmetic.binary),
    **dict.fromkeys(activations.FUNCTIONS, activations.elementwise),
}
"""Makes the kernel of an operator. Raises ValueError, which says why it cannot be computed."""
