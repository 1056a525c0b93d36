from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.reading.candidates import Candidate, measure
from edge.reading.evidence import (
    FAR,
    HOPELESS,
    NAMES,
    SEVERAL,
    UNSEEN,
    VIEW,
    VIEW_CLASSES,
    VIEWED,
    Surroundings,
    evidence,
    is_hopeless,
    looked_at,
    seen,
)
from edge.types import Box, Pixels
from edge.vision.clean import Cleaned
from edge.vision.segment import Segments
from tests.support import candidates

SHAPE = (200, 400)


def paper(*boxes: Box) -> Pixels:
    """A page with a full block of ink in each box."""
    ink = np.zeros(SHAPE, np.uint8)
    for x, y, width, height in boxes:
        ink[y : y + height, x : x + width] = 255
    return ink


def mark(x: int, y: int = 80, width: int = 20, height: int = 40, **more: object) -> Candidate:
    ink = np.zeros((height + 4, width + 4), np.uint8)
    ink[2:-2, 2:-2] = 255
    return candidates.candidate(ink, Box(x, y, width, height), **{"context": (0.95, 0.99, 0.0), **more})  # type: ignore[arg-type]


def surroundings(*marks: Candidate, side: float = 40.0, signal: float = 20.0) -> Surroundings:
    return candidates.around(paper(*(one.box for one in marks)), side, signal)


def known(*marks: Candidate, around: Surroundings | None = None) -> list[dict[str, float]]:
    """The evidence of each mark, by its name."""
    found = evidence(marks, around or surroundings(*marks))
    assert found.shape == (len(marks), len(NAMES)) and found.dtype == np.float32
    assert np.isfinite(found).all()
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in found]


def test_every_number_has_its_own_name() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_a_page_without_marks_has_no_evidence() -> None:
    assert evidence([], surroundings()).shape == (0, len(NAMES))


def test_the_model_speaks_in_log_odds_within_limits() -> None:
    sure, doubtful, never = known(
        mark(20, others=candidates.others(none=0.1), share=0.9),
        mark(120, others=candidates.others(letter=0.3, plus=0.2), share=0.5, context=(0.5, 0.25, 0.0)),
        mark(220, others=candidates.others(none=1.0), share=1.0),
    )
    assert sure["digits"] == sure["share"] == pytest.approx(log(9), rel=1e-5)
    assert doubtful["digits"] == doubtful["share"] == doubtful["context_digit"] == pytest.approx(0, abs=1e-6)
    assert doubtful["context_share"] == pytest.approx(-log(3), rel=1e-5)
    assert (doubtful["letter"], doubtful["plus"], doubtful["none"]) == pytest.approx((0.3, 0.2, 0.0))
    assert never["digits"] == pytest.approx(-never["share"]) and -7 < never["digits"] < -6, "and never endless"


def test_a_mark_that_was_not_looked_at_is_no_digit_by_its_view() -> None:
    (one,) = known(mark(20, context=None))
    assert one["context_digit"] < -6 and one["context_share"] == 0 and one["context_several"] < -6


def test_what_the_classifier_is_sure_is_no_digit_is_not_looked_at() -> None:
    hopeless = mark(20, others=candidates.others(letter=HOPELESS))
    assert is_hopeless(hopeless)
    assert not is_hopeless(hopeless._replace(pieces=2)), "a piece"
    assert not is_hopeless(mark(20, others=candidates.others(letter=HOPELESS / 2, plus=HOPELESS / 2 - 0.01)))


def by_view(named: dict[int, float], several: float = 0.0) -> list[float]:
    """What a view says: the share of each digit that is named, and that of none is the rest."""
    return [*candidates.shares(named), several, 1 - sum(named.values()) - several]


def by_itself(named: dict[int, float]) -> Candidate:
    """A mark that was not looked at yet, with the share of each digit."""
    second, digit = sorted(named, key=lambda digit: named[digit])[-2:]
    return mark(20, context=None, shares=candidates.shares(named), digit=digit, second=second)


@pytest.mark.parametrize(
    ("own", "view", "digit", "second"),
    [
        ({4: 0.6, 9: 0.4}, {4: 0.3, 9: 0.4}, 4, 9),
        ({4: 0.6, 9: 0.4}, {4: 0.2, 9: 0.4}, 9, 4),
        ({2: 0.5, 4: 0.3, 9: 0.2}, {2: 0.1, 4: 0.1, 9: 0.1}, 2, 4),
        ({2: 0.5, 4: 0.3, 9: 0.2}, {2: 0.1, 4: 0.3, 9: 0.6}, 9, 4),
        ({2: 0.5, 4: 0.3, 9: 0.2}, {7: 1.0}, 2, 4),
    ],
)
def test_the_digit_is_the_likeliest_by_itself_and_by_its_view_together(
    own: dict[int, float], view: dict[int, float], digit: int, second: int
) -> None:
    one = seen(by_itself(own), by_view(view))
    assert (one.digit, one.second) == (digit, second)
    assert one.share == own[digit] and one.shares == candidates.shares(own), "those by itself stay"


