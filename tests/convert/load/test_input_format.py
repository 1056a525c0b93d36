"""How a model wants its input is found out: the same weights behind inputs of every range, polarity and margin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.choices import POLARITIES, RANGES
from convert.load import input_format
from convert.load.input_format import InputFormat, Trial
from edge.errors import ConvertError, ModelError
from edge.model.card import Card
from tests.support import small

pytestmark = small.QUIET
DIGITS = Card().digits


def behind(scale: float, offset: float, last: str | None = None) -> Any:
    """The trained model, which wants ``scale`` * its own input + ``offset``."""
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    x = small.trained()(keras.layers.Rescaling(scale, offset)(glyph))
    return keras.Model(glyph, keras.layers.Activation(last)(x) if last else x)


def found(model: Any, **given: str) -> InputFormat:
    data = small.data()
    return input_format.detect(model, data.test, data.test_labels, DIGITS, "m.h5", **given)


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("name", RANGES)
def test_every_range_and_polarity_is_found(name: str, polarity: str) -> None:
    black, white = RANGES[name]
    paper, ink = (black, white) if polarity == "light" else (white, black)
    # From this range back to what the weights were trained on.
    model = behind(1 / (ink - paper), -paper / (ink - paper))
    chosen = found(model)
    assert (chosen.trials[0].range, chosen.trials[0].polarity) == (name, polarity)
    assert (chosen.paper, chosen.ink) == (paper, ink)
    assert chosen.trials[0].accuracy == max(trial.accuracy for trial in chosen.trials) > 0.95
    assert len(chosen.trials) == 8 and len(set(chosen.trials)) == 8


def test_what_is_given_is_not_questioned() -> None:
    chosen = found(small.trained(), input_range="0..255", polarity="dark")
    assert (chosen.paper, chosen.ink) == (255, 0)
    assert [(trial.range, trial.polarity) for trial in chosen.trials] == [("0..255", "dark")]
    half = found(small.trained(), polarity="light")
    assert (half.paper, half.ink) == (0, 1) and len(half.trials) == len(RANGES)


def test_a_model_of_digits_with_a_margin_gets_one() -> None:
    keras = small.keras()
    glyph = keras.layers.Input((36, 36, 1))
    model = keras.Model(glyph, small.trained()(keras.layers.Cropping2D(4)(glyph)))
    chosen = found(model)
    assert (chosen.fit, chosen.shape, chosen.image) == ("margin", (36, 36, 1), (36, 36, 1))
    expected = np.pad(small.data().test[:3], ((0, 0), (4, 4), (4, 4)))[..., None] / np.float32(255)
    assert np.array_equal(chosen.feed(small.data().test[:3]), expected)


@pytest.mark.parametrize(("last", "meaning"), [(None, "probabilities"), ("log_softmax", "logits")])
def test_the_meaning_of_the_outputs_is_found(last: str | None, meaning: str) -> None:
    assert found(behind(1, 0, last)).output == meaning


def test_log_probabilities_become_probabilities_again() -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    model = keras.Model(glyph, keras.ops.log(small.trained()(glyph) + 1e-9))
    chosen = found(model)
    assert chosen.output == "logits" and chosen.trials[0].loss == pytest.approx(
        found(small.trained()).trials[0].loss, abs=1e-3
    )


def test_of_ranges_that_read_alike_the_surest_is_taken() -> None:
    """Without biases the scale of the input changes no answer, only how sure it is."""
    keras = small.keras()
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [keras.layers.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax", use_bias=False)]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(small.data().train / np.float32(255), small.data().train_labels, epochs=12, verbose=0)
    chosen = found(model)
    alike = {trial.range: trial for trial in chosen.trials if trial.polarity == "light"}
    assert alike["0..1"].accuracy == pytest.approx(alike["0..255"].accuracy, abs=1e-9)
    assert chosen.trials[0] is alike["0..1"] and alike["0..1"].loss < alike["0..255"].loss
    assert "0..255, light ink" in " ".join(chosen.remarks())


def test_a_model_of_something_else_is_remarked_on() -> None:
    remark = " ".join(found(small.untrained()).remarks())
    assert "reads only" in remark and "other digits" in remark


def test_a_sure_choice_needs_no_remark() -> None:
    best = Trial(range="0..1", polarity="light", fit="resize", accuracy=0.99, loss=0.1)
    other = Trial(range="0..255", polarity="light", fit="resize", accuracy=0.97, loss=0.1)
    assert not list(InputFormat(shape=(784,), image=(28, 28, 1), trials=(best, other)).remarks())


def test_a_class_that_is_no_digit_does_not_count() -> None:
    data = small.data()
    chosen = input_format.detect(small.with_none(), data.test, data.test_labels, (*range(10), None), "m.h5")
    assert chosen.trials[0].accuracy > 0.95


def test_outputs_that_are_no_numbers_are_refused() -> None:
    model = small.untrained()
    model.set_weights([weights * np.nan for weights in model.get_weights()])
    with pytest.raises(ConvertError, match=r"m\.h5: gives NaN or infinity"):
        found(model)


def test_an_input_that_is_no_image_is_refused() -> None:
    with pytest.raises(ModelError, match=r"m\.h5: its input has shape"):
        found(small.untrained((5,)))
