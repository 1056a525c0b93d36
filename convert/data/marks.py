"""Load handwritten marks that are kept as pen strokes or as pictures, and draw the strokes with any pen at any size.

The files are those of a data folder's ``marks/``. One eighth of the writers is held out: models are trained on the
others and judged by these.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import DataError
from edge.types import Pixels

Stroke = NDArray[np.float32]
"""The points of one stroke of the pen in order, (n, 2): x to the right, y downwards."""
HELD_OUT = 8
"""One writer of this many is held out; of pictures without a known writer, one picture."""
LOOK_ALIKES = frozenset("OolI|SsZzBgqbDQ")
"""Letters and symbols that cannot be told from a digit by their shape alone."""
FINE = 4
"""Strokes are drawn this many times larger and reduced, so that a pen may have any width; thick ones half as many."""


def is_held_out(writer: object) -> bool:
    """Whether this writer is one of those that nothing is trained on."""
    return zlib.crc32(str(writer).encode()) % HELD_OUT == 0


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """One set of marks as strokes: digits, symbols, letters or words."""

    points: NDArray[np.float32]
    """(N, 2): all strokes one after the other."""
    stroke_start: NDArray[np.int64]
    """(strokes + 1,): where each stroke begins in ``points``."""
    sample_start: NDArray[np.int64]
    """(marks + 1,): the number of each mark's first stroke."""
    labels: tuple[str, ...]
    """What each mark is."""
    writers: tuple[str, ...]
    """Who wrote each mark."""
    held_out: NDArray[np.bool_]
    """(marks,): whether its writer is held out."""
    looks_like_digit: NDArray[np.bool_]
    """(marks,): whether the set says that a person may take it for a digit."""

    def __len__(self) -> int:
        return len(self.labels)

    def strokes(self, index: int) -> list[Stroke]:
        """The strokes of one mark, in the units of its set."""
        start = self.stroke_start
        return [
            self.points[start[k] : start[k + 1]] for k in range(self.sample_start[index], self.sample_start[index + 1])
        ]


@dataclass(frozen=True, slots=True, eq=False)
class MarkPictures:
    """One set of marks as pictures."""

    pictures: Pixels
    """(n, height, width) uint8, light ink on black."""
    labels: tuple[str, ...]
    held_out: NDArray[np.bool_]
    """(n,): every eighth, as the writers are not known."""

    def __len__(self) -> int:
        return len(self.labels)


def load_marks(folder: Path, name: str) -> Marks | None:
    """The strokes in ``NAME.npz`` of a ``marks/`` folder, or None where it is missing. Raises DataError."""
    arrays = _arrays(folder / f"{name}.npz", ("points", "stroke_start", "sample_start", "y", "writer"))
    if arrays is None:
        return None
    # Some labels are escaped: \" and \\.
    labels = tuple(str(label).removeprefix("\\") or "\\" for label in arrays["y"])
    writers = tuple(str(writer) for writer in arrays["writer"])
    held = {writer: is_held_out(writer) for writer in set(writers)}
    return Marks(
        arrays["points"].astype(np.float32),
        arrays["stroke_start"].astype(np.int64),
        arrays["sample_start"].astype(np.int64),
        labels,
        writers,
        np.array([held[writer] for writer in writers], bool),
        np.asarray(arrays.get("looks_like_digit", np.zeros(len(labels))), bool),
    )


def load_mark_pictures(folder: Path, name: str) -> MarkPictures | None:
    """The pictures, dark on light, in ``NAME.npz`` of a ``marks/`` folder, or None where it is missing.

    Raises DataError.
    """
    arrays = _arrays(folder / f"{name}.npz", ("x", "y"))
    if arrays is None:
        return None
    labels = tuple(str(label) for label in arrays["y"])
    return MarkPictures(255 - arrays["x"].astype(np.uint8), labels, np.arange(len(labels)) % HELD_OUT == 0)


def _arrays(path: Path, wanted: Sequence[str]) -> dict[str, NDArray[np.generic]] | None:
    """All arrays of a file, each decompressed once; None where there is no file."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as opened:
            arrays = dict(opened)
        for name in wanted:
            arrays[name]
    # As in convert.data.mnist: which error np.load raises depends on the damage.
    except (
        OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise DataError(f"{path}: no whole .npz with {', '.join(wanted)} ({error}); fetch it again") from error
    return arrays


def extent(strokes: Sequence[Stroke]) -> tuple[float, float]:
    """Width and height of the strokes, in their own units."""
    points = np.concatenate(strokes)
    width, height = (points.max(axis=0) - points.min(axis=0)).tolist()
    return width, height


def fit(
    strokes: Sequence[Stroke],
    size: float,
    *,
    slant: float = 0.0,
    turn: float = 0.0,
    stretch: float = 1.0,
    wobble: float = 0.0,
    rng: np.random.Generator | None = None,
) -> list[Stroke]:
    """The strokes in pixels, their longer side ``size``, their left and top at 0.

    ``slant``: how far the top moves to the right, in heights; ``turn``: degrees clockwise; ``stretch``: width times
    this. ``wobble`` bends smoothly by up to this share of the size, in a way that ``rng`` draws.
    """
    angle = np.radians(turn)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = (matrix @ np.array([[stretch, -slant], [0, 1]])).astype(np.float32)
    moved = [stroke @ matrix.T for stroke in strokes]
    if wobble and rng is not None:
        around = 2 * np.pi / max(*extent(moved), 1e-3)
        phases = rng.uniform(0, 2 * np.pi, (2, 2))
        moved = [
            stroke + (wobble / around * 2 * np.pi) * np.stack(
                [np.sin(around * stroke[:, ::-1] + phase).mean(axis=1) for phase in phases], axis=1
            ).astype(np.float32)
            for stroke in moved
        ]  # fmt: skip
    corner = np.concatenate(moved).min(axis=0)
    scale = np.float32(size / max(*extent(moved), 1e-3))
    return [(stroke - corner) * scale for stroke in moved]


def draw(
    strokes: Sequence[Stroke],
    size: float,
    pen: float,
    *,
    slant: float = 0.0,
    turn: float = 0.0,
    stretch: float = 1.0,
    wobble: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Pixels:
    """The ink of the strokes, (height, width) uint8, 0 = none, 255 = full, cropped to them.

    Its longer side is about ``size`` pixels, the pen's width included; the pen is round and ``pen`` pixels wide. Pens
    thinner than a pixel are fainter. The other parameters are those of ``fit``.
    """
    placed = fit(strokes, max(size - pen, 0.5), slant=slant, turn=turn, stretch=stretch, wobble=wobble, rng=rng)
    fine = FINE if pen < 2 * FINE else FINE // 2
    width, height = (int(np.ceil(side + pen)) + 2 for side in extent([*placed, np.zeros((1, 2), np.float32)]))
    ink = np.zeros((height * fine, width * fine), np.uint8)
    # OpenCV draws a line of even thickness one pixel thicker than asked.
    thick = max(1, 2 * round((pen * fine - 1) / 2))
    for stroke in placed:
        fixed = np.round((stroke + (pen / 2 + 1)) * (16 * fine) - 8).astype(np.int32)
        if len(fixed) == 1:
            cv2.circle(ink, fixed[0].tolist(), round(8 * pen * fine), 255, cv2.FILLED, cv2.LINE_8, 4)
        else:
            cv2.polylines(ink, [fixed.reshape(-1, 1, 2)], False, 255, thick, cv2.LINE_8, 4)
    return cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
