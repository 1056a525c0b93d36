"""Glyphs as a model's input: in its size, its values and its type, as its card says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.card import Card
from edge.types import Pixels

ImageShape = tuple[int, int, int]
"""Height, width and channels of the image that a model takes."""
AXES = {"columns": (1,), "rows": (2,), "image": (1, 2)}
"""Card.normalisation -> the axes of images (n, height, width) along which the L2 norm becomes 1."""

BY_CHANNEL = {
    "torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255, 1 / 255, 1 / 255)),
}
"""Card.normalisation -> what is subtracted from each channel of values in 0..1, and what they are then divided by: the
modes of Keras's ``preprocess_input`` (keras/src/applications/imagenet_utils.py). ``caffe`` has the channels as blue,
green, red."""


class Preprocessor:
    """Makes the input of one .tflite from glyphs."""

    def __init__(self, card: Card, image: ImageShape, detail: dict[str, Any]) -> None:
        """``detail``: the runtime's description of the input, with ``dtype`` and ``quantization`` (scale, zero)."""
        self._card, self._image, self._detail = card, image, detail
        # One look-up for each pixel covers each range, polarity and quantisation.
        self._table = quantised(input_values(card), detail)

    def __call__(self, glyphs: Pixels) -> NDArray[Any]:
        """Glyphs (n, 28, 28) uint8, light ink on black, as images (n, height, width, channels) of the input's type."""
        height, width, channels = self._image
        if self._card.normalisation != "none":
            return quantised(model_input(glyphs, self._image, self._card), self._detail)
        return _with_channels(self._table[fitted(glyphs, height, width, self._card)], channels)


def model_input(glyphs: Pixels, image: ImageShape, card: Card) -> NDArray[np.float32]:
    """Glyphs (n, 28, 28) uint8 as images (n, height, width, channels) float32, before any quantisation."""
    height, width, channels = image
    values = input_values(card).astype(np.float32)[fitted(glyphs, height, width, card)]
    if card.normalisation in BY_CHANNEL:
        mean, deviation = (np.array(each[:channels], np.float32) for each in BY_CHANNEL[card.normalisation])
        shifted: NDArray[np.float32] = (_with_channels(values, channels) - mean) / deviation
        return shifted
    return _with_channels(_normalised(values, card), channels)


def image_shape(shape: Sequence[int | None], where: str) -> ImageShape:
    """The image (height, width, channels) that an input of this shape takes; the shape begins with the batch size.

    Raises ModelError if it takes no image; ``where`` is the file's name.
    """
    batch, *rest = shape
    # A dimension of 1 changes no order of the values: one channel first or twice, one frame, one value at a time.
    rest = [n for n in rest if n != 1]
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
            " use a model with an input such as (1, 28, 28, 1), (1, 28, 28) or (1, 784)"
        )
    return sizes[0], sizes[1], sizes[2]


def input_values(card: Card) -> NDArray[np.float64]:
    """The input value for each grey level of a glyph: 256 real numbers, from empty paper to full ink."""
    return np.linspace(card.paper, card.ink, 256)


def fitted(glyphs: Pixels, height: int, width: int, card: Card) -> Pixels:
    """Glyphs (n, 28, 28) uint8 fitted to (n, height, width), perhaps transposed and rotated, as the card says."""
    if card.fit in ("crop", "stretch"):
        glyphs = np.array([_to_border(glyph, height, width, card.fit) for glyph in glyphs], np.uint8)
    elif (height, width) != glyphs.shape[1:]:
        fit = _with_margin if card.fit == "margin" else _resized
        glyphs = np.array([fit(glyph, height, width) for glyph in glyphs], np.uint8)
    glyphs = glyphs.reshape(-1, height, width)
    return oriented(glyphs, card)


