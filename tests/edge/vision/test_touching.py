from collections.abc import Mapping
from itertools import product

import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.touching import best_paths, find_cuts, reduce_to_height, remove_crumbs


def rings(count: int, apart: int, side: int = 60) -> Pixels:
    """So many rings in a row, ``apart`` pixels from centre to centre: they touch where that is ``side`` or less."""
    ink = np.zeros((side, side + (count - 1) * apart), np.uint8)
    for i in range(count):
        cv2.ellipse(ink, (side // 2 + i * apart, side // 2), (side // 2 - 4, side // 2 - 4), 0, 0, 360, 255, 5)
    return ink


def test_the_pieces_of_each_cut_are_the_whole_ink() -> None:
    ink = rings(2, 54)
    cuts = find_cuts(ink)
    assert cuts
    tried = 0
    for middle in range(1, cuts.last):
        pair = cuts.piece(0, middle), cuts.piece(middle, cuts.last)
        together = np.zeros_like(ink)
        if pair[0] and pair[1]:
            tried += 1
            for piece in (cuts.full_size(pair[0]), cuts.full_size(pair[1])):
                x, y, w, h = piece.box
                assert piece.ink.shape == (h, w)
                together[y : y + h, x : x + w] |= piece.ink
            assert np.mean(together != ink) < 0.03
    assert tried


def test_one_piece_is_the_first_of_two() -> None:
    cuts = find_cuts(rings(2, 54))
    assert cuts
    found = [cuts.piece(0, end) for end in cuts.ends_after(0)]
    boxes = [cuts.full_size(piece).box for piece in found if piece]
    assert any(abs(box.x - 2) < 3 and abs(box.width - 56) < 6 and box.height > 50 for box in boxes)
    assert cuts.last not in cuts.ends_after(0), "the whole is no piece of itself"


def test_digits_that_share_a_stroke_both_have_it() -> None:
    """The lower part of a 4's stem is the left side of the 6 after it."""
    ink = np.zeros((64, 90), np.uint8)
    cv2.polylines(ink, [np.array([[5, 5], [5, 36], [40, 36]])], False, 255, 6)
    cv2.line(ink, (40, 3), (40, 60), 255, 6)
    cv2.ellipse(ink, (60, 46), (20, 13), 0, 0, 360, 255, 6)
    cv2.line(ink, (46, 36), (70, 3), 255, 6)
    cuts = find_cuts(ink)
    assert cuts
    stem = np.zeros(cuts.small.shape, bool)
    stem[20:26, 19:21] = True
    assert cuts.small[stem].min() > 127
    both = [
        (end, start)
        for end in range(1, cuts.last)
        for start in cuts.next_starts(end)
        if cuts.before[end][stem].mean() > 0.8 and cuts.before[start][stem].mean() < 0.2
    ]
    assert both
    assert all(0 < cuts.next_starts(end)[start] <= 0.3 for end, start in both)


def test_the_next_piece_shares_little_and_starts_before_the_end() -> None:
    cuts = find_cuts(rings(3, 54))
    assert cuts
    assert cuts.next_starts(0) == {0: 0.0} and cuts.next_starts(cuts.last) == {cuts.last: 0.0}
    for end in range(1, cuts.last):
        after = cuts.next_starts(end)
        assert after[end] == 0
        assert all(0 < start <= end and 0 <= ink <= 0.3 for start, ink in after.items())


def test_what_is_not_to_be_cut_has_no_cuts() -> None:
    assert find_cuts(np.full((60, 4), 255, np.uint8)) is None
    assert find_cuts(np.full((60, 1), 255, np.uint8)) is None
    assert find_cuts(np.zeros((5, 5), np.uint8)) is None
    assert find_cuts(np.full((10, 200), 255, np.uint8)) is None


def test_thin_strokes_stay_dark() -> None:
    ink = np.zeros((400, 500), np.uint8)
    cv2.ellipse(ink, (250, 200), (200, 180), 0, 0, 360, 255, 4)
    assert reduce_to_height(ink).shape == (32, 40)
    assert reduce_to_height(ink).max() > 200
    assert reduce_to_height(ink[:30]) is not None and reduce_to_height(ink[:30]).shape == (30, 500)


def every_path(
    scores: Mapping[tuple[int, int], float], back: Mapping[tuple[int, int], float], last: int
) -> dict[tuple[tuple[int, int], ...], float]:
    found: dict[tuple[tuple[int, int], ...], float] = {}
    for length in range(1, 4):
        for path in product(scores, repeat=length):
            total = sum(scores[step] for step in path)
            fits = path[0][0] == 0 and path[-1][1] == last
            for (_, end), (start, after) in zip(path, path[1:], strict=False):
                fits &= after > end and (start == end or (end, start) in back)
                total += back.get((end, start), 0.0)
            if fits:
                found[path] = total
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_first_path_is_the_best_of_all_and_the_next_are_no_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    last = 5
    scores = {
        (a, b): -float(rng.uniform(0.1, 1)) for a in range(last) for b in range(a + 1, last + 1) if rng.uniform() < 0.6
    }
    scores.pop((0, last), None)
    back = {(e, s): -float(rng.uniform(0, 0.3)) for e in range(2, last) for s in range(1, e) if rng.uniform() < 0.4}

    def score(start: int, end: int) -> float:
        return scores[start, end]

    def bounds(start: int) -> dict[int, float]:
        return {b: -0.1 for a, b in scores if a == start}

    def next_starts(end: int) -> dict[int, float]:
        return {end: 0.0} | {s: change for (e, s), change in back.items() if e == end}

    every = every_path(scores, back, last)
    best = max(every, key=every.__getitem__, default=())
    if best and len(best) <= 3:
        least = every[best] - 0.01
        assert list(best_paths(last, bounds, score, next_starts, least)) == [best]
        assert not list(best_paths(last, bounds, score, next_starts, every[best] + 0.01))
    found = [path for path in best_paths(last, bounds, score, next_starts, -9.0) if len(path) <= 3]
    assert [every[path] for path in found] == sorted((every[path] for path in found), reverse=True)


def test_there_may_be_no_path() -> None:
    found = best_paths(2, lambda start: {1: 0.0} if start == 0 else {}, lambda *_: -1.0, lambda end: {end: 0.0}, -9)
    assert not list(found)


def test_crumbs_are_removed_and_strokes_stay() -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[5:35, 5:10] = 255
    ink[5:10, 20:35] = 255
    crumbed = ink.copy()
    crumbed[20:22, 30:33] = 255
    assert np.array_equal(remove_crumbs(crumbed), ink)
