"""Parts of ink that are one digit: a 5 and its hat, a 4 in two strokes, dotted ink.

In plain Python, as ``edge.vision.text_lines`` is.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.vision.components import Corners


def join(boxes: Sequence[Corners], usual: float) -> list[list[int]]:
    """Groups of parts (x, y, width, height) that are one digit: a 5 and its hat, a 4 in two strokes, dotted ink.

    Two parts belong together when they stand above each other (or one within the other's box), nearly touch, and are
    together no larger than a digit, one of them being too small to be one alone.
    """
    owner = list(range(len(boxes)))

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    merged = dict(enumerate(boxes))
    for i, j in near_pairs(boxes, 0.3 * usual):
        a, b = root(i), root(j)
        if a != b and belong(merged[a], merged[b], usual):
            owner[b] = a
            merged[a] = around((merged[a], merged.pop(b)))
    groups: dict[int, list[int]] = {}
    for i in range(len(boxes)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def around(boxes: Sequence[Corners]) -> Corners:
    """The box around some boxes."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top


def near_pairs(boxes: Sequence[Corners], reach: float) -> list[tuple[int, int]]:
    """Pairs of boxes at most ``reach`` pixels apart on both axes, the nearest pairs first."""
    order = sorted(range(len(boxes)), key=lambda i: boxes[i][0])
    pairs = []
    for n, i in enumerate(order):
        x, y, width, height = boxes[i]
        for j in order[n + 1 :]:
            left, top, _, tall = boxes[j]
            # The one that begins last begins so far behind the end of the other.
            across = left - x - width
            if across > reach:
                break
            apart = max(across, top - y - height, y - top - tall)
            if apart <= reach:
                pairs.append((max(apart, 0), min(i, j), max(i, j)))
    return [(i, j) for _, i, j in sorted(pairs)]


def belong(a: Corners, b: Corners, usual: float) -> bool:
    """Whether two neighbouring parts (x, y, width, height) are one digit."""
    _, _, wide, tall = around((a, b))
    if wide > 1.35 * usual or tall > 1.35 * usual:
        return False
    over_x = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    over_y = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    across, down = over_x / min(a[2], b[2]), over_y / min(a[3], b[3])
    small, large = sorted((max(a[2:]), max(b[2:])))
    if small < 0.25 * usual:
        # Dotted ink and broken ends, whichever side they lie on.
        return (across > 0 and down > -0.5) or max(-over_x, -over_y) < 0.08 * usual
    # A stroke of a digit lies above, below or inside the other one; beside it stands another digit.
    return across > 0.5 and (small < 0.75 * usual or down > 0.5)
