from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, styles, virtual_camera
from edge.reading.candidates import Candidate
from edge.reading.evaluation import only_digits
from edge.reading.hypotheses import Hypothesis
from edge.reading.passes import MOST, PassResult, mean_likeness, replaced, value
from edge.reading.quarter_turns import QUARTERS
from edge.reading.reader import Reader
from edge.types import Box, Pixels
from edge.vision.settings import VisionSettings
from tests.support import candidates

Page = Callable[..., Pixels]


def plain(text: str, side: int, pen: float) -> Pixels:
    """Digits in a row of their usual form, dark on light; each is ``side`` pixels tall."""
    style = styles.WritingStyle(forms=(0,) * 10)
    inks = [
        rendering.render(rendering.draw(int(one), np.random.default_rng(7), style), side, side, pen) for one in text
    ]
    return (230 - np.pad(np.hstack(inks), side // 2).astype(np.float32) * 0.7).astype(np.uint8)


def mark(x: int = 0, **more: object) -> Candidate:
    return candidates.candidate(box=Box(x, 0, 20, 30), **more)  # type: ignore[arg-type]


def test_the_score_counts_digits_that_are_believed(reader: Reader, page: Page) -> None:
    seen = reader.analyse(page("25")).best_pass
    assert isinstance(seen, PassResult)
    few = seen._replace(candidates=(mark(belief=1.0), mark(belief=0.75), mark(belief=0.3)))
    assert few.score == pytest.approx(0.75)
    assert few.share == pytest.approx(2.05 / 3)
    touching = mark(belief=0.1, context=(0.1, 0.5, 0.9))
    assert few._replace(candidates=(*few.candidates, touching)).promise == pytest.approx(0.75 + 0.4)
    assert (few._replace(candidates=()).score, few._replace(candidates=()).share) == (0, 0)
    assert mean_likeness([mark(share=0.9), mark(share=0.5)]) == pytest.approx(0.7)
    assert mean_likeness([]) == 0


def test_more_ink_that_is_believed_is_worth_more() -> None:
    assert value([mark(belief=0.3)]) == value([]) == 0
    assert 0 < value([mark(belief=0.5)]) < value([mark(belief=0.9)]) < value([mark(belief=0.9), mark(belief=0.4)])
    bold = np.full((30, 40), 255, np.uint8)
    assert value([candidates.candidate(bold, belief=0.9)]) < 2 * value([mark(belief=0.9)]), "not by the pen's width"


def test_pieces_are_worth_no_more_than_the_ink_that_they_were_cut_from() -> None:
    whole = candidates.candidate(np.full((30, 40), 255, np.uint8))
    two = [mark(belief=0.9)._replace(whole=whole) for _ in range(2)]
    assert value(two) == pytest.approx(0.6 * whole.shape.area / whole.shape.stroke)
    assert value([*two, two[0]]) == pytest.approx(value(two) * 2 / 3), "the third shares the ink of others"
    assert value(two[:1]) == pytest.approx(value(two) / 2), "half of the ink"
    soft = candidates.candidate(np.full((30, 20), 40, np.uint8), belief=0.9)
    assert value([soft._replace(whole=whole)]) == 0, "only a soft edge"


def test_another_way_takes_the_place_and_the_line_of_what_it_replaces() -> None:
    row = [mark(x, line=1) for x in (0, 30, 60, 90)]
    new = [mark(35), mark(45)]
    changed, places = replaced(row, Hypothesis((row[1],), tuple(new)))
    assert [one.box.x for one in changed] == [0, 35, 45, 60, 90] and places == [1, 2]
    assert {one.line for one in changed} == {1}
    changed, places = replaced(row, Hypothesis((row[3], row[2]), (mark(60),)))
    assert [one.box.x for one in changed] == [0, 30, 60] and places == [2]


def test_the_belief_of_each_candidate_decides(reader: Reader, page: Page) -> None:
    for picture in (page("258", "46"), page("1")):
        seen = reader.analyse(picture).best_pass
        assert seen.accepted == tuple(one.belief >= reader.min_confidence for one in seen.candidates)
        assert all(0 <= one.belief <= 1 and one.context is not None for one in seen.candidates)


@pytest.mark.parametrize(("side", "pen"), [(24, 2), (60, 3), (200, 14), (600, 60)])
def test_digits_are_read_at_the_size_that_their_strokes_need(reader: Reader, side: int, pen: float) -> None:
    found = reader.analyse(plain("258", side, pen))
    assert found.reading.text == "258"
    assert found.cleaned.scale < 1 or pen < 10
    for digit, x in zip(found.reading.digits, (side / 2, 1.5 * side, 2.5 * side), strict=True):
        near = side / 15 + 2
        assert x - near <= digit.box.x and digit.box.x + digit.box.width <= x + side + near, "in pixels of the frame"


def far_away(*lines: str, side: int, width: int = 1536) -> Pixels:
    """Lines of digits, ``side`` pixels tall, on a large page as a camera sees it: (3/4 width, width) uint8."""
    page = np.full((width * 3 // 4, width), 230, np.uint8)
    for n, line in enumerate(lines):
        large = plain(line, 4 * side, 0.28 * side)[2 * side : -2 * side]
        row = cv2.resize(large, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        top = side + 2 * side * n
        page[top : top + row.shape[0], side : side + row.shape[1]] = row
    noise = np.random.default_rng(1).normal(0, 3, page.shape)
    return np.clip(cv2.GaussianBlur(page, (0, 0), 0.7) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("side", "width"), [(12, 1024), (20, 1536), (25, 2028), (50, 4056)])
def test_small_digits_of_a_large_page_are_all_read(reader: Reader, side: int, width: int) -> None:
    """On an A4 page that fills the frame they are 3.7 mm tall."""
    lines = ["23568", "47902", "38654"]
    found = reader.analyse(far_away(*lines, side=side, width=width))
    assert found.reading.lines == tuple(lines)
    assert max(found.cleaned.mask.shape) > 1024, "read at a larger scale than at first"
    for n, digit in enumerate(found.reading.digits):
        x, y = side * (1.5 + n % 5), side * (1 + 2 * (n // 5))
        assert abs(digit.box.x + digit.box.width / 2 - x - side / 2) < side / 2 and abs(digit.box.y - y) < side / 2


def test_a_picture_is_read_no_larger_than_the_settings_say(page: Page) -> None:
    with Reader(vision=VisionSettings(working_size=1100)) as small:
        assert max(small.analyse(far_away("23568", side=20)).cleaned.mask.shape) <= 1100


@pytest.mark.parametrize("slope", [0.0, 0.4, 2.5])
def test_a_pen_that_lies_beside_a_number_does_not_hide_it(reader: Reader, slope: float) -> None:
    picture = far_away("23568", side=32)
    along = np.array([1, slope]) / np.hypot(1, slope) * 330
    cv2.line(picture, (800 - along).astype(int).tolist(), (800 + along).astype(int).tolist(), 60, 44, cv2.LINE_AA)
    assert "23568" in reader.read(picture).lines


@pytest.mark.parametrize("seed", [6, 8])
def test_the_ticks_of_a_ruler_are_no_reason_to_read_larger(reader: Reader, page: Page, seed: int) -> None:
    picture = np.vstack([page("2357", height=300, seed=seed), np.full((180, 640), 230, np.uint8)])
    picture[380:430, 60:580] = 175
    for i, x in enumerate(range(90, 550, 9)):
        cv2.line(picture, (x, 382), (x, 401 if i % 10 == 0 else 396 if i % 5 == 0 else 390), 45)
    picture = virtual_camera.noise(virtual_camera.blur(picture, 0.5), np.random.default_rng(seed), 1.5)
    assert only_digits(reader.read(picture).text) == "2357"


def test_large_digits_are_not_read_larger(reader: Reader) -> None:
    assert max(reader.analyse(far_away("23568", "479", side=200)).cleaned.mask.shape) <= 1024


def test_digits_that_touch_are_cut_on_a_full_page_too(reader: Reader) -> None:
    lines = ["23568479236"] * 8
    picture = far_away(*lines, side=40)
    for x in (800, 826):
        cv2.ellipse(picture, (x, 500), (13, 20), 0, 0, 360, 60, 3, cv2.LINE_AA)
    found = reader.analyse(picture)
    assert len(found.candidates) > MOST
    assert "".join(sorted(found.reading.text.replace("\n", ""))) == "".join(sorted("00" + "".join(lines)))


@pytest.mark.slow
def test_no_digit_of_a_full_page_is_left_out(reader: Reader) -> None:
    lines = ["2356847923568479" * 2] * 25
    assert reader.read(far_away(*lines, side=22, width=1600)).lines == tuple(lines)


@pytest.mark.parametrize("letter", ["M", "W", "N", "H", "U", "V", "K"])
def test_a_letter_is_not_cut_into_digits(reader: Reader, letter: str) -> None:
    """Its legs look like ones, and its halves like other digits."""
    strokes = {
        "M": [[(0, 40), (4, 0), (22, 28), (40, 0), (44, 40)]],
        "W": [[(0, 0), (12, 40), (24, 10), (36, 40), (48, 0)]],
        "N": [[(0, 40), (2, 0), (30, 40), (32, 0)]],
        "H": [[(0, 0), (1, 40)], [(30, 0), (29, 40)], [(0, 20), (30, 19)]],
        "U": [[(0, 0), (2, 30), (16, 40), (28, 30), (30, 0), (32, 40)]],
        "V": [[(0, 0), (16, 40), (32, 0)]],
        "K": [[(0, 0), (1, 40)], [(28, 0), (2, 22), (30, 40)]],
    }[letter]
    picture = np.full((480, 640), 230, np.uint8)
    for line in strokes:
        cv2.polylines(picture, [np.array(line) * 4 + (240, 150)], False, 50, 12, cv2.LINE_AA)
    assert reader.read(picture).text == ""


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_page_on_its_side_is_read_as_it_was_written(reader: Reader, page: Page, quarters: int) -> None:
    upright = page("2345", "7642")
    lying = cv2.rotate(upright, {1: QUARTERS[3], 2: QUARTERS[2], 3: QUARTERS[1]}[quarters])
    reading = reader.read(lying)
    assert reading.lines == reader.read(upright).lines and len(only_digits(reading.text)) == 8
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert (lying[y : y + height, x : x + width] < 120).any()


def test_level_lines_are_not_read_as_ones(reader: Reader) -> None:
    dashes = np.full((480, 640), 230, np.uint8)
    for y in range(60, 440, 60):
        cv2.line(dashes, (200, y), (280, y + 6), 50, 6)
    assert reader.read(dashes).digits == ()


@pytest.mark.parametrize("pen", [14, 20, 26])
def test_paper_within_a_ring_is_not_read_as_a_1(reader: Reader, pen: int) -> None:
    """A slim ring goes out of the picture: its inside, as bright as the page, is no stroke of chalk."""
    page = np.full((480, 640), 215, np.uint8)
    cv2.ellipse(page, (620, 240), (10 + pen // 2, 60 + pen // 2), 0, 0, 360, 40, pen)
    cv2.line(page, (620, 180 - pen // 2), (639, 180 - pen // 2), 40, pen)
    assert reader.read(page).text in ("", "0")
    assert reader.read(255 - page).text in ("", "0")
    chalk = np.full((480, 640), 40, np.uint8)
    cv2.ellipse(chalk, (320, 240), (9, 52), 0, 0, 360, 215, -1)
    assert reader.read(chalk).text == "1", "the same on a board"


def test_touching_digits_are_read_each(reader: Reader, page: Page) -> None:
    apart = page("53", width=400, height=300)
    ink = 230 - apart
    columns = np.flatnonzero(ink.max(axis=0) > 60)
    gap = int(np.flatnonzero(np.diff(columns) > 5)[0])
    left, right = ink[:, : columns[gap] + 1], ink[:, columns[gap + 1] :]
    for overlap in range(60):
        together = np.zeros_like(ink)
        together[:, : left.shape[1]] = left
        start = left.shape[1] - overlap
        width = min(right.shape[1], together.shape[1] - start)
        together[:, start : start + width] = np.maximum(together[:, start : start + width], right[:, :width])
        if cv2.connectedComponents((together > 90).astype(np.uint8))[0] == 2:
            break
    assert 0 < overlap < 59, "one mark"
    assert reader.read((230 - together).astype(np.uint8)).text == "53"
