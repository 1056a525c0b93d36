"""Belief: the probability that a candidate is a digit, and the one it looks like, from its evidence.

A small network that was fitted on generated pages; ``convert.training.belief`` fits it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.reading.evidence import NAMES

LIMIT = 5.0
"""Evidence further from its mean than this many standard deviations counts as that many."""
Weights = NDArray[np.float32]


class Belief(NamedTuple):
    """Weights of a network with one hidden layer (tanh) and a logistic output."""

    mean: Weights
    """(features,): the mean of each number of the evidence."""
    scale: Weights
    """(features,): 1 / its standard deviation."""
    hidden: Weights
    """(features, units)."""
    hidden_bias: Weights
    output: Weights
    """(units,)."""
    output_bias: float

    def __call__(self, found: NDArray[np.float32]) -> list[float]:
        """Evidence (n, features) -> the belief in each candidate, 0 to 1."""
        x = np.clip((found - self.mean) * self.scale, -LIMIT, LIMIT)
        logit = np.tanh(x @ self.hidden + self.hidden_bias) @ self.output + self.output_bias
        beliefs: list[float] = (1 / (1 + np.exp(-logit))).tolist()
        return beliefs


def from_json(content: dict[str, Any]) -> Belief:
    """The belief from its JSON form."""
    if tuple(content["evidence"]) != NAMES:
        raise ValueError("was fitted on other evidence")
    arrays = [np.array(content[name], np.float32) for name in ("mean", "scale", "hidden", "hidden_bias", "output")]
    return Belief(*arrays, float(content["output_bias"]))


@cache
def packaged_belief() -> Belief:
    """The belief that is shipped with the package."""
    here = Path(__file__).parents[1]
    inside = here / "models" / "belief.json"
    path = inside if inside.exists() else here.parent / "models" / "belief.json"
    return from_json(json.loads(path.read_text()))
