"""Model files for tests: the packaged one with other cards, other weights, and damages.

Whoever asks for one that only TensorFlow or LiteRT makes is skipped where that is not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.model.card import Card, packed, read_card
from edge.model.classifier import packaged_model

QUIET = pytest.mark.filterwarnings(
    "ignore:Statistics for quantized inputs:UserWarning",
    "ignore:.*tf.lite.Interpreter is deprecated",
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
)
"""Warnings within TensorFlow, which are not ours to mend."""
GOOD = packaged_model().read_bytes()
"""The packaged model, with its card."""


def card() -> Card:
    """The packaged model's own card."""
    found = read_card(GOOD, "packaged")
    assert found
    return found


OTHERS = card().labels[10:]
"""The labels of its classes that are not digits, which follow those of the digits 0 to 9."""
BARE = GOOD[: len(GOOD) - len(card().archive())]
"""Its flatbuffer, without a card."""


def with_card(changed: Card) -> bytes:
    """The packaged model under another card."""
    return packed(BARE, changed)


def with_weights(change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """The packaged model with each of its large constants (n,) uint8 replaced, and a hash that fits."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

    content = bytearray(BARE)
    model = schema.Model.GetRootAs(content, 0)
    for i in range(model.BuffersLength()):
        if model.Buffers(i).DataLength() > 64:
            numbers = model.Buffers(i).DataAsNumpy()
            numbers[:] = change(numbers)
    assert bytes(content) != BARE
    return packed(bytes(content), card())


def named(name: str) -> bytes:
    """A good model that is another file: the packaged one under another name."""
    return with_card(replace(card(), name=name))


def tflite(function: Callable[[Any], Any]) -> bytes:
    """A .tflite of any TensorFlow function of (1, 28, 28, 1)."""
    tf = pytest.importorskip("tensorflow")

    made = tf.function(function).get_concrete_function(tf.TensorSpec((1, 28, 28, 1)))
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([made]).convert())


@functools.cache
def endless() -> bytes:
    """A sound file that never comes to an end: it waits for something below -1 that is above 0."""
    tf = pytest.importorskip("tensorflow")

    def forever(x: Any) -> Any:
        first = tf.reshape(x, (1, 784))[:, :10]
        return tf.while_loop(lambda y: tf.reduce_min(y) >= -1, lambda y: (tf.abs(y),), (first,))[0]

    return tflite(forever)


def crashing() -> bytes:
    """A file that the runtime takes for sound, and at which it crashes: a slice of a tensor that is left out."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

    content = bytearray(endless())
    main = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    main.Operators(1).InputsAsNumpy()[0] = -1
    return bytes(content)
