import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commands.tune import CHOICES, markdown, tune
from edge.errors import DataError, ImageError
from edge.reading.evaluation import Score, edits, load_labelled, only_digits, score
from edge.reading.reader import Reader
from edge.vision.settings import VisionSettings


@pytest.fixture
def labelled(page, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    for name, lines in (("a", ("23", "58")), ("b", ("604",))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), page(*lines))
    (tmp_path / "labels.csv").write_text("file,text,note\na.png,23/58,two lines\nb.png,604,\n")
    return tmp_path / "labels.csv"


digits = st.text("0123456789", max_size=7)


def levenshtein(a: str, b: str) -> int:
    """The definition, word for word (Levenshtein 1966): another implementation, slow and plain."""
    if not a or not b:
        return len(a) + len(b)
    return min(levenshtein(a[1:], b) + 1, levenshtein(a, b[1:]) + 1, levenshtein(a[1:], b[1:]) + (a[0] != b[0]))


@given(st.text("0123456789", max_size=5), st.text("0123456789", max_size=5))
def test_edits_are_levenshteins(found: str, truth: str) -> None:
    every, false = edits(found, truth)
    assert every == levenshtein(found, truth)
    assert max(0, len(found) - len(truth)) <= false <= min(every, len(found))


@given(digits, digits)
def test_edit_distance_is_a_distance(a: str, b: str) -> None:
    assert edits(a, b)[0] == edits(b, a)[0]
    assert (edits(a, b)[0] == 0) == (a == b)
    assert abs(len(a) - len(b)) <= edits(a, b)[0] <= max(len(a), len(b))


@pytest.mark.parametrize(
    ("a", "b", "every"), [("kitten", "sitting", 3), ("", "12", 2), ("1234", "1243", 2), ("10", "1", 1)]
)
def test_edits_of_known_words(a: str, b: str, every: int) -> None:
    assert edits(a, b)[0] == every


@pytest.mark.parametrize(
    ("found", "truth", "every", "false"),
    [
        ("123", "123", 0, 0),
        ("", "123", 3, 0),
        ("123", "", 3, 3),
        ("13", "123", 1, 0),
        ("1423", "123", 1, 1),
        ("193", "123", 1, 1),
        # One missing and one invented, or two wrong: the former is one false reading.
        ("21", "12", 2, 1),
    ],
)
def test_false_readings_of_known_texts(found: str, truth: str, every: int, false: int) -> None:
    assert edits(found, truth) == (every, false)


def test_scores_agree_with_the_projects_scorer(reader: Reader, data: Path, tmp_path: Path) -> None:
    """Another implementation is the truth: the scorer that comes with the photographs."""
    scorer = data.parent / "tools" / "score.py"
    if not scorer.exists():
        pytest.skip("no scorer beside EDGE_DATA")
    labels = data / "photos" / "multi" / "labels.csv"
    photographs = load_labelled(labels)
    lines = [json.dumps(reader.read(frame).as_dict()) for frame, *_ in photographs]
    (tmp_path / "read.jsonl").write_text("\n".join(lines))
    printed = subprocess.run(
        [sys.executable, scorer, labels, tmp_path / "read.jsonl"], capture_output=True, text=True, check=True
    ).stdout
    found = score(reader, photographs)
    assert f"exact={found.exact:.4f} CER={found.error_rate:.4f}" in printed.splitlines()[0]


def test_every_choice_is_tried_on_every_set(reader: Reader, labelled: Path) -> None:
    tried: list[int] = []
    rows = list(tune(reader.model, VisionSettings(), 0.6, [load_labelled(labelled)], tried.append))
    assert [choice for choice, _ in rows] == list(CHOICES)
    assert tried == list(range(1, len(CHOICES) + 1))
    assert rows[0][1][0].exact == 1
    table = markdown(["photos"], rows)
    assert len(table.splitlines()) == 2 + len(CHOICES)
    assert '`threshold = "otsu"`, `even = false`' in table


def test_the_table_is_markdown() -> None:
    table = markdown(["single"], [({}, [Score(0.95, 0.0123, 3.14)])])
    assert table.splitlines()[-1] == "| **the settings in force** | 95.0% | 0.012 | 3.1 |"


def test_people_count_alike_however_many_pictures_they_have(reader: Reader, labelled: Path) -> None:
    (right,) = load_labelled(labelled)[:1]
    photographs = [right._replace(person="a")] * 3 + [right._replace(person="b", text="0000")]
    found = score(reader, photographs)
    assert (found.exact, found.by_person) == (0.75, 0.5)
    assert score(reader, [right]).by_person is None
    assert markdown(["photos"], [({}, [found])]).splitlines()[0] == "| choice | photos: exact | by person | CER | ms |"
    assert " 75.0% | 50.0% | " in markdown(["photos"], [({}, [found])])


def test_the_labels_may_say_whose_a_picture_is(labelled: Path) -> None:
    lines = labelled.read_text().splitlines()
    labelled.write_text("\n".join([lines[0] + ",person", lines[1] + ",ann"]))
    assert [one.person for one in load_labelled(labelled)] == ["ann"]


def test_an_error_in_the_labels_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_labelled(tmp_path / "none.csv")
    (tmp_path / "l.csv").write_text("name,digits\na.png,5\n")
    with pytest.raises(DataError, match="columns file and text"):
        load_labelled(tmp_path / "l.csv")
    (tmp_path / "l.csv").write_text("file,text\nnone.png,5\n")
    with pytest.raises(ImageError, match=r"none\.png: no such file"):
        load_labelled(tmp_path / "l.csv")


def test_only_digits() -> None:
    assert only_digits("12/3 4\n5") == "12345"
    assert only_digits(None) == ""
