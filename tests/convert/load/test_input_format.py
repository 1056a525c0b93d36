"""How a model wants its input is found out: the same weights behind inputs of every range, polarity and margin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from convert.choices import POLARITIES, RANGES, listed
from convert.classes import LABELS_BY_OUTPUTS
from convert.load import input_format
from convert.load.conventions import CHUNK_BYTES, combinations
from convert.load.input_format import InputFormat, Trial
from edge.errors import ConvertError, ModelError
from edge.model.card import DIGITS, NONE
from edge.model.classifier import probabilities
from edge.types import Pixels
from tests.support import small

pytestmark = small.QUIET


def behind(scale: float, offset: float, last: str | None = None) -> Any:
    """The trained model, which wants ``scale`` * its own input + ``offset``."""
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    x = small.trained()(keras.layers.Rescaling(scale, offset)(glyph))
    return keras.Model(glyph, keras.layers.Activation(last)(x) if last else x)


def found(model: Any, **given: str) -> InputFormat:
    data = small.data()
    return input_format.detect(model, data.test, data.test_labels, DIGITS, "m.h5", **given)


KNOWN = 400
"""Of how many digits ``Nearest`` looks for the nearest."""


class Nearest:
    """Finds the nearest of digits that somebody's own code prepared; an object with Keras's interface."""

    def __init__(self, prepare: Any, outputs: Sequence[int | None] = range(10)) -> None:
        """``outputs``: the digit of each output; None: one that is never the greatest."""
        known = np.asarray(prepare(small.data().train[:KNOWN]), np.float32)
        self.input_shape = (None, *known.shape[1:])
        self._known = known.reshape(KNOWN, -1)
        self._scale = np.float32(50 / (self._known**2).sum(axis=1).mean())
        self._outputs = outputs

    def predict(self, inputs: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
        flat = inputs.reshape(len(inputs), -1)
        # The square of the distance, without the part that is the same for all.
        far = self._scale * ((self._known**2).sum(axis=1) - 2 * flat @ self._known.T)
        nearest = far.reshape(len(flat), KNOWN // 10, 10).min(axis=1)
        answers = np.pad(-nearest, ((0, 0), (0, 1)), constant_values=-1e6)
        return answers[:, [10 if digit is None else digit for digit in self._outputs]]


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("name", RANGES)
def test_every_range_and_polarity_is_found(name: str, polarity: str) -> None:
    black, white = RANGES[name]
    paper, ink = (black, white) if polarity == "light" else (white, black)
    chosen = found(Nearest(lambda greys: paper + (ink - paper) * (greys[..., None] / 255)))
    if name == "-0.5..0.5" and chosen.trials[0].range == "-1..1":
        # To this model the same picture twice as strong: of two that read alike the more common one is taken.
        paper, ink, name = 2 * paper, 2 * ink, "-1..1"
    assert (chosen.trials[0].range, chosen.trials[0].polarity) == (name, polarity)
    assert (chosen.paper, chosen.ink) == (paper, ink) and chosen.trials[0].accuracy > 0.9
    # Eight ranges and four normalisations in both polarities, three fits, also transposed.
    assert len(chosen.trials) == len({trial.name for trial in chosen.trials}) == 24 * 3 * 2


def test_what_a_model_of_keras_wants_is_found() -> None:
    # From dark ink in 0..255 back to what the weights were trained on.
    chosen = found(behind(-1 / 255, 1.0))
    assert chosen.trials[0].name == "0..255, dark ink" and chosen.trials[0].accuracy > 0.95


def unit(axis: int, shape: tuple[int, ...], greys: Pixels) -> Any:
    return small.keras().utils.normalize(greys.astype(np.float32).reshape(-1, *shape), axis=axis)


def standard(greys: Pixels) -> Any:
    import tensorflow as tf

    return tf.image.per_image_standardization(greys[..., None]).numpy()


def as_imagenet(greys: Pixels, mode: str) -> Any:
    small.keras()
    from keras.applications.imagenet_utils import preprocess_input

    return preprocess_input(np.repeat(greys[..., None], 3, axis=3).astype(np.float32), mode=mode)


def cropped(greys: Pixels) -> Any:
    """A square about the ink, of 8x8 pixels in 0..16, as scikit-learn's digits."""
    images = []
    for grey in greys:
        ys, xs = np.nonzero(grey)
        ink = grey[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        side = max(ink.shape)
        top, left = ((side - n) // 2 for n in ink.shape)
        square = np.pad(ink, ((top, side - ink.shape[0] - top), (left, side - ink.shape[1] - left)))
        images.append(cv2.resize(square, (8, 8), interpolation=cv2.INTER_AREA))
    return np.array(images) * np.float32(16 / 255)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda greys: unit(1, (28, 28), greys), "each column divided by its norm, light ink"),
        (lambda greys: unit(2, (28, 28), greys), "each row divided by its norm, light ink"),
        (lambda greys: unit(1, (784,), greys), "each image divided by its norm, light ink"),
        (standard, "each image standardised, light ink"),
        (lambda greys: as_imagenet(greys, "torch"), "each channel standardised as ImageNet's, light ink"),
        (lambda greys: as_imagenet(255 - greys, "caffe"), "0..255 minus ImageNet's means, dark ink"),
        (lambda greys: greys.transpose(0, 2, 1) / 255, "0..1, light ink, transposed"),
        (lambda greys: np.rot90(greys, -1, (1, 2)) / 255, "0..1, light ink, rotated by 90°"),
        (lambda greys: np.rot90(greys, 1, (1, 2)) / 255, "0..1, light ink, rotated by 270°"),
        (lambda greys: greys[:, ::-1, ::-1] / 255, "0..1, light ink, rotated by 180°"),
        (lambda greys: 1 - greys[:, :, ::-1] / 255, "0..1, dark ink, mirrored"),
        (lambda greys: greys[:, ::-1] / 255, "0..1, light ink, upside down and mirrored"),
        (lambda greys: cropped(greys).reshape(-1, 64), "0..16, light ink, cropped to the ink"),
    ],
)
def test_what_people_do_with_their_digits_is_tried_and_found(prepare: Any, expected: str) -> None:
    model, test = Nearest(prepare), small.data().test
    tried = {
        trial.name: one
        for is_turned in (False, True)
        for trial, one in combinations(model.input_shape, "m.h5", RANGES, is_turned=is_turned)
    }
    fed = tried[expected].feed(test)
    assert np.abs(fed - prepare(test)).max() <= np.abs(fed).max() / 50
    chosen = found(model)
    wanted = next(trial for trial in chosen.trials if trial.name == expected)
    # It is chosen, or what reads as well: drawn digits differ little in their strokes.
    assert wanted.accuracy > 0.9 and not wanted.is_worse
    assert chosen.trials[0].accuracy >= wanted.accuracy - 0.01
    assert (chosen.fit, chosen.transposed) == (tried[expected].fit, tried[expected].transposed)
    assert chosen.rotation == tried[expected].rotation


