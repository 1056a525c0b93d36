"""Context network: what a candidate looks like among what stands around it. Int8 TFLite, fitted on generated pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.classifier import INFO_PREFIX, content_of, interpreter_class, packaged_model
from edge.system.closing import Closing
from edge.system.stderr import without
from edge.types import Pixels

CLASSES = 11
"""The digits 0 to 9, and none."""


class ContextNetwork(Closing):
    """Views of candidates -> the probability of each digit, and of none."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the file, or the packaged one. Raises ModelError."""
        content = content_of(path or packaged_model().with_name("context.tflite"))
        with without(INFO_PREFIX):
            self._interpreter: Any = interpreter_class()(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()

    def __call__(self, views: Pixels) -> NDArray[np.float32]:
        """Views (n, 32, 32, 2) uint8 -> probabilities (n, 11), each row summing to 1."""
        outputs = np.empty((len(views), CLASSES), np.float32)
        interpreter, index, output = self._interpreter, self._input["index"], self._output["index"]
        for i, view in enumerate(views):
            interpreter.set_tensor(index, view[None])
            interpreter.invoke()
            outputs[i] = interpreter.get_tensor(output)[0]
        scale, zero = self._output["quantization"]
        logits = (outputs - np.float32(zero)) * np.float32(scale)
        shares: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def close(self) -> None:
        """Release the interpreter and its memory."""
        self._interpreter = None


@cache
def packaged_context() -> ContextNetwork:
    """The network that is shipped with the package."""
    return ContextNetwork()
