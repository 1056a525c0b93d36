"""Evidence: what is measured of each candidate and of its surroundings, as numbers for the belief."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reading.candidates import Candidate
from edge.types import Pixels
from edge.vision.statistics import median

SOFT = 64
"""Ink up to this level, 0 to 255, is a soft edge."""
FAR = 3.0
"""A neighbour further away than this many digit sides is none."""
_AROUND = np.ones((3, 3), np.uint8)


def _logit(p: float) -> float:
    p = min(max(p, 0.002), 0.998)
    return float(np.log(p / (1 - p)))


def _shape(ink: Pixels) -> tuple[float, float, float]:
    """Area and stroke width, pixels, and mean level of the ink of one mark."""
    mask = cv2.threshold(ink, SOFT, 1, cv2.THRESH_BINARY)[1]
    area = cv2.countNonZero(mask)
    if not area:
        return 0.0, 1.0, 0.0
    outline = area - cv2.countNonZero(cv2.erode(mask, _AROUND, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    return float(area), 2 * area / max(outline, 1), cv2.mean(ink, mask)[0]


def evidence(
    candidates: Sequence[Candidate], digits: Sequence[int | None], digit_side: float, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """(candidates, features) float32. ``digits``: the digit of each class, or None."""
    if not candidates:
        return np.zeros((0, 44), np.float32)
    columns = [i for i, digit in enumerate(digits) if digit is not None]
    number = [digits[i] for i in columns]
    likely = [one.probabilities[columns] for one in candidates]
    top = [float(p.max()) for p in likely]
    none = [max(0.0, 1.0 - float(p.sum())) for p in likely]
    measured = [_shape(one.ink) for one in candidates]
    sure = [i for i, p in enumerate(top) if p > 0.8] or list(range(len(candidates)))
    usual_stroke = median([measured[i][1] for i in sure])
    usual_level = max(1.0, median([measured[i][2] for i in sure]))
    rows: dict[int, list[int]] = {}
    for i, one in enumerate(candidates):
        rows.setdefault(one.line, []).append(i)
    all_top = sum(top)
    height, width = shape[:2]
    out = np.zeros((len(candidates), 44), np.float32)
    for row in rows.values():
        row.sort(key=lambda i: candidates[i].box.x + candidates[i].box.width / 2)
        good = [i for i in row if top[i] > 0.5] or row
        row_height = median([candidates[i].box.height for i in good])
        foot = median([candidates[i].box.y + candidates[i].box.height for i in good])
        row_top = sum(top[i] for i in row)
        for n, i in enumerate(row):
            one = candidates[i]
            x, y, w, h = one.box
            area, stroke, level = measured[i]
            p = np.sort(likely[i])
            side = max(w, h)
            before = row[n - 1] if n else None
            after = row[n + 1] if n + 1 < len(row) else None
            gaps, near, letters, taller = [], [], [], []
            for other in (before, after):
                gap = FAR
                if other is not None:
                    b = candidates[other].box
                    gap = (max(x, b.x) - min(x + w, b.x + b.width)) / digit_side
                gaps.append(min(max(gap, -0.5), FAR))
                some = other is not None and gap < FAR
                near.append(top[other] if some else 0.5)
                letters.append(none[other] if some else 0.3)
                taller.append(float(np.log(h / max(1, candidates[other].box.height))) if some else 0.0)
            holds = sum(
                1 for k, b in enumerate(candidates)
                if k != i and b.box.x >= x and b.box.y >= y and b.box.x + b.box.width <= x + w and b.box.y + b.box.height <= y + h
            )
            held = sum(
                1 for k, b in enumerate(candidates)
                if k != i and b.box.x <= x and b.box.y <= y and b.box.x + b.box.width >= x + w and b.box.y + b.box.height >= y + h
            )
            edge = min(x, y, width - x - w, height - y - h)
            feats = [
                _logit(top[i]), min(8.0, float(np.log(p[-1] / max(p[-2], 1e-4)))), _logit(none[i]),
                float(np.log(w / h)), float(np.log(h / digit_side)), float(np.log(side / digit_side)), float(np.log(side / 30)),
                area / (w * h), stroke / side, float(np.log(stroke / usual_stroke)), float(np.log(max(level, 1) / usual_level)), level / 255,
                float(edge <= 1), min(2.0, edge / digit_side), float(side / max(width, height)),
                float(np.log(len(row))), float(np.log(len(candidates))),
                (row_top - top[i]) / (len(row) - 1) if len(row) > 1 else 0.5,
                (all_top - top[i]) / (len(candidates) - 1) if len(candidates) > 1 else 0.5,
                *near, *letters, *gaps, *taller,
                float(np.clip((y + h - foot) / digit_side, -2, 2)), float(np.clip((y + h / 2 - foot + row_height / 2) / digit_side, -2, 2)), float(np.clip(np.log(h / row_height), -2, 2)),
                min(3.0, holds), min(3.0, held), float(len(row) > 1),
            ]
            best = number[int(likely[i].argmax())]
            out[i, : len(feats)] = feats
            out[i, 34 + best] = 1.0
    return out
