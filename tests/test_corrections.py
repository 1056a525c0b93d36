"""What people correct is kept, counted, taken back, bounded, and exported as a data set."""

import csv
import sqlite3

import cv2
import numpy as np
import pytest

from edge import cli, corrections
from edge.corrections import Correction, Corrections, export, picture_of
from edge.errors import ImageError, StateError


@pytest.fixture
def kept(tmp_path):
    with Corrections(tmp_path / "corrections.db") as some:
        yield some


def said(label, read=1, seed=0, **more):
    glyph = np.random.default_rng(seed).integers(256, size=(28, 28), dtype=np.uint8)
    return Correction(label=label, read=read, confidence=0.9, source="synthetic:", model="mnist", glyph=glyph, **more)


def test_nothing_is_made_before_something_is_kept(kept):
    assert (kept.count(), kept.confusions(), list(kept.all()), kept.remove(1)) == (0, [], [], False)
    assert not kept.path.exists()


def test_what_was_said_comes_back_as_it_was(kept):
    crop = np.full((40, 30), 200, np.uint8)
    number = kept.add(said(7, seed=3, crop=crop))
    kept.close()
    [(found, one)] = kept.all()
    assert (found, one.label, one.read, one.confidence, one.source) == (number, 7, 1, 0.9, "synthetic:")
    assert np.array_equal(one.glyph, said(7, seed=3).glyph) and np.array_equal(one.crop, crop)
    assert one.at is not None and one.at.tzinfo is not None


def test_confusions_are_counted_and_right_ones_are_none(kept):
    for label, read in ((7, 1), (7, 1), (None, 3), (4, None), (5, 5)):
        kept.add(said(label, read))
    assert [(one.read, one.label, one.count) for one in kept.confusions()] == [(1, 7, 2), (None, 4, 1), (3, None, 1)]


def test_one_is_taken_back_and_its_number_never_used_again(kept):
    first, second = kept.add(said(1)), kept.add(said(2))
    assert kept.remove(second) and not kept.remove(second)
    assert kept.add(said(3)) > second
    assert [one.label for _, one in kept.all()] == [1, 3] and first == 1


def test_the_oldest_go_where_there_are_too_many(kept, monkeypatch):
    monkeypatch.setattr(corrections, "MOST", 5)
    for label in range(8):
        kept.add(said(label))
    assert [one.label for _, one in kept.all()] == [3, 4, 5, 6, 7]
    assert [one.label for _, one in kept.all(2)] == [6, 7]


@pytest.mark.parametrize(
    "ask", [lambda some: some.count(), lambda some: some.add(said(1)), lambda some: list(some.all())]
)
def test_a_damaged_file_is_one_line_that_says_what_to_do(kept, ask):
    kept.path.write_bytes(b"no database at all, but long enough to look at" * 40)
    with pytest.raises(StateError, match="move it away"):
        ask(kept)


def test_two_may_hold_it_at_once(kept):
    kept.add(said(1))
    with Corrections(kept.path) as other:
        assert other.count() == 1
        kept.add(said(2))
        assert other.count() == 2


def rows(folder):
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_export_is_a_data_set(kept, tmp_path):
    kept.add(said(7, 1, seed=1))
    kept.add(said(None, 3, seed=2, crop=np.zeros((9, 9), np.uint8)))
    assert export(kept, tmp_path / "set") == 2
    first, second = rows(tmp_path / "set")
    assert (first["file"], first["text"], first["read"]) == ("000001.png", "7", "1")
    assert (second["text"], second["read"]) == ("", "3")
    glyph = cv2.imread(str(tmp_path / "set" / "000001.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(glyph, said(7, seed=1).glyph)


def test_an_export_is_brought_up_to_date(kept, tmp_path):
    kept.add(said(1))
    second = kept.add(said(2))
    export(kept, tmp_path / "set")
    kept.remove(second)
    kept.add(said(3))
    assert export(kept, tmp_path / "set") == 2
    assert [row["text"] for row in rows(tmp_path / "set")] == ["1", "3"]
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["000001.png", "000003.png", "labels.csv"]


def test_an_export_leaves_other_files_alone(kept, tmp_path):
    kept.add(said(1))
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.png").write_bytes(b"x")
    with pytest.raises(StateError, match="holds other files"):
        export(kept, tmp_path / "holiday")
    assert [path.name for path in (tmp_path / "holiday").iterdir()] == ["beach.png"]


def test_the_command_exports_or_says_why_not(tmp_path, capsys):
    state, out = tmp_path / "state", tmp_path / "set"
    state.mkdir()
    order = ["corrections", "export", "--state", str(state), str(out)]
    assert cli.main(order) == 1
    assert "holds no correction yet" in capsys.readouterr().err and not list(out.glob("*"))
    with Corrections(state / corrections.FILE) as some:
        some.add(said(7))
    assert cli.main(order) == 0
    assert capsys.readouterr().out == f"{out}: 1 glyph and labels.csv\n"


def test_a_spreadsheet_takes_no_name_for_a_formula(kept, tmp_path):
    kept.add(Correction(label=1, read=7, confidence=0, source="=1+1", model="m", glyph=said(1).glyph))
    export(kept, tmp_path / "set")
    assert rows(tmp_path / "set")[0]["source"] == "'=1+1"


def test_a_picture_that_says_to_be_huge_is_not_unpacked():
    data = bytearray(cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes())
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    with pytest.raises(ImageError, match="no PNG of at most"):
        picture_of(bytes(data), "crop")


def test_the_file_is_an_ordinary_database(kept):
    kept.add(said(7))
    with sqlite3.connect(kept.path) as link:
        assert link.execute("SELECT label, read FROM corrections").fetchall() == [(7, 1)]
    link.close()
