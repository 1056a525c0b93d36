from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest
import small

from convert.load import load
from edge.errors import ConvertError

pytestmark = small.QUIET


def refusal(path: Path) -> str:
    with pytest.raises(ConvertError) as refused:
        load(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and "; " in text and len(text) < 400
    return text


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_keras_file_gives_the_model_that_was_saved(suffix: str, tmp_path: Path) -> None:
    path = small.saved(small.trained(), tmp_path / f"m{suffix}")
    loaded = load(path)
    inputs = small.data().test[:20, ..., None] / np.float32(255)
    np.testing.assert_allclose(
        loaded.model.predict(inputs, verbose=0), small.trained().predict(inputs, verbose=0), atol=1e-6
    )
    assert loaded.sha256 == sha256(path.read_bytes()).hexdigest()
    assert loaded.keras.startswith("keras 3.")


def test_a_loss_of_somebodys_own_is_not_needed(tmp_path: Path) -> None:
    model = small.untrained()

    def odd_loss(truth, found):
        return found

    model.compile("adam", odd_loss)
    path = tmp_path / "m.h5"
    model.save(path)
    assert load(path).model.count_params() == 7850


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.h5")
    assert "is a folder" in refusal(tmp_path)
    for name, content, complaint in [
        ("empty.h5", b"", "is empty"),
        ("text.h5", b"hello world" * 100, "is no Keras file"),
        ("photo.h5", b"\x89PNG\r\n\x1a\n" + bytes(100), "is no Keras file"),
        ("half.h5", b"\x89HDF\r\n\x1a\n", "is damaged or cut short"),
        ("half.keras", b"PK\x03\x04" + bytes(50), "is damaged or cut short"),
    ]:
        (tmp_path / name).write_bytes(content)
        assert complaint in refusal(tmp_path / name)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_cut_short_anywhere_is_refused(suffix: str, tmp_path: Path) -> None:
    whole = small.saved(small.untrained(), tmp_path / f"m{suffix}").read_bytes()
    path = tmp_path / f"half{suffix}"
    for length in np.linspace(10, len(whole) - 1, 12).astype(int):
        path.write_bytes(whole[:length])
        assert "is damaged or cut short" in refusal(path)


def test_weights_only_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    small.untrained().save_weights(path)
    assert "has weights only" in refusal(path)


def test_a_damaged_architecture_is_refused(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    with h5py.File(path, "r+") as stored:
        stored.attrs["model_config"] = stored.attrs["model_config"][:100]
    assert "its architecture is damaged" in refusal(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_lambda_layer_is_refused_before_it_is_loaded(suffix: str, tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    glyph = layers.Input((28, 28, 1))
    inner = keras.Sequential([layers.Input((28, 28, 1)), layers.Lambda(lambda x: x / 255), layers.Flatten()])
    model = keras.Model(glyph, layers.Dense(10)(inner(glyph)))
    assert "has a Lambda layer" in refusal(small.saved(model, tmp_path / f"m{suffix}"))


def test_an_unknown_layer_is_named(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    with h5py.File(path, "r+") as stored:
        stored.attrs["model_config"] = stored.attrs["model_config"].replace('"Flatten"', '"Origami"')
    assert "Origami" in refusal(path)


def test_what_is_no_classifier_of_ten_digits_is_refused(tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    glyph, second = layers.Input((28, 28)), layers.Input((28, 28))
    flat = layers.Flatten()(glyph)
    two_in = keras.Model([glyph, second], layers.Dense(10)(layers.Flatten()(layers.Add()([glyph, second]))))
    two_out = keras.Model(glyph, [layers.Dense(10)(flat), layers.Dense(2)(flat)])
    letters = keras.Model(glyph, layers.Dense(26)(flat))
    assert "2 inputs and 1 outputs" in refusal(small.saved(two_in, tmp_path / "two_in.h5"))
    assert "1 inputs and 2 outputs" in refusal(small.saved(two_out, tmp_path / "two_out.h5"))
    assert "shape (None, 26)" in refusal(small.saved(letters, tmp_path / "letters.h5"))


def test_a_keras_file_without_its_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("metadata.json", json.dumps({}))
    assert "is damaged or cut short" in refusal(path)


def test_files_of_old_and_new_keras_from_other_people_load(data: Path) -> None:
    folder = data / "keras_models"
    new = load(folder / "digit_classifier__peerkar__digit-classification-with-cnn.h5")
    old = load(folder / "model__mahrang__Real-Time-Handwritten-Multi-Digit-Recognition.h5")
    assert new.keras.startswith("keras 3.") and old.keras.startswith("tf_keras 2.")
    assert old.model.output_shape == (None, 10)
    assert "has weights only" in refusal(folder / "lenet5__Lucas1Jorge__Lenet-5_Handwritten_CT213.h5")
