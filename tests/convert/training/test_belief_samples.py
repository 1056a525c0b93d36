"""Candidates on drawn pages get the truth of the ink map, on however many cores they are made."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.samples.scenes import Page
from convert.samples.scenes.sheet import UNCLEAR
from convert.training import belief_samples
from convert.training.belief_samples import Pages, Place, Samples, collect, make, samples_of
from convert.training.ink_map import KINDS, NO_DIGIT
from edge.errors import ModelError
from edge.model.classifier import Model, packaged_model
from edge.reading.candidates import Classifier
from edge.reading.evidence import SEVERAL
from edge.system.stopwatch import Stopwatch
from edge.vision.settings import VisionSettings
from tests.support import files, written


@pytest.fixture(scope="module")
def classify() -> Classifier:
    return Classifier(Model(), VisionSettings().interpolation, Stopwatch())


def samples(page: Page, classify: Classifier, kind: str, negative: bool = False) -> Samples:
    """Those of one kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(belief_samples, "NEGATIVE_SHARE", float(negative))
        found = samples_of(page, classify, np.random.default_rng(1))
    return found[found["kind"] == KINDS.index(kind)]


@pytest.mark.parametrize("light_ink", [False, True])
def test_digits_that_stand_apart_are_themselves(classify: Classifier, light_ink: bool) -> None:
    found = samples(written.page(written.sheet("2357"), light_ink=light_ink), classify, "digit")
    assert found["truth"].tolist() == [2, 3, 5, 7] == found["digit"].tolist()
    assert found["looked_at"].all() and (found["view"].max(axis=(1, 2, 3)) > 200).all()


def test_what_is_unclear_is_no_sample(classify: Classifier) -> None:
    sheet = written.sheet("58")
    sheet.labels[1] = UNCLEAR
    assert samples(written.page(sheet), classify, "digit")["truth"].tolist() == [8]


def test_digits_that_touch_are_right_where_they_are_cut_between(classify: Classifier) -> None:
    page = written.page(written.sheet("2435", gap=(40, -14, 40)))
    assert samples(page, classify, "digit")["truth"].tolist() == [2, SEVERAL, 5]
    cut = samples(page, classify, "cut")
    assert cut["truth"][:2].tolist() == [4, 3] == cut["digit"][:2].tolist()


def test_what_is_several_digits_is_always_cut(classify: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belief_samples, "MOST_DOUBTS", 0)
    page = written.page(written.sheet("2435", gap=(40, -14, 40)))
    assert len(samples(page, classify, "cut")) >= 2


def test_two_digits_that_are_joined_are_several(classify: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belief_samples, "ANY_SHARE", 1.0)
    page = written.page(written.sheet("2115", gap=(40, 10, 40), seed=3))
    assert samples(page, classify, "digit")["truth"].tolist() == [2, 1, 1, 5]
    joined = samples(page, classify, "joined")
    assert len(joined) and (joined["truth"] == SEVERAL).all()


def test_in_the_wrong_polarity_all_are_none(classify: Classifier) -> None:
    page = written.page(written.sheet("2435", gap=(40, -14, 40)))
    found = samples(page, classify, "wrong polarity", negative=True)
    assert len(found) and (found["truth"] == NO_DIGIT).all()
    assert not len(samples(page, classify, "wrong polarity"))


def test_the_samples_are_the_same_on_one_core_and_on_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written.data(tmp_path / "data")
    place = Place(packaged_model(), folder / "marks", str(folder / "mnist.npz"))
    pages, done = Pages(4, (1, 0), held_out=False), []
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    two = collect(place, pages, done.append)
    assert sum(done) == 4 and len(done) == 2
    here = make(place, pages, 0, 4)
    assert np.array_equal(two, here) and len(here) > 4
    other = make(place, Pages(4, (2, 0), held_out=False), 0, 4)
    assert len(other) != len(here) or not np.array_equal(other, here)


def test_a_model_that_knows_only_digits_is_refused(tmp_path: Path) -> None:
    path, card = tmp_path / "digits.tflite", files.card()
    path.write_bytes(files.with_card(replace(card, labels=tuple(str(n % 10) for n in range(len(card.labels))))))
    with pytest.raises(ModelError, match="knows only digits; give one that edge-train made"):
        Place(path, tmp_path, None).check()
