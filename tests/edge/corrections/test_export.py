"""Exporting corrections as a data set, from one device or several, without touching other files."""

import csv

import cv2
import numpy as np
import pytest

from edge import cli
from edge.corrections import database
from edge.corrections.database import Correction, Corrections
from edge.corrections.export import COLUMNS, export
from edge.errors import StateError
from edge.system import state_folder
from tests.edge.corrections.test_database import said


@pytest.fixture
def kept(tmp_path):
    with Corrections(tmp_path / "database.db") as some:
        yield some


def rows(folder):
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def shown(folder):
    """What the table says each glyph to be, and the pixels that are there."""
    return [(row["text"], cv2.imread(str(folder / row["file"]), cv2.IMREAD_UNCHANGED)) for row in rows(folder)]


def test_an_export_is_a_data_set(kept, tmp_path):
    kept.add(said(7, 1, seed=1))
    kept.add(said(None, 3, seed=2, crop=np.zeros((9, 9), np.uint8)))
    assert export(kept, tmp_path / "set") == 2
    first, second = rows(tmp_path / "set")
    assert tuple(first) == COLUMNS
    assert (first["text"], first["read"]) == ("7", "1")
    assert (second["text"], second["read"]) == ("", "3")
    assert names(tmp_path / "set") == [first["file"], second["file"], "labels.csv"]
    assert np.array_equal(shown(tmp_path / "set")[0][1], said(7, seed=1).glyph)


def test_an_export_is_brought_up_to_date(kept, tmp_path):
    kept.add(said(1))
    second = kept.add(said(2))
    export(kept, tmp_path / "set")
    kept.remove(second)
    kept.add(said(3))
    assert export(kept, tmp_path / "set") == 2
    assert [row["text"] for row in rows(tmp_path / "set")] == ["1", "3"]
    assert names(tmp_path / "set") == [*(row["file"] for row in rows(tmp_path / "set")), "labels.csv"]


@pytest.mark.parametrize("table", [None, "", "file,text\n000777.png,7\n", "\xff\n", "file,text,read\n"])
def test_other_folders_are_left_alone(kept, tmp_path, table):
    """Also one with a labels.csv, as everybody has beside photographs of their own."""
    kept.add(said(1))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "000777.png").write_bytes(b"a photograph")
    if table is not None:
        (mine / "labels.csv").write_text(table, "latin-1")
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    with pytest.raises(StateError, match="holds other files"):
        export(kept, mine)
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before


def test_what_else_lies_in_an_export_stays(kept, tmp_path):
    number = kept.add(said(1))
    kept.add(said(2))
    export(kept, tmp_path / "set")
    (tmp_path / "set" / "000777.png").write_bytes(b"a photograph")
    (tmp_path / "precious.png").write_bytes(b"another")
    with (tmp_path / "set" / "labels.csv").open("a") as table:
        table.write("000777.png,7,,,,,\n../precious.png,7,,,,,\n")
    kept.remove(number)
    assert export(kept, tmp_path / "set") == 3
    assert (tmp_path / "set" / "000777.png").exists() and (tmp_path / "precious.png").exists()
    assert [row["text"] for row in rows(tmp_path / "set")] == ["7", "7", "2"]


def test_two_devices_in_one_folder_are_both_there(kept, tmp_path):
    """Their numbers are the same, and so are those of a new file after a damaged one."""
    first = kept.add(said(7, seed=1))
    with Corrections(tmp_path / "other.db") as other:
        other.add(said(3, seed=2))
        assert (export(kept, tmp_path / "set"), export(other, tmp_path / "set")) == (1, 2)
        kept.add(said(8, seed=4))
        kept.remove(first)
        assert export(kept, tmp_path / "set") == export(other, tmp_path / "set") == 2
    found = dict(shown(tmp_path / "set"))
    assert found.keys() == {"8", "3"} and len(names(tmp_path / "set")) == 3
    assert np.array_equal(found["8"], said(8, seed=4).glyph) and np.array_equal(found["3"], said(3, seed=2).glyph)


def test_an_old_file_that_is_put_back_mislabels_nothing(kept, tmp_path):
    kept.add(said(1, seed=1))
    kept.close()
    old = kept.path.read_bytes()
    kept.add(said(2, seed=2))
    export(kept, tmp_path / "set")
    kept.close()
    kept.path.write_bytes(old)
    kept.add(said(3, seed=3))
    export(kept, tmp_path / "set")
    found = dict(shown(tmp_path / "set"))
    assert found.keys() == {"1", "3"} and np.array_equal(found["3"], said(3, seed=3).glyph)


def test_the_command_exports_or_says_why_not(tmp_path, capsys):
    folder, out = tmp_path / "state", tmp_path / "set"
    folder.mkdir()
    order = ["corrections", "export", "--state", str(folder), str(out)]
    assert cli.main(order) == 1
    assert "contains no correction yet" in capsys.readouterr().err and not list(out.glob("*"))
    with Corrections(folder / database.FILE) as some:
        some.add(said(7))
    assert cli.main(order) == 0
    assert capsys.readouterr().out == f"{out}: 1 glyph and labels.csv\n"


@pytest.mark.parametrize("order", [["token"], ["token", "--renew"], ["corrections", "export", "a set"]])
def test_nothing_is_done_if_it_is_unclear_which_state_folder_is_meant(order, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(state_folder, "SERVICE_FOLDER", tmp_path / "lib")
    (tmp_path / "lib").mkdir()
    assert cli.main(order) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and "--config /etc/edge-digits/edge.toml" in told.err
    assert not (tmp_path / "home").exists() and not any((tmp_path / "lib").iterdir())


def test_a_spreadsheet_takes_no_name_for_a_formula(kept, tmp_path):
    kept.add(Correction(label=1, read=7, confidence=0, source="=1+1", model="=2+2", glyph=said(1).glyph))
    export(kept, tmp_path / "set")
    [row] = rows(tmp_path / "set")
    assert (row["source"], row["model"]) == ("'=1+1", "'=2+2")
