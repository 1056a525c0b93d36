"""The weights of an older model of ours in today's network: fewer classes, more filters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convert.classes import CLASSES
from edge.model.card import DIGITS

Weights = list[NDArray[np.float32]]
"""As Keras lists them: of each convolution its kernel (height, width, from, to) and the gamma, beta, mean and variance
of its normalisation; of the last layer its kernel (from, to) and bias."""
LAYER = 5
"""Arrays of a convolution."""
HEAD_NOISE = 0.02
"""Standard deviation of the noise on weights that are copied for new classes, so that the classes become different.
Chosen: small beside the weights."""


def fitted(weights: Weights, shapes: Sequence[tuple[int, ...]]) -> Weights | None:
    """The weights of an older model with today's ``shapes``; None if it is another network."""
    alike = [kernel.shape[:2] for kernel in weights[:-2:LAYER]] == [shape[:2] for shape in shapes[:-2:LAYER]]
    if len(weights) != len(shapes) or not alike or weights[-2].shape[0] != weights[-3].shape[0]:
        return None
    if weights[-1].shape == (len(DIGITS) + 1,):
        weights = [*weights[:-2], *with_all_classes(weights[-2], weights[-1])]
    filters = [shape[-1] for shape in shapes[:-2:LAYER]]
    if all(kernel.shape[-1] >= count for kernel, count in zip(weights[:-2:LAYER], filters, strict=True)):
        weights = narrowed(weights, filters)
    return weights if [array.shape for array in weights] == list(shapes) else None


def with_all_classes(kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> Weights:
    """The last layer's weights (n, classes) and (classes,) for CLASSES, from those for the digits and none.

    Every class that is no digit begins as none, and all of them together are as probable as none was.
    """
    digits, others = len(DIGITS), len(CLASSES) - len(DIGITS)
    noise = np.random.default_rng(0).normal(0, HEAD_NOISE, (len(kernel), others))
    return [
        np.concatenate([kernel[:, :digits], np.repeat(kernel[:, digits:], others, axis=1) + noise], axis=1),
        np.concatenate([bias[:digits], np.repeat(bias[digits:], others) - np.log(others)]),
    ]


def narrowed(weights: Weights, filters: Sequence[int]) -> Weights:
    """The weights with only so many filters of each convolution: those that weigh most in the layer behind.

    A filter weighs as much as its normalisation's gamma times the norm of the weights that use it (after Liu, Li, Shen,
    Huang, Yan and Zhang, "Learning efficient convolutional networks through network slimming", 2017).
    """
    found: Weights = []
    kept = np.arange(weights[0].shape[2])
    for i, count in enumerate(filters):
        kernel, gamma, *others = weights[LAYER * i : LAYER * (i + 1)]
        behind = weights[LAYER * (i + 1)]
        # The last convolution's output is one pixel: the layer behind it is dense.
        used = np.linalg.norm(np.moveaxis(behind, -2, 0).reshape(behind.shape[-2], -1), axis=1)
        kernel = kernel[..., kept, :]
        kept = np.sort(np.argsort(-np.abs(gamma) * used, kind="stable")[:count])
        found += [kernel[..., kept], gamma[kept], *(array[kept] for array in others)]
    return [*found, weights[-2][kept], weights[-1]]
