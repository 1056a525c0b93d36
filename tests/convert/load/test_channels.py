from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.load import load
from convert.load.channels import channels_last, is_channels_first
from edge.errors import ConvertError
from tests.support import small

pytestmark = small.QUIET
"""Old models of Keras 1 and 2, with what they gave, are in test_keras1.py."""


def first(keras: Any, input_shape: tuple[int, ...] = (1, 28, 28)) -> Any:
    layers = keras.layers
    glyph = layers.Input(input_shape)
    x = layers.Conv2D(3, 5, strides=2, data_format="channels_first", activation="relu")(glyph)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.Concatenate(axis=1)([x, layers.LeakyReLU()(x)])
    inner = keras.Sequential([layers.Input((6, 12, 12)), layers.MaxPooling2D(3, data_format="channels_first")])
    return keras.Model(glyph, layers.Dense(10)(layers.Flatten()(inner(x))))


def last(keras: Any) -> Any:
    """The same by hand."""
    layers = keras.layers
    glyph = layers.Input((28, 28, 1))
    x = layers.BatchNormalization()(layers.Conv2D(3, 5, strides=2, activation="relu")(glyph))
    x = layers.MaxPooling2D(3)(layers.Concatenate()([x, layers.LeakyReLU()(x)]))
    return keras.Model(glyph, layers.Dense(10)(layers.Flatten()(layers.Permute((3, 1, 2))(x))))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_channels_first_become_channels_last(suffix: str, tmp_path: Path) -> None:
    keras = small.keras()
    rng = np.random.default_rng(1)
    model, by_hand = first(keras), last(keras)
    weights = [rng.uniform(0.1, 1, weight.shape) for weight in model.get_weights()]
    model.set_weights(weights)
    by_hand.set_weights(weights)
    loaded = load(small.saved(model, tmp_path / f"m{suffix}")).model
    glyphs = rng.random((4, 28, 28, 1), np.float32)
    assert loaded.input_shape == (None, 28, 28, 1)
    np.testing.assert_allclose(loaded.predict(glyphs, verbose=0), by_hand.predict(glyphs, verbose=0), rtol=1e-4)
    assert len(small.float_tflite(loaded, (28, 28, 1))) > 0


def test_layers_of_the_file_that_permute_too_keep_their_names(tmp_path: Path) -> None:
    keras = small.keras()
    keras.utils.clear_session()
    glyph = keras.layers.Input((1, 28, 28))
    x = keras.layers.Conv2D(3, 5, strides=4)(keras.layers.Permute((2, 3, 1))(glyph))
    model = keras.Model(glyph, keras.layers.Dense(10)(keras.layers.Flatten()(x)))
    path = small.saved(model, tmp_path / "m.keras")
    # As in a new process, where Keras counts the names of layers anew.
    keras.utils.clear_session()
    loaded = load(path).model
    glyphs = np.random.default_rng(1).random((2, 1, 28, 28), np.float32)
    given = loaded.predict(glyphs.transpose(0, 2, 3, 1), verbose=0)
    np.testing.assert_allclose(given, model.predict(glyphs, verbose=0), rtol=1e-4)


def test_a_model_is_known_by_its_input_or_a_layer() -> None:
    keras = small.keras()
    assert is_channels_first(first(keras)) and is_channels_first(small.untrained((1, 28, 28)))
    assert is_channels_first(first(keras, (28, 28, 28)))
    assert not is_channels_first(last(keras)) and not is_channels_first(small.untrained((28, 28)))
    assert not is_channels_first(small.untrained((784,)))


def test_an_operation_outside_of_layers_is_refused() -> None:
    keras = small.keras()
    glyph = keras.layers.Input((1, 28, 28))
    model = keras.Model(glyph, keras.layers.Dense(10)(keras.layers.Flatten()(glyph / 255)))
    with pytest.raises(ConvertError, match="an operation outside its layers"):
        channels_last(model, keras, Path("m.h5"))
