"""Trim large parts of ink: what is much weaker than the rest of its part only joins it to other ink.

Rules and boxes that are paler than the pen, blurred edges of strokes that stand close together, the rim of a shadow.
"""

from __future__ import annotations

import numpy as np

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, connected_components

LARGE = 1.3
"""Parts are trimmed that are more than this many times as large as usual: smaller ones are single digits."""
WEAK = 0.55
"""Ink is trimmed that has less than this share of the strength of its part."""


def trim_large_parts(ink: Pixels, mask: Pixels) -> Pixels:
    """The mask without the weak ink of its large parts. Both (height, width) uint8, 255 = ink."""
    labels, stats = connected_components(mask)
    sides = stats[:, 2:4].max(axis=1)
    some = np.sort(sides[sides >= MIN_SIDE])
    if not len(some):
        return mask
    # The median, weighted so that one digit counts as much as several specks.
    weight = np.cumsum(np.sqrt(some))
    large = sides > LARGE * some[np.searchsorted(weight, weight[-1] / 2)]
    if not large.any():
        return mask
    at = np.flatnonzero(large[labels])
    label, level = labels.ravel()[at], ink.ravel()[at].astype(np.float32)
    # The mean level, in which strong ink counts more than weak ink.
    strength = np.bincount(label, level * level, len(stats)) / np.maximum(np.bincount(label, level, len(stats)), 1)
    left = mask.copy()
    left.ravel()[at[level < (WEAK * strength)[label]]] = 0
    return left
