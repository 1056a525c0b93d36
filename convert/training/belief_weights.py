"""Fit the network that weighs the evidence: a hidden layer of tanh and a logistic output, small enough for NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

from edge.reading.belief import LIMIT, WEIGHTS

UNITS = 32
"""Units of the hidden layer."""
EPOCHS = 40
"""Chosen: more do not help, and it takes seconds."""
BATCH_SIZE = 512
"""Samples per step."""
RATE = 4e-3
"""First learning rate, which falls to 0 along a cosine."""
DECAY = 3e-4
"""Share of each weight that is added to its gradient: an L2 penalty."""
LEAST_DEVIATION = 1e-2
"""Added to the standard deviation of each number of the evidence: some never change."""
SIGNIFICANT = 6
"""Significant digits of the weights: nearly as many as float32 has."""
MOMENTS = (0.9, 0.999)
"""How slowly Adam's means of the gradients and of their squares change (Kingma, Ba, ICLR 2015)."""


def fit_weights(found: NDArray[np.float32], right: NDArray[np.bool_], seed: int) -> dict[str, NDArray[np.float64]]:
    """The weights by their names in ``edge.reading.belief.WEIGHTS``.

    ``found``: evidence (n, features); ``right``: (n,), whether each is a digit, and the one that it is taken for. The
    loss is the cross-entropy.
    """
    rng = np.random.default_rng(seed)
    mean, scale = found.mean(axis=0), 1 / (found.std(axis=0) + LEAST_DEVIATION)
    samples = np.clip((found - mean) * scale, -LIMIT, LIMIT)
    truths = right.astype(np.float32)
    sizes = (samples.shape[1], UNITS)
    hidden, output = (rng.normal(0, size[0] ** -0.5, size) for size in (sizes, (UNITS,)))
    weights = [hidden, np.zeros(UNITS), output, np.zeros(1)]
    means, squares = ([np.zeros_like(part) for part in weights] for _ in range(2))
    per_epoch, step = -(-len(samples) // BATCH_SIZE), 0
    for epoch in range(EPOCHS):
        rate = RATE * (1 + cos(pi * epoch / EPOCHS)) / 2
        for batch in np.array_split(rng.permutation(len(samples)), per_epoch):
            step += 1
            for i, gradient in enumerate(_gradients(samples[batch], truths[batch], weights)):
                means[i] = MOMENTS[0] * means[i] + (1 - MOMENTS[0]) * gradient
                squares[i] = MOMENTS[1] * squares[i] + (1 - MOMENTS[1]) * gradient**2
                # Both began at 0, which this corrects.
                first, second = means[i] / (1 - MOMENTS[0] ** step), squares[i] / (1 - MOMENTS[1] ** step)
                weights[i] = weights[i] - rate * first / (np.sqrt(second) + 1e-8)
    return {name: rounded(array) for name, array in zip(WEIGHTS, (mean, scale, *weights), strict=True)}


def _gradients(
    samples: NDArray[np.float32], truths: NDArray[np.float32], weights: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], ...]:
    """Of the mean loss of these samples, by each of the four arrays."""
    hidden, hidden_bias, output, output_bias = weights
    activity = np.tanh(samples @ hidden + hidden_bias)
    error = (1 / (1 + np.exp(-(activity @ output + output_bias))) - truths) / len(samples)
    back = np.outer(error, output) * (1 - activity**2)
    by_hidden, by_output = samples.T @ back + DECAY * hidden, activity.T @ error + DECAY * output
    return by_hidden, back.sum(axis=0), by_output, error.sum(keepdims=True)


def rounded(array: NDArray[np.floating]) -> NDArray[np.float64]:
    """To SIGNIFICANT digits; as float64 they are written with no more."""
    numbers: NDArray[np.float64] = np.array([f"{one:.{SIGNIFICANT}g}" for one in array.ravel()], np.float64)
    return numbers.reshape(array.shape)
