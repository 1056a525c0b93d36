from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.choices import RECIPES, Io, Recipe
from convert.data.mnist import Mnist
from convert.tflite import flatbuffer, quantise
from edge.errors import ConvertError, DataError
from edge.model.classifier import Model
from edge.model.runtime import interpreter_class
from tests.support import small

pytestmark = small.QUIET


def rows(glyphs: np.ndarray) -> set[bytes]:
    return {glyph.tobytes() for glyph in glyphs}


def repeated() -> Mnist:
    """Every training image twice, and the test part among them."""
    mnist = small.data()
    return Mnist(
        np.concatenate([mnist.train, mnist.test, mnist.train]),
        np.concatenate([mnist.train_labels, mnist.test_labels, mnist.train_labels]),
        mnist.test,
        mnist.test_labels,
    )


def test_calibration_images_are_distinct_and_none_is_evaluated_on() -> None:
    chosen = quantise.calibration_glyphs(repeated(), 1000, seed=1)
    assert chosen.shape == (1000, 28, 28) and chosen.dtype == np.uint8
    assert len(rows(chosen)) == 1000
    assert rows(chosen) <= rows(small.data().train)
    assert not rows(chosen) & rows(small.data().test)


def test_calibration_images_follow_the_seed() -> None:
    one, again, other = (quantise.digest(quantise.calibration_glyphs(repeated(), 600, seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_no_more_images_are_taken_than_there_are() -> None:
    assert len(quantise.calibration_glyphs(small.data().limited(700), 1000, seed=1)) == 700


def test_too_few_distinct_images_are_refused() -> None:
    mnist = small.data()
    few = Mnist(np.repeat(mnist.train[:100], 20, axis=0), np.repeat(mnist.train_labels[:100], 20), *(
        mnist.test, mnist.test_labels
    ))  # fmt: skip
    with pytest.raises(DataError, match="has 100 different training images"):
        quantise.calibration_glyphs(few, 500, seed=1)


def test_calibration_spans_the_whole_range_even_where_the_images_do_not() -> None:
    mnist = small.data()
    pale = Mnist(mnist.train // 2, mnist.train_labels, mnist.test, mnist.test_labels)
    chosen = quantise.calibration_glyphs(pale, 500, seed=1)
    assert chosen.min() == 0 and chosen.max() == 255 and len(rows(chosen)) == 500


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_all_of_int8_is_integers_and_the_input_has_a_step_for_each_grey(io: Io) -> None:
    interpreter = interpreter_class()(model_content=small.quantised(small.trained(), "int8", io))
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert first["shape"].tolist() == [1, 28, 28, 1] and last["shape"].tolist() == [1, 10]
    assert np.dtype(first["dtype"]) == np.dtype(last["dtype"]) == np.dtype(io)
    scale, zero = first["quantization"]
    assert scale == pytest.approx(1 / 255, rel=1e-6) and zero == (0 if io == "uint8" else -128)
    assert last["quantization"][0] == 1 / 256
    kinds = {np.dtype(part["dtype"]).kind for part in interpreter.get_tensor_details()}
    assert kinds <= {"i", "u"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_keeps_its_weights_in_its_own_type(recipe: Recipe, tmp_path: Path) -> None:
    model = small.with_large_layers()
    content = small.quantised(model, recipe)
    details = interpreter_class()(model_content=content).get_tensor_details()
    kinds = {np.dtype(part["dtype"]).name for part in details if part["shape"].tolist() == [64, 3, 3, 8]}
    wanted = {"float32": "float32", "float16": "float16"}.get(recipe, "int8")
    # float16 is made float32 where it is used.
    assert wanted in kinds and kinds <= {wanted, "float32"}
    activations = {np.dtype(part["dtype"]).name for part in details if part["shape"].tolist() == [1, 24, 24, 64]}
    assert activations == {{"int8": "int8", "int16x8": "int16"}.get(recipe, "float32")}
    if recipe in ("int8", "int16x8"):
        scales = [
            len(part["quantization_parameters"]["scales"])
            for part in details
            if part["shape"].tolist() == [64, 3, 3, 8]
        ]
        assert scales == [64]
    # Every TFLite since the last tflite-runtime has these operators.
    assert flatbuffer.read(content, "m").min_runtime <= (2, 14, 0)
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    expected = model.predict(small.data().test[..., None] / np.float32(255), verbose=0)
    with Model(path) as made:
        assert (made.predict(small.data().test).argmax(1) == expected.argmax(1)).mean() > 0.97


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_model_gives_the_same_bytes_twice(recipe: Recipe) -> None:
    assert small.quantised(small.trained(), recipe) == small.quantised(small.trained(), recipe)


@pytest.mark.parametrize("shape", [(28, 28), (784,), (32, 32, 3), (None, None, 1)])
def test_any_shape_of_input_converts(shape: tuple[int | None, ...]) -> None:
    model = small.untrained(shape) if None not in shape else small.fully_convolutional()
    interpreter = interpreter_class()(model_content=small.quantised(model))
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, *(n or 28 for n in shape)]


def test_dark_digits_of_another_range_cost_the_int8_model_nothing() -> None:
    """The input's scale and zero take them in: each grey has its own step."""
    fed = replace(small.input_format(small.trained()), paper=255.0, ink=-255.0)
    first = interpreter_class()(model_content=small.quantised(small.trained(), fed=fed)).get_input_details()[0]
    scale, zero = first["quantization"]
    assert scale == pytest.approx(2, rel=1e-6) and zero in (127, 128)


@pytest.mark.parametrize("layer", ["LSTM", "GRU"])
def test_a_model_with_loops_has_no_integer_form_but_others(layer: str, tmp_path: Path) -> None:
    keras = small.keras()
    keras.utils.set_random_seed(6)
    glyph = keras.layers.Input((28, 28))
    model = keras.Model(glyph, keras.layers.Dense(10, "softmax")(getattr(keras.layers, layer)(8)(glyph)))
    for recipe in ("int8", "int16x8"):
        with pytest.raises(ConvertError, match="m.h5: has loops"):
            small.quantised(model, recipe)
    path = tmp_path / "m.tflite"
    path.write_bytes(small.quantised(model, "float32"))
    expected = model.predict(small.data().test[:20] / np.float32(255), verbose=0)
    with Model(path) as made:
        np.testing.assert_allclose(made.predict(small.data().test[:20]), expected, atol=1e-5)


def test_own_glyphs_come_first_in_the_calibration() -> None:
    own = small.data().test[:3] // 2
    chosen = quantise.calibration_glyphs(small.data(), 600, 1, own)
    assert len(chosen) == 600 and np.array_equal(chosen[:3], own)
    assert np.array_equal(chosen[3:], quantise.calibration_glyphs(small.data(), 597, 1))


def test_own_glyphs_that_are_test_images_are_left_out() -> None:
    chosen = quantise.calibration_glyphs(small.data(), 600, 1, small.data().test[:50])
    assert not rows(chosen) & rows(small.data().test)


def test_what_has_no_integer_form_is_refused_in_one_line() -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    flat = keras.layers.Flatten()(glyph)
    model = keras.Model(glyph, keras.ops.cos(keras.layers.Dense(10)(keras.ops.erfinv(flat * 0.5))))
    with pytest.raises(ConvertError, match="m.h5: TFLite cannot convert it to int8") as refusal:
        small.quantised(model)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400
