"""A file that is no belief of this version is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.model.classifier import packaged_model
from edge.reading import belief
from edge.reading.belief import WEIGHTS, Belief, pack
from edge.reading.evidence import NAMES
from tests.support import files

GOOD = {
    "evidence": list(NAMES), "mean": [0.0] * len(NAMES), "scale": [1.0] * len(NAMES),
    "hidden": [[0.0, 0.0]] * len(NAMES), "hidden_bias": [0.0, 0.0], "output": [0.0, 0.0], "output_bias": [0.0],
}  # fmt: skip
"""A card of two hidden units."""


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as refusal:
        Belief(path)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and "make" in text and "edge-train belief" in text
    return text


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ({}, "evidence"),
        (GOOD | {"evidence": ["size"]}, "fitted on other evidence"),
        (GOOD | {"mean": [0.0]}, "weights do not fit together"),
        (GOOD | {"hidden": [[0.0]]}, "weights do not fit together"),
        (GOOD | {"output": "none"}, "could not convert"),
        (GOOD, "does not look at views"),
    ],
)
def test_what_does_not_fit_is_refused(card: dict[str, object], why: str, tmp_path: Path) -> None:
    path = tmp_path / "belief.tflite"
    path.write_bytes(pack(files.BARE, card))
    assert why in refused(path)


def test_foreign_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "belief.tflite"
    assert "no such file" in refused(path)
    path.write_text("hello")
    assert "is not a .tflite model" in refused(path)
    path.write_bytes(packaged_model().read_bytes())
    assert "There is no item named 'belief.json' in the archive" in refused(path)
    path.write_bytes(pack(files.BARE, GOOD)[:-100])
    assert "not a zip file" in refused(path)
    path.write_bytes(pack(b"\0\0\0\0TFL3 and no more", GOOD))
    assert "the TFLite runtime refuses it" in refused(path)
    monkeypatch.setattr(belief, "LARGEST", len(json.dumps(GOOD)) - 1)
    path.write_bytes(pack(files.BARE, GOOD))
    assert f"more than {len(json.dumps(GOOD)) - 1:,}" in refused(path)


def test_every_array_of_the_card_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "belief.tflite"
    for name in WEIGHTS:
        path.write_bytes(pack(files.BARE, {key: value for key, value in GOOD.items() if key != name}))
        assert f"({name})" in refused(path)
