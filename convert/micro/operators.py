"""The operators that TensorFlow Lite for Microcontrollers (TFLM) computes on int8."""

from __future__ import annotations

from collections.abc import Iterable

OPERATORS = {
    "ABS": "Abs", "ADD": "Add", "ARG_MAX": "ArgMax", "ARG_MIN": "ArgMin", "AVERAGE_POOL_2D": "AveragePool2D",
    "BATCH_MATMUL": "BatchMatMul", "BATCH_TO_SPACE_ND": "BatchToSpaceNd", "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "DEPTH_TO_SPACE": "DepthToSpace", "DIV": "Div",
    "EQUAL": "Equal", "FULLY_CONNECTED": "FullyConnected", "GATHER": "Gather", "GATHER_ND": "GatherNd",
    "GREATER": "Greater", "GREATER_EQUAL": "GreaterEqual", "HARD_SWISH": "HardSwish",
    "L2_NORMALIZATION": "L2Normalization", "LEAKY_RELU": "LeakyRelu", "LESS": "Less", "LESS_EQUAL": "LessEqual",
    "LOGISTIC": "Logistic", "LOG_SOFTMAX": "LogSoftmax", "MAXIMUM": "Maximum", "MAX_POOL_2D": "MaxPool2D",
    "MEAN": "Mean", "MINIMUM": "Minimum", "MIRROR_PAD": "MirrorPad", "MUL": "Mul", "PACK": "Pack", "PAD": "Pad",
    "PADV2": "PadV2", "PRELU": "Prelu", "QUANTIZE": "Quantize", "REDUCE_MAX": "ReduceMax", "REDUCE_MIN": "ReduceMin",
    "RELU": "Relu", "RESHAPE": "Reshape", "RESIZE_BILINEAR": "ResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor", "REVERSE_V2": "ReverseV2", "RSQRT": "Rsqrt",
    "SELECT_V2": "SelectV2", "SLICE": "Slice", "SOFTMAX": "Softmax", "SPACE_TO_BATCH_ND": "SpaceToBatchNd",
    "SPACE_TO_DEPTH": "SpaceToDepth", "SPLIT": "Split", "SQUARED_DIFFERENCE": "SquaredDifference",
    "STRIDED_SLICE": "StridedSlice", "SUB": "Sub", "TANH": "Tanh", "TRANSPOSE": "Transpose",
    "TRANSPOSE_CONV": "TransposeConv",
}  # fmt: skip
"""Operator -> what follows ``Add`` in the method of MicroMutableOpResolver that registers it.

Each of them was run on int8 by TFLM's own reference kernels and compared with LiteRT's: tflite-micro of 2026-10-23
(8f6596d, https://github.com/tensorflow/tflite-micro). TFLM does not look at the versions of operators. It also has
these, but not for int8: EXP, LOG and SQRT take only floats, and RELU6 and SUM give wrong numbers (RELU6 does not
rescale). A ReLU6 after a convolution is part of that.
"""


def missing(names: Iterable[str]) -> list[str]:
    """Those of the operators that TFLM does not compute on int8, sorted."""
    return sorted(set(names) - set(OPERATORS))
