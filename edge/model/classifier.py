"""A .tflite classifier of any input shape and type: glyphs in, class probabilities out.

The TFLite runtime's only door.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.card import Card, Fit, Output, read_card
from edge.system.closing import Closing
from edge.system.stderr import without
from edge.system.text import one_line
from edge.types import Pixels

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""Packages with TFLite's Interpreter, the preferred one first."""
TRIES, GAIN = 9, 0.75
"""Two threads are taken where the median of so many runs takes at most this share of the time of one: the other
processors have work of their own."""
GREETING = "INFO: "
"""How lines begin that the runtime's C++ writes to stderr at each start, and that no setting stops.

"INFO: Created TensorFlow Lite XNNPACK delegate for CPU." is one.
"""


def packaged_model() -> Path:
    """The model that comes with the package: inside the wheel, or ``models/`` of a checkout."""
    here = Path(__file__).parents[1]
    inside = here / "models" / "mnist.tflite"
    return inside if inside.exists() else here.parent / "models" / "mnist.tflite"


def interpreter_class(runtime: str | None = None) -> Any:
    """TFLite's Interpreter, from the named runtime or the first one installed; ModelError without any."""
    for name in (runtime,) if runtime else RUNTIMES:
        try:
            return import_module(f"{name}.interpreter").Interpreter
        except ImportError as error:
            if not isinstance(error, ModuleNotFoundError) or (error.name or "").partition(".")[0] != name:
                why = one_line(error, 200)
                raise ModelError(f"{name}: installed, but does not load ({why}); install it again") from error
    raise ModelError(f"no TFLite runtime ({runtime or ' or '.join(RUNTIMES)}); pip install ai-edge-litert")


