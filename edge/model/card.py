"""What a model says of itself: ``metadata.json``, in a zip archive appended to the .tflite.

That is TFLite's own convention for associated files: any runtime loads the file and ignores the archive, and
any zip tool shows it. See https://www.tensorflow.org/lite/models/convert/metadata.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from edge.errors import ModelError

MEMBER = "metadata.json"
FORMAT = 1
DIGITS = tuple("0123456789")
NONE = "none"
"""The label of what is no digit."""
Output = Literal["probabilities", "logits"]
Fit = Literal["resize", "margin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A model's own description.

    ``labels``, ``paper``, ``ink``, ``fit``, ``output`` and ``temperature`` decide how it is fed and read;
    ``model_sha256`` whether it is still what was converted; the rest is for people.
    """

    name: str = "unnamed"
    labels: tuple[str, ...] = DIGITS
    """What each output stands for, in their order."""
    paper: float = 0.0
    """The input value that stands for empty paper (0 of a glyph), before quantisation."""
    ink: float = 1.0
    """The input value of full ink (255 of a glyph); below ``paper`` for a model of dark digits on light."""
    fit: Fit = "resize"
    """How a glyph becomes an input of another size than 28x28: resized, or with so much more or less margin around it,
    as LeNet-5 takes MNIST's digits at 32x32 (LeCun, Bottou, Bengio, Haffner 1998)."""
    output: Output = "probabilities"
    """Whether the outputs already are probabilities."""
    temperature: float = 1.0
    """What logits are divided by before the softmax, so that of readings with probability 0.9 nine in ten are right
    (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017)."""
    model_sha256: str = ""
    """Of the .tflite's own bytes, those before the archive; empty where nobody wrote it down."""
    quantisation: dict[str, Any] = field(default_factory=dict)
    """How it was quantised: recipe, types, calibration images and their hash."""
    evaluation: dict[str, Any] = field(default_factory=dict)
    """What was measured: accuracy before and after, agreement, time."""
    source: dict[str, Any] = field(default_factory=dict)
    """What it was made from: the file's name and sha256, versions."""

    @property
    def digits(self) -> tuple[int | None, ...]:
        """What each output stands for as a number; None for what is no digit."""
        return tuple(int(label) if label.isdecimal() else None for label in self.labels)

    def archive(self) -> bytes:
        """The zip archive to append to a .tflite. The same card gives the same bytes."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
            # A fixed date: zip's own epoch.
            zipped.writestr(zipfile.ZipInfo(MEMBER, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def packed(model: bytes, card: Card) -> bytes:
    """A file with its card: the bytes of a .tflite, and the card with their hash appended."""
    return model + replace(card, model_sha256=sha256(model).hexdigest()).archive()


def read_card(model: bytes, where: str) -> Card | None:
    """The card appended to the bytes of a .tflite; None where there is none.

    Raises ModelError where it is damaged, or where the model's own bytes are not those it was made for; ``where`` is
    the file's name.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as zipped:
            said = json.loads(zipped.read(MEMBER)) if MEMBER in zipped.namelist() else None
            # zipfile counts from the file's first byte, whatever stands before the archive.
            begins = min((entry.header_offset for entry in zipped.infolist()), default=0)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError) as error:
        # No archive at all is fine; half of one, with the card's name in it, is a file cut short.
        if MEMBER.encode() not in model:
            return None
        raise ModelError(f"{where}: its {MEMBER} is damaged ({error}); convert the model again") from error
    card = None if said is None else _card(said, where)
    if card and card.model_sha256 and sha256(memoryview(model)[:begins]).hexdigest() != card.model_sha256:
        raise ModelError(
            f"{where}: is not what was converted, half-copied or damaged (its sha256 is another); copy it again"
        )
    return card


def _card(said: Any, where: str) -> Card:
    version = said.get("format") if isinstance(said, dict) else None
    if version != FORMAT:
        raise ModelError(
            f"{where}: its {MEMBER} has format {version!r}, this version reads {FORMAT}; update edge-digits"
        )
    known = {name: said[name] for name in Card.__dataclass_fields__ if name in said}
    wrong = [name for name, value in known.items() if not _FITS[name](value)]
    if wrong:
        raise ModelError(f"{where}: its {MEMBER} has no usable {', '.join(wrong)}; convert the model again")
    return Card(**{**known, "labels": tuple(known.get("labels", DIGITS))})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_FITS: dict[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str),
    "labels": _is_names,
    "paper": _is_number,
    "ink": _is_number,
    "fit": lambda value: value in ("resize", "margin"),
    "output": lambda value: value in ("probabilities", "logits"),
    "temperature": lambda value: _is_number(value) and value > 0,
    "model_sha256": lambda value: isinstance(value, str),
    "quantisation": _is_object,
    "evaluation": _is_object,
    "source": _is_object,
}
"""What makes each field of a card usable."""
