from __future__ import annotations

import warnings
import zipfile
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest

from convert.classes import CLASSES, HEAD
from convert.data.mnist import load_mnist
from convert.load import check, load
from edge.errors import ConvertError
from tests.support import small

pytestmark = small.QUIET
ROOT = Path(__file__).parents[3]


def edited(path: Path, old: str, new: str) -> Path:
    """The file with something else in its architecture."""
    with h5py.File(path, "r+") as stored:
        assert old in stored.attrs["model_config"]
        stored.attrs["model_config"] = stored.attrs["model_config"].replace(old, new)
    return path


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_keras_file_gives_the_model_that_was_saved(suffix: str, tmp_path: Path) -> None:
    path = small.saved(small.trained(), tmp_path / f"m{suffix}")
    loaded = load(path)
    inputs = small.data().test[:20, ..., None] / np.float32(255)
    np.testing.assert_allclose(
        loaded.model.predict(inputs, verbose=0), small.trained().predict(inputs, verbose=0), atol=1e-6
    )
    assert loaded.sha256 == sha256(path.read_bytes()).hexdigest()
    assert loaded.loaded_by.startswith("keras 3.")


def test_one_input_and_output_may_have_names(tmp_path: Path) -> None:
    model = small.untrained()
    named = small.keras().Model({"glyph": model.inputs[0]}, {"digit": model.outputs[0]})
    loaded = load(small.saved(named, tmp_path / "m.keras")).model
    inputs = np.random.default_rng(1).random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)


def test_a_loss_of_somebodys_own_is_not_needed(tmp_path: Path) -> None:
    model = small.untrained()

    def odd_loss(truth, found):
        return found

    model.compile("adam", odd_loss)
    path = tmp_path / "m.h5"
    model.save(path)
    assert load(path).model.count_params() == 7850


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    assert "no such file" in small.refused(tmp_path / "none.h5")
    assert "is a folder without saved_model.pb" in small.refused(tmp_path)
    for name, content, complaint in [
        ("empty.h5", b"", "is empty"),
        ("half.h5", b"\x89HDF\r\n\x1a\n", "is damaged or cut short"),
        ("half.keras", b"PK\x03\x04" + bytes(50), "is damaged or cut short"),
    ]:
        (tmp_path / name).write_bytes(content)
        assert complaint in small.refused(tmp_path / name)