def oriented(images: NDArray[Any], card: Card) -> NDArray[Any]:
    """Images (n, height, width) transposed and rotated as the card says."""
    images = images.transpose(0, 2, 1) if card.transposed else images
    return np.rot90(images, -card.rotation // 90, (1, 2))


def _normalised(images: NDArray[np.float32], card: Card) -> NDArray[np.float32]:
    """Images (n, height, width), normalised as the card says."""
    if card.normalisation == "none":
        return images
    if card.normalisation == "standard":
        mean, deviation = images.mean(axis=(1, 2), keepdims=True), images.std(axis=(1, 2), keepdims=True)
        # The least one is TensorFlow's, for images of one colour.
        least = np.float32((images.shape[1] * images.shape[2]) ** -0.5)
        standard: NDArray[np.float32] = (images - mean) / np.maximum(deviation, least)
        return standard
    norm = np.sqrt(np.square(images).sum(axis=AXES[card.normalisation], keepdims=True))
    norm[norm == 0] = 1
    unit: NDArray[np.float32] = images / norm
    return unit


def _with_channels(images: NDArray[Any], channels: int) -> NDArray[Any]:
    images = images[..., None]
    return images if channels == 1 else np.repeat(images, channels, axis=-1)


def _resized(glyph: Pixels, height: int, width: int) -> Any:
    # Where it becomes smaller one way and larger the other, INTER_AREA does as INTER_LINEAR.
    is_smaller = height < glyph.shape[0] or width < glyph.shape[1]
    return cv2.resize(glyph, (width, height), interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)


def _with_margin(glyph: Pixels, height: int, width: int) -> Pixels:
    """The glyph in the middle of ``height`` x ``width`` pixels of empty paper; what does not fit is cut off."""
    sized = np.zeros((height, width), np.uint8)
    (from_y, to_y, tall), (from_x, to_x, wide) = (
        (max(0, (have - want) // 2), max(0, (want - have) // 2), min(have, want))
        for have, want in zip(glyph.shape, sized.shape, strict=True)
    )
    sized[to_y : to_y + tall, to_x : to_x + wide] = glyph[from_y : from_y + tall, from_x : from_x + wide]
    return sized


def _to_border(glyph: Pixels, height: int, width: int, fit: str) -> Any:
    """The glyph without its margin, at ``height`` x ``width`` pixels; only ``crop`` keeps its proportions."""
    left, top, wide, tall = cv2.boundingRect(glyph)
    if not wide:
        return np.zeros((height, width), np.uint8)
    ink = glyph[top : top + tall, left : left + wide]
    if fit == "crop":
        # Paper beside the ink, until it has the proportions of the image.
        full_tall, full_wide = max(tall, round(wide * height / width)), max(wide, round(tall * width / height))
        ink = _with_margin(ink, full_tall, full_wide)
    return _resized(ink, height, width)


def quantised(real: NDArray[Any], detail: dict[str, Any]) -> NDArray[Any]:
    """Real values in a tensor's own type, rounded and clipped: real = (q - zero) * scale, see TFLite's quantisation
    specification. Without a scale, whole numbers are themselves. ``detail``: as in ``Preprocessor``.
    """
    scale, zero = detail["quantization"]
    kind = detail["dtype"]
    if not np.issubdtype(kind, np.integer):
        return real.astype(kind)
    steps = np.round(real / scale) + zero if scale else np.round(real)
    limits = np.iinfo(kind)
    clipped: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(kind)
    return clipped


def real(values: NDArray[Any], detail: dict[str, Any]) -> NDArray[np.float32]:
    """What a tensor's values mean as real numbers.

    8-bit integers without a scale are taken for shares from 0, the least of the type, to 1: probabilities stay
    probabilities, whatever the program that wrote the file meant by them.
    """
    scale, zero = detail["quantization"]
    if not scale and has_bytes(detail):
        scale, zero = 1 / 255, np.iinfo(detail["dtype"]).min
    numbers: NDArray[np.float32] = values.astype(np.float32)
    return (numbers - np.float32(zero)) * np.float32(scale) if scale else numbers


def has_bytes(detail: dict[str, Any]) -> bool:
    """Whether a tensor has 8-bit integers."""
    return np.dtype(detail["dtype"]) in (np.uint8, np.int8)


def whole_range(detail: dict[str, Any]) -> tuple[float, float]:
    """The least and the greatest real number that a tensor of integers can have."""
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    least, most = (((limit - zero) * scale if scale else limit) for limit in (limits.min, limits.max))
    return float(least), float(most)


def likely_card(name: str, detail: dict[str, Any]) -> Card:
    """How a file without a card is likely to want its input, of which ``detail`` is the runtime's description.

    Paper 0 and ink 1, as most; integers of 8 bits get a step for each grey level, as these are made for pictures, and
    larger ones without a scale grey levels from 0 to 255.
    """
    paper, ink = 0.0, 1.0
    if has_bytes(detail):
        paper, ink = whole_range(detail)
    elif np.issubdtype(detail["dtype"], np.integer) and not detail["quantization"][0]:
        ink = 255.0
    return Card(name=name, paper=paper, ink=ink)
