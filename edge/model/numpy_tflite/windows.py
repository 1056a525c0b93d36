"""Slide a window over images: where it lands, with TFLite's padding, and what lies below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.graph import MAX_VALUES

MAX_PATCHES = 2**16
"""Most values that are copied at once. Chosen: 256 KiB in float32, which a processor has near."""
_SAME = 0
"""schema.fbs's Padding."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows over images (n, height, width, channels)."""

    height: int
    width: int
    """Of a window, in pixels of the image if ``dilation`` is 1."""
    stride: tuple[int, int]
    dilation: tuple[int, int]
    same: bool
    """Whether the image is padded so that there is a window for each ``stride`` pixels."""

    @classmethod
    def of(cls, size: tuple[int, int], stride: tuple[int, int], padding: int, dilation: tuple[int, int]) -> Windows:
        """Raises ValueError if a number is not positive."""
        if min(*size, *stride, *dilation) < 1:
            raise ValueError("has a window, a stride or a dilation below 1")
        return cls(*size, stride, dilation, padding == _SAME)

    def counts(self, image: NDArray[Any]) -> tuple[int, int]:
        """How many windows there are in each column and row of an image."""
        return self._axis(image, 0)[0], self._axis(image, 1)[0]

    def views(self, image: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        """What lies below each window: (n, rows, columns, height, width, channels), not copied."""
        (rows, *top_bottom), (columns, *left_right) = self._axis(image, 0), self._axis(image, 1)
        image = _padded(np.ascontiguousarray(image), top_bottom, left_right, fill)
        n, _, _, channels = image.shape
        whole, down, right, single = image.strides
        shape = (n, rows, columns, self.height, self.width, channels)
        steps = (down * self.stride[0], right * self.stride[1], down * self.dilation[0], right * self.dilation[1])
        # As as_strided, but faster, and NumPy sees to it that it stays within the image.
        return np.ndarray(shape, image.dtype, image, 0, (whole, *steps, single))

    def patches(self, images: NDArray[Any]) -> Iterator[tuple[slice, slice, NDArray[Any]]]:
        """Some images, rows of their windows, and what lies below these: (windows, height * width * channels)."""
        views = self.views(images)
        n, rows, columns = views.shape[:3]
        size = self.height * self.width * views.shape[5]
        some = max(1, MAX_PATCHES // (rows * columns * size))
        step = rows if some > 1 else max(1, MAX_PATCHES // (columns * size))
        for first in range(0, n, some):
            for top in range(0, rows, step):
                part = views[first : first + some, top : top + step]
                yield slice(first, first + some), slice(top, top + step), part.reshape(-1, size)

    def _axis(self, image: NDArray[Any], axis: int) -> tuple[int, int, int]:
        """How many windows there are along an axis of the image, and the padding before and after it."""
        length = image.shape[1 + axis]
        size = ((self.height, self.width)[axis] - 1) * self.dilation[axis] + 1
        stride = self.stride[axis]
        if not self.same:
            if length < size:
                raise ValueError("its window is larger than the image")
            return (length - size) // stride + 1, 0, 0
        count = -(-length // stride)
        padding = max(0, (count - 1) * stride + size - length)
        if not image.size or (length + padding) * image[0].size // length > MAX_VALUES:
            raise ValueError("its window is too large")
        return count, padding // 2, padding - padding // 2


def _padded(image: NDArray[Any], top_bottom: list[int], left_right: list[int], fill: float) -> NDArray[Any]:
    """As np.pad, but faster."""
    if not any(top_bottom) and not any(left_right):
        return image
    n, height, width, channels = image.shape
    top, left = top_bottom[0], left_right[0]
    made = np.full((n, height + sum(top_bottom), width + sum(left_right), channels), fill, image.dtype)
    made[:, top : top + height, left : left + width] = image
    return made