@pytest.mark.parametrize("name", ["m.keras", "m.hdf5", "m"])
def test_hdf5_of_any_name_is_read(name: str, tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5").rename(tmp_path / name)
    assert load(path).model.count_params() == 7850


def test_a_keras_file_that_was_unpacked_is_read(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.keras")
    with zipfile.ZipFile(path) as zipped:
        zipped.extractall(tmp_path / "folder")
    assert load(tmp_path / "folder").model.count_params() == 7850


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_cut_short_anywhere_is_refused(suffix: str, tmp_path: Path) -> None:
    whole = small.saved(small.untrained(), tmp_path / f"m{suffix}").read_bytes()
    path = tmp_path / f"half{suffix}"
    for length in np.linspace(10, len(whole) - 1, 12).astype(int):
        path.write_bytes(whole[:length])
        assert "is damaged or cut short" in small.refused(path)


@pytest.mark.parametrize("name", ["m.weights.h5", "m.h5"])
def test_weights_only_are_read_with_their_architecture(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    model = small.untrained()
    if name == "m.weights.h5":
        model.save_weights(path)
    else:
        whole = small.saved(model, tmp_path / "whole.h5")
        path = tmp_path / name
        with h5py.File(whole) as stored, h5py.File(path, "w") as weights:
            for layer in stored["model_weights"]:
                stored.copy(f"model_weights/{layer}", weights)
            weights.attrs.update(stored["model_weights"].attrs)
        with pytest.raises(ConvertError, match="leave out --architecture"):
            load(whole, architecture=tmp_path / "m.json")
    assert "give the JSON from model.to_json() with --architecture" in small.refused(path)
    architecture = tmp_path / "m.json"
    architecture.write_text(model.to_json())
    loaded = load(path, architecture=architecture)
    inputs = small.data().test[:5, ..., None] / np.float32(255)
    np.testing.assert_allclose(loaded.model.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)
    architecture.write_text("[]")
    with pytest.raises(ConvertError, match="not in the form that Keras writes"):
        load(path, architecture=architecture)
    with pytest.raises(ConvertError, match="cannot be read"):
        load(path, architecture=tmp_path / "none.json")


def test_a_damaged_architecture_is_refused(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    with h5py.File(path, "r+") as stored:
        stored.attrs["model_config"] = stored.attrs["model_config"][:100]
    assert "its architecture is damaged" in small.refused(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_lambda_layer_is_refused_before_it_is_loaded(suffix: str, tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    glyph = layers.Input((28, 28, 1))
    inner = keras.Sequential([layers.Input((28, 28, 1)), layers.Lambda(lambda x: x / 255), layers.Flatten()])
    model = keras.Model(glyph, layers.Dense(10)(inner(glyph)))
    assert "has a Lambda layer" in small.refused(small.saved(model, tmp_path / f"m{suffix}"))


def test_what_is_not_keras_own_is_named(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    assert "has a custom layer, Origami (flatten" in small.refused(edited(path, '"Flatten"', '"Origami"'))
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    assert "uses the function bend (not one of Keras's)" in small.refused(edited(path, '"softmax"', '"bend"'))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_fixed_batch_is_opened_and_half_precision_made_whole(suffix: str, tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    flat = layers.Flatten(dtype="mixed_float16")
    model = keras.Sequential([layers.Input(batch_shape=(32, 28, 28)), flat, layers.Dense(10, dtype="mixed_float16")])
    loaded = load(small.saved(model, tmp_path / f"m{suffix}")).model
    assert loaded.input_shape == (None, 28, 28) and loaded.output_shape == (None, 10)
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    inputs = np.random.default_rng(1).random((32, 28, 28), np.float32)
    np.testing.assert_allclose(
        loaded.predict(inputs[:3], verbose=0), model.predict(inputs, batch_size=32, verbose=0)[:3], atol=2e-2
    )


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_operations_outside_of_layers_are_read(suffix: str, tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    glyph = layers.Input((28, 28))
    model = keras.Model(glyph, layers.Dense(10)(layers.Flatten()(keras.ops.relu(glyph / 255 - 0.5))))
    loaded = load(small.saved(model, tmp_path / f"m{suffix}")).model
    inputs = small.data().test[:3].astype(np.float32)
    np.testing.assert_allclose(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_model_of_keras_2_gives_what_it_gave(suffix: str, tmp_path: Path) -> None:
    small.keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        import tf_keras
    layers = tf_keras.layers
    glyph = layers.Input((28, 28, 1))
    x = layers.LeakyReLU(alpha=0.05)(layers.Conv2D(4, 3, strides=2, activation=tf.nn.swish)(glyph / 255.0))
    x = layers.ReLU(6.0, 0.1)(layers.BatchNormalization()(layers.SeparableConv2D(4, 3)(x)))
    x = layers.MultiHeadAttention(1, 2)(x, value=tf.squeeze(tf.expand_dims(x, 1), 1))
    model = tf_keras.Model(glyph, layers.Dense(10, activation=tf.nn.softmax)(layers.Flatten()(x)))
    model.compile(tf_keras.optimizers.RMSprop(), loss=lambda truth, found: tf.reduce_mean(found))
    path = tmp_path / f"m{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    loaded = load(path)
    inputs = small.data().test[:5, ..., None].astype(np.float32)
    np.testing.assert_allclose(loaded.model.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)
    assert loaded.loaded_by.startswith("tf_keras 2.")


def test_keras_2_is_not_started_for_a_file_of_keras_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("convert.load.with_keras.import_module", lambda name: asked.append(name) or import_module(name))
    load(small.saved(small.untrained(), tmp_path / "m.h5"))
    path = edited(small.saved(small.untrained(), tmp_path / "m.h5"), '"Flatten"', '"Origami"')
    assert "Origami" in small.refused(path)
    assert "keras" in asked and "tf_keras" not in asked


def test_layers_of_augmentation_are_nothing_to_tflite(tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    random = [layers.RandomRotation(0.1), layers.RandomZoom(0.1), layers.RandomTranslation(0.1, 0.1)]
    plain = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10)]
    model = keras.Sequential([layers.Input((28, 28, 1)), *random, layers.GaussianNoise(0.1), *plain])
    loaded = load(small.saved(model, tmp_path / "m.keras")).model
    with_them = small.float_tflite(loaded, (28, 28, 1))
    without = small.float_tflite(keras.Sequential([layers.Input((28, 28, 1)), *plain]), (28, 28, 1))
    assert abs(len(with_them) - len(without)) < 500


def test_a_model_that_does_not_know_its_input_is_refused(tmp_path: Path) -> None:
    layers = small.keras().layers
    path = small.saved(small.keras().Sequential([layers.Flatten(), layers.Dense(10)]), tmp_path / "m.keras")
    assert "does not say what shape its input has" in small.refused(path)


def test_an_input_that_is_no_image_is_refused_before_keras_is_started(tmp_path: Path) -> None:
    path = small.saved(small.untrained((28, 28, 4)), tmp_path / "m.keras")
    with pytest.raises(ConvertError, match=r"m\.keras: its input has shape \(None, 28, 28, 4\), which is no image"):
        check(path)
    for shape in ((3, 32, 32), (784,), (1, 28, 28)):
        check(small.saved(small.untrained(shape), tmp_path / "m.keras"))


def test_what_is_no_classifier_of_digits_is_refused(tmp_path: Path) -> None:
    keras = small.keras()
    layers = keras.layers
    glyph, second = layers.Input((28, 28)), layers.Input((28, 28))
    flat = layers.Flatten()(glyph)
    two_in = keras.Model([glyph, second], layers.Dense(10)(layers.Flatten()(layers.Add()([glyph, second]))))
    for model, complaint in [
        (two_in, "has 2 inputs and 1 outputs"),
        (keras.Model(glyph, [layers.Dense(10)(flat), layers.Dense(2)(flat)]), "has 1 inputs and 2 outputs"),
        (keras.Model(glyph, layers.Dense(1)(flat)), "shape (None, 1), a single number"),
        (keras.Model(glyph, layers.Reshape((28, 28))(layers.Dense(784)(flat))), "(None, 28, 28), not one number for"),
        (keras.Model(glyph, layers.Dense(9)(flat)), "has 9 outputs, not 10"),
        (keras.Model(glyph, layers.Dense(101)(flat)), "has 101 outputs, not 10"),
        (keras.Model(glyph, layers.Dense(1000)(flat)), "1000 outputs (the classes of ImageNet?)"),
    ]:
        assert complaint in small.refused(small.saved(model, tmp_path / "m.h5"))


def test_labels_say_what_the_outputs_stand_for(tmp_path: Path) -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28))
    flat = keras.layers.Flatten()(glyph)
    ten, twelve = (small.saved(keras.Model(glyph, keras.layers.Dense(n)(flat)), tmp_path / f"{n}.h5") for n in (10, 12))
    eleven = small.saved(small.with_none(), tmp_path / "11.h5")
    assert load(ten).labels == tuple("0123456789")
    assert load(eleven).labels == (*"0123456789", "none")
    assert load(twelve).labels == (), "to be found"
    assert load(ten, labels=tuple("1234567890")).labels == tuple("1234567890")
    assert load(twelve, labels=(*"0123456789", "+", "-")).labels[10:] == ("+", "-")
    with pytest.raises(ConvertError, match=r"has 12 outputs, but --labels has 10; give one .*, or leave out --labels"):
        load(twelve, labels=tuple("0123456789"))
    for letters in ("abcdefghij", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        with pytest.raises(ConvertError, match="--labels has no digit"):
            load(ten, labels=tuple(letters))


def test_the_last_layer_keeps_the_labels_of_edge_train(tmp_path: Path) -> None:
    keras = small.keras()
    first = small.saved(small.with_marks(), tmp_path / "19.h5")
    assert load(first).labels == CLASSES and len(CLASSES) == 19
    again = small.saved(load(first).model, tmp_path / "19.keras")
    assert load(again).labels == CLASSES
    own = tuple("abcdefghi0123456789")
    assert load(first, labels=own).labels == own
    glyph = keras.layers.Input((28, 28))
    flat = keras.layers.Flatten()(glyph)
    for outputs, name in ((12, HEAD), (19, "_".join("abcdefghijklmnopqrs")), (19, None)):
        other = small.saved(keras.Model(glyph, keras.layers.Dense(outputs, name=name)(flat)), tmp_path / "other.h5")
        assert load(other).labels == ()
    ten = keras.Model(glyph, keras.layers.Dense(10, name="9_8_7_6_5_4_3_2_1_0")(flat))
    assert load(small.saved(ten, tmp_path / "10.h5")).labels == tuple("9876543210")


def test_the_shipped_model_says_none_with_its_last_output() -> None:
    assert load(ROOT / "models" / "mnist.h5").labels in ((*"0123456789", "none"), CLASSES)


def test_functions_of_tensorflow_that_mean_one_thing_need_no_code(tmp_path: Path) -> None:
    keras = small.keras()
    import tensorflow as tf
    import tf_keras

    inputs = np.random.default_rng(1).random((3, 28, 28), np.float32)
    for library, suffix in ((keras, "keras"), (keras, "h5"), (tf_keras, "h5")):
        layers = library.layers
        # Only Keras 3 saves such a Lambda by its function's name.
        last = layers.Lambda if library is keras else layers.Activation
        given = [layers.Dense(9, activation=tf.square), layers.Activation(tf.negative), layers.Activation(tf.nn.silu)]
        model = library.Sequential([layers.Input((28, 28)), layers.Flatten(), *given, layers.Dense(10)])
        model.add(last(tf.nn.softmax))
        found = load(small.saved(model, tmp_path / f"m.{suffix}")).model.predict(inputs, verbose=0)
        np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-6)


def test_files_of_old_and_new_keras_from_other_people_load(data: Path) -> None:
    folder = data / "keras_models"
    refused = {"lenet5__Lucas1Jorge": "has weights only"}
    loaded = {}
    for path in sorted([*folder.glob("*.h5"), *folder.glob("*.keras")]):
        reasons = [reason for name, reason in refused.items() if path.name.startswith(name)]
        if reasons:
            assert reasons[0] in small.refused(path)
        else:
            loaded[path.name] = load(path)
    assert len(loaded) == 22
    assert all(model.labels == tuple("0123456789") for model in loaded.values())
    old = {name for name, model in loaded.items() if model.loaded_by.startswith("tf_keras")}
    assert {name.partition("__")[2].partition("__")[0] for name in old} == {"C3NZ", "mahrang", "yang-ze-kang"}


def test_weights_of_other_people_read_digits_with_an_architecture(data: Path, tmp_path: Path) -> None:
    """Its author's architecture is not in the file; this is LeNet-5 of its weights' shapes, for greys of 0 to 255."""
    keras = small.keras()
    layers = keras.layers
    model = keras.Sequential([layers.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Conv2D(120, 5, activation="tanh"))
    model.add(layers.Flatten())
    model.add(layers.Dense(84, activation="tanh"))
    model.add(layers.Dense(10, activation="softmax"))
    architecture = tmp_path / "lenet5.json"
    architecture.write_text(model.to_json())
    path = data / "keras_models" / "lenet5__Lucas1Jorge__Lenet-5_Handwritten_CT213.h5"
    test = load_mnist(str(data / "mnist"))
    inputs = np.pad(test.test[:500], ((0, 0), (2, 2), (2, 2)))[..., None].astype(np.float32)
    outputs = load(path, architecture=architecture).model.predict(inputs, verbose=0)
    assert (outputs.argmax(axis=1) == test.test_labels[:500]).mean() > 0.98
