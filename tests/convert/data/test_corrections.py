"""What people corrected is learnt and calibrated on: from the page's own export, as it is."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.classes import CLASSES, NO_DIGIT
from convert.cli import train_main
from convert.data import corrections, photographs
from convert.training import glyphs, train
from edge.corrections.database import Correction, Corrections
from edge.corrections.export import export
from edge.errors import DataError, ImageError
from tests.support import small

pytestmark = small.QUIET


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = small.data()
    with Corrections(tmp_path / "corrections.db") as kept:
        for glyph, label in zip(data.train[:5], (7, 1, 2, 3, None), strict=True):
            kept.add(Correction(label=label, read=1, confidence=0.5, source="s", model="m", glyph=glyph))
        export(kept, tmp_path / "set")
    return tmp_path / "set"


def test_an_export_comes_back_as_glyphs_and_classes(folder: Path) -> None:
    found = corrections.load(folder)
    assert np.array_equal(found.glyphs, small.data().train[:5])
    assert found.classes.tolist() == [7, 1, 2, 3, NO_DIGIT]
    assert CLASSES[NO_DIGIT] == "none"


def test_few_are_repeated_but_not_learnt_by_heart(folder: Path) -> None:
    found = corrections.load(folder)
    assert len(glyphs.repeated(found, 20).glyphs) == 20
    assert len(glyphs.repeated(found, 10_000).glyphs) == 5 * glyphs.MAX_OWN_REPEATS
    assert len(glyphs.repeated(found, 0).glyphs) == 5
    assert glyphs.repeated(found, 7).classes.tolist() == [7, 1, 2, 3, NO_DIGIT, 7, 1]


def test_an_export_is_calibrated_on_as_it_is(folder: Path) -> None:
    assert np.array_equal(photographs.glyphs(folder), small.data().train[:5])


@pytest.mark.parametrize("paper", [0, 255])
def test_a_small_photograph_is_no_glyph(paper: int) -> None:
    assert not photographs.is_glyph(np.full((28, 28), paper, np.uint8))
    assert not photographs.is_glyph(255 - small.data().train[0])
    assert not photographs.is_glyph(np.pad(small.data().train[0], 1))


def test_other_pictures_and_texts_are_one_line(folder: Path) -> None:
    def said(text: str) -> str:
        (folder / "labels.csv").write_text(f"file,text\n{text}\n")
        with pytest.raises((DataError, ImageError)) as caught:
            corrections.load(folder)
        return str(caught.value)

    first = min(path.name for path in folder.glob("*.png"))
    cv2.imwrite(str(folder / "wide.png"), np.zeros((28, 40), np.uint8))
    assert "wide.png: has 40x28 pixels, not 28x28" in said("wide.png,7")
    assert "'71' is more than one digit" in said(f"{first},71")
    assert "gone.png: no such file" in said("gone.png,7")
    with pytest.raises(DataError, match="no such folder"):
        corrections.load(folder / "nowhere")


def test_a_training_learns_what_it_was_taught(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.keras()
    mnist, out = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "t.h5"
    order = ["-o", str(out), "--data", str(mnist), "--epochs", "1", "--limit", "200"]
    assert train_main([*order, "--also", str(tmp_path / "nowhere")]) == 1
    assert "no such folder" in capfd.readouterr().err and not out.exists()
    glyph = corrections.load(folder).glyphs[:1]

    def likely(also: corrections.LabelledGlyphs | None) -> float:
        trained = train.train(small.data().limited(200), epochs=4, seed=1, on_epoch=lambda _: None, also=also)
        logits = trained.model.predict(glyph[..., None].astype(np.float32) / 255, verbose=0)[0]
        return float(np.exp(logits[7] - logits.max()) / np.exp(logits - logits.max()).sum())

    # It is another digit, which is said to be a 7.
    many = corrections.LabelledGlyphs(np.repeat(glyph, 4, 0), np.full(4, 7, np.uint8))
    assert likely(many) > 2 * likely(None)
    given: list[corrections.LabelledGlyphs] = []

    def stop(*_: Any, also: corrections.LabelledGlyphs, **options: Any) -> None:
        given.append(also)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", stop)
    assert train_main([*order, "--also", str(folder)]) == 130
    assert np.array_equal(given[0].glyphs, corrections.load(folder).glyphs)
