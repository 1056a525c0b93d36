"""The kinds of situations: seeded, with the truth that is on the pages, harder with strength."""

from pathlib import Path

import numpy as np
import pytest

from edge.reading.reader import Reader
from tests.scoreboard.among_digits import GROUPS, is_mark, marked_pages
from tests.scoreboard.hands import Hands, load_hands
from tests.scoreboard.situations.kinds import SITUATIONS, situation_pages
from tests.scoreboard.suite import STRENGTHS, Case
from tests.scoreboard.test_hands import SETS, save_marks
from tests.scoreboard.word_pages import KINDS, word_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("situations")
    save_marks(place / "marks")
    return place


@pytest.fixture(scope="module")
def hands(folder: Path) -> Hands:
    found = load_hands(folder)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def cases(hands: Hands) -> list[Case]:
    return list(situation_pages(hands, 1, 1))


def test_every_kind_has_a_page_of_grey_pixels_at_every_strength(cases: list[Case]) -> None:
    assert [(case.condition, case.strength) for case in cases] == [(k, s) for k in SITUATIONS for s in STRENGTHS]
    for case in cases:
        assert case.pixels.dtype == np.uint8
        assert case.pixels.ndim == 2
        assert np.ptp(case.pixels) > 40, case.condition


def test_only_digits_are_written_down_as_truth(cases: list[Case]) -> None:
    for case in cases:
        lines = case.truth.split("\n")
        assert all(line.isdigit() for line in lines) or case.condition == "mirrored", case.condition


def test_the_same_seed_gives_the_same_pages_whichever_kinds_are_chosen(cases: list[Case], hands: Hands) -> None:
    chosen = ["comb", "seven segments", "turned by EXIF"]
    again = list(situation_pages(hands, 1, 1, chosen))
    before = [case for name in chosen for case in cases if case.condition == name]
    for one, other in zip(again, before, strict=True):
        assert one.truth == other.truth
        np.testing.assert_array_equal(one.pixels, other.pixels)
    other_seed = next(situation_pages(hands, 2, 1, ["comb"], [1]))
    assert other_seed.pixels.tobytes() != before[0].pixels.tobytes()


def test_strength_changes_the_picture(cases: list[Case]) -> None:
    for i in range(0, len(cases), 3):
        assert len({case.pixels.tobytes() for case in cases[i : i + 3]}) == 3, cases[i].condition


@pytest.mark.parametrize("kind", ["tight crop", "underlined", "dark border", "small page"])
def test_the_truth_is_on_the_page(kind: str, hands: Hands, reader: Reader) -> None:
    """What is easy is read, by a reader that does not know the kinds, as what they say is written."""
    found = list(situation_pages(hands, 3, 5, [kind], [1]))
    assert sum(reader.read(case.pixels).text.replace("\n", "") == case.truth for case in found) >= 3


def test_each_symbol_and_letter_stands_once_among_digits(folder: Path, hands: Hands) -> None:
    found = list(marked_pages(folder, hands, 1))
    assert len(found) == 2 * sum(len(SETS[name]) for name in ("unipen_symbols", "unipen_upper", "unipen_lower"))
    assert {page.group for page in found} == set(GROUPS)
    assert {page.char for page in found if page.group == "look-alikes"} == set("OolI|SsZzBgqbDQ")
    for page in found:
        assert len(page.truth) == len(page.digits)
        assert is_mark(page.mark, page)
        assert not any(is_mark(box, page) for box in page.digits), page.char
        part = page.pixels[page.mark.y :][: page.mark.height, page.mark.x :][:, : page.mark.width]
        assert part.min() < np.median(page.pixels) - 25, page.char


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_words_are_seeded(kind: str, hands: Hands) -> None:
    one, again, other = (list(word_pages(hands, seed, 2, kind)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], again[0])
    assert one[1].tobytes() != other[1].tobytes()
