"""Marks of many writers become glyphs: never those of writers who are held out, nor what a digit may look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.classes import CLASSES
from convert.cli import train_main
from convert.data.marks import is_held_out
from convert.samples import marks
from edge.errors import DataError
from tests.support import small

SHAPES = {
    "1": [[(5, 0), (5, 10)]],
    "7": [[(0, 0), (6, 0), (2, 10)]],
    "+": [[(5, 0), (5, 10)], [(0, 5), (10, 5)]],
    "!": [[(5, 0), (5, 7)], [(5, 10)]],
    "C": [[(6, 0), (0, 3), (0, 7), (6, 10)]],
    "x": [[(0, 0), (9, 10)], [(9, 0), (0, 10)]],
    "O": [[(0, 0), (5, 0), (5, 5), (0, 5), (0, 0)]],
    ",": [[(1, 0), (0, 3)]],
}
TRAINED = next(name for name in map(str, range(100)) if not is_held_out(name))
HELD_OUT = next(name for name in map(str, range(100)) if is_held_out(name))


def write(folder: Path, name: str, labels: str, writers: list[str]) -> None:
    """A set of strokes: every label by every writer."""
    strokes = [[np.array(stroke) for stroke in SHAPES[label]] for label in labels for _ in writers]
    flat = [stroke for mark in strokes for stroke in mark]
    np.savez(
        folder / f"{name}.npz",
        points=np.concatenate(flat).astype(np.int16),
        stroke_start=np.cumsum([0, *map(len, flat)]),
        sample_start=np.cumsum([0, *map(len, strokes)]),
        y=[label for label in labels for _ in writers],
        writer=writers * len(labels),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "unipen_digits", "17", [TRAINED, HELD_OUT])
    write(tmp_path, "unipen_symbols", "+,!", [TRAINED, HELD_OUT])
    write(tmp_path, "unipen_upper", "OC", [TRAINED])
    write(tmp_path, "unipen_lower", "x", [TRAINED])
    pictures = np.full((18, 28, 28), 255, np.uint8)
    pictures[:, 12:16, 4:24] = 0
    np.savez(tmp_path / "bhmsds.npz", x=pictures, y=["-", "z"] * 9)
    return tmp_path


def test_only_clear_marks_of_writers_who_are_not_held_out_are_used(folder: Path) -> None:
    found = marks.load(folder)
    of_strokes = [one for one in found.sources if isinstance(one.marks, marks.Marks)]
    named = [CLASSES[one.label] for one in of_strokes]
    assert named == ["1", "7", "plus", "none", "letter", "times"], "no comma, no O, one writer"
    # Of nine minus signs three are held out, as every eighth picture is.
    of_pictures = [one for one in found.sources if not isinstance(one.marks, marks.Marks)]
    assert [CLASSES[one.label] for one in of_pictures] == ["minus"] * 6
    in_groups = {name: [CLASSES[found.sources[i].label] for i in places] for name, places in found.groups.items()}
    assert in_groups == {
        "digits": ["1", "7"], "symbols": ["plus", "none", "times"], "letters": ["letter"], "pictures": ["minus"] * 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["-", "_"], "minus"),
        (["/"], "slash"),
        (["+"], "plus"),
        (["="], "equals"),
        ([*"()[]{}<>"], "bracket"),
        (["%"], "percent"),
        ([*"xX*", "times"], "times"),
        ([*"aAwWyé", "Greek/character01"], "letter"),
        ([*':;!?&#@$^~"\\', "alpha", "pm", "R_bb"], "none"),
        (["7"], "7"),
    ],
)
def test_every_mark_has_its_class(labels: list[str], name: str) -> None:
    assert {CLASSES[marks.class_of(label)] for label in labels} == {name}


def test_an_epoch_has_its_share_of_every_group_that_is_there(folder: Path) -> None:
    found = marks.load(folder)
    assert found.number(100) == 31 + 20 + 23 + 18
    assert np.bincount(found.choose(100, [1])[1], minlength=19)[[10, 17]].tolist() == [18, 23], "minus and letters"
    (folder / "bhmsds.npz").unlink()
    (folder / "unipen_upper.npz").unlink()
    marks.load.cache_clear()
    found = marks.load(folder)
    assert set(found.groups) == {"digits", "symbols"} and found.number(100) == len(found.choose(100, [1])[0]) == 51


def test_glyphs_follow_their_seed_and_show_their_marks(folder: Path) -> None:
    places, classes = marks.load(folder).choose(20, [1])
    names = [CLASSES[number] for number in classes]
    assert set(names[:6]) == {"1", "7"} and set(names[6:10]) <= {"plus", "none", "times"}
    assert set(names[10:15]) == {"letter"} and set(names[15:]) == {"minus"}
    one, same, other = (marks.glyphs(places, [seed], folder) for seed in (1, 1, 2))
    assert one.shape == (19, 28, 28) and one.dtype == np.uint8
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    # As normalise makes them: in the middle 20 x 20, with a dark rim.
    assert (one.max(axis=(1, 2)) == 255).all() and one[:, :2].max() == 0


def test_the_digest_is_of_the_files(folder: Path) -> None:
    before = marks.digest(folder)
    assert before == marks.digest(folder)
    write(folder, "omniglot", "+", [TRAINED])
    assert marks.digest(folder) != before


def test_a_folder_without_marks_is_one_line_before_the_long_work(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="has no digits and other marks"):
        marks.load(tmp_path)
    small.keras()
    mnist = small.write_npz(tmp_path / "mnist.npz")
    arguments = ["-o", str(tmp_path / "t.h5"), "--data", str(mnist), "--epochs", "1", "--limit", "50"]
    capfd.readouterr()
    assert train_main([*arguments, "--marks", str(tmp_path)]) == 1
    said = capfd.readouterr().err
    assert said.startswith(f"edge-train: {tmp_path}: has no digits and other marks") and said.count("\n") == 1


def test_a_model_learns_from_them_too(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small.keras()
    mnist, out = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "t.h5"
    arguments = ["-o", str(out), "--data", str(mnist), "--epochs", "1", "--limit", "100", "--marks", str(folder)]
    assert train_main(arguments) == 0
    assert f"{out}: 82,523 parameters" in capfd.readouterr().out
