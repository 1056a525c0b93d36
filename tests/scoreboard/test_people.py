"""Scores by person."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import DataError
from edge.handwriting import rendering
from edge.reading.reader import Reader
from tests.scoreboard.people import listed_photos, score_people


def saved(folder: Path) -> Path:
    """Two people: one with a page that is read, the other with one that is read, one blank, one hard and blank."""
    ink, _ = rendering.page(["5"], 240, 320, np.random.default_rng(1))
    for name, picture in (("A__a", 255 - ink), ("B__a", 255 - ink), ("B__b", 255 - 0 * ink), ("B__c", 255 - 0 * ink)):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    (folder / "labels.csv").write_text("file,text,hard\nA__a.png,5,\nB__a.png,5,\nB__b.png,5,\nB__c.png,5,1\n")
    return folder / "labels.csv"


def test_people_count_alike_however_many_pictures_they_have(reader: Reader, tmp_path: Path) -> None:
    found = score_people(reader, saved(tmp_path), times=2)
    assert found.whole.tally.exact == 0.5
    assert found.easy is not None
    assert found.easy.pictures == 3
    assert found.easy.exact == pytest.approx(2 / 3)
    assert {person: one.pictures for person, one in found.people.items()} == {"A": 1, "B": 3}
    assert found.mean_over_people == pytest.approx((1 + 1 / 3) / 2)
    assert [text for _, text in found.readings] == ["5", "5", "", ""]
    assert len(found.whole.misread) == 2


def test_a_table_without_the_columns_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name\nx\n")
    with pytest.raises(DataError, match="columns file and text"):
        listed_photos(tmp_path / "labels.csv")
