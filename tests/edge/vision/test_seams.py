import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.seams import cheapest_paths, find_seams, loop_mask


def rings(count: int, apart: int, side: int = 36) -> Pixels:
    """So many rings in a row, ``apart`` pixels from centre to centre: they touch where that is ``side`` or less."""
    ink = np.zeros((side, side + (count - 1) * apart), np.uint8)
    for i in range(count):
        cv2.ellipse(ink, (side // 2 + i * apart, side // 2), (side // 2 - 3, side // 2 - 3), 0, 0, 360, 255, 3)
    return ink


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("apart", [32, 33])
def test_a_cut_goes_between_any_two_that_touch(count: int, apart: int) -> None:
    ink = rings(count, apart)
    found = find_seams(ink).columns
    for i in range(1, count):
        between = 18 + (i - 0.5) * apart
        assert min(np.abs(seam - between).max() for seam in found) < 5
    left = [int(ink[np.arange(ink.shape[1]) < seam[:, None]].sum(dtype=np.int64)) for seam in found]
    assert left == sorted(left) and found.shape[1] == 36


def test_a_cut_slants_with_the_writing() -> None:
    ink = rings(2, 33)
    lean = np.array([[1, -0.35, 0.35 * 36], [0, 1, 0]], np.float32)
    slanted = cv2.warpAffine(ink, lean, (ink.shape[1] + 13, 36))
    middle = cv2.transform(np.array([[[18 + 16.5, 0]], [[18 + 16.5, 35]]], np.float32), lean)[:, 0, 0]
    best = min(find_seams(slanted).columns, key=lambda seam: abs(seam[0] - middle[0]) + abs(seam[-1] - middle[1]))
    assert abs(best[0] - middle[0]) < 5 and abs(best[-1] - middle[1]) < 5
    assert best[0] - best[-1] > 5


def test_a_large_loop_stays_whole() -> None:
    ink = np.zeros((32, 70), np.uint8)
    cv2.ellipse(ink, (20, 16), (18, 13), 0, 0, 360, 255, 3)
    cv2.line(ink, (38, 16), (68, 16), 255, 3)
    cv2.line(ink, (68, 3), (68, 29), 255, 3)
    found = find_seams(ink)
    assert len(found.costs)
    rows = np.arange(32)
    for seam in found.columns:
        assert loop_mask(ink)[rows, np.clip(seam, 0, 69)].sum() <= 16


def test_cuts_divide_the_ink_in_different_ways() -> None:
    ink = rings(3, 32)
    found = find_seams(ink).columns
    sides = [np.where(np.arange(ink.shape[1]) < seam[:, None], ink / 255, 0) for seam in found]
    one = ink.sum() / 255 * 36 / ink.shape[1]
    for i, side in enumerate(sides):
        assert all(np.abs(side - other).sum() >= 0.039 * one for other in sides[:i])
        assert 0.06 * one < side.sum() < ink.sum() / 255 - 0.06 * one


def test_the_cheapest_path_is_found() -> None:
    picture = np.ones((32, 40), np.float32)
    way = 20 + np.round(2.5 * np.sin(np.arange(32) / 6)).astype(int)
    picture[np.arange(32), way] = 0
    cost, paths = cheapest_paths(picture, np.full((1, 32), 20))
    assert np.array_equal(paths[0], way)
    assert cost[0] == pytest.approx(0.15 * np.abs(np.diff(way)).sum(), abs=1e-4)


def test_a_hole_is_what_ink_encloses() -> None:
    ink = np.zeros((20, 40), np.uint8)
    cv2.rectangle(ink, (2, 2), (14, 17), 255, 2)
    cv2.line(ink, (20, 2), (20, 17), 255, 2)
    found = loop_mask(ink)
    assert found[10, 8] == 1 and found[10, 17] == 0 and found[10, 30] == 0 and found[2, 2] == 0


def test_what_is_too_small_has_no_cut() -> None:
    for shape in ((60, 1), (5, 5), (32, 4)):
        assert len(find_seams(np.full(shape, 255, np.uint8)).costs) == 0
