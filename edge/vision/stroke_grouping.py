"""Group strokes into digits: a 5 and its bar, a 4 in two strokes, dotted ink.

In plain Python, as ``edge.vision.text_lines`` is.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.vision.components import Rect, bounding_box

ENCIRCLED = 0.3
"""What is inside a circle or a box is a digit of its own if it is at least this share of it."""
MARGIN = 0.08
"""It is inside if it stays away from all sides of the circle by at least this share of it."""


def group_strokes(boxes: Sequence[Rect], digit_side: float) -> list[list[int]]:
    """Groups of parts (x, y, width, height) that are one digit each, as lists of places in ``boxes``.

    Two parts belong together when one stands above the other (or within the other's box), they nearly touch, both
    together are no larger than a digit, and one of them is too small to be a digit alone. ``digit_side`` is a typical
    digit's longer side, pixels.
    """
    owner = list(range(len(boxes)))

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    merged = dict(enumerate(boxes))
    for i, j in near_pairs(boxes, 0.3 * digit_side):
        a, b = root(i), root(j)
        if a != b and are_one_digit(merged[a], merged[b], digit_side):
            owner[b] = a
            merged[a] = bounding_box((merged[a], merged.pop(b)))
    groups: dict[int, list[int]] = {}
    for i in range(len(boxes)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def near_pairs(boxes: Sequence[Rect], reach: float) -> list[tuple[int, int]]:
    """Pairs of boxes at most ``reach`` pixels apart on both axes, the nearest pairs first."""
    order = sorted(range(len(boxes)), key=lambda i: boxes[i][0])
    pairs = []
    for n, i in enumerate(order):
        x, y, width, height = boxes[i]
        for j in order[n + 1 :]:
            left, top, _, tall = boxes[j]
            # How far the right box of the two begins behind the end of the left one.
            across = left - x - width
            if across > reach:
                break
            apart = max(across, top - y - height, y - top - tall)
            if apart <= reach:
                pairs.append((max(apart, 0), min(i, j), max(i, j)))
    return [(i, j) for _, i, j in sorted(pairs)]


def are_one_digit(a: Rect, b: Rect, digit_side: float) -> bool:
    """Whether two neighbouring parts (x, y, width, height) are one digit."""
    _, _, wide, tall = bounding_box((a, b))
    if wide > 1.35 * digit_side or tall > 1.35 * digit_side:
        return False
    over_x = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    over_y = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    across, down = over_x / min(a[2], b[2]), over_y / min(a[3], b[3])
    small, large = sorted((max(a[2:]), max(b[2:])))
    if small < 0.25 * digit_side:
        # Dotted ink and broken ends of strokes, on any side.
        return (across > 0 and down > -0.5) or max(-over_x, -over_y) < 0.08 * digit_side
    inner, outer = (a, b) if a[2] * a[3] < b[2] * b[3] else (b, a)
    if wide == outer[2] and tall == outer[3] and small > ENCIRCLED * large:
        margin = min(inner[0] - outer[0], inner[1] - outer[1])
        margin = min(margin, outer[0] + outer[2] - inner[0] - inner[2], outer[1] + outer[3] - inner[1] - inner[3])
        if margin > MARGIN * large:
            return False
    # A stroke of the same digit lies above, below or inside the other part; what stands beside it is another digit.
    return across > 0.5 and (small < 0.75 * digit_side or down > 0.5)
