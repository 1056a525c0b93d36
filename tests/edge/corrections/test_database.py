"""The corrections database: adding, counting, deleting, limits."""

import sqlite3

import cv2
import numpy as np
import pytest

from edge.corrections import database
from edge.corrections.database import Correction, Corrections, decode_picture
from edge.errors import ImageError, StateError


@pytest.fixture
def kept(tmp_path):
    with Corrections(tmp_path / "database.db") as some:
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


def test_the_oldest_are_deleted_if_there_are_too_many(kept, monkeypatch):
    monkeypatch.setattr(database, "MAX_CORRECTIONS", 5)
    for label in range(8):
        kept.add(said(label))
    assert [one.label for _, one in kept.all()] == [3, 4, 5, 6, 7]
    assert [one.label for _, one in kept.all(2)] == [6, 7]


def test_the_file_stays_small_and_the_newest_is_kept(kept, monkeypatch):
    monkeypatch.setattr(database, "MAX_FILE_BYTES", 300_000)
    noise = np.random.default_rng(1).integers(256, size=(256, 256), dtype=np.uint8)
    for label in range(8):
        kept.add(said(label, crop=noise))
        assert kept.path.stat().st_size <= 300_000
    labels = [one.label for _, one in kept.all()]
    assert labels == list(range(8))[-len(labels) :] and 2 <= len(labels) <= 4
    monkeypatch.setattr(database, "MAX_FILE_BYTES", 1000)
    kept.add(said(9, crop=noise))
    assert [one.label for _, one in kept.all()] == [9]
    assert kept.path.stat().st_size < 100_000, "what is free is given back to the disk"


def test_each_file_has_a_name_of_its_own_that_stays(kept, tmp_path):
    kept.add(said(1))
    with Corrections(tmp_path / "other.db") as other:
        other.add(said(1))
        assert len({kept.origin(), other.origin()}) == 2 and len(other.origin()) == 8
    name = kept.origin()
    kept.close()
    assert kept.origin() == name


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


def test_a_picture_that_says_to_be_huge_is_not_unpacked():
    data = bytearray(cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes())
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    with pytest.raises(ImageError, match="not a PNG of at most"):
        decode_picture(bytes(data), "crop")


def test_the_file_is_an_ordinary_database(kept):
    kept.add(said(7))
    with sqlite3.connect(kept.path) as link:
        assert link.execute("SELECT label, read FROM corrections").fetchall() == [(7, 1)]
    link.close()


def keep_as_version(kept, version):
    """One correction, as a version of the program keeps it."""
    kept.add(said(7))
    kept.close()
    with sqlite3.connect(kept.path) as file:
        file.execute(f"PRAGMA user_version = {version}")
    file.close()


def test_the_database_of_a_newer_version_is_left_as_it_is(kept):
    keep_as_version(kept, 2)
    before = kept.path.read_bytes()
    for use in (kept.count, kept.origin, lambda: list(kept.all()), lambda: kept.add(said(8)), lambda: kept.remove(1)):
        with pytest.raises(StateError, match="was written by a newer edge-digits; upgrade"):
            use()
    kept.close()
    assert kept.path.read_bytes() == before


def test_a_database_from_before_there_were_versions_is_taken_over(kept):
    keep_as_version(kept, 0)
    assert kept.count() == 1
    kept.add(said(8))
    assert kept.count() == 2
