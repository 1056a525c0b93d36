"""A .tflite classifier of any input shape and type: glyphs in, class probabilities out."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.card import Card, Output, read_card
from edge.model.preprocessing import Preprocessor, image_shape, likely_card, real
from edge.model.runtime import INFO_PREFIX, STAND_IN, interpreter_class, name_of, refusal_of, run_each
from edge.system.closing import Closing
from edge.system.stderr import without
from edge.system.text import one_line
from edge.types import Pixels

THREAD_RUNS = 9
"""How many runs with one thread and with two are timed to choose between them. Chosen: odd, for the median."""
TWO_THREADS_SHARE = 0.75
"""Two threads are used if the median run takes at most this share of the time of one thread. Chosen: a smaller gain is
not worth a second core, which other threads need too."""
IMAGENET = (1000, 1001)
"""How many outputs its classifiers have; many have one more, for the background."""
MAX_BYTES = 256 * 2**20
"""The largest .tflite file that is read, in bytes. Chosen: a hundred times the packaged one, and a trial's memory."""
MAKE_ONE = "make one with edge-convert MODEL.h5"
"""What to do where there is no .tflite file."""


def packaged_model() -> Path:
    """The path of the packaged model: inside the installed package, or in ``models/`` of a clone."""
    here = Path(__file__).parents[1]
    inside = here / "models" / "mnist.tflite"
    return inside if inside.exists() else here.parent / "models" / "mnist.tflite"


class Model(Closing):
    """A classifier of 28x28 glyphs; the model's own input may have any image shape, type, range and polarity.

    The card (see ``edge.model.card``) says what the .tflite cannot: how a glyph becomes its input, and what the outputs
    mean. A file without a card is used like a usual MNIST model, of its input's type, with outputs 0 to 9.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        threads: int = 1,
        runtime: str | None = None,
        content: bytes | None = None,
    ) -> None:
        """Load the file, or the packaged model. Raises ModelError, which says what is wrong with the file.

        ``threads`` is how many the runtime uses; 0: one, or two if timing shows that two are faster by enough.
        ``runtime`` is one of RUNTIMES in ``edge.model.runtime``, or STAND_IN; None: the first one installed.
        ``content`` is the file's bytes, if they were read before: then the file is not read.
        """
        self.path = Path(path) if path else packaged_model()
        content = content_of(self.path) if content is None else checked_tflite(content, str(self.path))
        self._content, self._runtime = content, runtime
        card = read_card(content, str(self.path))
        self.has_card = card is not None
        """Whether the file says how to use it; otherwise ``card`` is a guess."""
        self.sha256 = hashlib.sha256(content).hexdigest()
        interpreter = interpreter_class(runtime)
        try:
            with without(INFO_PREFIX):
                self._interpreter = interpreter(model_content=content, num_threads=threads or 1)
                self._interpreter.allocate_tensors()
                self.threads = threads or self._choose_threads(interpreter)
                """How many threads it uses."""
        except (ValueError, RuntimeError) as error:
            again = "convert the model again" if card else "use another one, or convert it again"
            raise ModelError(f"{self.path}: {refusal_of(interpreter, _why(error), again)}") from error
        self._input = single(self._interpreter.get_input_details(), "input", str(self.path))
        self._output = single(self._interpreter.get_output_details(), "output", str(self.path))
        self.input_shape = tuple(int(n) for n in self._input["shape"])
        """The shape of its input, such as (1, 28, 28, 1) or (1, 784)."""
        self.card = card or likely_card(self.path.stem, self._input)
        self._preprocess = Preprocessor(self.card, image_shape(self.input_shape, str(self.path)), self._input)
        classes = int(np.prod(self._output["shape"][1:]))
        if classes != len(self.card.labels):
            raise ModelError(f"{self.path}: {_wrong_count(classes, card, self.path)}")
        try:
            self._meaning = self.card.output if card else self._likely_meaning()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.path}: does not run ({_why(error)}); use another model") from error

    @property
    def name(self) -> str:
        """The card's name and the first 12 digits of the file's sha256: ``mnist-1.0 sha256:ab12cd34ef56``."""
        return f"{self.card.name} sha256:{self.sha256[:12]}"

    def predict(self, glyphs: Pixels) -> NDArray[np.float32]:
        """The probability of each class, (n, classes) float32, each row summing to 1.

        ``glyphs`` is (n, 28, 28) uint8, light ink on black; anything else raises ValueError. Raises ModelError if the
        model fails on one of them, as one that divides integers by 0 does.
        """
        if glyphs.ndim != 3 or glyphs.shape[1:] != (28, 28) or glyphs.dtype != np.uint8:
            raise ValueError(
                f"glyphs have shape {glyphs.shape} and type {glyphs.dtype}; they must be (n, 28, 28) uint8"
            )
        try:
            outputs = self._invoke(glyphs)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.path}: fails on a digit ({_why(error)}); use another model") from error
        return probabilities(outputs, self._meaning, self.card.temperature)

    def rerun(self, times: int) -> None:
        """Run the interpreter so many times on its last input: the least time that as many glyphs could take.

        For ``edge bench``.
        """
        for _ in range(times):
            self._interpreter.invoke()

    def _choose_threads(self, interpreter: Any) -> int:
        """Time one thread and two, use two if they are faster by enough, and return how many are used."""
        if (os.cpu_count() or 1) < 2 or name_of(interpreter) == STAND_IN:
            return 1
        two = interpreter(model_content=self._content, num_threads=2)
        two.allocate_tensors()
        times: tuple[list[float], list[float]] = ([], [])
        # In turn, so that other work on the machine slows both alike.
        for _ in range(THREAD_RUNS):
            for candidate, seconds in zip((self._interpreter, two), times, strict=True):
                started = time.perf_counter()
                candidate.invoke()
                seconds.append(time.perf_counter() - started)
        if sorted(times[1])[THREAD_RUNS // 2] > TWO_THREADS_SHARE * sorted(times[0])[THREAD_RUNS // 2]:
            return 1
        self._interpreter = two
        return 2

    def copy(self) -> Model:
        """A second model of the same bytes, even if the file has changed: each thread needs its own interpreter."""
        return Model(self.path, threads=self.threads, runtime=self._runtime, content=self._content)

    def close(self) -> None:
        """Release the interpreter and its memory."""
        self._interpreter = None

    def _invoke(self, glyphs: Pixels) -> NDArray[np.float32]:
        inputs = self._preprocess(glyphs).reshape(-1, *self.input_shape[1:])
        return real(run_each(self._interpreter, self._input, self._output, inputs), self._output)

    def _likely_meaning(self) -> Output:
        """Logits, if the outputs for an empty and a full glyph are no probabilities: negative, or not summing to 1."""
        probe = np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)])
        outputs = self._invoke(probe)
        unlikely = (outputs < -0.01).any() or (np.abs(outputs.sum(axis=1) - 1) > 0.1).any()
        return "logits" if unlikely else "probabilities"


def content_of(path: Path, advice: str = MAKE_ONE) -> bytes:
    """The bytes of a .tflite file. Raises ModelError if there is no such file, or it is too large or not a .tflite.

    ``advice``: what to do where there is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; {advice}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .tflite file") from error
    if len(content) > MAX_BYTES:
        raise ModelError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB; use a smaller one")
    return checked_tflite(content, str(path), advice)


