from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.load import load
from convert.load.saved_model import digest
from tests.support import small

pytestmark = small.QUIET


def exported(
    function: Callable[[Any, Any], Any], folder: Path, shape: Any = (None, 28, 28), dtype: str = "float32"
) -> Path:
    """A SavedModel of a function of the weights (784, 10) and the input."""
    small.keras()
    import tensorflow as tf

    module = tf.Module()
    module.scale = tf.constant(1.0)
    module.weights = tf.Variable(np.random.default_rng(1).standard_normal((784, 10)).astype(np.float32))
    call = tf.function(lambda x: {"scores": function(module.weights, x)})
    signature = call.get_concrete_function(tf.TensorSpec(shape, getattr(tf, dtype), name="image"))
    tf.saved_model.save(module, str(folder), signatures=signature)
    return folder


def linear(weights: Any, x: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(tf.cast(x, tf.float32), (-1, 784)) @ weights


def test_a_model_that_keras_3_exported_gives_what_it_gave(tmp_path: Path) -> None:
    small.trained().export(tmp_path / "m", verbose=False)
    loaded = load(tmp_path / "m")
    inputs = small.data().test[:20, ..., None] / np.float32(255)
    np.testing.assert_allclose(
        loaded.model.predict(inputs, batch_size=7), small.trained().predict(inputs, verbose=0), atol=1e-6
    )
    assert loaded.loaded_by.startswith("tensorflow 2.")
    assert loaded.model.input_shape == (None, 28, 28, 1) and loaded.model.output_shape == (None, 10)
    assert loaded.model.count_params() == small.trained().count_params()
    small.float_tflite(loaded.model, (28, 28, 1))


def test_a_model_that_keras_2_saved_gives_what_it_gave(tmp_path: Path) -> None:
    small.keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras

        layers = tf_keras.layers
        model = tf_keras.Sequential(
            [layers.Flatten(input_shape=(28, 28)), layers.Lambda(lambda x: x / 2), layers.Dense(10)]
        )
        model.save(tmp_path / "m")
    # The Lambda's code is in keras_metadata.pb, which must not matter; the graph has what it computes.
    assert (tmp_path / "m" / "keras_metadata.pb").is_file()
    inputs = small.data().test[:5] / np.float32(255)
    np.testing.assert_allclose(load(tmp_path / "m").model.predict(inputs), model.predict(inputs, verbose=0), atol=1e-5)


def test_a_graph_of_tensorflow_1_is_read(tmp_path: Path) -> None:
    small.keras()
    from tensorflow.compat import v1

    with v1.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(v1.float32, (None, 784))
        weights = v1.get_variable("weights", (784, 10))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "m"), {"images": images}, {"scores": images @ weights})
        expected = session.run(images @ weights, {images: np.ones((1, 784))})
    model = load(tmp_path / "m").model
    np.testing.assert_allclose(model.predict(np.ones((1, 784), np.float32)), expected, rtol=1e-4)
    assert model.count_params() == 7840


def test_a_batch_of_one_and_whole_numbers_are_taken(tmp_path: Path) -> None:
    model = load(exported(linear, tmp_path / "m", (1, 28, 28), "uint8")).model
    ones = np.zeros((3, 28, 28), np.float32)
    ones[1] = 2.6
    found = model.predict(ones)
    weights = np.random.default_rng(1).standard_normal((784, 10)).astype(np.float32)
    np.testing.assert_allclose(found, [np.zeros(10), 3 * weights.sum(axis=0), np.zeros(10)], atol=1e-3)
    assert model.input_shape == (None, 28, 28)


def test_operations_on_files_and_python_are_refused(tmp_path: Path) -> None:
    small.keras()
    import tensorflow as tf

    target = tmp_path / "written"

    def python(weights: Any, x: Any) -> Any:
        return linear(weights, tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), (None, 28, 28)))

    def writes(weights: Any, x: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(str(target), "here")]):
            return linear(weights, x)

    def saves(weights: Any, x: Any) -> Any:
        tf.raw_ops.SaveV2(prefix=str(target), tensor_names=["x"], shape_and_slices=[""], tensors=[x])
        return linear(weights, x)

    assert "has PyFunc," in small.refused(exported(python, tmp_path / "python"))
    assert "has WriteFile," in small.refused(exported(writes, tmp_path / "writes"))
    assert "has SaveV2," in small.refused(exported(saves, tmp_path / "saves"))
    assert not list(tmp_path.glob("written*"))


