"""Lines of writing by people who are held out, from a small made-up folder of marks."""

from pathlib import Path

import numpy as np
import pytest

from convert.data.marks import is_held_out, load_marks
from edge.errors import DataError
from edge.handwriting import rendering, styles
from tests.scoreboard.hands import Hand, Hands, Manner, load_hands

HELD_OUT, OTHER = "tr01", "tr02"
SETS = {
    "unipen_digits": "0123456789",
    "pendigits": "0123456789",
    "unipen_symbols": ".,:;-+=/()[]{}<>|\\'\"`^~_*%&$#@!?",
    "unipen_upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "unipen_lower": "abcdefghijklmnopqrstuvwxyz",
}


def strokes_of(char: str, rng: np.random.Generator) -> list[np.ndarray]:
    """A digit of the stroke model; for anything else a zigzag that leans."""
    if char.isdigit():
        return [np.asarray(part) * 100 for part in rendering.draw(int(char), rng, styles.random_style(rng))]
    return [np.array([[0, 100], [40, 0], [60, 100], [90, 10]]) + rng.normal(0, 3, (4, 2))]


def save_marks(folder: Path, without: str = "") -> None:
    """Every set of marks: each character twice by each of two writers, one of them held out."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name, chars in (*SETS.items(), ("unipen_words", ("the", "abc"))):
        points, stroke_start, sample_start, labels, writers = [], [0], [0], [], []
        for char in chars:
            for writer in (HELD_OUT, OTHER) * 2:
                if char in without:
                    continue
                for stroke in strokes_of(char, rng):
                    points.append(stroke)
                    stroke_start.append(stroke_start[-1] + len(stroke))
                sample_start.append(len(stroke_start) - 1)
                labels.append(char)
                writers.append(writer)
        whole = np.concatenate(points).round().astype(np.int16)
        np.savez(
            folder / f"{name}.npz", points=whole, stroke_start=stroke_start, sample_start=sample_start,
            y=np.array(labels), writer=np.array(writers),
        )  # fmt: skip
    np.savez(folder / "bhmsds.npz", x=np.full((16, 28, 28), 255, np.uint8), y=np.array(["1", "2"] * 8))


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Hands:
    place = tmp_path_factory.mktemp("hands")
    save_marks(place / "marks")
    found = load_hands(place)
    assert found is not None
    return found


def test_only_writers_who_are_held_out_write(hands: Hands) -> None:
    assert is_held_out(HELD_OUT)
    assert not is_held_out(OTHER)
    assert [name for name, _ in hands.writers] == [HELD_OUT]
    assert len(hands.everyone["A"]) == 2
    assert len(hands.words) == 4


def test_without_marks_there_are_no_hands(tmp_path: Path) -> None:
    assert load_hands(tmp_path) is None


def test_a_writer_without_all_digits_is_an_error(tmp_path: Path) -> None:
    save_marks(tmp_path / "marks", without="7")
    with pytest.raises(DataError, match="all digits"):
        load_hands(tmp_path)


def test_characters_stand_where_they_usually_stand(hands: Hands) -> None:
    hand = Hand(hands.writers[0][1], hands.everyone, Manner(0, 0, 1, 0))
    line = hand.write(np.random.default_rng(1), "8,8 8-8 8'(8", 60, 4)
    boxes = dict(zip(("8", ",", "8a", "8b", "-", "8c", "8d", "'", "(", "8e"), line.boxes, strict=True))
    digit = boxes["8"]
    assert digit.height == pytest.approx(60, rel=0.2)
    assert abs(digit.y + digit.height - line.baseline) < 6
    comma, dash, quote, bracket = (boxes[name] for name in ",-'(")
    assert comma.height < 0.5 * digit.height
    assert comma.y + comma.height > line.baseline + 3
    assert dash.y > digit.y + 5
    assert dash.y + dash.height < line.baseline
    assert quote.y + quote.height < line.baseline - 0.5 * digit.height
    assert bracket.height > digit.height
    assert boxes["8b"].x - (boxes["8a"].x + boxes["8a"].width) > 0.4 * 60
    for box in line.boxes:
        assert line.ink[box.y : box.y + box.height, box.x : box.x + box.width].max() > 200


def test_a_character_that_nobody_wrote_is_an_error(hands: Hands) -> None:
    with pytest.raises(DataError, match="'ß'"):
        hands.pick(np.random.default_rng(1)).write(np.random.default_rng(1), "ß", 50, 4)


def test_the_marks_of_the_folder_are_whole(tmp_path: Path) -> None:
    save_marks(tmp_path / "marks")
    marks = load_marks(tmp_path / "marks", "unipen_symbols")
    assert marks is not None
    assert set(marks.labels) == set(SETS["unipen_symbols"])
