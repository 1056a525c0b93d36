"""Belief: the probability that a candidate is a digit, and the one it looks like, from its view and its evidence.

Two small networks in one file, ``belief.tflite``: one looks at the candidate among what stands around it (int8
TFLite), and what it says is part of the evidence that the other one weighs. Both were fitted on generated pages;
``convert.training.belief`` fits them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.classifier import INFO_PREFIX, content_of, interpreter_class, packaged_model
from edge.reading.evidence import NAMES, VIEW, VIEW_CLASSES
from edge.system.closing import Closing
from edge.system.stderr import without
from edge.system.text import one_line
from edge.types import Pixels

MEMBER = "belief.json"
"""The file in the zip archive that is appended to the .tflite: the weights of the second network, and its card."""
LARGEST = 1_000_000
"""A larger MEMBER is refused, in bytes. It has about 60,000."""
LIMIT = 5.0
"""Evidence further from its mean than this many standard deviations counts as that many."""
WEIGHTS = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
"""Mean and 1 / standard deviation of the evidence, (features,); weights of a hidden layer (tanh), (features, units),
(units,); weights of a logistic output, (units,), (1,)."""


class Belief(Closing):
    """Weighs what is known of a candidate. Not for two threads at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the file, or the packaged one. Raises ModelError."""
        path = path or packaged_model().with_name("belief.tflite")
        content = content_of(path)
        self.card = _unpack(content, path)
        """Its weights, and how it was fitted."""
        self._weights = [np.array(self.card[name], np.float32) for name in WEIGHTS]
        interpreter = interpreter_class()
        try:
            with without(INFO_PREFIX):
                self._interpreter: Any = interpreter(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            why = one_line(error, 200)
            raise ModelError(
                f"{path}: the TFLite runtime refuses it ({why}); make it with edge-train --belief"
            ) from error
        (self._input,), (self._output,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = tuple(self._input["shape"]), tuple(self._output["shape"])
        if shapes != ((1, VIEW, VIEW, 2), (1, VIEW_CLASSES)) or self._input["dtype"] != np.uint8:
            raise ModelError(f"{path}: is not of this version; make it with edge-train --belief")

    def look(self, views: Pixels) -> NDArray[np.float32]:
        """Views (n, 32, 32, 2) uint8 of candidates -> the probability of each digit and of none, (n, 11)."""
        outputs = np.empty((len(views), VIEW_CLASSES), np.float32)
        interpreter, index, output = self._interpreter, self._input["index"], self._output["index"]
        for i, view in enumerate(views):
            interpreter.set_tensor(index, view[None])
            interpreter.invoke()
            outputs[i] = interpreter.get_tensor(output)[0]
        scale, zero = self._output["quantization"]
        logits = (outputs - np.float32(zero)) * np.float32(scale)
        shares: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def __call__(self, found: NDArray[np.float32]) -> list[float]:
        """Evidence (n, features) -> the belief in each candidate, 0 to 1."""
        mean, scale, hidden, hidden_bias, output, output_bias = self._weights
        x = np.clip((found - mean) * scale, -LIMIT, LIMIT)
        logits = np.tanh(x @ hidden + hidden_bias) @ output + output_bias
        beliefs: list[float] = (1 / (1 + np.exp(-logits))).tolist()
        return beliefs

    def close(self) -> None:
        """Release the interpreter and its memory."""
        self._interpreter = None


def pack(network: bytes, card: Mapping[str, Any]) -> bytes:
    """The bytes of ``belief.tflite``: the network that looks at views, and the card with WEIGHTS and ``evidence``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: zip's own epoch.
        archive.writestr(zipfile.ZipInfo(MEMBER, (1980, 1, 1, 0, 0, 0)), json.dumps(card), zipfile.ZIP_DEFLATED)
    return network + buffer.getvalue()


def _unpack(content: bytes, path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(MEMBER).file_size > LARGEST:
                raise ValueError("its card is too large")
            card: dict[str, Any] = json.loads(archive.read(MEMBER))
        if tuple(card["evidence"]) != NAMES:
            raise ValueError("it was fitted on other evidence")
        if missing := set(WEIGHTS) - set(card):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: is not of this version ({error}); make it with edge-train --belief") from error
    return card
