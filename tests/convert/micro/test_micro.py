"""What is found out about a file for microcontrollers, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.micro import arena, facts
from convert.micro.operators import OPERATORS
from convert.tflite import layout
from convert.tflite.layout import Layout, Operator, Tensor
from edge.errors import ConvertError, ModelError
from tests.support import micro, small

pytestmark = small.QUIET


def buffers(*used: tuple[int, int, int]) -> Layout:
    """A graph of so many bytes written by one operator and last read by another; 0 is the input."""
    tensors = [Tensor(shape=(1, size), kind="INT8", is_constant=False, scales=(1.0,), zero=0) for size, _, _ in used]
    steps = []
    for at in range(1, max(last for _, _, last in used) + 1):
        written = tuple(i for i, (_, first, _) in enumerate(used) if first == at)
        read = tuple(i for i, (_, first, last) in enumerate(used) if first < at == last)
        steps.append(Operator(name="ADD", inputs=read, outputs=written))
    inputs = tuple(i for i, (_, first, _) in enumerate(used) if first == 0)
    return Layout(tensors=tuple(tensors), operators=tuple(steps), inputs=inputs, outputs=())


@pytest.mark.parametrize(
    ("used", "bytes_together"),
    [
        # Two at a time.
        ([(784, 0, 1), (1600, 1, 2), (400, 2, 3), (10, 3, 3)], 1600 + 784),
        # The last fits in where the first was, but beside the second.
        ([(160, 0, 1), (320, 1, 2), (160, 2, 2)], 480),
        # One that is needed to the end, as in a residual block.
        ([(64, 0, 3), (320, 1, 2), (64, 2, 3), (64, 3, 3)], 64 + 320 + 64),
        # Each is a multiple of 16.
        ([(1, 0, 1), (17, 1, 1)], 48),
    ],
)
def test_tensors_that_are_not_needed_at_the_same_time_share_memory(
    used: list[tuple[int, int, int]], bytes_together: int
) -> None:
    assert arena.planned(buffers(*used)) == bytes_together


def test_the_arena_grows_by_what_a_larger_graph_needs() -> None:
    small_one, large = buffers((5000, 0, 1), (5000, 1, 1)), buffers((9000, 0, 1), (9000, 1, 1))
    assert arena.estimate(large) - arena.estimate(small_one) == 2 * (9008 - 5008)
    more = buffers((5000, 0, 1), (5000, 1, 2), (5000, 2, 2))
    assert arena.estimate(more) > arena.estimate(small_one)


def test_facts_are_those_of_the_interpreter() -> None:
    content = micro.converted(small.trained())
    found = facts.of(content, "m.h5")
    first, last = micro.ends(content)
    assert (found.model_bytes, found.classes, found.input_shape) == (len(content), 10, (1, 28, 28, 1))
    assert (found.input_scale, found.input_zero) == first["quantization"]
    assert (found.output_scale, found.output_zero) == last["quantization"]
    # Without blocks of pixels, which are for a Raspberry Pi.
    assert set(found.operators) <= set(OPERATORS) and "SPACE_TO_DEPTH" not in found.operators
    assert 784 < found.arena_bytes < 20_000


def test_dense_layers_have_one_scale_and_convolutions_one_for_each_filter() -> None:
    read = layout.read(micro.converted(small.trained()), "m.h5")
    scales = {one.name: len(read.tensors[one.inputs[1]].scales) for one in read.operators if len(one.inputs) > 1}
    assert scales["FULLY_CONNECTED"] == 1 and scales["CONV_2D"] == 8


@pytest.mark.parametrize(
    ("activation", "names"),
    [("gelu", "needs GELU"), ("elu", "with ELU, DEQUANTIZE, QUANTIZE in float"), ("softplus", "needs EXP, LOG")],
)
def test_operators_that_tflm_lacks_are_named(activation: str, names: str) -> None:
    layers = small.keras().layers
    parts = [layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation), layers.Dense(10)]
    with pytest.raises(ConvertError) as refused:
        facts.of(micro.converted(small.keras().Sequential(parts)), "m.h5")
    text = str(refused.value)
    assert text.startswith("m.h5: ") and names in text and text.endswith("or --target pi")
    assert "\n" not in text and "--recipe" not in text


def test_relu6_alone_is_refused_and_in_a_convolution_is_none() -> None:
    layers = small.keras().layers
    glyph = layers.Input((28, 28, 1))
    joined = layers.Concatenate()([glyph, layers.Conv2D(2, 3, padding="same")(glyph)])
    for last, refused in ((layers.ReLU(6.0)(joined), True), (layers.ReLU(6.0)(layers.Conv2D(2, 3)(joined)), False)):
        content = micro.converted(small.keras().Model(glyph, layers.Dense(10)(layers.Flatten()(last))))
        if refused:
            with pytest.raises(ConvertError, match="needs RELU6,"):
                facts.of(content, "m.h5")
        else:
            assert facts.of(content, "m.h5").operators


def test_a_damaged_file_has_no_layout() -> None:
    content = micro.converted(small.trained())
    with pytest.raises(ModelError, match="m: is damaged or cut short; "):
        layout.read(content[: len(content) // 2], "m")


def test_float_operators_come_before_those_that_convert() -> None:
    tensor = Tensor(shape=(1, 4), kind="INT8", is_constant=False, scales=(1.0,), zero=0)
    steps = [("DEQUANTIZE", 0, 1), ("SIN", 1, 1), ("QUANTIZE", 1, 0), ("RELU", 0, 0)]
    graph = Layout(
        tensors=(tensor, replace(tensor, kind="FLOAT32")),
        operators=tuple(Operator(name=name, inputs=(read,), outputs=(written,)) for name, read, written in steps),
        inputs=(0,),
        outputs=(0,),
    )
    assert graph.float_operators() == ["SIN", "DEQUANTIZE", "QUANTIZE"]
    assert np.prod(tensor.shape) == tensor.values == tensor.size_bytes
