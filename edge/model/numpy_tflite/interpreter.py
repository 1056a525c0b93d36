"""Runs a .tflite with NumPy alone, where no TFLite runtime exists: slow and right.

It has the part of TFLite's Python interface that this package uses, and computes what TFLite's reference kernels
compute: integers bit for bit, floats but for the order of additions. Functions of int8, such as SOFTMAX, may differ by
one step, and of int16 by a few, as TFLite interpolates them there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.batch import batch_size
from edge.model.numpy_tflite.graph import MAX_VALUES, Operator, Tensor, parse
from edge.model.numpy_tflite.kernel import Call, Kernel, Values
from edge.model.numpy_tflite.operators import KERNELS

WRONG = (ValueError, TypeError, IndexError, AssertionError, AttributeError)
"""NumPy's errors for tensors that do not fit together, which only a damaged or wrong file has."""


class Interpreter:
    """One model, and the values of its tensors; only for one thread at a time."""

    def __init__(self, *, model_content: bytes, num_threads: int | None = 1) -> None:
        """Read the bytes of a .tflite; ``num_threads`` has no effect.

        Raises ValueError: the file is damaged, or has an operator that this cannot compute, which it names.
        """
        self._graph = parse(model_content)
        unknown = sorted({operator.name for operator in self._graph.operators} - KERNELS.keys())
        if unknown:
            raise ValueError(f"it cannot compute {', '.join(unknown[:5])}")
        self._steps: list[tuple[Operator, Kernel, tuple[int, ...]]] = []
        """Each operator that has something to compute, its kernel, and which values nobody needs after it."""
        self._values: dict[int, NDArray[Any]] = {}
        self._batch = 1

    def allocate_tensors(self) -> None:
        """Make everything ready, and compute once. Raises ValueError, which says what cannot be computed."""
        self._check_order()
        self._check_size()
        constants = _Constants()
        for operator in self._graph.operators:
            known = constants.of(operator)
            with np.errstate(all="ignore"):
                kernel = _made(operator, known)
                # A shape is the one that the file says.
                if operator.name == "SHAPE" or (known and all(value is not None for value in known)):
                    constants.values[operator.outputs[0].index] = _computed(operator, kernel, known)
                    continue
            self._steps.append((operator, kernel, ()))
        self._batch = batch_size([operator for operator, _, _ in self._steps], set(constants.values))
        self._values = dict(constants.values)
        ends = (tensor.index for tensor in (*self._graph.inputs, *self._graph.outputs))
        self._steps = _with_last_uses(self._steps, {*constants.values, *ends})
        for tensor in self._graph.inputs:
            if tensor.dtype is None:
                raise ValueError(f"its input {tensor.name} has a type that it does not know")
            self._values[tensor.index] = np.zeros(tensor.shape, tensor.dtype)
        self.invoke()

    def get_input_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantization (scale, zero) of each input."""
        return [_details(tensor) for tensor in self._graph.inputs]

    def get_output_details(self) -> list[dict[str, Any]]:
        """As ``get_input_details``, of each output."""
        return [_details(tensor) for tensor in self._graph.outputs]

    def set_tensor(self, index: int, value: NDArray[Any]) -> None:
        """Set an input. Raises ValueError if it has another shape or type."""
        tensor = next((one for one in self._graph.inputs if one.index == index), None)
        if tensor is None or value.shape != tensor.shape or value.dtype != tensor.dtype:
            raise ValueError(f"tensor {index}: is no input of shape {value.shape} and type {value.dtype}")
        self._values[index] = value.copy()

    def invoke(self) -> None:
        """Compute the outputs. Raises ValueError."""
        self._compute(self._values, 1)

    def run_batch(self, images: NDArray[Any]) -> NDArray[Any]:
        """The outputs (n, …) of images (n, …), several at once where that makes no difference. Raises ValueError.

        Only for a model of one input and one output, of one image. TFLite's own interpreter does not have this.
        """
        (first,), (last,) = self._graph.inputs, self._graph.outputs
        if images.shape[1:] != first.shape[1:] or images.dtype != first.dtype:
            raise ValueError(f"the images have shape {images.shape} and type {images.dtype}")
        made = np.empty((len(images), *last.shape[1:]), last.dtype)
        for start in range(0, len(images), self._batch):
            some = images[start : start + self._batch]
            values = {**self._values, first.index: some}
            self._compute(values, len(some))
            made[start : start + self._batch] = values[last.index]
        return made

    def _compute(self, values: dict[int, NDArray[Any]], images: int) -> None:
        with np.errstate(all="ignore"):
            for operator, kernel, done in self._steps:
                found = tuple(None if tensor is None else values.get(tensor.index) for tensor in operator.inputs)
                values[operator.outputs[0].index] = _computed(operator, kernel, found, images)
                for index in done:
                    del values[index]

    def get_tensor(self, index: int) -> NDArray[Any]:
        """A copy of an output. Raises ValueError if nothing has been computed."""
        if index not in self._values:
            raise ValueError(f"tensor {index}: has no values")
        return self._values[index].copy()

    def steps_with(self, values_of: Callable[[int], NDArray[Any]]) -> Iterator[tuple[Operator, NDArray[Any]]]:
        """Each operator, and what it alone makes of inputs from elsewhere, by their indices. For tests."""
        computed = {operator.outputs[0].index for operator, _, _ in self._steps}
        changing = computed | {tensor.index for tensor in self._graph.inputs}
        for operator, kernel, _ in self._steps:
            found = tuple(
                None if one is None else values_of(one.index) if one.index in changing else self._values[one.index]
                for one in operator.inputs
            )
            yield operator, _computed(operator, kernel, found)

    def _check_size(self) -> None:
        """Raise ValueError unless all constants together are few enough; an operator may copy each of its own."""
        constants = sum(
            math.prod(tensor.shape)
            for operator in self._graph.operators
            for tensor in operator.inputs
            if tensor and tensor.constant is not None
        )
        if constants > MAX_VALUES:
            raise ValueError(f"it has {constants:,} weights, more than {MAX_VALUES:,}")

    def _check_order(self) -> None:
        """Raise ValueError unless each operator reads what is there by then, and makes one tensor that is not."""
        there = {tensor.index for tensor in self._graph.inputs}
        for operator in self._graph.operators:
            if len(operator.outputs) != 1:
                raise ValueError(f"{operator.name}: has {len(operator.outputs)} outputs instead of one")
            used = [tensor for tensor in operator.inputs if tensor is not None]
            target = operator.outputs[0]
            if any(tensor.constant is None and tensor.index not in there for tensor in used):
                raise ValueError(f"{operator.name}: reads a tensor that nothing computes")
            if target.index in there or target.constant is not None:
                raise ValueError(f"{operator.name}: computes a tensor that is there already")
            there.add(target.index)
        if not all(tensor.index in there for tensor in self._graph.outputs):
            raise ValueError("nothing computes its output")


class _Constants:
    """The values of tensors that never change: those in the file, and what is computed of them alone."""

    def __init__(self) -> None:
        self.values: dict[int, NDArray[Any]] = {}

    def of(self, operator: Operator) -> Values:
        for tensor in operator.inputs:
            if tensor is not None and tensor.constant is not None:
                self.values[tensor.index] = tensor.constant
        return tuple(None if tensor is None else self.values.get(tensor.index) for tensor in operator.inputs)


def _made(operator: Operator, known: Values) -> Kernel:
    try:
        return KERNELS[operator.name](Call(operator=operator, known=known))
    except WRONG as error:
        raise ValueError(f"{operator.name}: {error}") from error


def _computed(operator: Operator, kernel: Kernel, values: Values, images: int = 1) -> NDArray[Any]:
    target = operator.outputs[0]
    shape = target.shape if images == 1 else (images, *target.shape[1:])
    try:
        made = kernel(values)
    except WRONG as error:
        raise ValueError(f"{operator.name}: {error}") from error
    if made.shape != shape or made.dtype != target.dtype:
        raise ValueError(f"{operator.name}: makes {made.shape} {made.dtype} instead of {shape[:8]}")
    return made


def _with_last_uses(
    steps: list[tuple[Operator, Kernel, tuple[int, ...]]], kept: set[int]
) -> list[tuple[Operator, Kernel, tuple[int, ...]]]:
    """The same steps; each says which values nobody needs after it, so that they take no memory."""
    seen = set(kept)
    found = []
    for operator, kernel, _ in reversed(steps):
        used = {tensor.index for tensor in (*operator.inputs, *operator.outputs) if tensor is not None}
        found.append((operator, kernel, tuple(used - seen)))
        seen |= used
    return found[::-1]


def _details(tensor: Tensor) -> dict[str, Any]:
    single = len(tensor.scales) == 1
    return {
        "name": tensor.name,
        "index": tensor.index,
        "shape": np.array(tensor.shape, np.int32),
        "dtype": tensor.dtype,
        "quantization": (float(tensor.scales[0]), int(tensor.zeros[0])) if single else (0.0, 0),
    }
