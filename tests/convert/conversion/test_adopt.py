"""Files of other makers, of all types and conventions: what each wants is found, and kept in a copy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.cli import convert_main
from convert.conversion import adopt as room
from convert.conversion.adopt import Adopted, Request
from convert.tflite import metadata
from edge.cli import main
from edge.errors import ConvertError
from edge.model.card import Card, packed, read_card
from edge.model.classifier import Model
from tests.support import foreign, small

pytestmark = small.QUIET
Made = Callable[[], bytes]


@functools.cache
def float32() -> bytes:
    return small.float_tflite(small.trained(), (28, 28, 1))


@functools.cache
def int8(io: str = "uint8") -> bytes:
    return small.quantised(small.trained(), "int8", io)  # type: ignore[arg-type]


def changed(change: Callable[[Any, Any], Any], shape: tuple[int, ...] = (28, 28, 1), dtype: str = "float32") -> bytes:
    """A file of a function of the trained model and its own input."""
    model = small.trained()
    return small.float_tflite(lambda x, training: change(lambda y: model(y, training=training), x), shape, dtype)


def channel_first(model: Any, x: Any) -> Any:
    import tensorflow as tf

    return model(tf.transpose(x, (0, 2, 3, 1)))


def of_bytes(model: Any, x: Any) -> Any:
    """Takes integers without a scale, as graphs do that begin with a cast."""
    import tensorflow as tf

    return model((tf.cast(x, tf.float32) + (128 if x.dtype == tf.int8 else 0)) / 255)


def to_bytes(model: Any, x: Any) -> Any:
    """Gives such integers, too."""
    import tensorflow as tf

    least = x.dtype.min
    return tf.cast(tf.round(of_bytes(model, x) * 255 + least), x.dtype)


FILES: dict[str, tuple[Made, tuple[float, float]]] = {
    "float32": (float32, (0, 1)),
    "-1..1, dark": (lambda: changed(lambda model, x: model((1 - x) / 2)), (1, -1)),
    "0..255": (lambda: changed(lambda model, x: model(x / 255)), (0, 255)),
    "uint8": (int8, (0, 1)),
    "int8": (lambda: int8("int8"), (0, 1)),
    "uint8 without a scale": (lambda: changed(of_bytes, dtype="uint8"), (0, 255)),
    "uint8 to uint8 without a scale": (lambda: changed(to_bytes, dtype="uint8"), (0, 255)),
    "int8 to int8 without a scale": (lambda: changed(to_bytes, dtype="int8"), (-128, 127)),
    "channel first": (lambda: changed(channel_first, (1, 28, 28)), (0, 1)),
}
"""Name -> the file, and the input values of paper and of ink that it wants."""


def adopted(content: bytes, folder: Path, **asked: Any) -> Adopted:
    path = folder / "theirs.tflite"
    path.write_bytes(content)
    given = {"data": str(small.write_npz(folder / "mnist.npz", small.data().limited(600))), **asked}
    return room.adopt(Request(model=path, **given), lambda step: None, lambda seconds: None, folder)


def accuracy(content: bytes) -> float:
    with Model("m.tflite", content=content) as model:
        read = model.predict(small.data().test)[:, :10].argmax(axis=1)
    return float((read == small.data().test_labels).mean())


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_is_fed_as_its_maker_feeds_it(name: str, tmp_path: Path) -> None:
    make, (paper, ink) = FILES[name]
    found = adopted(make(), tmp_path)
    assert (found.card.paper, found.card.ink) == pytest.approx((paper, ink), abs=0.02 * abs(ink - paper))
    keras = small.trained().predict(small.data().test[..., None] / np.float32(255), verbose=0).argmax(axis=1)
    assert accuracy(found.content) >= (keras == small.data().test_labels).mean() - 0.01
    assert found.reads == pytest.approx(accuracy(found.content))
    assert read_card(found.content, "x") is not None and found.content.startswith(make())


@pytest.mark.parametrize("labels", ["1234567890", "9876543210"])
def test_the_order_of_the_outputs_is_found(labels: str, tmp_path: Path) -> None:
    def in_order(model: Any, x: Any) -> Any:
        import tensorflow as tf

        return tf.gather(model(x), [int(label) for label in labels], axis=-1)

    found = adopted(changed(in_order), tmp_path)
    assert "".join(found.card.labels) == labels and found.reads > 0.95


def test_an_own_range_is_taken(tmp_path: Path) -> None:
    found = adopted(changed(lambda model, x: model(x / 16)), tmp_path, input_range="0..16")
    assert (found.card.paper, found.card.ink) == (0, 16)


def test_a_file_that_reads_too_little_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(
        ConvertError, match=r"theirs.tflite: reads only \d+.\d% .* less than --min-accuracy 90; nothing"
    ):
        adopted(small.float_tflite(small.untrained(), (28, 28, 1)), tmp_path)
    assert adopted(small.float_tflite(small.untrained(), (28, 28, 1)), tmp_path, min_accuracy=0).reads < 0.34


def test_metadata_name_labels_and_range(tmp_path: Path) -> None:
    def mixed(model: Any, x: Any) -> Any:
        import tensorflow as tf

        return tf.reverse(model((x + 3) / 10), (-1,))

    content = foreign.with_metadata(changed(mixed), [*"98765432", "one", "zero"], mean=76.5, deviation=25.5)
    assert metadata.read(content).black_and_white == (-3, 7)
    found = adopted(content, tmp_path)
    assert found.card.labels == tuple("9876543210") and (found.card.paper, found.card.ink) == (-3, 7)
    assert found.reads > 0.95


def test_metadata_that_lie_are_not_believed(tmp_path: Path) -> None:
    content = foreign.with_metadata(float32(), [*"1234567890"], mean=127.5, deviation=127.5)
    found = adopted(content, tmp_path)
    assert found.card.labels == tuple("0123456789") and (found.card.paper, found.card.ink) == (0, 1)
    assert any("labels found" in text for name, text in found.lines() if name == "note")


def test_damaged_metadata_say_nothing() -> None:
    content = foreign.with_metadata(float32(), [*"0123456789"], mean=0, deviation=1)
    assert metadata.read(content[:5000]) == metadata.Described()
    at = content.index(b"M001")
    for byte in range(at - 8, at + 60):
        broken = bytearray(content)
        broken[byte] = 255
        metadata.read(bytes(broken))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: packed(content, Card()), "has a card already"),
        (lambda content: foreign.with_custom_operator(content, "edgetpu-custom-op"), "was compiled for an Edge TPU"),
        (lambda content: foreign.with_custom_operator(content, "FlexErf"), "needs TensorFlow's own operators .Erf."),
        (lambda content: content[:5000], "damaged|refuses it"),
    ],
)
def test_what_cannot_be_adopted_is_one_line(change: Callable[[bytes], bytes], complaint: str, tmp_path: Path) -> None:
    with pytest.raises((ConvertError, ValueError), match=complaint) as refusal:
        adopted(change(float32()), tmp_path)
    text = str(refusal.value)
    assert text.startswith(f"{tmp_path}/theirs.tflite: ") and "\n" not in text and "; " in text


@pytest.mark.parametrize(("outputs", "words"), [(1, "has 1 output"), (1000, "ImageNet"), (7, "--labels")])
def test_a_number_of_outputs_that_is_none_of_digits(outputs: int, words: str, tmp_path: Path) -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    model = keras.Model(glyph, keras.layers.Dense(outputs)(keras.layers.Flatten()(glyph)))
    with pytest.raises(ConvertError, match=words):
        adopted(small.float_tflite(model, (28, 28, 1)), tmp_path)


def test_the_command_writes_a_copy_that_edge_uses(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = small.write_npz(tmp_path / "mnist.npz", small.data().limited(600))
    theirs, copy = tmp_path / "their own.tflite", tmp_path / "their own-adopted.tflite"
    content = small.float_tflite(small.with_none(), (28, 28, 1))
    theirs.write_bytes(content)
    assert main(["model", "check", str(theirs)]) == 1
    said = capfd.readouterr().err
    assert f"has 11 outputs, not 10 for the digits 0 to 9; edge-convert adopt '{theirs}', on a workstation" in said
    assert convert_main(["adopt", str(theirs), "--data", str(data), "--input-range", "0..1"]) == 0
    out, err = capfd.readouterr()
    assert err == "" and "0 for paper, 1 for ink" in out and out.rstrip().endswith(f"edge read --model '{copy}'")
    assert theirs.read_bytes() == content and copy.read_bytes().startswith(content)
    with Model(copy) as model:
        assert model.card.labels[-1] == "none" and model.has_card
    assert convert_main(["adopt", str(copy), "--data", str(data)]) == 1
    assert "has a card already" in capfd.readouterr().err
    with pytest.raises(SystemExit) as ended:
        convert_main(["adopt", str(theirs), "-o", str(theirs)])
    assert ended.value.code == 2 and "is MODEL itself" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["0..2..3", "1..0", "a..b", "..", "nan..1", "0..1e9", "x"])
def test_what_is_no_range_exits_2(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        convert_main(["adopt", "m.tflite", "--input-range", text])
    assert ended.value.code == 2 and "is no range" in capfd.readouterr().err
