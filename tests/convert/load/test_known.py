from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from convert.load.known import ACTIVATIONS, CLASSES, ELEMENTWISE, SAME_ACTIVATIONS, TENSORFLOW, is_numeric
from tests.support import small

pytestmark = [small.QUIET, pytest.mark.slow]
LIBRARIES = ("keras", "tf_keras")
BASES = {
    "keras.layers.Layer", "keras.initializers.Initializer", "keras.regularizers.Regularizer",
    "keras.constraints.Constraint", "keras.src.ops.operation.Operation", "keras.DTypePolicy",
    "keras.dtype_policies.DTypePolicyMap", "keras.mixed_precision.Policy",
}  # fmt: skip
"""What each class must be a kind of."""
NO_BASES = {"keras.layers.Lambda", "keras.layers.Layer", "keras.layers.TFSMLayer", "keras.layers.StringLookup"}
"""What none may be, under any name."""


def named(names: set[str]) -> Iterator[Any]:
    """What has these names in Keras 3 and tf_keras."""
    for library in LIBRARIES:
        for name in names:
            module, _, last = name.replace("keras", library, 1).rpartition(".")
            try:
                yield getattr(importlib.import_module(module), last)
            except (ImportError, AttributeError):
                continue


def resolved(name: str, module: str) -> Iterator[Any]:
    """What Keras 3 and tf_keras make of a class in a file."""
    for library in LIBRARIES:
        lookup = importlib.import_module(f"{library}.src.saving.serialization_lib")
        try:
            yield lookup._retrieve_class_or_fn(name, None, module, "class", {})
        except (TypeError, ValueError):
            continue


def test_each_class_is_one_of_kerass_own_that_computes_numbers() -> None:
    small.keras()
    bases, no_bases = tuple(named(BASES)), tuple(named(NO_BASES))
    assert len(bases) > len(BASES) and len(no_bases) > len(NO_BASES)
    count = 0
    for module, names in CLASSES.items():
        for name in names:
            for found in resolved(name, module):
                count += 1
                assert issubclass(found, bases) and found not in no_bases, (module, name)
    assert count > 500


def test_each_function_is_one_of_tensorflows_or_kerass() -> None:
    keras = small.keras()
    from tf_keras.src.layers.core.tf_op_layer import get_symbol_from_name

    assert all(callable(get_symbol_from_name(name)) for name in TENSORFLOW)
    assert all(callable(getattr(keras.activations, name)) for name in ACTIVATIONS)


def test_plain_functions_of_tensorflow_are_what_their_names_say() -> None:
    keras = small.keras()
    import numpy as np
    import tensorflow as tf

    x = tf.constant([[0.25, 0.5, 0.75]])
    for name, own in SAME_ACTIVATIONS.items():
        function = {f.__name__: f for f in (tf.nn.softmax, tf.nn.log_softmax, tf.identity, tf.exp)}[name]
        np.testing.assert_allclose(getattr(keras.activations, own)(x), function(x), rtol=1e-6)
    for name, function in ELEMENTWISE.items():
        assert getattr(tf.math, function).__name__ == name or getattr(keras.ops, name)(x).shape == x.shape


def test_all_names_of_a_function_are_taken_and_nothing_else_has_them() -> None:
    small.keras()
    from tensorflow.python.util import tf_export
    from tf_keras.src.layers.core.tf_op_layer import get_symbol_from_name

    def undecorated(name: str) -> Any:
        return tf_export.tf_decorator.unwrap(get_symbol_from_name(name))[1]

    for name in TENSORFLOW:
        found = undecorated(name)
        others = {*getattr(found, "_tf_api_names", ()), *getattr(found, "_tf_api_names_v1", ())} - {"__operators__.eq"}
        assert all(map(is_numeric, others)), others
        places = ("tensorflow.python.ops.", "tensorflow.python.framework.tensor_")
        assert found.__module__.startswith(places) and "_io_" not in found.__module__
    assert (
        not is_numeric("compat.v1.py_func") and not is_numeric("raw_ops.cast") and not is_numeric("compat.v1.io.cast")
    )