class Model(Closing):
    """A classifier of 28x28 glyphs, whatever shape, type, range and polarity its own input has.

    Its card (see ``edge.model.card``) says what the file itself cannot: what empty paper and full ink are in its
    input, and what its outputs mean. Without a card it is taken to be a usual MNIST model: paper 0, ink 1,
    outputs 0 to 9.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        threads: int = 1,
        runtime: str | None = None,
        content: bytes | None = None,
    ) -> None:
        """Load the file, or the packaged model. Raises ModelError, which says what is wrong with it.

        ``threads``: those of the runtime; 0 for one, or two where a try shows that they gain enough.
        ``content`` is what has been read of the file before: then it is not read again.
        """
        self.path = Path(path) if path else packaged_model()
        content = content_of(self.path) if content is None else checked_tflite(content, str(self.path))
        self._content, self._runtime = content, runtime
        card = read_card(content, str(self.path))
        self.card = card or Card(name=self.path.stem)
        self.sha256 = hashlib.sha256(content).hexdigest()
        interpreter = interpreter_class(runtime)
        try:
            with without(GREETING):
                self._interpreter = interpreter(model_content=content, num_threads=threads or 1)
                self._interpreter.allocate_tensors()
                self.threads = threads or self._try_two(interpreter)
                """Those that it has."""
        except (ValueError, RuntimeError) as error:
            why = one_line(error, 200)
            raise ModelError(f"{self.path}: the TFLite runtime refuses it ({why}); convert the model again") from error
        self._input = _only(self._interpreter.get_input_details(), "input", self.path)
        self._output = _only(self._interpreter.get_output_details(), "output", self.path)
        self.input_shape = tuple(int(n) for n in self._input["shape"])
        """As the file has it: (1, 28, 28, 1), (1, 784) and so on."""
        self._image = image_shape(self.input_shape, str(self.path))
        classes = int(np.prod(self._output["shape"][1:]))
        if classes != len(self.card.labels):
            raise ModelError(
                f"{self.path}: gives {classes} numbers for {len(self.card.labels)} labels"
                + (f" ({', '.join(self.card.labels)})" if card else " (0 to 9)")
                + "; convert the model again with its own labels"
            )
        self._table = _table(input_values(self.card), self._input)
        try:
            self._meaning = self.card.output if card else self._likely_meaning()
        except (ValueError, RuntimeError) as error:
            why = one_line(error, 200)
            raise ModelError(f"{self.path}: does not run ({why}); convert the model again") from error

    @property
    def name(self) -> str:
        """Its card's name and the start of the file's sha256: ``mnist-1.0 sha256:ab12cd34ef56``."""
        return f"{self.card.name} sha256:{self.sha256[:12]}"

    def predict(self, glyphs: Pixels) -> NDArray[np.float32]:
        """The probability of each class, (n, classes) float32, each row summing to 1.

        ``glyphs`` is (n, 28, 28) uint8, light ink on black; anything else raises ValueError.
        """
        if glyphs.ndim != 3 or glyphs.shape[1:] != (28, 28) or glyphs.dtype != np.uint8:
            raise ValueError(f"glyphs have shape {glyphs.shape} and type {glyphs.dtype}; (n, 28, 28) uint8 is wanted")
        return probabilities(self._invoke(glyphs), self._meaning, self.card.temperature)

    def rerun(self, times: int) -> None:
        """So many bare runs on what it was fed last: the least that as many glyphs could take, for ``edge bench``."""
        for _ in range(times):
            self._interpreter.invoke()

    def _try_two(self, interpreter: Any) -> int:
        """Take two threads where they are faster by enough, and say how many it became."""
        if (os.cpu_count() or 1) < 2:
            return 1
        two = interpreter(model_content=self._content, num_threads=2)
        two.allocate_tensors()
        took: tuple[list[float], list[float]] = ([], [])
        # In turn, so that what else the machine does, both bear.
        for _ in range(TRIES):
            for one, seconds in zip((self._interpreter, two), took, strict=True):
                begun = time.perf_counter()
                one.invoke()
                seconds.append(time.perf_counter() - begun)
        if sorted(took[1])[TRIES // 2] > GAIN * sorted(took[0])[TRIES // 2]:
            return 1
        self._interpreter = two
        return 2

    def copy(self) -> Model:
        """Another one of the same bytes, whatever is in the file now: an interpreter is for one thread."""
        return Model(self.path, threads=self.threads, runtime=self._runtime, content=self._content)

    def close(self) -> None:
        """Let go of the interpreter and its memory."""
        self._interpreter = None

    def _invoke(self, glyphs: Pixels) -> NDArray[np.float32]:
        asked, answered = self._input["index"], self._output["index"]
        run, fed = self._interpreter, model_input(glyphs, self._image, self._table, self.card.fit)
        answers = np.empty((len(glyphs), len(self.card.labels)), np.float32)
        for i, image in enumerate(fed.reshape(-1, *self.input_shape)):
            run.set_tensor(asked, image)
            run.invoke()
            answers[i] = run.get_tensor(answered).reshape(-1)
        scale, zero = self._output["quantization"]
        real: NDArray[np.float32] = answers
        return (real - np.float32(zero)) * np.float32(scale) if scale else real

    def _likely_meaning(self) -> Output:
        """Logits where an empty and a full glyph give what is no probability: negative, or not summing to 1."""
        probe = np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)])
        outputs = self._invoke(probe)
        unlikely = (outputs < -0.01).any() or (np.abs(outputs.sum(axis=1) - 1) > 0.1).any()
        return "logits" if unlikely else "probabilities"


def content_of(path: Path) -> bytes:
    """The bytes of a .tflite. Raises ModelError where there is no such file, or it is something else."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; make one with edge-convert MODEL.h5") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .tflite file") from error
    return checked_tflite(content, str(path))


def checked_tflite(content: bytes, where: str) -> bytes:
    """The bytes themselves, where they begin as a .tflite; ModelError where not. ``where`` is the file's name."""
    # The file identifier of TFLite's flatbuffer schema, at byte 4.
    if content[4:8] != b"TFL3":
        what = "is empty" if not content else "is no .tflite model"
        raise ModelError(f"{where}: {what}; make one with edge-convert MODEL.h5")
    return content


def _only(details: list[dict[str, Any]], what: str, path: Path) -> dict[str, Any]:
    if len(details) != 1:
        raise ModelError(f"{path}: has {len(details)} {what}s, a classifier of digits has one")
    return details[0]