def checked_tflite(content: bytes, where: str, advice: str = MAKE_ONE) -> bytes:
    """The same bytes. Raises ModelError if they do not begin like a .tflite; ``where`` is the file's name."""
    # The file identifier of TFLite's flatbuffer schema, at byte 4.
    if content[4:8] != b"TFL3":
        what = "is empty" if not content else "is not a .tflite model"
        raise ModelError(f"{where}: {what}; {advice}")
    return content


def _why(error: Exception) -> str:
    """The runtime's reason on one line; it gives none if it gets no memory."""
    return one_line(error, 200) or "it may need more memory than there is"


def no_digits(outputs: int) -> str:
    """Why a model with so many outputs is no classifier of digits, and what to do; empty if it may be one."""
    if outputs < 2:
        return f"has {outputs} output, but a classifier of digits has one for each digit; use another model"
    if outputs in IMAGENET:
        return f"has {outputs:,} outputs, as classifiers of ImageNet have, not 10 for the digits; use another model"
    return ""


def adopting(path: str | Path) -> str:
    """What to do with a file without a card that cannot be used as it is: the end of an error about it."""
    return f"edge-convert adopt {shlex.quote(str(path))}, on a workstation, makes a copy that says how to use it"


def _wrong_count(outputs: int, card: Card | None, path: Path) -> str:
    if card:
        said = f"has {outputs} outputs for {len(card.labels)} labels ({', '.join(card.labels)})"
        return f"{said}; convert the model again with its own labels"
    return no_digits(outputs) or f"has {outputs} outputs, not 10 for the digits 0 to 9; {adopting(path)}"


def single(details: list[dict[str, Any]], what: str, where: str) -> dict[str, Any]:
    """The one input or output (``what``) in an interpreter's list. Raises ModelError if there is not exactly one."""
    if len(details) != 1:
        raise ModelError(f"{where}: has {len(details)} {what}s, but a classifier of digits has one; use another model")
    return details[0]


def probabilities(outputs: NDArray[np.float32], meaning: Output, temperature: float = 1.0) -> NDArray[np.float32]:
    """A model's outputs (n, classes) as probabilities, each row summing to 1, at a card's ``temperature``."""
    if meaning == "logits":
        outputs = np.exp((outputs - outputs.max(axis=1, keepdims=True)) / np.float32(temperature))
    elif temperature != 1:
        # The softmax of log p / T.
        outputs = np.maximum(outputs, 0) ** np.float32(1 / temperature)
    # int8 probabilities are multiples of 1/256, so their sum is only close to 1.
    sums: NDArray[np.float32] = np.maximum(outputs.sum(axis=1, keepdims=True), np.float32(1e-6))
    return outputs / sums
