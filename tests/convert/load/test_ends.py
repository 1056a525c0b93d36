from __future__ import annotations

from typing import Any

import pytest

from convert.load.ends import Ends, ends
from tests.hostile.architectures import architecture, layer


def in_row(*layers: dict[str, Any], style: int) -> dict[str, Any]:
    """A model of these layers one after the other, as Keras 2 or 3 writes one that is not sequential."""
    made = []
    for number, one in enumerate(layers):
        history = [f"l{number - 1}", 0, 0]
        node = {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": history}}], "kwargs": {}}
        inbound = [] if not number else [node] if style == 3 else [[[*history, {}]]]
        made.append({**one, "name": f"l{number}", "inbound_nodes": inbound})
    first, last = ["l0", 0, 0], [f"l{len(layers) - 1}", 0, 0]
    config = {"layers": made, "input_layers": first if style == 3 else [first], "output_layers": [last]}
    return {"class_name": "Functional", "config": config}


@pytest.mark.parametrize("style", [2, 3])
def test_the_outputs_are_those_of_the_last_dense_layer(style: int) -> None:
    row = layer("InputLayer"), layer("Dense", units=7), layer("Dense", units=1000), layer("Softmax")
    assert ends(in_row(*row, style=style)) == Ends(1, 1, 1000, "l3")
    inner = in_row(layer("InputLayer"), in_row(*row, style=style), layer("Dropout"), style=style)
    assert ends(inner).numbers == 1000
    assert ends(in_row(*row, layer("Reshape"), style=style)).numbers is None


def test_a_sequential_model_ends_with_its_last_layer() -> None:
    assert ends(architecture([layer("Dense", units=9), layer("Activation")])) == Ends(None, None, 9, "activation")
    assert ends({"class_name": "Sequential", "config": [layer("Dense", units=9)]}).numbers == 9


@pytest.mark.parametrize(("style", "key"), [(2, "batch_input_shape"), (3, "batch_shape")])
def test_the_shape_of_the_input_is_that_of_the_first_layer(style: int, key: str) -> None:
    first = layer("InputLayer", **{key: [None, 28, None, 1]})
    assert ends(in_row(first, layer("Dense", units=7), style=style)).image == (None, 28, None, 1)
    assert ends(architecture([first, layer("Dense", units=7)])).image == (None, 28, None, 1)
    assert ends(architecture([layer("InputLayer", **{key: [None, "28"]})])).image == ()


def test_several_ends_are_counted_in_all_forms() -> None:
    one, two = ["a", 0, 0], ["b", 0, 0]
    for form in ([one, two], {"x": one, "y": two}, [[one], [two]]):
        config = {"layers": [], "input_layers": form, "output_layers": one}
        assert ends({"class_name": "Functional", "config": config}) == Ends(2, 1, None, "")


def test_what_is_not_in_keras_form_says_nothing() -> None:
    for odd in (None, 7, "x", [], {}, [[[]]], [{"config": 3}]):
        config = {"layers": odd, "input_layers": odd, "output_layers": odd}
        assert ends({"class_name": "Functional", "config": config}).numbers is None
        loop = {**layer("Softmax"), "name": "a", "inbound_nodes": [[["a", 0, 0]]]}
        config = {"layers": [loop, {**loop, "inbound_nodes": odd}], "output_layers": ["a", 0, 0]}
        assert ends({"class_name": "Functional", "config": config}).numbers is None
