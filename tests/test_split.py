import cv2
import numpy as np
import pytest

from edge.types import Box, Pixels
from edge.vision.split import best_path, cheapest, cuts, split, whole_parts


def rings(count: int, apart: int, side: int = 60) -> Pixels:
    """So many rings in a row, ``apart`` pixels from centre to centre: they touch where that is ``side`` or less."""
    ink = np.zeros((side, side + (count - 1) * apart), np.uint8)
    for i in range(count):
        cv2.ellipse(ink, (side // 2 + i * apart, side // 2), (side // 2 - 4, side // 2 - 4), 0, 0, 360, 255, 5)
    return ink


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("apart", [54, 57])
def test_a_cut_goes_between_any_two_that_touch(count: int, apart: int) -> None:
    seams = cuts(rings(count, apart))
    for i in range(1, count):
        between = 30 + (i - 0.5) * apart
        assert min(abs(seam.mean() - between) for seam in seams) < 6
    means = [seam.mean() for seam in seams]
    assert means == sorted(means) and all(len(seam) == 60 for seam in seams)


def test_a_cut_slants_with_the_writing() -> None:
    ink = rings(2, 55)
    lean = np.array([[1, -0.35, 0.35 * 60], [0, 1, 0]], np.float32)
    slanted = cv2.warpAffine(ink, lean, (ink.shape[1] + 21, 60))
    middle = cv2.transform(np.array([[[30 + 27.5, 0]], [[30 + 27.5, 59]]], np.float32), lean)[:, 0, 0]
    best = min(cuts(slanted), key=lambda seam: abs(seam[0] - middle[0]) + abs(seam[-1] - middle[1]))
    assert abs(best[0] - middle[0]) < 8 and abs(best[-1] - middle[1]) < 8
    assert best[0] - best[-1] > 8


def test_the_cheapest_way_down_is_found() -> None:
    picture = np.ones((32, 40), np.float32)
    way = 20 + np.round(2.5 * np.sin(np.arange(32) / 6)).astype(int)
    picture[np.arange(32), way] = 0
    cost, seams = cheapest(picture, np.full((1, 32), 20))
    assert np.array_equal(seams[0], way)
    assert cost[0] == pytest.approx(0.3 * np.abs(np.diff(way)).sum(), abs=1e-4)


def test_the_pieces_of_each_way_are_the_whole_ink() -> None:
    ink = rings(3, 54)
    pieces = split(ink)
    last = max(piece.end for piece in pieces)
    for middle in range(1, last):
        ends = {(piece.start, piece.end): piece for piece in pieces}
        if (0, middle) in ends and (middle, last) in ends:
            together = np.zeros_like(ink)
            for piece in (ends[0, middle], ends[middle, last]):
                x, y, w, h = piece.box
                together[y : y + h, x : x + w] |= piece.ink
            assert np.mean(together != ink) < 0.03
    assert any(np.hypot(piece.box.x, piece.box.width - 57) < 8 for piece in pieces), "the first ring alone"


def test_what_is_not_to_be_cut_has_no_pieces() -> None:
    assert split(np.full((60, 4), 255, np.uint8)) == []
    assert split(np.full((60, 1), 255, np.uint8)) == []
    assert split(np.zeros((5, 5), np.uint8)) == []


def test_the_best_path_is_the_best_of_all() -> None:
    scores = {(0, 1): -1.0, (1, 3): -1.0, (0, 2): -0.1, (2, 3): -0.2, (1, 2): -0.1}
    assert best_path(scores, 3) == [(0, 2), (2, 3)]
    assert best_path({(0, 1): -1.0}, 2) == []


def test_crumbs_go_and_strokes_stay() -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[5:35, 5:10] = 255
    ink[5:10, 20:35] = 255
    crumbed = ink.copy()
    crumbed[20:22, 30:33] = 255
    assert np.array_equal(whole_parts(crumbed), ink)
    assert isinstance(split(rings(2, 55))[0].box, Box)
