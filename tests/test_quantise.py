from __future__ import annotations

import numpy as np
import pytest
import small

from convert import convention, quantise
from convert.datasets import Mnist
from edge.errors import ConvertError, DataError, ModelError
from edge.model import interpreter_class

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
    chosen = quantise.calibration(repeated(), 1000, seed=1)
    assert chosen.shape == (1000, 28, 28) and chosen.dtype == np.uint8
    assert len(rows(chosen)) == 1000
    assert rows(chosen) <= rows(small.data().train)
    assert not rows(chosen) & rows(small.data().test)


def test_calibration_images_follow_the_seed() -> None:
    one, again, other = (quantise.digest(quantise.calibration(repeated(), 600, seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_no_more_images_are_taken_than_there_are() -> None:
    assert len(quantise.calibration(small.data().limited(700), 1000, seed=1)) == 700


def test_too_few_distinct_images_are_refused() -> None:
    mnist = small.data()
    few = Mnist(np.repeat(mnist.train[:100], 20, axis=0), np.repeat(mnist.train_labels[:100], 20), *(
        mnist.test, mnist.test_labels
    ))  # fmt: skip
    with pytest.raises(DataError, match="has 100 distinct training images"):
        quantise.calibration(few, 500, seed=1)


def test_calibration_spans_the_whole_range_even_where_the_images_do_not() -> None:
    mnist = small.data()
    pale = Mnist(mnist.train // 2, mnist.train_labels, mnist.test, mnist.test_labels)
    chosen = quantise.calibration(pale, 500, seed=1)
    assert chosen.min() == 0 and chosen.max() == 255 and len(rows(chosen)) == 500


def converted(model, io="uint8") -> bytes:
    glyphs = quantise.calibration(small.data(), 500, seed=1)
    return quantise.int8(model, convention.find(model, glyphs, "m.h5"), glyphs, io, "m.h5")


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_all_of_it_is_integers_and_the_input_has_a_step_for_each_grey(io: str) -> None:
    interpreter = interpreter_class()(model_content=converted(small.trained(), io))
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert first["shape"].tolist() == [1, 28, 28, 1] and last["shape"].tolist() == [1, 10]
    assert np.dtype(first["dtype"]) == np.dtype(last["dtype"]) == np.dtype(io)
    scale, zero = first["quantization"]
    assert scale == pytest.approx(1 / 255, rel=1e-6) and zero == (0 if io == "uint8" else -128)
    assert last["quantization"][0] == 1 / 256
    kinds = {np.dtype(part["dtype"]).kind for part in interpreter.get_tensor_details()}
    assert kinds <= {"i", "u"}


def test_one_model_gives_the_same_bytes_twice() -> None:
    assert converted(small.trained()) == converted(small.trained())


@pytest.mark.parametrize("shape", [(28, 28), (784,), (32, 32, 3), (None, None, 1)])
def test_any_shape_of_input_converts(shape: tuple[int | None, ...]) -> None:
    model = small.untrained(shape) if None not in shape else small.fully_convolutional()
    interpreter = interpreter_class()(model_content=converted(model))
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, *(n or 28 for n in shape)]


def test_a_model_of_something_else_is_refused() -> None:
    with pytest.raises(ModelError, match="m.h5: its input has shape"):
        converted(small.untrained((5,)))


def test_the_meaning_of_the_outputs_is_found() -> None:
    glyphs = small.data().train[:50]
    for activation, meaning in [("softmax", "probabilities"), ("sigmoid", "probabilities"), (None, "logits")]:
        assert convention.find(small.untrained((28, 28), activation), glyphs, "m").output == meaning


def test_what_has_no_integer_form_is_refused_in_one_line() -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    flat = keras.layers.Flatten()(glyph)
    model = keras.Model(glyph, keras.ops.cos(keras.layers.Dense(10)(keras.ops.erfinv(flat * 0.5))))
    with pytest.raises(ConvertError, match="m.h5: TFLite has no integer form of it") as refusal:
        converted(model)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400