def test_what_is_given_is_not_questioned() -> None:
    chosen = found(small.trained(), input_range="0..255", polarity="dark")
    assert (chosen.paper, chosen.ink) == (255, 0)
    assert {(trial.range, trial.polarity, trial.normalisation) for trial in chosen.trials} == {
        ("0..255", "dark", "none")
    }
    half = found(small.trained(), polarity="light")
    assert (half.paper, half.ink) == (0, 1) and {trial.polarity for trial in half.trials} == {"light"}


@pytest.mark.parametrize(
    ("variable", "shape"), [((None, 28), (28, 28)), ((28, 28, None), (28, 28, 1)), ((None, 28, 28, 1), (1, 28, 28, 1))]
)
def test_variable_sizes_are_those_of_a_glyph(variable: tuple[int | None, ...], shape: tuple[int, ...]) -> None:
    _, one = next(combinations((None, *variable), "m.h5", RANGES))
    assert (one.shape, one.image) == (shape, (28, 28, 1))


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


def test_per_cent_are_probabilities_too() -> None:
    keras = small.keras()
    model = small.trained()
    assert found(keras.Model(model.inputs, keras.layers.Rescaling(100.0)(model.outputs[0]))).output == "probabilities"


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_logits_of_any_size_get_a_temperature_that_tells_them_apart(scale: float) -> None:
    class Scaled(Nearest):
        def predict(self, inputs: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
            answers: NDArray[np.float32] = np.float32(scale) * super().predict(inputs)
            return answers

    chosen = found(Scaled(plain))
    sure = probabilities(chosen.outputs(Scaled(plain), small.data().test), chosen.output, chosen.temperature)
    assert chosen.output == "logits" and chosen.card.temperature == chosen.temperature
    assert (chosen.temperature == 1) == (scale == 1) and 0.5 < np.median(sure.max(axis=1)) < 1


def test_large_inputs_are_fed_in_parts() -> None:
    class Counting:
        most = 0

        def predict(self, inputs: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
            self.most = max(self.most, inputs.nbytes)
            return inputs.mean(axis=(1, 2, 3))[:, None] * np.arange(10, dtype=np.float32)

    fed, model, glyphs = InputFormat(shape=(250, 250, 3), image=(250, 250, 3)), Counting(), small.data().test[:99]
    parts = fed.outputs(model, glyphs)
    assert 0 < model.most <= CHUNK_BYTES < 99 * 4 * 250 * 250 * 3
    whole = glyphs.mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(parts[:, 1], whole, atol=0.01)


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
    alike = {trial.name.removesuffix(", light ink"): trial for trial in chosen.trials}
    assert alike["0..1"].accuracy == pytest.approx(alike["0..255"].accuracy, abs=1e-9)
    assert chosen.trials[0] is alike["0..1"] and 1.2 * alike["0..1"].loss < alike["0..255"].loss
    assert not list(chosen.remarks()), "the loss has decided"


def test_of_ranges_that_also_cost_alike_the_usual_one_is_taken_and_the_others_are_said() -> None:
    class Divides(Nearest):
        """It does not mind the range: it divides each image by its brightest value."""

        def predict(self, x: Any, **options: Any) -> Any:
            return super().predict(x / x.max(axis=(1, 2), keepdims=True).clip(1e-9), **options)

    chosen = found(Divides(lambda greys: greys / 255))
    assert chosen.trials[0].name == "0..1, light ink"
    assert re.match(r"undecided: the model reads nearly as well with 0\.\.255, light ink \(", *chosen.remarks())


def test_the_surest_way_stays_in_the_race() -> None:
    """Two that read a digit more are as sure of those that they misread."""
    digits = (np.arange(100) % 10).astype(np.uint8)
    answers = 3 * np.eye(10, dtype=np.float32)[digits]
    answers[:10] += np.float32(1.1) * np.roll(answers[:10], 1, axis=1)

    def candidate(name: str, outputs: NDArray[np.float32]) -> input_format._Candidate:
        trial = Trial(range=name, polarity="light", fit="resize", accuracy=0.0, loss=0.0)
        fed = InputFormat(shape=(784,), image=(28, 28, 1))
        right = outputs.argmax(axis=1) == digits
        return input_format._Candidate(trial=trial, input_format=fed, outputs=outputs, labels=DIGITS, right=right)

    sure, less = 255 * answers, answers.copy()
    sure[0] = 765 * np.eye(10)[0]
    left = [candidate("0..255", sure), candidate("0..254", sure), candidate("0..253", sure), candidate("0..1", less)]
    assert left[0].accuracy > left[3].accuracy
    assert input_format._to_keep(left, digits, 2) == {"0..255, light ink", "0..254, light ink", "0..1, light ink"}


def test_a_model_of_something_else_is_remarked_on() -> None:
    remark = " ".join(found(small.untrained()).remarks())
    assert "reads only" in remark and "other digits" in remark


def test_a_sure_choice_needs_no_remark() -> None:
    best = Trial(range="0..1", polarity="light", fit="resize", accuracy=0.99, loss=0.1)
    other = Trial(range="0..255", polarity="light", fit="resize", accuracy=0.989, loss=0.1, is_worse=True)
    assert not list(InputFormat(shape=(784,), image=(28, 28, 1), trials=(best, other)).remarks())


def test_a_class_that_is_no_digit_does_not_count() -> None:
    data = small.data()
    chosen = input_format.detect(small.with_none(), data.test, data.test_labels, (*DIGITS, NONE), "m.h5")
    assert chosen.trials[0].accuracy > 0.95


def test_outputs_that_are_no_numbers_are_refused() -> None:
    model = small.untrained()
    model.set_weights([weights * np.nan for weights in model.get_weights()])
    with pytest.raises(ConvertError, match=r"m\.h5: gives NaN or infinity"):
        found(model)


def test_an_input_that_is_no_image_is_refused() -> None:
    with pytest.raises(ModelError, match=r"m\.h5: its input has shape"):
        found(small.untrained((5,)))


def plain(greys: Pixels) -> Any:
    return greys / 255


MIXED = (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)


@pytest.mark.parametrize("outputs", [(*range(1, 10), 0), MIXED, (None, *range(10))])
def test_another_order_of_the_outputs_is_found_and_said(outputs: tuple[int | None, ...]) -> None:
    data = small.data()
    known = (*DIGITS, NONE)[: len(outputs)]
    model = Nearest(plain, outputs)
    chosen = input_format.detect(model, data.test, data.test_labels, known, "m.h5")
    assert chosen.labels == tuple(NONE if digit is None else str(digit) for digit in outputs)
    assert chosen.trials[0].name == "0..1, light ink" and chosen.trials[0].accuracy > 0.95
    text = " ".join(chosen.remarks())
    assert text.startswith("labels found: ") and "if that is wrong, say --labels" in text
    assert listed(text.removeprefix("labels found: ").partition(" (")[0]) == chosen.labels
    with pytest.raises(ConvertError, match=r"m\.h5: reads \d+\.\d% .* looks like --labels (\S+): 9\d\.\d%$") as refusal:
        input_format.detect(model, data.test, data.test_labels, known, "m.h5", is_named=True)
    named = re.search(r"like --labels (\S+):", str(refusal.value))
    assert named and listed(named[1]) == chosen.labels


def test_an_output_for_digits_is_found_though_its_label_says_that_it_is_no_digit() -> None:
    """Labels 1 to 10 for the digits 1 to 9 and 0: the first output is never the greatest, but is often the next."""

    class FromOne(Nearest):
        def predict(self, inputs: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
            answers = super().predict(inputs)
            answers[:, 0] = answers[:, 10] - 1e-3
            return answers

    data = small.data()
    model = FromOne(plain, (None, *range(1, 10), 0))
    chosen = input_format.detect(model, data.test, data.test_labels, (*DIGITS, NONE), "m.h5")
    assert chosen.labels == (NONE, *map(str, range(1, 10)), "0")


def test_labels_that_read_are_kept() -> None:
    data = small.data()
    named = tuple("3140592687")
    chosen = input_format.detect(Nearest(plain, MIXED), data.test, data.test_labels, named, "m.h5", is_named=True)
    assert chosen.labels == named and not chosen.labels_found
    some = ("0", "1", "2", "3", "4", *"abcde")
    partly = input_format.detect(Nearest(plain), data.test, data.test_labels, some, "m.h5")
    assert partly.labels == DIGITS, "half of the digits have no output"


@pytest.mark.parametrize(
    ("labels", "lacking"), [("0-8,none", "9"), ("0-4,none,6-9", "5"), ("0-4,a-e", "5, 6, 7, 8, 9"), ("1-9,none", "0")]
)
def test_labels_that_leave_out_a_digit_that_is_read_are_refused(labels: str, lacking: str) -> None:
    # Digits that are all read, as they are known, and few of those that are left out: the others alone are enough.
    data = small.data()
    is_left_out = np.isin(data.train_labels[:KNOWN], [int(digit) for digit in lacking.split(", ")])
    some = np.flatnonzero(~is_left_out | (np.arange(KNOWN) < 80))
    with pytest.raises(ConvertError, match=rf"--labels, which have no {lacking}; looks like --labels 0-9: 100\.0%$"):
        input_format.detect(
            Nearest(plain), data.train[some], data.train_labels[some], listed(labels), "m.h5",
            is_named=True, input_range="0..1", polarity="light",
        )  # fmt: skip


def test_digits_among_letters_are_found_where_emnist_has_them() -> None:
    data = small.data()
    emnist = LABELS_BY_OUTPUTS[47]
    chosen = input_format.detect(
        Nearest(plain, (*range(10), *[None] * 37)), data.test, data.test_labels, emnist, "m.h5"
    )
    assert chosen.labels == emnist and "0-9,A-Z,a,b,d-h,n,q,r,t (usual for 47 outputs)" in " ".join(chosen.remarks())


def test_digits_among_outputs_that_nobody_named_are_found_or_asked_for() -> None:
    data = small.data()
    outputs = (None, None, *MIXED, None)
    chosen = input_format.detect(Nearest(plain, outputs), data.test, data.test_labels, None, "m.h5")
    assert chosen.labels == ("output 0", "output 1", *map(str, MIXED), "output 12")
    for wrong in (Nearest(plain, (*range(5), *[None] * 21)), Nearest(plain, range(9))):
        with pytest.raises(ConvertError, match=r"m\.h5: has \d+ outputs, .*; .*say what .*--labels 0,1,2"):
            input_format.detect(wrong, data.test, data.test_labels, None, "m.h5")


def test_a_model_of_other_digits_keeps_the_usual_order() -> None:
    chosen = found(small.untrained())
    assert chosen.labels == DIGITS and not chosen.labels_found
