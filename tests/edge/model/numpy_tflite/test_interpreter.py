"""NumPy's stand-in for a TFLite runtime: values, batches, and what it refuses."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.classifier import Model, packaged_model
from edge.model.golden_digits import golden_glyphs, score
from edge.model.numpy_tflite.flatbuffer import Table
from edge.model.numpy_tflite.graph import Operator, Tensor
from edge.model.numpy_tflite.interpreter import Interpreter, _made
from edge.model.runtime import STAND_IN, run_each
from tests.support import files

PACKAGED = packaged_model().read_bytes()
MODELS = {"mnist": PACKAGED, "belief": packaged_model().with_name("belief.tflite").read_bytes()}


def ready(content: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return interpreter


def inputs(interpreter: Interpreter, count: int) -> np.ndarray:
    """Of all kinds: noise, blocks, empty."""
    rng = np.random.default_rng(3)
    _, *shape = interpreter.get_input_details()[0]["shape"]
    noise = rng.integers(0, 256, (count, *shape))
    blocks = rng.integers(0, 256, (count, -(-shape[0] // 7), -(-shape[1] // 7), shape[2])).repeat(7, 1).repeat(7, 2)
    return np.where(np.arange(count).reshape(-1, 1, 1, 1) % 2, noise, blocks[:, : shape[0], : shape[1]]).astype(
        np.uint8
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_packaged_models_give_the_values_of_the_reference_kernels(name: str) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    reference = litert.Interpreter(
        model_content=MODELS[name], num_threads=1, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    ours = ready(MODELS[name])
    images = inputs(ours, 40)
    (first,), (last,) = reference.get_input_details(), reference.get_output_details()
    np.testing.assert_array_equal(run_each(ours, first, last, images), run_each(reference, first, last, images))


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_gives_what_its_images_give_one_by_one(name: str) -> None:
    interpreter = ready(MODELS[name])
    (first,), (last,) = interpreter.get_input_details(), interpreter.get_output_details()
    images = inputs(interpreter, 45)
    single = []
    for image in images:
        interpreter.set_tensor(first["index"], image[None])
        interpreter.invoke()
        single.append(interpreter.get_tensor(last["index"])[0])
    np.testing.assert_array_equal(interpreter.run_batch(images), single)
    assert interpreter.run_batch(images[:0]).shape == (0, *last["shape"][1:])


def test_it_reads_the_golden_digits() -> None:
    with Model(runtime=STAND_IN) as model:
        assert score(model).right == len(golden_glyphs()[0])


def test_an_operator_that_it_cannot_compute_is_named(tmp_path: Path) -> None:
    content = bytearray(files.BARE)
    code = next(one for one in Table.root(bytes(content)).tables(6) if one.number(4, "b") == 17)
    for field, kind in ((4, "<b"), (10, "<i")):
        if code._position(field):
            struct.pack_into(kind, content, code._position(field), 16)
    with pytest.raises(ModelError) as refused:
        Model(tmp_path / "m.tflite", runtime=STAND_IN, content=bytes(content))
    assert str(refused.value) == (
        f"{tmp_path / 'm.tflite'}: NumPy, in place of a TFLite runtime, refuses it (it cannot compute LSTM);"
        " use a simpler model, or a 64-bit system, for which there is a TFLite runtime"
    )


def test_a_damaged_file_is_refused_and_takes_little() -> None:
    """Seeded damages, most of them to the structure in front of the weights: an answer, or a ValueError; no other."""
    chance = random.Random(5)
    refused = 0
    for number in range(250):
        content = bytearray(files.BARE)
        for _ in range(1 + number % 4):
            at = chance.randrange(len(content)) if number % 3 else chance.randrange(4000)
            content[at] = chance.randrange(256)
        if number % 10 == 0:
            del content[chance.randrange(len(content)) :]
        try:
            ready(bytes(content))
        except ValueError as error:
            refused += 1
            assert len(str(error)) < 300
    assert 20 < refused < 230


@pytest.mark.parametrize("content", [b"", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" + bytes(100), b"\0" * 5000])
def test_what_is_no_flatbuffer_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="damaged or cut short"):
        Interpreter(model_content=content)


def test_an_operator_whose_input_lacks_the_axis_is_refused() -> None:
    def tensor(index: int, dtype: type) -> Tensor:
        one, none = np.ones(1, np.float32), np.zeros(1, np.int64)
        return Tensor(index=index, name="t", shape=(), dtype=dtype, scales=one, zeros=none, axis=0, constant=None)

    inputs = (tensor(0, np.int8), tensor(1, np.int32))
    mean = Operator(name="MEAN", inputs=inputs, outputs=(tensor(2, np.int8),), options=None)
    with pytest.raises(ValueError, match="MEAN: "):
        _made(mean, (None, np.zeros(1, np.int32)))


def test_a_tensor_that_is_too_large_is_refused() -> None:
    content = bytearray(files.BARE)
    graph = Table.root(bytes(content)).tables(8)[0]
    tensor = graph.tables(4)[int(graph.array(6, np.int32)[0])]
    start, count = tensor._vector(4, 4)
    struct.pack_into(f"<{count}i", content, start, *(30_000,) * count)
    with pytest.raises(ValueError, match="which is too large"):
        Interpreter(model_content=bytes(content))
