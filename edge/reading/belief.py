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
from edge.model.classifier import content_of, packaged_model
from edge.model.runtime import INFO_PREFIX, interpreter_class, run_each
from edge.reading.evidence import NAMES, VIEW, VIEW_CLASSES
from edge.system import archive
from edge.system.closing import Closing
from edge.system.stderr import without
from edge.types import Pixels

MEMBER = "belief.json"
"""The file in the zip archive that is appended to the .tflite: the weights of the second network, and its card."""
LARGEST = 1_000_000
"""A larger MEMBER is refused, in bytes. It has about 25,000."""
LIMIT = 5.0
"""Evidence further from its mean than this many standard deviations counts as that many."""
MAKER = "edge-train belief"
"""The command that makes the file."""
WEIGHTS = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
"""Mean and 1 / standard deviation of the evidence, (features,); weights of a hidden layer (tanh), (features, units),
(units,); weights of a logistic output, (units,), (1,)."""


class ViewNetwork(Closing):
    """Looks at candidates among what stands around them."""

    def __init__(self, content: bytes, where: str, runtime: str | None = None) -> None:
        """``content``: the bytes of the .tflite; ``where``: the file's name. Raises ModelError if it is another."""
        try:
            with without(INFO_PREFIX):
                self._interpreter: Any = interpreter_class(runtime)(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
            (self._input,), (self._output,) = (
                self._interpreter.get_input_details(), self._interpreter.get_output_details(),
            )  # fmt: skip
        except (ValueError, RuntimeError) as error:
            raise _refusal(where, "the TFLite runtime refuses it") from error
        shapes = tuple(self._input["shape"]), tuple(self._output["shape"])
        if shapes != ((1, VIEW, VIEW, 2), (1, VIEW_CLASSES)) or self._input["dtype"] != np.uint8:
            raise _refusal(where, "it does not look at views")

    def look(self, views: Pixels) -> NDArray[np.float32]:
        """Views (n, VIEW, VIEW, 2) uint8 of candidates -> the share of each of VIEW_CLASSES, (n, 12)."""
        outputs = run_each(self._interpreter, self._input, self._output, views)
        scale, zero = self._output["quantization"]
        logits = (outputs - np.float32(zero)) * np.float32(scale)
        shares: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def close(self) -> None:
        """Release the interpreter and its memory."""
        self._interpreter = None


class Belief(Closing):
    """Weighs what is known of a candidate. Only for one thread at a time."""

    def __init__(self, path: Path | None = None, *, runtime: str | None = None) -> None:
        """Load the file, or the packaged one; ``runtime`` as for ``Model``. Raises ModelError."""
        path = path or packaged_model().with_name("belief.tflite")
        content = content_of(path, f"make one with {MAKER}")
        self.card = _unpack(content, path)
        """Its weights, and how it was fitted."""
        self._weights = {name: np.array(self.card[name], np.float32) for name in WEIGHTS}
        self.network = ViewNetwork(content, str(path), runtime)
        """The first of its two networks."""

    def look(self, views: Pixels) -> NDArray[np.float32]:
        """As ``ViewNetwork.look``."""
        return self.network.look(views)

    def __call__(self, found: NDArray[np.float32]) -> list[float]:
        """Evidence (n, features) -> the belief in each candidate, 0 to 1."""
        beliefs: list[float] = weigh(found, self._weights).tolist()
        return beliefs

    def close(self) -> None:
        """Release the interpreter and its memory."""
        self.network.close()


def weigh(found: NDArray[np.float32], weights: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Evidence (n, features) -> the belief in each candidate, (n,), 0 to 1; ``weights``: the arrays of WEIGHTS."""
    x = np.clip((found - weights["mean"]) * weights["scale"], -LIMIT, LIMIT)
    logits = np.tanh(x @ weights["hidden"] + weights["hidden_bias"]) @ weights["output"] + weights["output_bias"]
    beliefs: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
    return beliefs


def pack(network: bytes, card: Mapping[str, Any]) -> bytes:
    """The bytes of ``belief.tflite``: the network that looks at views, and the card with WEIGHTS and ``evidence``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        # A fixed date: zip's own epoch.
        zipped.writestr(zipfile.ZipInfo(MEMBER, (1980, 1, 1, 0, 0, 0)), json.dumps(card), zipfile.ZIP_DEFLATED)
    return network + buffer.getvalue()


def _unpack(content: bytes, path: Path) -> dict[str, Any]:
    try:
        with archive.opened(content) as zipped:
            card: dict[str, Any] = json.loads(archive.member(zipped, MEMBER, LARGEST))
        if tuple(card["evidence"]) != NAMES:
            raise ValueError("it was fitted on other evidence")
        units = np.shape(card["hidden_bias"])
        shapes = ((len(NAMES),), (len(NAMES),), (len(NAMES), *units), units, units, (1,))
        if len(units) != 1 or tuple(np.shape(np.array(card[name], np.float32)) for name in WEIGHTS) != shapes:
            raise ValueError("its weights do not fit together")
    except (KeyError, TypeError, *archive.DAMAGE) as error:
        raise _refusal(str(path), str(error).strip("'\"")) from error
    return card


def _refusal(where: str, why: str) -> ModelError:
    return ModelError(f"{where}: is not of this version ({why}); make it with {MAKER}")