def test_the_context_is_a_digit_at_all_this_one_of_them_and_several() -> None:
    view = by_view({4: 0.6, 9: 0.2}, several=0.15)
    assert seen(by_itself({4: 0.9, 7: 0.1}), view).context == pytest.approx((0.8, 0.75, 0.15))
    assert seen(by_itself({4: 0.1, 7: 0.9}), view).context == pytest.approx((0.8, 0.75, 0.15)), "it is renamed"
    assert seen(by_itself({1: 0.1, 7: 0.9}), view).context == pytest.approx((0.8, 0, 0.15))


def test_a_view_of_no_digit_leaves_the_classifier_s() -> None:
    one = seen(by_itself({4: 0.6, 9: 0.3, 1: 0.1}), by_view({}))
    assert (one.digit, one.second, one.context) == (4, 9, (0, 0, 0))


def test_a_model_that_gives_all_others_nothing_keeps_its_second_digit() -> None:
    assert seen(by_itself({4: 1.0, 9: 0.0}), by_view({4: 0.5, 7: 0.5})).second == 9


def test_no_view_excludes_a_digit() -> None:
    view = by_view({9: 1.0})
    assert seen(by_itself({4: 0.99, 9: 0.01}), view).digit == 9
    assert seen(by_itself({4: 0.99995, 9: 0.00005}), view).digit == 4


def test_each_view_is_looked_at_once_and_none_of_what_is_hopeless() -> None:
    asked: list[int] = []

    def look(views: Pixels) -> NDArray[np.float32]:
        asked.append(len(views))
        shares = np.zeros((len(views), VIEW_CLASSES), np.float32)
        shares[:, 7], shares[:, SEVERAL] = 0.75, 0.25
        return shares

    known_before, new = mark(20), mark(80, context=None, digit=1, second=7, share=0.6)
    never = mark(140, context=None, others=candidates.others(none=1.0))
    found = looked_at([known_before, new, never], surroundings(), look)
    assert asked == [1] and found[0] is known_before
    assert found[1].context == pytest.approx((0.75, 1.0, 0.25)) and found[2].context == UNSEEN
    assert (found[1].digit, found[1].second) == (7, 1) and found[2].digit == never.digit
    assert [one.box for one in found] == [known_before.box, new.box, never.box]
    assert looked_at(found, surroundings(), look) == found and asked == [1]


@pytest.mark.parametrize("digit", range(10))
def test_the_digit_itself_is_known(digit: int) -> None:
    (one,) = known(mark(20, digit=digit))
    assert [one[f"is_{n}"] for n in range(10)] == [float(n == digit) for n in range(10)]


def test_sizes_are_measured_against_digits_and_the_row() -> None:
    first, second, third, short = known(mark(20), mark(80), mark(140), mark(200, 100, 40, 20))
    assert first["wide"] == pytest.approx(log(1 / 2), rel=1e-5) and short["wide"] == pytest.approx(log(2), rel=1e-5)
    assert first["tall"] == first["large"] == first["of_row"] == 0
    assert short["tall"] == short["of_row"] == pytest.approx(log(1 / 2), rel=1e-5)
    assert short["large"] == 0, "its longer side"
    assert known(mark(20), around=surroundings(side=80))[0]["large"] == pytest.approx(log(1 / 2), rel=1e-5)
    assert second == {**third, "left_gap": 1.0, "right_gap": 1.0, **{
        name: second[name] for name in ("crowd", "right_tall")
    }}, "places on the page do not matter"  # fmt: skip


