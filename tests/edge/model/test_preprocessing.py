"""How glyphs become a model's input, against Keras's and TensorFlow's own functions where these are meant."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.errors import ModelError
from edge.model.card import Card, Normalisation
from edge.model.preprocessing import BY_CHANNEL, Preprocessor, image_shape, likely_card, model_input, real

LIKE = {"dtype": np.float32, "quantization": (0.0, 0)}
"""How a runtime describes a float input."""


def fitted_to(glyphs: np.ndarray, image: tuple[int, int, int], **card: Any) -> np.ndarray:
    return model_input(glyphs, image, Card(ink=255, **card))


def test_a_glyph_of_the_models_own_size_is_fed_unchanged() -> None:
    glyphs = np.random.default_rng(1).integers(0, 256, (2, 28, 28), np.uint8)
    fed = fitted_to(glyphs, (28, 28, 3))
    assert all(np.array_equal(fed[..., channel], glyphs) for channel in range(3))


@given(arrays(np.uint8, (28, 28)), st.integers(8, 64), st.integers(8, 64))
def test_a_resized_glyph_keeps_its_range(glyph: np.ndarray, height: int, width: int) -> None:
    fed = fitted_to(glyph[None], (height, width, 1))
    assert fed.shape == (1, height, width, 1)
    assert glyph.min() <= fed.min() and fed.max() <= glyph.max()


@pytest.mark.parametrize("size", [(32, 32), (25, 25), (40, 20), (27, 31)])
def test_with_a_margin_a_glyph_keeps_its_size_in_the_middle(size: tuple[int, int]) -> None:
    glyph = np.zeros((28, 28), np.uint8)
    glyph[13:15, 12:16] = 200
    fed = fitted_to(glyph[None], (*size, 1), fit="margin")[0, ..., 0]
    assert fed.shape == size and sorted(fed[fed > 0]) == [200] * 8
    rows, columns = np.nonzero(fed)
    assert abs(rows.mean() - (size[0] - 1) / 2) <= 0.5 and abs(columns.mean() - (size[1] - 1) / 2) <= 0.5


def digit_like() -> np.ndarray:
    """A glyph with ink of 12 x 6 pixels, brighter to the right."""
    glyph = np.zeros((28, 28), np.uint8)
    glyph[5:17, 8:14] = np.linspace(100, 250, 6)
    return glyph


def test_a_crop_reaches_the_border_at_its_own_proportions() -> None:
    fed = fitted_to(digit_like()[None], (12, 12, 1), fit="crop")[0, ..., 0]
    assert np.array_equal(fed[:, 3:9], digit_like()[5:17, 8:14]) and not fed[:, :3].any() and not fed[:, 9:].any()
    wide = fitted_to(digit_like().T[None], (8, 16, 1), fit="crop")[0, ..., 0]
    assert wide[4, 0] > 0 and wide[4, -1] > 0 and wide[0].any() and wide[-1].any(), "12 x 6 fills 16 x 8"


def test_stretched_ink_reaches_all_four_sides() -> None:
    fed = fitted_to(digit_like()[None], (12, 12, 1), fit="stretch")[0, ..., 0]
    assert fed[:, 0].all() and fed[:, -1].all() and fed[0].all() and fed[-1].all()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_an_empty_glyph_stays_empty(fit: str) -> None:
    assert not fitted_to(np.zeros((2, 28, 28), np.uint8), (8, 8, 1), fit=fit).any()
    assert fitted_to(np.zeros((0, 28, 28), np.uint8), (8, 8, 1), fit=fit).shape == (0, 8, 8, 1)


@given(arrays(np.uint8, (28, 28)), st.integers(8, 64), st.integers(8, 64), st.sampled_from(["crop", "stretch"]))
def test_any_glyph_can_be_cropped(glyph: np.ndarray, height: int, width: int, fit: str) -> None:
    fed = fitted_to(glyph[None], (height, width, 1), fit=fit)
    assert fed.shape == (1, height, width, 1) and fed.min() >= 0 and fed.max() <= glyph.max()


def test_a_glyph_is_rotated_clockwise() -> None:
    glyphs = np.random.default_rng(1).integers(0, 256, (2, 28, 28), np.uint8)
    turned = fitted_to(glyphs, (28, 28, 1), rotation=90)[..., 0]
    assert np.array_equal(turned[:, 3, 27], glyphs[:, 0, 3]) and np.array_equal(turned[:, 3, 0], glyphs[:, 27, 3])
    mirrored = fitted_to(glyphs, (28, 28, 1), transposed=True, rotation=90)[..., 0]
    assert np.array_equal(mirrored, glyphs[:, :, ::-1])


def test_a_transposed_glyph_has_its_rows_as_columns() -> None:
    glyphs = np.random.default_rng(1).integers(0, 256, (2, 28, 28), np.uint8)
    assert np.array_equal(fitted_to(glyphs, (28, 28, 1), transposed=True)[..., 0], glyphs.transpose(0, 2, 1))


@pytest.mark.parametrize(("normalisation", "axis"), [("columns", 1), ("rows", 2)])
def test_lines_are_normalised_as_keras_does(normalisation: Normalisation, axis: int, glyphs: np.ndarray) -> None:
    keras = pytest.importorskip("keras")
    fed = fitted_to(glyphs, (28, 28, 1), normalisation=normalisation)[..., 0]
    np.testing.assert_allclose(fed, keras.utils.normalize(glyphs.astype(float), axis=axis), atol=1e-6)


def test_images_are_normalised_as_keras_and_tensorflow_do(glyphs: np.ndarray) -> None:
    keras = pytest.importorskip("keras")
    flat = keras.utils.normalize(glyphs.reshape(len(glyphs), -1).astype(float), axis=1)
    fed = fitted_to(glyphs, (28, 28, 1), normalisation="image")
    np.testing.assert_allclose(fed.reshape(flat.shape), flat, atol=1e-6)
    tf = pytest.importorskip("tensorflow")
    expected = tf.image.per_image_standardization(glyphs[..., None].astype(np.float32)).numpy()
    np.testing.assert_allclose(fitted_to(glyphs, (28, 28, 1), normalisation="standard"), expected, atol=1e-4)


@pytest.mark.parametrize("mode", BY_CHANNEL)
def test_channels_are_shifted_and_scaled_as_keras_does(mode: Normalisation, glyphs: np.ndarray) -> None:
    pytest.importorskip("keras")
    from keras.applications.imagenet_utils import preprocess_input

    for of, greys in ((Card(normalisation=mode), glyphs), (Card(normalisation=mode, paper=1, ink=0), 255 - glyphs)):
        expected = preprocess_input(np.repeat(greys[..., None], 3, axis=3).astype(np.float32), mode=mode)
        fed = Preprocessor(of, (28, 28, 3), LIKE)(glyphs)
        np.testing.assert_allclose(fed, expected, atol=1e-4)
        # A card that does not fit its file, which has one channel.
        assert Preprocessor(of, (28, 28, 1), LIKE)(glyphs).shape == (3, 28, 28, 1)


@pytest.fixture
def glyphs() -> np.ndarray:
    """Two glyphs with ink in the middle, and an empty one."""
    found = np.zeros((3, 28, 28), np.uint8)
    found[:2, 4:24, 4:24] = np.random.default_rng(1).integers(0, 256, (2, 20, 20))
    return found


@pytest.mark.parametrize("normalisation", ["none", "columns", "standard"])
def test_an_input_gets_its_own_type(normalisation: Normalisation, glyphs: np.ndarray) -> None:
    card = Card(normalisation=normalisation)
    real = model_input(glyphs, (28, 28, 1), card)
    assert np.array_equal(Preprocessor(card, (28, 28, 1), LIKE)(glyphs), real)
    quantised = Preprocessor(card, (28, 28, 1), {"dtype": np.int8, "quantization": (0.02, -10)})(glyphs)
    assert quantised.dtype == np.int8
    np.testing.assert_allclose((quantised.astype(float) + 10) * 0.02, np.clip(real, -2.36, 2.74), atol=0.0101)


def test_an_integer_without_quantisation_parameters_gets_the_values_themselves(glyphs: np.ndarray) -> None:
    plain = Preprocessor(Card(ink=255), (28, 28, 1), {"dtype": np.uint8, "quantization": (0.0, 0)})
    assert np.array_equal(plain(glyphs)[..., 0], glyphs)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero", "fed"),
    [
        (np.float32, 0.0, 0, (0, 1)),
        # All 256 steps, whatever they mean: 0..1, -1..1, 0..255.
        (np.uint8, 1 / 255, 0, (0, 1)),
        (np.uint8, 1 / 127.5, 128, (-1.004, 0.996)),
        (np.int8, 1.0, -128, (0, 255)),
        (np.uint8, 0.0, 0, (0, 255)),
        (np.int8, 0.0, 0, (-128, 127)),
        # Of these, only a part is used.
        (np.int16, 1 / 32767, 0, (0, 1)),
        (np.int32, 0.0, 0, (0, 255)),
    ],
)
def test_a_file_without_a_card_is_fed_as_its_type_suggests(
    dtype: type, scale: float, zero: int, fed: tuple[float, float], glyphs: np.ndarray
) -> None:
    detail = {"dtype": dtype, "quantization": (scale, zero)}
    card = likely_card("m", detail)
    assert (card.name, card.paper, card.ink) == ("m", pytest.approx(fed[0], abs=1e-3), pytest.approx(fed[1], abs=1e-3))
    if np.dtype(dtype).itemsize == 1:
        inputs = Preprocessor(card, (28, 28, 1), detail)(glyphs).astype(int)
        assert (inputs[..., 0] - np.iinfo(dtype).min == glyphs).all()


def test_bytes_without_a_scale_are_shares() -> None:
    for dtype in (np.uint8, np.int8):
        limits = np.iinfo(dtype)
        values = np.array([limits.min, limits.min + 51, limits.max], dtype)
        assert real(values, {"dtype": dtype, "quantization": (0.0, 0)}).tolist() == pytest.approx([0, 0.2, 1])
        assert real(values, {"dtype": dtype, "quantization": (2.0, limits.min)}).tolist() == [0, 102, 510]
    assert real(np.array([7], np.int32), {"dtype": np.int32, "quantization": (0.0, 0)}).tolist() == [7]


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((1, 1, 28, 28), (28, 28, 1)),
        ((1, 1, 32, 24), (32, 24, 1)),
        ((1, 28, 28, 3), (28, 28, 3)),
        ((1, 784), (28, 28, 1)),
        ((1, 784, 1), (28, 28, 1)),
        ((1, 1, 784), (28, 28, 1)),
        ((1, 28, 28, 1, 1), (28, 28, 1)),
        ((1, 1, 20, 28, 3), (20, 28, 3)),
    ],
)
def test_a_channel_may_come_first_or_last_and_ones_anywhere(
    shape: tuple[int, ...], image: tuple[int, int, int]
) -> None:
    assert image_shape(shape, "m.tflite") == image


@pytest.mark.parametrize("shape", [(1, 3, 28, 28), (1, 1, 1, 28), (1, 1, 28, 4), (2, 28, 28, 1), (1, 28, 28, 28)])
def test_what_is_no_image_of_a_digit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=re.escape(f"m.tflite: its input has shape {shape}, which is no image")):
        image_shape(shape, "m.tflite")
