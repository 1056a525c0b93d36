"""The card, a model file's metadata: ``metadata.json`` in a zip archive that is appended to the .tflite.

This is TFLite's convention for associated files: any runtime loads the file and ignores the archive, and any zip tool
can open it. See https://www.tensorflow.org/lite/models/convert/metadata.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal, get_args

from edge.errors import ModelError
from edge.system import archive
from edge.system.text import is_text, one_line

MEMBER = "metadata.json"
"""The name of the card inside the zip archive."""
MAX_BYTES = 2**20
"""The largest card that is read, in bytes. The packaged model's has 3,000."""
MAX_LABELS = 1000
"""The most labels. Chosen: as many as ImageNet has classes."""
FORMATS = (1, 2)
"""The versions of the card's JSON form that are read. A card has the first unless it needs a field of FORMAT_2: older
versions of edge-digits would feed its model wrongly, and so refuse it."""
FORMAT_2: dict[str, Any] = {"transposed": False, "rotation": 0, "normalisation": "none"}
"""The fields that only format 2 has, and their defaults; in format 1, ``fit`` is also one of the first two."""
DIGITS = tuple("0123456789")
"""The labels of a model of the ten digits, and the default."""
NONE = "none"
"""The label of the class for anything that is not a digit."""
MAX_NUMBER = 1e9
"""The largest number, and the least is its negative. Chosen: the ink of a picture is at most 65,535."""
Output = Literal["probabilities", "logits"]
"""What a model's outputs are."""
Fit = Literal["resize", "margin", "crop", "stretch"]
"""How a glyph is fitted into a model's input."""
Rotation = Literal[0, 90, 180, 270]
"""By how many degrees clockwise a glyph is rotated."""
Normalisation = Literal["none", "columns", "rows", "image", "standard", "torch", "caffe"]
"""What is done to each image's values before the model gets them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A model's description of itself.

    The fields from ``labels`` to ``temperature`` say how to use its input and outputs.
    ``model_sha256`` shows whether the file was damaged. The other fields are for people.
    """

    name: str = "unnamed"
    labels: tuple[str, ...] = DIGITS
    """The label of each output, in order."""
    paper: float = 0.0
    """The input value of empty paper (0 in a glyph), before quantisation."""
    ink: float = 1.0
    """The input value of full ink (255 in a glyph); less than ``paper`` for a model of dark digits on light paper."""
    fit: Fit = "resize"
    """How a glyph is fitted into the input's size. ``resize``: it is scaled. ``margin``: margin is added or cut off, as
    LeNet-5 takes MNIST's digits at 32x32 (LeCun, Bottou, Bengio, Haffner 1998). ``crop``: its ink reaches the border,
    at its own proportions; ``stretch``: on all four sides."""
    transposed: bool = False
    """Whether height and width are swapped, as in EMNIST's files (Cohen, Afshar, Tapson, van Schaik 2017)."""
    rotation: Rotation = 0
    """Degrees clockwise by which it is rotated after that; transposed and rotated by 90 degrees it is mirrored."""
    normalisation: Normalisation = "none"
    """``columns``, ``rows``, ``image``: each of these is divided by its L2 norm, as ``keras.utils.normalize`` does
    along axis 1, axis 2, or axis 1 of flat images; one that is all 0 stays. ``standard``: each image minus its mean,
    divided by its standard deviation, as ``tf.image.per_image_standardization`` does. ``torch``, ``caffe``: each of
    three channels minus ImageNet's mean of it, and divided by its deviation, or on the scale 0..255, as these modes of
    ``keras.applications.imagenet_utils.preprocess_input`` do."""
    output: Output = "probabilities"
    """Whether the outputs are probabilities or logits."""
    temperature: float = 1.0
    """The logits are divided by this before the softmax, so that nine in ten digits with probability 0.9 are right
    (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017)."""
    model_sha256: str = ""
    """The sha256 of the .tflite's bytes before the archive; empty if it was not recorded."""
    quantisation: dict[str, Any] = field(default_factory=dict)
    """How it was quantised: recipe, types, calibration images and their hash."""
    evaluation: dict[str, Any] = field(default_factory=dict)
    """What was measured: accuracy before and after, agreement, time."""
    source: dict[str, Any] = field(default_factory=dict)
    """What it was made from: the file's name and sha256, versions."""

    @property
    def digits(self) -> tuple[int | None, ...]:
        """The digit of each output; None for a label that is not a digit."""
        return tuple(int(label) if label in DIGITS else None for label in self.labels)

    def archive(self) -> bytes:
        """The zip archive to append to a .tflite. The same card gives the same bytes."""
        fields, version = asdict(self), 2
        if self.fit in ("resize", "margin") and all(fields[name] == usual for name, usual in FORMAT_2.items()):
            fields, version = {name: value for name, value in fields.items() if name not in FORMAT_2}, 1
        text = json.dumps({"format": version, **fields}, indent=1, ensure_ascii=False)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
            # A fixed date: zip's own epoch.
            zipped.writestr(zipfile.ZipInfo(MEMBER, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def packed(model: bytes, card: Card) -> bytes:
    """The bytes of a .tflite with the card appended; the card gets their hash."""
    return model + replace(card, model_sha256=sha256(model).hexdigest()).archive()


def read_card(model: bytes, where: str) -> Card | None:
    """The card appended to the bytes of a .tflite; None if there is none, or another program's ``metadata.json``.

    ``where`` is the file's name for errors. Raises ModelError if the card is damaged or too large, or if the model's
    bytes do not match its hash.
    """
    try:
        with archive.opened(model) as zipped:
            fields = json.loads(archive.member(zipped, MEMBER, MAX_BYTES)) if MEMBER in zipped.namelist() else None
            # zipfile counts from the first byte of the file, which is the model's.
            model_size = min((entry.header_offset for entry in zipped.infolist()), default=0)
    except archive.DAMAGE as error:
        # No archive is fine. Part of an archive, with the card's name in it, means that the file was cut short.
        if MEMBER.encode() not in model:
            return None
        why = one_line(error, 200)
        raise ModelError(f"{where}: its {MEMBER} is damaged ({why}); convert the model again") from error
    card = None if fields is None else _card(fields, where)
    if card and card.model_sha256 and sha256(memoryview(model)[:model_size]).hexdigest() != card.model_sha256:
        raise ModelError(f"{where}: is damaged or only partly copied (its sha256 is wrong); copy it again")
    return card


def _card(fields: Any, where: str) -> Card | None:
    if isinstance(fields, dict) and "format" not in fields:
        return None
    version = fields["format"] if isinstance(fields, dict) else None
    if not _is_number(version):
        raise ModelError(f"{where}: its {MEMBER} is no card of a model (it has no format); convert the model again")
    if version not in FORMATS:
        known = " and ".join(map(str, FORMATS))
        raise ModelError(
            f"{where}: its {MEMBER} has format {version:g}, but this version reads only {known}; update edge-digits"
        )
    given = {name: fields[name] for name in Card.__dataclass_fields__ if name in fields}
    wrong = [name for name, value in given.items() if not _IS_VALID[name](value)]
    if wrong:
        raise ModelError(f"{where}: its {MEMBER} has no valid {', '.join(wrong)}; convert the model again")
    return Card(**{**given, "labels": tuple(given.get("labels", DIGITS))})


def _is_number(value: Any) -> bool:
    # JSON's true is an int in Python, and its whole numbers may be larger than a float can be. NaN is not <= anything.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= MAX_LABELS and all(map(is_text, value))


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_IS_VALID: dict[str, Callable[[Any], bool]] = {
    "name": is_text,
    "labels": _is_names,
    "paper": _is_number,
    "ink": _is_number,
    "fit": lambda value: value in get_args(Fit),
    "transposed": lambda value: isinstance(value, bool),
    "rotation": lambda value: type(value) is int and value in get_args(Rotation),
    "normalisation": lambda value: value in get_args(Normalisation),
    "output": lambda value: value in get_args(Output),
    "temperature": lambda value: _is_number(value) and value > 0,
    "model_sha256": is_text,
    "quantisation": _is_object,
    "evaluation": _is_object,
    "source": _is_object,
}
"""Field of a card -> whether a value from JSON is valid for it."""