def test_ink_is_measured_against_that_of_the_other_marks() -> None:
    faint = mark(260)
    faint = faint._replace(ink=faint.ink // 2)
    faint = faint._replace(shape=measure(faint.ink))
    thin = mark(320, width=4)
    usual, _, _, grey, slim = known(mark(20), mark(80), mark(140), faint, thin)
    assert usual["level"] == usual["stroke_usual"] == 0
    assert grey["level"] == pytest.approx(log(1 / 2), abs=0.01)
    assert slim["stroke_usual"] < -1.2 and slim["stroke"] < usual["stroke"]
    assert usual["fill"] == 1
    dash = mark(20)
    half = dash.ink.copy()
    half[: len(half) // 2] = 0
    assert known(dash._replace(shape=measure(half)))[0]["fill"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("x", "y", "at"), [(0, 80, 1), (1, 80, 1), (2, 80, 0), (380, 80, 1), (100, 160, 1), (100, 0, 1)]
)
def test_a_mark_at_the_border_is_known(x: int, y: int, at: float) -> None:
    assert known(mark(x, y))[0]["border"] == at


def test_the_signal_is_a_logarithm_within_limits() -> None:
    for signal, expected in ((0.1, 0.0), (10, log(10)), (1e6, log(200))):
        one = mark(20)
        assert known(one, around=surroundings(one, signal=signal))[0]["signal"] == pytest.approx(expected, rel=1e-5)


def test_ink_close_by_is_a_crowd_and_a_mark_s_own_ink_is_none() -> None:
    one, near, far = mark(100), mark(125), mark(300)
    assert known(one)[0]["crowd"] == 0
    assert known(one, around=surroundings(one, far))[0]["crowd"] == 0
    assert 0.1 < known(one, around=surroundings(one, near))[0]["crowd"] < 0.4
    at_corner = mark(0, 0)
    assert known(at_corner)[0]["crowd"] == 0, "the window ends with the page"


def test_neighbours_in_the_row_are_known_whatever_their_order_in_the_list() -> None:
    word = mark(60, others=candidates.others(letter=0.8), context=(0.1, 0.5, 0.0))
    digit, other = mark(20), mark(200)
    first, middle, last = known(digit, word, other)
    assert (first["right_letter"], last["left_letter"]) == pytest.approx((0.8, 0.3)), "one far away is none"
    assert first["right"] == pytest.approx(0.1, abs=0.01) and middle["left"] == pytest.approx(0.94, abs=0.01)
    assert (first["left"], first["left_letter"], first["left_gap"]) == pytest.approx((0.5, 0.3, FAR))
    assert (first["right_gap"], middle["left_gap"], middle["right_gap"]) == pytest.approx((0.5, 0.5, FAR))
    assert known(other, word, digit) == [last, middle, first]
    tall = mark(60, 40, 20, 80)
    assert known(digit, tall)[0]["right_tall"] == pytest.approx(log(1 / 2), rel=1e-5)
    overlapping = known(digit, mark(21))[0]
    assert overlapping["right_gap"] == pytest.approx(-19 / 40) and overlapping["alone"] == 0


def test_a_mark_in_another_line_is_no_neighbour() -> None:
    one, below = known(mark(20), mark(60, 140, line=1))
    assert (one["alone"], below["alone"]) == (1, 1)
    assert one["right_gap"] == FAR and one["row"] == 0.5
    assert one["page"] == pytest.approx(0.95 * 0.99, rel=1e-3), "but it is company"


def test_the_company_is_what_the_others_are() -> None:
    letters = [mark(x, context=(0.1, 0.5, 0.0), share=0.5) for x in (100, 160)]
    digit, *rest = known(mark(20, share=0.9, context=(0.9, 0.9, 0.0)), *letters)
    assert digit["row"] == digit["page"] == pytest.approx(0.05, rel=1e-4)
    for one in rest:
        assert one["row"] == one["page"] == pytest.approx((0.81 + 0.05) / 2, rel=1e-4)
    assert known(mark(20))[0]["row"] == known(mark(20))[0]["page"] == 0.5, "nobody there says nothing"


def test_the_foot_is_measured_against_the_line() -> None:
    row = [mark(x) for x in (20, 80, 140)]
    comma, above = mark(190, 112, 8, 16), mark(230, 60, 20, 10)
    *digits, low, high = known(*row, comma, above)
    assert [one["foot"] for one in digits] == [0, 0, 0]
    assert low["foot"] == pytest.approx(8 / 40) and low["middle"] == pytest.approx(20 / 40)
    assert high["foot"] == pytest.approx(-50 / 40) and high["middle"] == pytest.approx(-35 / 40)


def test_digits_within_and_boxes_around_are_counted() -> None:
    digit, speck = {"share": 0.9, "context": (0.9, 0.9, 0.0)}, {"share": 0.5, "context": (0.1, 0.5, 0.0)}
    frame, inside, other = mark(100, 60, 80, 80), mark(110, **digit), mark(140, **speck)
    whole, first, second = known(frame, inside, other)
    assert (whole["holds"], whole["held"]) == (pytest.approx(0.81 + 0.05), 0)
    assert (first["held"], second["held"]) == (1, 1)
    assert first["holds"] == second["holds"] == pytest.approx(0, abs=1e-6)


def test_the_word_of_a_mark_ends_where_a_gap_is_wide() -> None:
    digit = {"share": 0.9, "context": (0.9, 0.9, 0.0), "others": candidates.others(none=0.02)}
    letter = {"share": 0.5, "context": (0.1, 0.5, 0.0), "others": candidates.others(letter=0.9)}
    # Gaps of 10 pixels within the word and within the number, and of 40 between them.
    found = known(*[mark(x, **letter) for x in (20, 50, 80)], *[mark(x, **digit) for x in (140, 170)])
    assert [one["word_digits"] for one in found] == pytest.approx([0.1, 0.1, 0.1, 0.81, 0.81], rel=1e-4)
    assert [one["word_letters"] for one in found] == pytest.approx([1.8, 1.8, 1.8, 0.02, 0.02], rel=1e-4)
    alone = known(mark(20, **letter))[0]
    assert (alone["word_digits"], alone["word_letters"]) == (0, 0)


def slanting(x: int, lean: float) -> Candidate:
    """A bar whose top leans to the right by this share of its height."""
    one = mark(x)
    rows = np.arange(one.ink.shape[0])[:, None]
    middle = one.ink.shape[1] / 2 + lean * (rows.mean() - rows)
    ink = np.where(np.abs(np.arange(one.ink.shape[1]) - middle) < 3, 255, 0).astype(np.uint8)
    return one._replace(ink=ink, shape=measure(ink))


def test_the_slant_is_measured_against_that_of_the_other_digits() -> None:
    *upright, slash = known(*[slanting(x, 0.1) for x in (20, 80, 140)], slanting(200, 0.4))
    assert slash["slant"] == pytest.approx(0.4, abs=0.05) and slash["slant_usual"] == pytest.approx(0.3, abs=0.05)
    assert [one["slant_usual"] for one in upright] == pytest.approx([0, 0, 0], abs=0.02)
    assert known(slanting(20, 0.4))[0]["slant_usual"] == 0, "there is no other"


def test_pieces_that_were_cut_are_known() -> None:
    assert [one["pieces"] for one in known(mark(20), mark(80, pieces=2), mark(140, pieces=9))] == [0, 2, 4]


def test_a_piece_knows_the_worst_of_the_others_and_how_tall_it_is() -> None:
    whole = mark(80, 80, 70, 50)
    sure = mark(80, 80, 20, 40, pieces=3, whole=whole, share=0.9, context=(0.9, 0.9, 0.0))
    doubtful = mark(100, 80, 20, 50, pieces=3, whole=whole, share=0.4, context=(0.7, 0.9, 0.0))
    unseen = mark(120, 105, 20, 25, pieces=3, whole=whole, share=0.8, context=None)
    other = mark(200, 80, share=0.1, context=(0.1, 0.5, 0.0))
    found = known(sure, doubtful, unseen, other)
    likeness = [one.likeness for one in (sure, doubtful, unseen)]
    assert [one["rest"] for one in found] == pytest.approx([likeness[1], likeness[2], likeness[1], 1], rel=1e-5)
    assert [one["rest_seen"] for one in found] == pytest.approx([0, 0, 0.7, 1], rel=1e-5)
    assert [one["of_whole"] for one in found] == pytest.approx([0.8, 1, 0.5, 1], rel=1e-5)


def test_a_piece_knows_what_it_was_cut_from() -> None:
    signs = {"percent": 0.5, "slash": 0.2, "times": 0.1, "letter": 0.15, "none": 0.05}
    whole = mark(80, context=(0.1, 0.5, 0.6), others=candidates.others(**signs))
    piece, alone = known(mark(80, pieces=2, whole=whole), mark(140))
    assert (piece["was_sign"], piece["was_letter"], piece["cut_from"]) == pytest.approx((0.8, 0.15, 0.6))
    assert (alone["was_sign"], alone["was_letter"], alone["cut_from"]) == (0, 0, 0)


def test_pieces_know_how_far_they_overlap() -> None:
    whole = mark(80, 80, 60, 40)
    marks = [mark(x, 80, w, pieces=3, whole=whole) for x, w in ((80, 20), (95, 25), (120, 20))]
    assert [one["overlap"] for one in known(*marks, mark(90))] == pytest.approx([0.25, 0.25, 0, 0])


@pytest.mark.parametrize(
    ("left", "right", "y", "struck"),
    [(60, 200, 100, 1.0), (60, 109, 100, 0.5), (60, 200, 82, 0), (100, 119, 100, 0), (150, 200, 100, 0)],
)
def test_a_line_that_runs_through_the_middle_and_on_strikes_out(left: int, right: int, y: int, struck: float) -> None:
    one = mark(100)
    ink = paper(one.box)
    rules = np.zeros(SHAPE, np.uint8)
    rules[y : y + 2, left : right + 1] = 255
    cleaned = Cleaned(ink, ink | rules, None, 1.0, "dark", 20.0, 5.0, True, None)
    around = Surroundings(cleaned, Segments(np.where(rules, 0, ink).astype(np.uint8), (), 40.0, (), None))
    assert around.struck(one.box) == struck
    assert surroundings(one).struck(one.box) == 0, "no rule was removed"


def test_some_of_the_marks_have_the_same_evidence_as_all_of_them() -> None:
    marks = [mark(20), mark(60, digit=1), mark(120, 20, line=1), mark(200)]
    around = surroundings(*marks)
    assert np.array_equal(evidence(marks, around, [3, 1]), evidence(marks, around)[[3, 1]])
    assert evidence(marks, around, []).shape == (0, len(NAMES))


def test_a_view_shows_the_mark_in_the_middle_and_what_stands_around_it() -> None:
    # Of a size at which a pixel of the view is two of the page: nothing is rounded.
    one, beside = mark(100, height=36), mark(125, height=36)
    view = surroundings(one, beside).view(one)
    assert view.shape == (VIEW, VIEW, 2) and view.dtype == np.uint8
    own, all_ink = view[..., 0], view[..., 1]
    rows, columns = np.nonzero(own > 127)
    assert np.ptp(rows) + 1 == pytest.approx(VIEWED, abs=1) and np.ptp(columns) + 1 == pytest.approx(VIEWED / 2, abs=1)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(VIEW / 2, abs=1)
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(VIEW / 2, abs=1)
    assert (all_ink[own > 200] > 200).all()
    neighbour = (all_ink > 127) & (own < 50)
    assert np.nonzero(neighbour)[1].min() > columns.max()
    assert not own[neighbour].any()


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3])
def test_a_view_is_the_same_at_any_size(scale: float) -> None:
    def seen(by: float) -> np.ndarray:
        box = Box(round(60 * by), round(30 * by), round(20 * by), round(40 * by))
        one = mark(box.x, box.y, box.width, box.height)
        ink = np.zeros((round(100 * by), round(140 * by)), np.uint8)
        ink[box.y : box.y + box.height, box.x : box.x + box.width] = 255
        return candidates.around(ink, 40 * by).view(one).astype(int)

    assert np.abs(seen(scale) - seen(1)).mean() < 8


