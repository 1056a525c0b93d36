"""Parts of ink that are one digit: a 5 and its hat, a 4 in two strokes, dotted ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.vision.boxes import Boxes, union


def join(boxes: Boxes, usual: float) -> list[list[int]]:
    """Groups of parts (x, y, width, height) that are one digit: a 5 and its hat, a 4 in two strokes, dotted ink.

    Two parts belong together when they stand above each other (or one within the other's box), nearly touch, and are
    together no larger than a digit, one of them being too small to be one alone.
    """
    owner = list(range(len(boxes)))

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    merged = {i: boxes[i] for i in range(len(boxes))}
    for i, j in near_pairs(boxes, 0.3 * usual):
        a, b = root(i), root(j)
        if a != b and belong(merged[a], merged[b], usual):
            owner[b] = a
            merged[a] = union(np.stack([merged[a], merged.pop(b)]))
    groups: dict[int, list[int]] = {}
    for i in range(len(boxes)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def near_pairs(boxes: Boxes, reach: float) -> list[tuple[int, int]]:
    """Pairs of boxes at most ``reach`` pixels apart on both axes, the nearest pairs first."""
    start = boxes[:, :2]
    end = start + boxes[:, 2:]
    # The one that begins last begins so far behind the end of the other.
    behind = start[:, None] - end
    apart = np.maximum(behind, behind.transpose(1, 0, 2)).max(axis=2)
    first, second = np.nonzero(apart <= reach)
    upper = first < second
    first, second = first[upper], second[upper]
    order = np.argsort(np.maximum(apart[first, second], 0), kind="stable")
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def belong(a: NDArray[np.int32], b: NDArray[np.int32], usual: float) -> bool:
    """Whether two neighbouring parts (x, y, width, height) are one digit."""
    both = union(np.stack([a, b]))
    if both[2] > 1.35 * usual or both[3] > 1.35 * usual:
        return False
    overlap = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2])
    across = overlap[0] / min(a[2], b[2])
    down = overlap[1] / min(a[3], b[3])
    small, large = sorted((max(a[2:]), max(b[2:])))
    if small < 0.25 * usual:
        # Dotted ink and broken ends, whichever side they lie on.
        return bool(across > 0 and down > -0.5) or bool(max(-overlap) < 0.08 * usual)
    # A stroke of a digit lies above, below or inside the other one; beside it stands another digit.
    return bool(across > 0.5 and (small < 0.75 * usual or down > 0.5))