def image_shape(shape: Sequence[int | None], where: str) -> tuple[int, int, int]:
    """(height, width, channels) of the image that an input of this shape, batch first, stands for.

    Raises ModelError where it stands for none; ``where`` is the file's name.
    """
    batch, *rest = shape
    side = round((rest[0] or 0) ** 0.5) if len(rest) == 1 else 0
    if len(rest) == 1 and side * side == rest[0]:
        rest = [side, side]
    if len(rest) == 2:
        rest.append(1)
    sizes = [n for n in rest if n is not None]
    is_image = len(sizes) == 3 and sizes[2] in (1, 3) and all(8 <= n <= 512 for n in sizes[:2])
    if batch not in (None, 1) or not is_image:
        raise ModelError(
            f"{where}: its input has shape {tuple(shape)}, which is no image of a digit;"
            " (1, 28, 28, 1), (1, 28, 28) and (1, 784) are"
        )
    return sizes[0], sizes[1], sizes[2]


def probabilities(outputs: NDArray[np.float32], meaning: Output, temperature: float = 1.0) -> NDArray[np.float32]:
    """A model's outputs (n, classes) as probabilities, each row summing to 1, at a card's ``temperature``."""
    if meaning == "logits":
        outputs = np.exp((outputs - outputs.max(axis=1, keepdims=True)) / np.float32(temperature))
    elif temperature != 1:
        # The softmax of log p / T.
        outputs = np.maximum(outputs, 0) ** np.float32(1 / temperature)
    # int8 probabilities are multiples of 1/256 and sum to 1 only nearly.
    sums: NDArray[np.float32] = np.maximum(outputs.sum(axis=1, keepdims=True), np.float32(1e-6))
    return outputs / sums


def input_values(card: Card) -> NDArray[np.float64]:
    """The real value of the input for each grey of a glyph: 256 values, from empty paper to full ink."""
    return np.linspace(card.paper, card.ink, 256)


def model_input(glyphs: Pixels, image: tuple[int, int, int], table: NDArray[Any], fit: Fit = "resize") -> NDArray[Any]:
    """Glyphs (n, 28, 28) as images (n, height, width, channels), each grey looked up in ``table`` (256,)."""
    height, width, channels = image
    if (height, width) != glyphs.shape[1:]:
        sized = _margined if fit == "margin" else _resized
        glyphs = np.array([sized(glyph, height, width) for glyph in glyphs], np.uint8).reshape(-1, height, width)
    fed = table[glyphs][..., None]
    return fed if channels == 1 else np.repeat(fed, channels, axis=-1)


def _resized(glyph: Pixels, height: int, width: int) -> Any:
    method = cv2.INTER_AREA if height < glyph.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(glyph, (width, height), interpolation=method)


def _margined(glyph: Pixels, height: int, width: int) -> Pixels:
    """The glyph in the middle of ``height`` x ``width`` of empty paper; what does not fit is cut off."""
    sized = np.zeros((height, width), np.uint8)
    (from_y, to_y, tall), (from_x, to_x, wide) = (
        (max(0, (have - want) // 2), max(0, (want - have) // 2), min(have, want))
        for have, want in zip(glyph.shape, sized.shape, strict=True)
    )
    sized[to_y : to_y + tall, to_x : to_x + wide] = glyph[from_y : from_y + tall, from_x : from_x + wide]
    return sized


def _table(real: NDArray[np.float64], detail: dict[str, Any]) -> NDArray[Any]:
    """What the model is fed for each of these real values, in its own input type.

    Every range, polarity and quantisation is such a table: real = (q - zero) * scale, as TFLite's
    quantisation specification has it.
    """
    scale, zero = detail["quantization"]
    kind = detail["dtype"]
    if not np.issubdtype(kind, np.integer):
        return real.astype(kind)
    if not scale:
        return real.round().astype(kind)
    limits = np.iinfo(kind)
    steps: NDArray[Any] = np.clip(np.round(real / scale) + zero, limits.min, limits.max)
    return steps.astype(kind)