def test_an_answer_by_chance_is_refused(tmp_path: Path) -> None:
    small.keras()
    import tensorflow as tf

    def noisy(weights: Any, x: Any) -> Any:
        return linear(weights, x + tf.random.normal(tf.shape(x)))

    assert "different answers for the same image" in small.refused(exported(noisy, tmp_path / "m"))


def test_what_is_no_classifier_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.keras()
    import tensorflow as tf

    assert "takes exactly 32 images" in small.refused(exported(linear, tmp_path / "batch", (32, 28, 28)))
    assert "does not say what shape" in small.refused(exported(linear, tmp_path / "shape", None))
    assert "its input is bool" in small.refused(exported(linear, tmp_path / "bool", (None, 784), "bool"))
    assert "has StringLength," in small.refused(
        exported(lambda w, x: linear(w, tf.strings.length(x)), tmp_path / "text", (None, 784), "string")
    )
    assert "has 9 outputs" in small.refused(exported(lambda w, x: linear(w, x)[:, :9], tmp_path / "nine"))
    thousand = exported(lambda w, x: linear(w, x) @ tf.ones((10, 1000)), tmp_path / "thousand")
    with monkeypatch.context() as patched:
        patched.setattr(tf.saved_model, "load", None)
        assert "has 1000 outputs" in small.refused(thousand)
    assert "a single number" in small.refused(exported(lambda w, x: linear(w, x)[:, :1], tmp_path / "one"))


def test_a_folder_that_is_incomplete_is_refused(tmp_path: Path) -> None:
    whole = exported(linear, tmp_path / "whole")
    assert "give its folder" in small.refused(whole / "saved_model.pb")
    assert "without saved_model.pb" in small.refused(whole / "variables")
    cut = Path(shutil.copytree(whole, tmp_path / "cut"))
    data, index = (cut / "variables" / f"variables.{end}" for end in ("data-00000-of-00001", "index"))
    content, listed = data.read_bytes(), index.read_bytes()
    for change, complaint in (
        (data.unlink, "variables/variables.data-00000-of-00001 is missing; copy the whole folder again"),
        (data.touch, "variables/variables.data-00000-of-00001 is empty"),
        (lambda: data.write_bytes(content[:999]), "cut short, variables/variables.data-* has 999 bytes of 31,"),
        (lambda: data.write_bytes(content[:-9]), "; copy the whole folder again, or export it again"),
        (
            lambda: data.with_name("variables.data-00001-of-00002").write_bytes(content),
            "data-00000-of-00002 is missing",
        ),
        (data.with_name("variables.data-00001-of-00002").unlink, "cannot load it"),
        (lambda: (data.write_bytes(content), index.unlink()), "variables/variables.index is missing"),
        (lambda: index.write_bytes(listed[:20]), "variables/variables.index is damaged"),
    ):
        change()
        assert complaint in small.refused(cut)
    shutil.rmtree(cut / "variables")
    assert "its weights are missing, variables/variables.index and" in small.refused(cut)
    (cut / "saved_model.pb").write_bytes((whole / "saved_model.pb").read_bytes()[:-100])
    assert "damaged or cut short" in small.refused(cut)
    (cut / "saved_model.pb").write_bytes(b"")
    assert "is empty" in small.refused(cut)


def test_the_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, name in ((first, "a"), (second, "b")):
        folder.mkdir()
        (folder / name).write_bytes(b"same")
    assert digest(first) != digest(second)
    (second / "b").rename(second / "a")
    assert digest(first) == digest(second)
    (second / "a").write_bytes(b"else")
    assert digest(first) != digest(second)
