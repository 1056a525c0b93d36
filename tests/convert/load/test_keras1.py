from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from convert.load import load
from convert.load.keras1 import is_keras1, translate
from edge.errors import ConvertError
from tests.support import small

pytestmark = small.QUIET
OLD = Path(__file__).with_name("old_keras.zip")
"""Files that Keras 1.2.2 and 2.2.4 themselves wrote, on Theano 1.0.5 and TensorFlow 1.4, with images and what they
gave for them in a group "truth"; the programs that made them are inside. Their weights are random."""
FILES = sorted(name for name in zipfile.ZipFile(OLD).namelist() if name.endswith(".h5") and "weights" not in name)


def unpacked(name: str, folder: Path) -> Path:
    with zipfile.ZipFile(OLD) as zipped:
        return Path(zipped.extract(name, folder))


def reworded(path: Path, old: str, new: str) -> Path:
    with h5py.File(path, "r+") as stored:
        text = str(stored.attrs["model_config"])
        assert old in text
        stored.attrs["model_config"] = text.replace(old, new)
    return path


@pytest.mark.parametrize("name", FILES)
def test_an_old_file_gives_what_its_own_keras_gave(name: str, tmp_path: Path) -> None:
    path = unpacked(name, tmp_path)
    with h5py.File(path) as stored:
        images, outputs = stored["truth/images"][:], stored["truth/outputs"][:]
    model = load(path).model
    if images.ndim == 4:
        images = images.transpose(0, 2, 3, 1)
    assert model.input_shape in [(None, 28, 28, 1), (None, 28, 28, 3), (None, 784)]
    inputs = images.reshape(-1, *model.input_shape[1:]) / np.float32(255)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["keras1_sequential_theano_th.h5", "keras2_functional_theano_th.h5"])
def test_an_old_model_computes_in_tflite_as_it_did(name: str, tmp_path: Path) -> None:
    from edge.model.runtime import interpreter_class

    path = unpacked(name, tmp_path)
    with h5py.File(path) as stored:
        images, outputs = stored["truth/images"][:], stored["truth/outputs"][:]
    model = load(path).model
    interpreter = interpreter_class()(model_content=small.float_tflite(model, model.input_shape[1:]))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images[:1, ..., None] / np.float32(255))
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, outputs[:1], rtol=1e-3, atol=1e-4)


def test_weights_and_architecture_of_keras_1_make_the_model(tmp_path: Path) -> None:
    whole = load(unpacked("keras1_functional_theano_th.h5", tmp_path)).model
    parts = load(unpacked("keras1_weights.h5", tmp_path), architecture=unpacked("keras1_weights.json", tmp_path)).model
    inputs = np.random.default_rng(1).random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(parts.predict(inputs, verbose=0), whole.predict(inputs, verbose=0), atol=1e-6)


def test_a_file_from_tensorflow_is_not_taken_for_theanos(tmp_path: Path) -> None:
    """The very model with the same weights, from both: Keras 1 says which only by the names of its variables."""
    theano = load(unpacked("keras1_sequential_theano_th.h5", tmp_path)).model
    tensorflow = load(unpacked("keras1_sequential_tensorflow_tf.h5", tmp_path)).model
    kernels = [next(w for w in model.get_weights() if w.ndim == 4) for model in (theano, tensorflow)]
    assert kernels[0].shape == kernels[1].shape and not np.allclose(kernels[0], kernels[1])
    assert not np.allclose(kernels[0][::-1, ::-1], kernels[1][::-1, ::-1])


def test_what_theano_pads_in_its_own_way_is_refused(tmp_path: Path) -> None:
    path = unpacked("keras1_functional_theano_th.h5", tmp_path)
    reworded(path, '"border_mode": "valid", "subsample": [4, 4]', '"border_mode": "same", "subsample": [4, 4]')
    with pytest.raises(ConvertError, match="pads by Theano's own rule"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"Convolution2D"', '"MaxoutDense"', "a layer MaxoutDense of Keras 1"),
        ('"border_mode": "same"', '"border_mode": "full"', "border_mode 'full'"),
        ('"mode": 0', '"mode": 2', "BatchNormalization with mode 2"),
        ('"dim_ordering": "th", "W', '"dim_ordering": "tf", "W', "mixes Keras 1's two image orders"),
        ('"Dropout"', '"Lambda"', "has a Lambda layer"),
        ('"nb_filter"', '"mb_filter"', "cannot load it"),
        ('"nb_row"', '"mb_row"', "its architecture is damaged"),
    ],
)
def test_what_has_no_successor_is_refused(old: str, new: str, complaint: str, tmp_path: Path) -> None:
    path = reworded(unpacked("keras1_sequential_theano_th.h5", tmp_path), old, new)
    with pytest.raises(ConvertError, match=complaint) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: ") and "\n" not in str(refused.value)


def test_a_merge_of_code_is_refused(tmp_path: Path) -> None:
    path = unpacked("keras1_functional_theano_th.h5", tmp_path)
    reworded(path, '"mode": "sum", "mode_type": "raw"', '"mode": "Y29kZQ==", "mode_type": "lambda"')
    with pytest.raises(ConvertError, match="has a Merge layer .* program code"):
        load(path)


def test_keras_1_is_told_by_its_version_or_its_words(tmp_path: Path) -> None:
    architecture = json.loads(unpacked("keras1_weights.json", tmp_path).read_text())
    assert is_keras1(architecture, "1.2.2") and is_keras1(architecture, "") and not is_keras1(architecture, "2.2.4")
    assert not is_keras1(translate(architecture, tmp_path), "")
