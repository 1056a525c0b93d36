"""What input a Keras model wants: for now the usual one, 0 for paper and 1 for ink, in its own shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.card import Card, Output
from edge.model import feed, image_shape, ramp
from edge.types import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a Keras model is fed and read."""

    shape: tuple[int, ...]
    """Of one input, without the batch: (28, 28, 1), (28, 28), (784,) and so on."""
    image: tuple[int, int, int]
    """(height, width, channels) of the image that such an input stands for."""
    paper: float = 0.0
    """The input value of empty paper."""
    ink: float = 1.0
    """The input value of full ink."""
    output: Output = "probabilities"
    """Whether the outputs already are probabilities."""

    def feed(self, glyphs: Pixels) -> NDArray[np.float32]:
        """Glyphs (n, 28, 28) uint8, light ink on black -> the model's input (n, \\*shape) float32.

        Made by the very functions that feed the quantised model on the Pi.
        """
        table = ramp(Card(paper=self.paper, ink=self.ink)).astype(np.float32)
        return np.stack([feed(glyph, self.image, table).reshape(self.shape) for glyph in glyphs])

    def outputs(self, model: Any, glyphs: Pixels) -> NDArray[np.float32]:
        """What the Keras model itself gives for glyphs (n, 28, 28): (n, 10) float32."""
        outputs = model.predict(self.feed(glyphs), batch_size=500, verbose=0)
        return np.asarray(outputs, np.float32).reshape(len(glyphs), -1)


def find(model: Any, glyphs: Pixels, where: str) -> Convention:
    """The convention of a Keras model, tried on a few glyphs. ModelError where its input is no image of a digit."""
    # Where the height and width are open, a glyph's own size will do.
    shape = [None, *model.input_shape[1:]]
    if len(shape) == 4:
        shape[1:3] = [28 if n is None else n for n in shape[1:3]]
    convention = Convention(shape=tuple(shape[1:]), image=image_shape(shape, where))
    outputs = convention.outputs(model, glyphs)
    # Sigmoids count as probabilities too: edge.model makes them sum to 1.
    bounded = outputs.min() >= -1e-5 and outputs.max() <= 1 + 1e-5
    return replace(convention, output="probabilities" if bounded else "logits")
