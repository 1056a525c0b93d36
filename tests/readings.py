"""Compare readings on this machine with recorded ones: ``python -m tests.readings``.

The pages are generated here, and are the same bytes everywhere; ``--record`` writes what is read on them to
``tests/readings.json``, which is made on x86-64 with LiteRT and the newest NumPy and OpenCV.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import struct
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import rendering, virtual_camera
from edge.model.classifier import Model
from edge.model.golden_digits import golden_glyphs
from edge.model.runtime import RUNTIMES, STAND_IN, interpreter_class, title_of
from edge.reading.belief import Belief
from edge.reading.reader import MIN_CONFIDENCE, Reader
from edge.types import Pixels

RECORD = Path(__file__).with_suffix(".json")
SIZES = ((160, 120), (320, 240), (480, 640), (640, 480), (1280, 960), (200, 900))
"""Width and height of the pages, pixels."""
PAGES = 24
"""Number of pages."""
BOX_PIXELS = 2
"""Largest difference of a side of a digit's box from the recorded one, pixels: OpenCV rounds differently on ARM."""
LOG_ODDS = 0.6
"""Largest difference of a mark's confidence from the recorded one, in log-odds: OpenCV rounds differently on ARM.

A confidence is the logistic function of a sum, and rounding moves the sum: 0.5 becomes up to 0.65, 0.99 up to 0.995.
Measured: 0.53.
"""
DOUBT = 0.05
"""Largest difference of a probability from the recorded one where two digits lie on each other, 0 to 1.

tflite-runtime rounds int8 sums differently.
"""


@cache
def pages() -> tuple[tuple[Pixels, str], ...]:
    """Pages of each size, difficulty rising from 0 to 2, every fifth in chalk, two empty; and their texts."""
    return tuple(_page(n) for n in range(PAGES))


def _page(n: int) -> tuple[Pixels, str]:
    rng = np.random.default_rng([2, n])
    (width, height), difficulty, chalk = SIZES[n % 6], n // 6 * 2 / 3, n % 5 == 4
    rows = min(int(rng.integers(1, 4)), height // 60) if n % 12 != 9 else 0
    written = ["".join(map(str, rng.integers(0, 10, rng.integers(1, min(6, width // 40) + 1)))) for _ in range(rows)]
    ink, _ = rendering.page(written, height, width, rng)
    # As edge.handwriting.virtual_camera.lens_image, but blurred more and not tilted: OpenCV 4 and 5 warp differently.
    dimming, faintness = rng.uniform(5, 90) * difficulty, rng.uniform(0, 0.4) * difficulty
    page = virtual_camera.write(ink, dimming if chalk else 255 - dimming, (1 - faintness) * (-1 if chalk else 1))
    page = virtual_camera.light(page, rng, rng.uniform(0, 0.4) * difficulty)
    page = virtual_camera.blur(page, rng.uniform(0, 3) * difficulty * min(height, width) / 480)
    return virtual_camera.sensor_noise(page, rng, difficulty), "\n".join(written)


def readings(runtime: str) -> list[dict[str, Any]]:
    """The reading of each page with the packaged model: its marks, read or not; confidences have four digits."""
    found = []
    with Reader(Model(runtime=runtime), belief=Belief(runtime=runtime)) as reader:
        for pixels, _ in pages():
            reading = reader.read(pixels)
            marks = sorted((*reading.digits, *reading.unread), key=lambda mark: mark.box)
            found.append(
                {
                    "page": hashlib.sha256(pixels).hexdigest(),
                    "text": reading.text,
                    "reason": reading.reason,
                    "boxes": [list(map(int, mark.box)) for mark in marks],
                    "confidences": [round(float(mark.confidence), 4) for mark in marks],
                }
            )
    return found


def log_odds(confidences: list[float]) -> NDArray[np.float64]:
    """ln(p / (1 - p)); the ends of 0 to 1 as half of the last digit that is recorded."""
    p = np.clip(np.array(confidences, float), 0.00005, 0.99995)
    odds: NDArray[np.float64] = np.log(p / (1 - p))
    return odds


def is_decided(recorded: dict[str, Any]) -> bool:
    """Whether no mark of a page is so near to MIN_CONFIDENCE that rounding may decide whether it is read."""
    distance = np.abs(log_odds(recorded["confidences"]) - log_odds([MIN_CONFIDENCE]))
    return bool((distance > LOG_ODDS).all())


def doubts(runtime: str) -> NDArray[np.float64]:
    """Probabilities (50, classes) for pairs of golden digits on top of each other: on pages few digits are doubtful."""
    glyphs, _ = golden_glyphs()
    two = (glyphs.astype(np.uint16) + np.roll(glyphs, 7, axis=0)) // 2
    with Model(runtime=runtime) as model:
        return model.predict(two.astype(np.uint8)).astype(float).round(4)


def recorded() -> dict[str, Any]:
    """The recorded results of ``readings`` and ``doubts``."""
    found: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return found


def installed() -> list[str]:
    """The TFLite runtimes that are installed, and what stands in for one anywhere."""
    return [*(name for name in RUNTIMES if find_spec(name)), STAND_IN]


def furthest(found: list[dict[str, Any]], then: list[dict[str, Any]]) -> tuple[float, float]:
    """The greatest difference of a side of any box, pixels, and of any confidence, in log-odds.

    Infinite where there are other marks.
    """
    pixels = odds = 0.0
    for one, other in zip(found, then, strict=True):
        if len(one["boxes"]) != len(other["boxes"]):
            return np.inf, np.inf
        pixels = max(pixels, np.abs(np.array(one["boxes"]) - np.array(other["boxes"])).max(initial=0))
        apart = log_odds(one["confidences"]) - log_odds(other["confidences"])
        odds = max(odds, np.abs(apart).max(initial=0.0))
    return pixels, odds


def is_same(found: dict[str, Any], then: dict[str, Any]) -> bool:
    """Whether a page reads as recorded; what is undecided may be read or not."""
    boxes, odds = furthest([found], [then])
    is_near = boxes <= BOX_PIXELS and odds <= LOG_ODDS
    return is_near and (found["text"] == then["text"] or not is_decided(then))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="record what the first installed runtime reads here")
    asked = parser.parse_args()
    if asked.record:
        first = installed()[0]
        lines = {"readings": readings(first), "doubts": doubts(first).tolist()}
        parts = (f'"{name}": [\n' + ",\n".join(map(json.dumps, all_of_it)) + "\n]" for name, all_of_it in lines.items())
        RECORD.write_text("{" + ",\n".join(parts) + "}\n", "utf-8")
    for runtime in installed():
        found, then = readings(runtime), recorded()["readings"]
        doubt = np.abs(doubts(runtime) - recorded()["doubts"]).max()
        same = sum(a["page"] == b["page"] for a, b in zip(found, then, strict=True))
        alike = sum(is_same(a, b) for a, b in zip(found, then, strict=True))
        boxes, odds = furthest(found, then)
        print(
            f"{title_of(interpreter_class(runtime))}, OpenCV {cv2.__version__}, NumPy {np.__version__}, Python"
            f" {platform.python_version()}, {8 * struct.calcsize('P')} bits on {platform.machine()}: {same} of"
            f" {PAGES} pages are the recorded ones, {alike} read the same; boxes differ by up to {boxes:g} pixels,"
            f" confidences by up to {odds:.2f} in log-odds, probabilities of doubtful digits by {doubt:.4f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
