"""A .tflite of any maker, as ``convert.load.input_format.detect`` takes a model: real numbers in, real numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.tflite import flatbuffer, runtimes
from edge.errors import ConvertError
from edge.model.classifier import single
from edge.model.preprocessing import has_bytes, quantised, real, whole_range
from edge.model.runtime import interpreter_class, run_each
from edge.system.text import one_line

NAME_ONE = "name a .tflite file, or make one of a Keras model with edge-convert MODEL.h5"
"""What to do where there is none."""


class ForeignModel:
    """Runs one file in the installed runtime, one image at a time."""

    def __init__(self, content: bytes, where: str) -> None:
        """Load the bytes of a .tflite; ``where`` is the file's name. Raises ConvertError or ModelError if it cannot be
        used: it has several inputs or outputs, or operators that the runtime does not know.
        """
        graph = flatbuffer.read(content, where)
        try:
            self._interpreter = interpreter_class()(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            why = runtimes.lacking(graph) or f"the TFLite runtime refuses it ({one_line(error, 200)}); use another file"
            raise ConvertError(f"{where}: {why}") from error
        self._input = single(self._interpreter.get_input_details(), "input", where)
        self._output = single(self._interpreter.get_output_details(), "output", where)
        self.input_shape = tuple(int(n) for n in self._input["shape"])
        """The shape of its input, batch first: (1, 28, 28, 1)."""
        self.outputs = int(np.prod(self._output["shape"][1:]))
        """How many numbers it gives for an image."""
        self.types = tuple(np.dtype(end["dtype"]).name for end in (self._input, self._output))
        """The types of its input and output, such as uint8."""
        self.has_shares = has_bytes(self._output) and not self._output["quantization"][0]
        """Whether its outputs are bytes without a scale, which are taken for shares of their range."""

    def predict(self, inputs: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
        """The outputs (n, outputs) for real inputs (n, \\*shape); the other parameters are Keras's, and do nothing."""
        return real(
            run_each(self._interpreter, self._input, self._output, quantised(inputs, self._input)), self._output
        )

    def own_range(self) -> tuple[float, float] | None:
        """The least and the greatest real value of its input, if that has 8 or 16 bits: what it was quantised for."""
        kind: Any = self._input["dtype"]
        if not np.issubdtype(kind, np.integer) or np.dtype(kind).itemsize > 2:
            return None
        return whole_range(self._input)