def test_a_speck_is_not_shown_as_large_as_a_digit() -> None:
    dot = mark(100, 100, 4, 4)
    own = surroundings(dot, side=40).view(dot)[..., 0]
    assert 1 <= np.ptp(np.nonzero(own > 100)[0]) + 1 <= 4


@pytest.mark.parametrize("x", [0, 1, 379])
@pytest.mark.parametrize("y", [0, 160])
def test_beyond_the_border_a_view_is_empty(x: int, y: int) -> None:
    one = mark(x, y)
    view = surroundings(one).view(one)
    ink = view > 127
    assert ink[..., 1].sum() == pytest.approx(ink[..., 0].sum(), abs=2 * VIEWED)
    rows, columns = np.nonzero(ink[..., 1])
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(VIEW / 2, abs=1)
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(VIEW / 2, abs=1)


def test_rotated_ink_that_is_larger_than_its_box_is_centred_on_it() -> None:
    one = mark(100, height=36)
    room = np.zeros((72, 72), np.uint8)
    room[18:54, 26:46] = 255
    own = surroundings(one).view(one._replace(ink=room))[..., 0]
    assert np.abs(own.astype(int) - surroundings(one).view(one)[..., 0]).mean() < 2


def test_a_hairline_is_as_dark_in_the_view_as_it_is_thin() -> None:
    ink = np.zeros((184, 104), np.uint8)
    ink[2:-2, 50:51] = 255
    one = candidates.candidate(ink, Box(100, 10, 100, 180), shape=measure(ink))
    page = np.zeros(SHAPE, np.uint8)
    page[8:192, 98:202] = ink
    segments = Segments(np.where(page, 255, 0).astype(np.uint8), (), 180.0, (), None)
    view = Surroundings(Cleaned(page, segments.mask, None, 1.0, "dark", 20.0, 1.0, True, None), segments).view(one)
    assert view[..., 0].max() > 150 and view[..., 1].max() > 150
    assert np.count_nonzero(view[..., 0] > 60) < 40, "and no broader than that"
