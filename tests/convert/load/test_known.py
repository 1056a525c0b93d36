from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from convert.load.known import ACTIVATIONS, CLASSES, TENSORFLOW
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
